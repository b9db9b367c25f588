// Which files does a statement sign, and how? OpenSSF Model Signing v1.0 as model_signing writes it for files on disk:
// whole files or shards of them, links, and paths to leave out. Nothing is read here.
// Specification: ossf/model-signing-spec spec/v1.0.md; model_signing 1.1 for shards and `ignore_paths`.
import { quote, toArray, toRecord, toText } from '../lib/text.ts';
import { SignatureError } from './error.ts';
import { addName, checkRootDigest, MAX_RESOURCES } from './model-signing.ts';
import type { Statement } from './statement.ts';

/** The name that model_signing gives to a model that is one file. */
export const SINGLE_FILE = '.';
/** Hash functions by the name of the specification: node:crypto's name and length in hex digits. */
const HASHES: Readonly<Record<string, { readonly hash: FileHash; readonly digits: number }>> = {
  sha256: { hash: 'sha256', digits: 64 },
  blake2b: { hash: 'blake2b512', digits: 128 },
};
const SHARD_NAME = /^(.+):(0|[1-9]\d{0,15}):([1-9]\d{0,15})$/s;

/** A hash function, as node:crypto calls it. */
export type FileHash = 'sha256' | 'blake2b512';

/** A signed part of a file: from `start` to `end`, which is undefined for "to its end". */
export interface SignedPart {
  readonly start: number;
  readonly end: number | undefined;
  readonly hash: FileHash;
  /** Lower-case hex. */
  readonly digest: string;
}

/** What a statement says about files. */
export interface SignedFiles {
  /** Parts by path, in the order of the file; a single-file model is {@link SINGLE_FILE}. */
  readonly files: ReadonlyMap<string, readonly SignedPart[]>;
  readonly allowSymlinks: boolean;
  /** True when empty files are not among the shards, and so are not signed. */
  readonly omitsEmptyFiles: boolean;
  /** Paths that need not be signed; a folder stands for everything below it. */
  readonly ignorePaths: readonly string[];
}

const invalid = (message: string): SignatureError =>
  new SignatureError('SignatureInvalid', `the model signing statement is invalid: ${message}`);
const unsupported = (message: string): SignatureError => new SignatureError('UnsupportedFormat', message);

/** Reads what a verified statement signs. @throws SignatureError */
export function readSignedFiles(statement: Statement): SignedFiles {
  const predicate = toRecord(statement.predicate);
  const serialization = toRecord(predicate['serialization']);
  const isSharded = readMethod(serialization);
  const list = toArray(predicate['resources']);
  if (list.length === 0) throw invalid('it lists no files');
  if (list.length > MAX_RESOURCES) throw invalid(`it lists more than ${MAX_RESOURCES} files`);
  const parts = list.map((entry) => readPart(entry, isSharded));
  checkRootDigest(
    statement,
    parts.map(({ part }) => part.digest),
  );
  return {
    files: groupByPath(parts, isSharded),
    allowSymlinks: serialization['allow_symlinks'] === true,
    omitsEmptyFiles: isSharded,
    ignorePaths: toArray(serialization['ignore_paths']).filter(isUsablePath),
  };
}

function readMethod({ method, shard_size: size }: Record<string, unknown>): boolean {
  if (method === 'files') return false;
  if (method !== 'shards')
    throw unsupported(`model signing by ${quote(toText(method) ?? '', 40)} is not supported`);
  // Protobuf's Struct writes whole numbers as 8.0.
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 1)
    throw invalid('it has no shard size');
  return true;
}

// A path that leads out, or that stands for the whole model, leaves nothing out.
function isUsablePath(path: unknown): path is string {
  return (
    typeof path === 'string' && path.split('/').every((part) => part !== '' && part !== '.' && part !== '..')
  );
}

interface NamedPart {
  readonly path: string;
  readonly part: SignedPart;
}

function readPart(entry: unknown, isSharded: boolean): NamedPart {
  const { name, algorithm, digest } = toRecord(entry);
  if (typeof name !== 'string') throw invalid('a file has no name');
  const { hash, digits } = readAlgorithm(toText(algorithm) ?? '', isSharded);
  if (!isHex(digest, digits)) throw invalid(`the file ${quote(name)} has no digest of its kind`);
  if (!isSharded) return { path: name, part: { start: 0, end: undefined, hash, digest } };
  return readShardName(name, { hash, digest });
}

function isHex(text: unknown, digits: number): text is string {
  return typeof text === 'string' && text.length === digits && /^[0-9a-f]+$/.test(text);
}

// `weights.bin:0:1000`: a path can have colons of its own.
function readShardName(name: string, part: Pick<SignedPart, 'hash' | 'digest'>): NamedPart {
  const [, path = '', start = '', end = ''] = SHARD_NAME.exec(name) ?? [];
  if (path === '' || Number(start) >= Number(end)) throw invalid(`${quote(name)} names no shard`);
  return { path, part: { ...part, start: Number(start), end: Number(end) } };
}

// model_signing writes `sha256-sharded-1000` where the specification says `sha256`.
function readAlgorithm(
  algorithm: string,
  isSharded: boolean,
): { readonly hash: FileHash; readonly digits: number } {
  const name = isSharded ? algorithm.replace(/-sharded-[1-9]\d{0,15}$/, '') : algorithm;
  const found = Object.hasOwn(HASHES, name) ? HASHES[name] : undefined;
  if (found === undefined) throw unsupported(`files hashed by ${quote(algorithm, 40)} are not supported`);
  return found;
}

function groupByPath(
  parts: readonly NamedPart[],
  isSharded: boolean,
): ReadonlyMap<string, readonly SignedPart[]> {
  const files = new Map<string, SignedPart[]>();
  const seen = new Set<string>();
  for (const { path, part } of parts) {
    const known = files.get(path);
    if (known !== undefined && isSharded) known.push(part);
    else {
      // A file may stand once, a single-file model only alone.
      if (path !== SINGLE_FILE || known !== undefined) addName(seen, path);
      files.set(path, [part]);
    }
  }
  if (files.has(SINGLE_FILE) && files.size > 1) throw invalid('it lists a single file and others');
  for (const [path, shards] of files) {
    shards.sort((a, b) => a.start - b.start);
    const isWhole = shards.every(({ start }, index) => start === (index === 0 ? 0 : shards[index - 1]?.end));
    if (!isWhole) throw invalid(`the shards of ${quote(path)} are not the whole file`);
  }
  return files;
}

/** True when a path or a folder above it is among the paths to leave out. */
export function isIgnored(path: string, ignorePaths: readonly string[]): boolean {
  return ignorePaths.some((ignored) => path === ignored || path.startsWith(`${ignored}/`));
}

/**
 * Compares the names of signed and present files, both ways.
 * @param present sizes in bytes by path; what may be left out is not among them unless it is signed
 * @returns one clause for each difference
 */
export function compareFileSets(
  { files, omitsEmptyFiles }: SignedFiles,
  present: ReadonlyMap<string, number>,
): readonly string[] {
  const surplus = [...present]
    .filter(([path, size]) => !files.has(path) && !(omitsEmptyFiles && size === 0))
    .map(([path]) => `the file ${quote(path)} is not among the signed files`);
  const missing = [...files.keys()]
    .filter((path) => !present.has(path))
    .map((path) => `the signed file ${quote(path)} is missing`);
  const resized = [...files].flatMap(([path, parts]) => {
    const [size, end] = [present.get(path), parts.at(-1)?.end];
    return size === undefined || end === undefined || size === end
      ? []
      : [`the file ${quote(path)} has ${size} bytes where ${end} were signed`];
  });
  return [...surplus, ...missing, ...resized];
}

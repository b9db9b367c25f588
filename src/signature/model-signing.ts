// Do the signed files and the packaged files agree? OpenSSF Model Signing v1.0 statements matched against the layers
// of a manifest, without fetching one: sound only where a layer is one raw file, whose digest is then the file's.
// Specification: ossf/model-signing-spec spec/v1.0.md.
import { createHash } from 'node:crypto';
import { isRecord, quote, toArray, toRecord, toText } from '../lib/text.ts';
import { splitDigest } from '../lib/digest.ts';
import type { ImageManifest, Descriptor } from '../model/manifest.ts';
import {
  EMPTY_CONFIG,
  EMPTY_CONFIG_DIGEST,
  IGNORABLE_FILES,
  isArchiveType,
  SIGNATURE_FILE,
  toFileName,
  toFormat,
  toLayerClass,
} from '../model/packaging.ts';
import type { ModelFormat } from '../model/facts.ts';
import { SignatureError } from './error.ts';
import { requireSignatureSubject, type Statement } from './statement.ts';

/** Most files of one statement (docs: limits). */
export const MAX_RESOURCES = 10_000;
const MAX_NAME_CHARS = 1024;
const SHA256_HEX = /^[0-9a-f]{64}$/;

const invalid = (message: string): SignatureError =>
  new SignatureError('SignatureInvalid', `the model signing statement is invalid: ${message}`);
const mismatch = (message: string): SignatureError => new SignatureError('FileSetMismatch', message);

/** The layer `model.sig` of a model. */
export interface SignatureLayer {
  /** Its digest, when it is the only such file, at the root, and parses as a bundle; undefined otherwise. */
  readonly digest: string | undefined;
  /** True when it is this very layer that holds the statement which is verified. */
  readonly holdsStatement: boolean;
}

/**
 * Checks that a verified statement is about exactly the files of a manifest.
 * @param signature what may be left out of the signed files: a signature cannot name its own digest
 * @throws SignatureError
 */
export function verifyModelFiles(
  statement: Statement,
  manifest: ImageManifest,
  signature: SignatureLayer = { digest: undefined, holdsStatement: false },
): void {
  const predicate = toRecord(statement.predicate);
  const resources = readResources(predicate);
  checkRootDigest(statement, resources.values());
  const files = readFiles(manifest);
  const ignored = readIgnoredPaths(predicate, signature, files);
  for (const [name, digest] of files) {
    const signed = resources.get(name);
    if (signed === undefined && !ignored.has(name))
      throw mismatch(`the layer ${quote(name)} is not among the signed files`);
    if (signed !== undefined && signed !== digest)
      throw mismatch(`the layer ${quote(name)} is not the file that was signed`);
  }
  for (const name of resources.keys())
    if (!files.has(name)) throw mismatch(`the signed file ${quote(name)} is not among the layers`);
}

function readResources(predicate: Record<string, unknown>): ReadonlyMap<string, string> {
  const serialization = toRecord(predicate['serialization']);
  if (serialization['method'] !== 'files')
    throw new SignatureError(
      'UnsupportedFormat',
      `model signing by ${quote(toText(serialization['method']) ?? '', 40)} cannot be matched to layers`,
    );
  const list = toArray(predicate['resources']);
  if (list.length === 0) throw invalid('it lists no files');
  if (list.length > MAX_RESOURCES) throw invalid(`it lists more than ${MAX_RESOURCES} files`);
  const resources = new Map<string, string>();
  const seen = new Set<string>();
  for (const entry of list) {
    const { name, digest } = readResource(entry);
    addName(seen, name);
    resources.set(name, digest);
  }
  return resources;
}

function readResource(entry: unknown): { name: string; digest: string } {
  const { name, algorithm, digest } = toRecord(entry);
  if (algorithm !== 'sha256')
    throw new SignatureError(
      'UnsupportedFormat',
      `files hashed by ${quote(toText(algorithm) ?? '', 40)} cannot be matched to layers`,
    );
  if (typeof digest !== 'string' || !SHA256_HEX.test(digest)) throw invalid('a file has no SHA-256 digest');
  if (typeof name !== 'string') throw invalid('a file has no name');
  return { name, digest };
}

/**
 * Adds a file name to those seen. Two names that some file system takes for one must not both exist; paths must mean the
 * same to every reader. @throws SignatureError
 */
export function addName(seen: Set<string>, name: string): void {
  const parts = name.split('/');
  const isCanonical =
    name.length <= MAX_NAME_CHARS &&
    parts.every((part) => part !== '' && part !== '.' && part !== '..') &&
    // eslint-disable-next-line no-control-regex
    !/[\\\u0000-\u001f\u007f]/.test(name);
  if (!isCanonical) throw mismatch(`the file name ${quote(name)} is not canonical`);
  const folded = name.normalize('NFC').toLowerCase();
  if (seen.has(folded)) throw mismatch(`the file name ${quote(name)} stands twice`);
  seen.add(folded);
}

/**
 * Requires that the statement's subject is the digest of its files: SHA-256 over the concatenated raw digests in listed
 * order (spec/v1.0.md). @throws SignatureError
 */
export function checkRootDigest(statement: Statement, digests: Iterable<string>): void {
  const root = createHash('sha256');
  for (const digest of digests) root.update(Buffer.from(digest, 'hex'));
  const { digest } = requireSignatureSubject(statement);
  if (Object.keys(digest).length !== 1 || digest['sha256'] !== root.digest('hex'))
    throw invalid('its subject is not the digest of its files');
}

function readFiles(manifest: ImageManifest): Map<string, string> {
  const format = toFormat(manifest);
  const files = new Map<string, string>();
  const seen = new Set<string>();
  for (const [index, layer] of manifest.layers.entries()) {
    const name = readLayerName(layer, index, format);
    addName(seen, name);
    files.set(name, splitDigest(layer.digest).hex);
  }
  checkConfig(manifest, format);
  return files;
}

function readLayerName(layer: Descriptor, index: number, format: ModelFormat): string {
  // The signature does not cover media types: a file that was signed could be served under a type that unpacks it,
  // the default type of oras push among them.
  const isFile = toLayerClass(layer, format) === 'rawFile' && !isArchiveType(layer.mediaType);
  if (!isFile || !layer.digest.startsWith('sha256:'))
    throw new SignatureError(
      'OpaqueLayer',
      `layer ${index} of type ${quote(layer.mediaType, 80)} cannot be compared with signed files without unpacking it`,
    );
  const { name, isAmbiguous } = toFileName(layer, format);
  if (isAmbiguous) throw mismatch(`layer ${index} has two different file names`);
  if (name === undefined) throw mismatch(`layer ${index} has no file name`);
  return name;
}

// A config is not among the files, so it may only be of a type that steers nothing.
function checkConfig({ config }: ImageManifest, format: ModelFormat): void {
  if (config.mediaType === EMPTY_CONFIG && config.digest === EMPTY_CONFIG_DIGEST) return;
  if (format !== 'ModelPack' && format !== 'Docker')
    throw mismatch(`the config of type ${quote(config.mediaType, 80)} is not among the signed files`);
}

function readIgnoredPaths(
  predicate: Record<string, unknown>,
  signature: SignatureLayer,
  files: ReadonlyMap<string, string>,
): ReadonlySet<string> {
  const serialization = predicate['serialization'];
  const paths = isRecord(serialization) ? toArray(serialization['ignore_paths']) : [];
  const ignored = new Set(
    paths.filter((path): path is string => typeof path === 'string' && IGNORABLE_FILES.has(path)),
  );
  // The signature is written after the files are listed: it is left out of its own statement without being named, and
  // of another one only by name. Whatever else is called so is a file like any other.
  const isSignature =
    signature.digest !== undefined && signature.digest === `sha256:${files.get(SIGNATURE_FILE) ?? ''}`;
  if (!isSignature) ignored.delete(SIGNATURE_FILE);
  else if (signature.holdsStatement) ignored.add(SIGNATURE_FILE);
  return ignored;
}

// Are these files the ones that were signed? OpenSSF Model Signing over a directory or a single file: first who signed,
// then which files are there, then every byte of them.
import { readFileSync, realpathSync, statSync, type Stats } from 'node:fs';
import path from 'node:path';
import type { OptionValues } from '../config.ts';
import { VERIFY_FILES_OPTIONS } from '../file-options.ts';
import { FileError } from '../files/error.ts';
import { examine, listFiles, type FoundFile } from '../files/list-files.ts';
import { MAX_BUNDLE_BYTES } from '../evidence/evidence.ts';
import { toSignatureCandidate, type BundleCandidate } from '../signature/candidate.ts';
import { SignatureError } from '../signature/error.ts';
import { isIgnored, readSignedFiles, SINGLE_FILE, type SignedFiles } from '../signature/signed-files.ts';
import type { SignerFacts } from '../signature/facts.ts';
import { verifySigner } from '../signature/verify.ts';
import { createFinding } from '../verdict/finding-message.ts';
import type { Finding } from '../reason.ts';
import { listOf, textOf, UsageError, type CommandSpec } from './arguments.ts';
import { compareFiles } from './compare-files.ts';
import { readTrust } from './files-trust.ts';
import { toJsonFinding } from './json-verdict.ts';
import type { Output } from './output.ts';

/** The command line of verify-files. */
export const VERIFY_FILES: CommandSpec = {
  name: 'verify-files',
  summary:
    'Verifies the signature of the files in DIR (or of one file). Exit code 0: verified; 1: rejected; 2: usage.',
  positional: 'DIR',
  options: VERIFY_FILES_OPTIONS,
};

interface Answer {
  readonly findings: readonly Finding[];
  readonly signer?: SignerFacts;
}

/** Runs verify-files. @returns the exit code @throws UsageError */
export async function runVerifyFiles(
  values: OptionValues,
  positionals: readonly string[],
  output: Output,
): Promise<number> {
  const [target, ...others] = positionals;
  if (target === undefined || others.length > 0) throw new UsageError('verify-files takes one DIR');
  const bundle = textOf(values, 'bundle');
  if (bundle === undefined) throw new UsageError('--bundle is required');
  const authority = readTrust(values);
  const bytes = readBundle(bundle);
  const model = locate(target, bundle, listOf(values, 'ignore-path'));
  const answer = await answerFor(model, () => {
    const candidate = toCandidate(bytes);
    // Which files were signed is only read once it is known who signed.
    const signer = verifySigner(candidate, authority, { now: new Date() });
    return { signer, signed: readSignedFiles(candidate.statement) };
  });
  const verified = answer.findings.length === 0;
  if (values['json'] === true)
    output.answer(JSON.stringify({ verified, findings: answer.findings.map(toJsonFinding) }));
  else if (verified) output.answer(`verified: ${target}\n${describe(answer.signer)}`);
  else output.answer(`rejected: ${target}\n${answer.findings.map(({ message }) => message).join('\n')}`);
  return verified ? 0 : 1;
}

/** What is on disk: a directory or one file, with the paths beside the model that are no part of it. */
interface Model {
  readonly realPath: string;
  readonly isDirectory: boolean;
  readonly name: string;
  readonly ignorePaths: readonly string[];
}

function locate(target: string, bundle: string, ignored: readonly string[]): Model {
  const stats = statNamed(target, 'DIR');
  if (!stats.isDirectory() && !stats.isFile())
    throw new UsageError(`${target} is neither directory nor file`);
  const realPath = realpathSync(target);
  // The signature may lie in the directory, by its own name or by that of a link to it.
  const bundles = [
    path.relative(path.resolve(target), path.resolve(bundle)),
    path.relative(realPath, realpathSync(bundle)),
  ];
  return {
    realPath,
    isDirectory: stats.isDirectory(),
    name: path.basename(path.resolve(target)),
    ignorePaths: [...bundles, ...ignored.map((name) => path.normalize(name).replace(/\/+$/, ''))].filter(
      (relative) => !/^(?:\.\.(?:\/|$)|\/|\.?$)/.test(relative),
    ),
  };
}

function readBundle(file: string): Buffer {
  const stats = statNamed(file, 'bundle');
  if (!stats.isFile()) throw new UsageError(`bundle ${file} is no file`);
  // One byte more than may be parsed is enough to refuse it.
  if (stats.size > MAX_BUNDLE_BYTES) return Buffer.alloc(MAX_BUNDLE_BYTES + 1);
  try {
    return readFileSync(file);
  } catch {
    throw new UsageError(`cannot read bundle ${file}`);
  }
}

function statNamed(file: string, what: string): Stats {
  try {
    return statSync(file);
  } catch {
    throw new UsageError(`cannot read ${what} ${file}`);
  }
}

function toCandidate(bytes: Buffer): BundleCandidate {
  if (bytes.length > MAX_BUNDLE_BYTES)
    throw new SignatureError('ArtifactTooLarge', `the bundle has more than ${MAX_BUNDLE_BYTES} bytes`);
  const candidate = toSignatureCandidate(bytes);
  if (candidate?.format === 'ModelSigning') return candidate;
  throw new SignatureError('UnsupportedFormat', 'the bundle is no OpenSSF Model Signing signature');
}

async function answerFor(
  model: Model,
  verify: () => { readonly signer: SignerFacts; readonly signed: SignedFiles },
): Promise<Answer> {
  try {
    const { signer, signed } = verify();
    const problems = await compareFiles(signed, {
      list: () => list(model, signed),
      hasOneFile: !model.isDirectory,
    });
    return { signer, findings: problems.map((problem) => createFinding('FileSetMismatch', problem)) };
  } catch (error) {
    if (error instanceof SignatureError) return { findings: [createFinding(error.reason, error.message)] };
    if (error instanceof FileError) return { findings: [createFinding('FileSetMismatch', error.message)] };
    throw error;
  }
}

async function list(
  model: Model,
  { files, allowSymlinks, ignorePaths }: SignedFiles,
): Promise<ReadonlyMap<string, FoundFile>> {
  const ignored = [...ignorePaths, ...model.ignorePaths];
  const isSigned = (relative: string): boolean =>
    files.has(relative) || [...files.keys()].some((file) => file.startsWith(`${relative}/`));
  if (model.isDirectory)
    return listFiles(model.realPath, {
      isIgnored: (relative) => isIgnored(relative, ignored) && !isSigned(relative),
      allowSymlinks,
    });
  const found = await examine(path.dirname(model.realPath), path.basename(model.realPath), allowSymlinks);
  if (found === 'folder') throw new FileError('the file became a folder');
  return new Map([[files.has(SINGLE_FILE) ? SINGLE_FILE : model.name, found]]);
}

function describe(signer: SignerFacts | undefined): string {
  if (signer === undefined || signer.issuer === '') return `by key ${signer?.keyFingerprint ?? ''}`;
  return `by ${JSON.stringify(signer.subject)} of issuer ${JSON.stringify(signer.issuer)}`;
}

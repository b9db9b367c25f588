// Does this bundle sign this file? The command that checks a Sigstore bundle without a cluster, a registry or a policy.
import { existsSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { type OptionValues } from '../config.ts';
import { VERIFY_BUNDLE_OPTIONS } from '../file-options.ts';
import { isDigest, splitDigest } from '../lib/digest.ts';
import { toErrorMessage } from '../lib/text.ts';
import { SignatureError } from '../signature/error.ts';
import type { SignerFacts } from '../signature/facts.ts';
import type { Artifact } from '../signature/message.ts';
import type { RequiredTrust } from '../signature/observers.ts';
import { preparedTrustOf } from '../signature/prepared-trust.ts';
import { parsePublicKeys } from '../signature/public-key.ts';
import { verifyBundle, type WantedSigner } from '../signature/verify-bundle.ts';
import { loadPublicGoodRoot } from '../trust/public-good.ts';
import { parseTrustedRoot, TrustedRootError, type TrustedRoot } from '../trust/trusted-root.ts';
import { textOf, UsageError, type CommandSpec } from './arguments.ts';
import type { Output } from './output.ts';

/** The command line of verify-bundle. */
export const VERIFY_BUNDLE: CommandSpec = {
  name: 'verify-bundle',
  summary:
    'Verifies a Sigstore bundle for a file, or for sha256:… of it. Exit code 0: verified; 1: rejected, with the reason as JSON; 2: usage.',
  positional: 'FILE_OR_DIGEST',
  options: VERIFY_BUNDLE_OPTIONS,
};

/** Runs verify-bundle. @returns the exit code @throws UsageError */
export function runVerifyBundle(
  values: OptionValues,
  positionals: readonly string[],
  output: Output,
): Promise<number> {
  const [target, ...others] = positionals;
  if (target === undefined || others.length > 0)
    throw new UsageError('verify-bundle takes one FILE_OR_DIGEST');
  const bundle = readInput(requireText(values, 'bundle'));
  const artifact = readArtifact(target);
  const rejection = attempt(() => {
    const signer = readSigner(values);
    const facts = verifyBundle({ bundle, artifact, signer }, readTrust(values), { now: new Date() });
    output.answer(JSON.stringify({ verified: true, ...toAnswer(facts) }));
  });
  if (rejection !== undefined)
    output.answer(JSON.stringify({ verified: false, code: rejection.reason, reason: rejection.message }));
  return Promise.resolve(rejection === undefined ? 0 : 1);
}

function attempt(run: () => void): SignatureError | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    if (error instanceof SignatureError) return error;
    if (error instanceof TrustedRootError)
      return new SignatureError('TrustRootUnavailable', `the trusted root is invalid: ${error.message}`);
    throw error;
  }
}

function requireText(values: OptionValues, flag: string): string {
  const value = textOf(values, flag);
  if (value === undefined) throw new UsageError(`--${flag} is required`);
  return value;
}

function readInput(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new UsageError(`${JSON.stringify(path)} cannot be read: ${toErrorMessage(error)}`);
  }
}

// A file of that name wins over the digest that its name spells.
function readArtifact(target: string): Artifact {
  if (!isDigest(target) || existsSync(target)) return { kind: 'bytes', bytes: readInput(target) };
  const { algorithm, hex } = splitDigest(target);
  if (algorithm !== 'sha256') throw new UsageError('a digest must be sha256:…');
  return { kind: 'digest', sha256: Buffer.from(hex, 'hex') };
}

function readSigner(values: OptionValues): WantedSigner {
  const key = textOf(values, 'key');
  const subject = textOf(values, 'certificate-identity');
  const issuer = textOf(values, 'certificate-oidc-issuer');
  if (key === undefined) {
    if (subject === undefined || issuer === undefined)
      throw new UsageError('--certificate-identity and --certificate-oidc-issuer, or --key, are required');
    return { kind: 'identity', subject, issuer };
  }
  if (subject !== undefined || issuer !== undefined)
    throw new UsageError('--key excludes --certificate-identity and --certificate-oidc-issuer');
  const parsed = parsePublicKeys(readInput(key).toString('latin1'));
  if (!parsed.ok) throw new SignatureError('SignerNotTrusted', `the key cannot be used: ${parsed.problem}`);
  return { kind: 'key', keys: parsed.keys };
}

function readTrust(values: OptionValues): RequiredTrust {
  const path = textOf(values, 'trusted-root');
  const root: TrustedRoot = path === undefined ? loadPublicGoodRoot() : parseTrustedRoot(readInput(path));
  return {
    trust: preparedTrustOf(root),
    trustRoot: path === undefined ? 'public-good' : basename(path),
    requirements: {
      logEntries: toCount(values, 'tlog-threshold'),
      timestamps: toCount(values, 'timestamp-threshold'),
      certificateTimestamps: toCount(values, 'ctlog-threshold'),
    },
  };
}

function toCount(values: OptionValues, flag: string): number {
  return Number(textOf(values, flag));
}

function toAnswer({ issuer, subject, keyFingerprint, signedAt, existedBy, logs }: SignerFacts): object {
  return { issuer, subject, keyFingerprint, signedAt: signedAt ?? existedBy, logs };
}

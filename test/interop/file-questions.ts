// Which questions do signatures over files on disk ask? The recorded OpenSSF Model Signing bundles with their files, to
// model_signing with everything, to sigstore-go about the signer alone.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { loadPublicGood } from '../../src/trust/public-good.ts';
import {
  toFileChecks,
  toVerifyFilesParameters,
  type FileCheck,
  type FileTrust,
} from '../vectors/file-checks.ts';
import { askOurs } from './ours.ts';
import type { Question } from './question.ts';
import type { SigstoreGoQuestion, Tools } from './tools.ts';
import { toClientTrustConfig, toPrivatePkiRoot } from './trusted-root.ts';

/** The questions of a directory of recorded bundles. @param scratch directory for copies and configuration */
export function toFileQuestions(directory: string, scratch: string, tools: Tools): readonly Question[] {
  const trustedRoot = path.join(scratch, 'public-good.json');
  writeFileSync(trustedRoot, loadPublicGood().bytes);
  const config = path.join(scratch, 'public-good-config.json');
  writeFileSync(config, JSON.stringify(toClientTrustConfig(loadPublicGood().bytes.toString('utf8'))));
  return toFileChecks(directory, scratch).map((check) => ({
    set: 'files',
    label: check.label,
    ours: () => askOurs(['verify-files', ...toVerifyFilesParameters(check)]),
    theirs: {
      model_signing: () => tools.modelSigning(toModelSigningParameters(check, config)),
      // It knows nothing of files: only where they are right is its verdict about the same thing.
      ...(check.hasSignedFiles
        ? { 'sigstore-go': () => tools.sigstoreGo(toSignerQuestion(check, scratch, trustedRoot)) }
        : {}),
    },
  }));
}

/** The parameters of `model_signing` for a check. @param config client trust configuration, for identities */
export function toModelSigningParameters(
  { model, bundle, ignoredPaths, trust }: Pick<FileCheck, 'model' | 'bundle' | 'ignoredPaths' | 'trust'>,
  config: string,
): readonly string[] {
  const ignored = ignoredPaths.flatMap((name) => ['--ignore-paths', path.join(model, name)]);
  return ['verify', ...toMethod(trust, config), '--signature', bundle, ...ignored, model];
}

function toMethod(trust: FileTrust, config: string): readonly string[] {
  if (trust.kind === 'identity') {
    const identity = ['--identity', trust.subject, '--identity_provider', trust.issuer];
    return ['sigstore', '--trust_config', config, ...identity];
  }
  return trust.kind === 'key'
    ? ['key', '--public_key', trust.file]
    : ['certificate', '--certificate_chain', trust.file];
}

function toSignerQuestion(
  { bundle, trust, label }: FileCheck,
  scratch: string,
  trustedRoot: string,
): SigstoreGoQuestion {
  if (trust.kind === 'key') return { bundle, key: trust.file };
  if (trust.kind === 'identity') {
    const { subject, issuer } = trust;
    return { bundle, trustedRoot, subject, issuer, logEntries: 1, timestamps: 1, certificateTimestamps: 1 };
  }
  const root = path.join(scratch, `${label.replaceAll(/\W+/gu, '-')}.json`);
  writeFileSync(root, JSON.stringify(toPrivatePkiRoot([trust.file])));
  return { bundle, trustedRoot: root, anyIssuer: true, allowChain: true };
}

// How fast are bundles of the public services? The same measurements on recorded bundles of a conformance set, whose
// authorities sign with larger keys than those of the test kit.
import { createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { TrustedRoot } from '@sigstore/protobuf-specs';
import { toTrustMaterial, Verifier } from '@sigstore/verify';
import { preparedTrustOf } from '../src/signature/prepared-trust.ts';
import { parsePublicKeys } from '../src/signature/public-key.ts';
import { verifyBundle, type WantedSigner } from '../src/signature/verify-bundle.ts';
import { parseTrustedRoot } from '../src/trust/trusted-root.ts';
import { readBundleCase, type BundleCase } from '../test/interop/conformance-questions.ts';
import { ONE_OF_EACH } from '../test/signature/support.ts';
import { FOREIGN_REQUIREMENTS, toRuns, type Opinion, type Scenario } from './scenario.ts';

const RECORDED = {
  'DSSE, Rekor v1': 'happy-path-intoto-in-dsse-v3',
  'message, Rekor v1': 'happy-path-v0.3',
  'message, Rekor v2 and TSA': 'rekor2-happy-path',
  'DSSE, Rekor v2 and TSA': 'rekor2-dsse-happy-path',
  'P-256 key, message, log and TSA': 'managed-key-happy-path',
};

/** The scenarios of a directory with `bundle-verify` and `trusted_root.json`. @throws when one is missing */
export function readScenarios(directory: string): readonly Scenario[] {
  return Object.entries(RECORDED).map(([name, folder]) =>
    toScenario(`${name}, recorded`, readBundleCase(path.resolve(directory), folder)),
  );
}

function toScenario(name: string, known: BundleCase): Scenario {
  const bundle = readFileSync(known.bundle);
  const artifact = readFileSync(known.artifact);
  const trustedRoot = readFileSync(known.trustedRoot, 'utf8');
  const key = known.key === undefined ? undefined : readFileSync(known.key, 'utf8');
  const { subject, issuer } = known;
  const root = parseTrustedRoot(Buffer.from(trustedRoot));
  const required = { trust: preparedTrustOf(root), trustRoot: 'bench', requirements: ONE_OF_EACH };
  const signer = key === undefined ? ({ kind: 'identity', subject, issuer } as const) : toKeySigner(key);
  const question = { bundle, artifact: { kind: 'bytes' as const, bytes: artifact }, signer };
  const now = new Date();
  const ours = (secondOpinion: Opinion): void => {
    verifyBundle(question, required, { now, secondOpinion });
  };
  const library = { verifier: toLibrary(trustedRoot, key), text: bundle.toString('utf8'), artifact };
  const foreign = {
    ...(key === undefined ? { subject, issuer } : { key }),
    ...FOREIGN_REQUIREMENTS,
    ...(key === undefined ? {} : { certificateTimestamps: 0 }),
    trustedRoot,
    message: artifact.toString('base64'),
  };
  return { name, bundle, runs: toRuns(ours, library), foreign };
}

function toKeySigner(pem: string): WantedSigner {
  const parsed = parsePublicKeys(pem);
  if (!parsed.ok) throw new Error(parsed.problem);
  return { kind: 'key', keys: parsed.keys };
}

function toLibrary(trustedRoot: string, pem: string | undefined): Verifier {
  const root = TrustedRoot.fromJSON(JSON.parse(trustedRoot));
  if (pem === undefined) return new Verifier(toTrustMaterial(root));
  const publicKey = createPublicKey(pem);
  const trust = toTrustMaterial(root, () => ({ publicKey, validFor: () => true }));
  return new Verifier(trust, { ctlogThreshold: 0 });
}

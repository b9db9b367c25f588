// What is verified in the measurements? Seven bundles of fresh deployments and keys, each with the ways to verify it in
// this process and with what another process needs to do the same.
import { createPublicKey } from 'node:crypto';
import { bundleFromJSON } from '@sigstore/bundle';
import { TrustedRoot } from '@sigstore/protobuf-specs';
import { toSignedEntity, toTrustMaterial, Verifier } from '@sigstore/verify';
import { generateSigningKey } from '../src/demo/keys.ts';
import { signBundleWithKey } from '../src/demo/sign-with-key.ts';
import { modelSigningStatement } from '../src/demo/statement.ts';
import type { Requirements, SigningAuthority } from '../src/signature/authority.ts';
import { toSignatureCandidate } from '../src/signature/candidate.ts';
import type { VerifyOptions } from '../src/signature/facts.ts';
import { NO_REVOCATIONS } from '../src/trust/revocation.ts';
import { preparedTrustOf } from '../src/signature/prepared-trust.ts';
import { verifyBundle } from '../src/signature/verify-bundle.ts';
import { verifySignature, type SignedSubject } from '../src/signature/verify.ts';
import { parseTrustedRoot } from '../src/trust/trusted-root.ts';
import { signMessage } from '../test/signature/message-bundle.ts';
import {
  ALICE,
  change,
  createWorld,
  DIGEST,
  keyAuthority,
  ONE_OF_EACH,
  STATEMENT,
  toBytes,
  toManifest,
  type World,
} from '../test/signature/support.ts';

/** The ways to verify that run in this process. */
export const WAYS = ['@sigstore/verify', 'core + second opinion', 'core'] as const;
export type Way = (typeof WAYS)[number];

/** What sigstore-go is told; as its program reads it. */
export interface ForeignTerms {
  readonly key?: string;
  readonly issuer?: string;
  readonly subject?: string;
  readonly trustedRoot?: string;
  /** Base64. */
  readonly message?: string;
  readonly logEntries?: number;
  readonly timestamps?: number;
  readonly certificateTimestamps?: number;
}

/** One bundle with everything that verifies it. Each run parses the bundle anew; trust is prepared once. */
export interface Scenario {
  readonly name: string;
  readonly bundle: Buffer;
  readonly runs: Readonly<Record<Way, () => void>>;
  readonly foreign: ForeignTerms;
}

export type Opinion = NonNullable<VerifyOptions['secondOpinion']>;
export type Library = { readonly verifier: Verifier; readonly text: string; readonly artifact?: Buffer };

const MESSAGE = Buffer.alloc(1024, 'weights ');
const MODEL_FILES = ['a', 'b', 'c', 'd'].map((name) => ({ name, digest: name.repeat(64) }));
export const FOREIGN_REQUIREMENTS = { logEntries: 1, timestamps: 1, certificateTimestamps: 1 };

/** Signs the bundles of every scenario. */
export async function createScenarios(): Promise<readonly Scenario[]> {
  const [v1, v2] = [await createWorld('v1'), await createWorld('v2')];
  return [
    await signStatement('DSSE, Rekor v1', v1),
    signPlainMessage('message, Rekor v1', v1),
    signPlainMessage('message, Rekor v2 and TSA', v2),
    await signStatement('DSSE, Rekor v2 and TSA', v2),
    await signFiles('model signing DSSE, Rekor v1', v1),
    await signLogged('P-256 key, DSSE, log and TSA', v2),
    signWithKey('P-384 key, DSSE'),
  ];
}

/** Every way of this process for one bundle; `ours` is told whether to ask for the second opinion. */
export function toRuns(ours: (secondOpinion: Opinion) => void, { verifier, text, artifact }: Library) {
  return {
    '@sigstore/verify': () => {
      verifier.verify(toSignedEntity(bundleFromJSON(JSON.parse(text)), artifact));
    },
    'core + second opinion': () => ours('before'),
    core: () => ours('off'),
  };
}

function verifyAs(
  bytes: Buffer,
  authority: SigningAuthority,
  subject: SignedSubject,
): (secondOpinion: Opinion) => void {
  const now = new Date();
  return (secondOpinion) => {
    const candidate = toSignatureCandidate(bytes);
    if (candidate === undefined) throw new Error('no signature');
    verifySignature(candidate, authority, subject, { now, secondOpinion });
  };
}

function toLibrary({ sigstore }: World): Verifier {
  return new Verifier(toTrustMaterial(TrustedRoot.fromJSON(JSON.parse(sigstore.trustedRootJson()))));
}

function toForeign({ sigstore }: World): ForeignTerms {
  return { ...ALICE, trustedRoot: sigstore.trustedRootJson(), ...FOREIGN_REQUIREMENTS };
}

async function signStatement(name: string, world: World): Promise<Scenario> {
  const bundle = toBytes(await world.sign());
  const subject = { digest: DIGEST, manifest: toManifest() };
  const library = { verifier: toLibrary(world), text: bundle.toString('utf8') };
  const runs = toRuns(verifyAs(bundle, world.authority, subject), library);
  return { name, bundle, runs, foreign: toForeign(world) };
}

async function signFiles(name: string, world: World): Promise<Scenario> {
  const bundle = toBytes(await world.sign({}, modelSigningStatement('model', MODEL_FILES)));
  const layers = MODEL_FILES.map((file) => ({
    mediaType: 'application/octet-stream',
    digest: `sha256:${file.digest}`,
    size: 1,
    annotations: { 'org.opencontainers.image.title': file.name },
  }));
  const authority = { ...world.authority, signatureFormats: new Set(['ModelSigning'] as const) };
  const subject = { digest: DIGEST, manifest: toManifest(layers) };
  const library = { verifier: toLibrary(world), text: bundle.toString('utf8') };
  const runs = toRuns(verifyAs(bundle, authority, subject), library);
  return { name, bundle, runs, foreign: toForeign(world) };
}

function signPlainMessage(name: string, world: World): Scenario {
  const { sigstore } = world;
  const signed = signMessage(sigstore, MESSAGE);
  const timestamps = ['verificationMaterial', 'timestampVerificationData'];
  // The first log gives the time itself.
  const bundle = toBytes(sigstore.log.version === 'v1' ? change(signed, timestamps, undefined) : signed);
  const root = parseTrustedRoot(Buffer.from(sigstore.trustedRootJson()));
  const required = { trust: preparedTrustOf(root), trustRoot: 'bench', requirements: ONE_OF_EACH };
  const question = {
    bundle,
    artifact: { kind: 'bytes' as const, bytes: MESSAGE },
    signer: { kind: 'identity' as const, ...ALICE },
  };
  const now = new Date();
  const ours = (secondOpinion: Opinion): void => {
    verifyBundle(question, required, { now, secondOpinion });
  };
  const library = { verifier: toLibrary(world), text: bundle.toString('utf8'), artifact: MESSAGE };
  const foreign = { ...toForeign(world), message: MESSAGE.toString('base64') };
  return { name, bundle, runs: toRuns(ours, library), foreign };
}

async function signLogged(name: string, { sigstore }: World): Promise<Scenario> {
  const key = generateSigningKey('p256');
  const bundle = toBytes(await sigstore.signLogged(STATEMENT, key));
  const trustedRoot = sigstore.trustedRootJson();
  const requirements: Requirements = { ...ONE_OF_EACH, certificateTimestamps: 0 };
  const root = parseTrustedRoot(Buffer.from(trustedRoot));
  const authority = keyAuthority(key.publicKeyPem, {
    observers: { trustRoot: 'bench', root, requirements, revoked: NO_REVOCATIONS },
  });
  const trust = TrustedRoot.fromJSON(JSON.parse(trustedRoot));
  const library = { verifier: toKeyLibrary(key.publicKeyPem, trust, 1), text: bundle.toString('utf8') };
  const runs = toRuns(verifyAs(bundle, authority, { digest: DIGEST, manifest: toManifest() }), library);
  const foreign = { key: key.publicKeyPem, trustedRoot, logEntries: 1, timestamps: 1 };
  return { name, bundle, runs, foreign };
}

function signWithKey(name: string): Scenario {
  const key = generateSigningKey('p384');
  const bundle = toBytes(signBundleWithKey(STATEMENT, key));
  const empty = { tlogs: [], certificateAuthorities: [], ctlogs: [], timestampAuthorities: [] };
  // The library refuses SHA-384 here and gets SHA-256: it shall do the work that it can.
  const text = JSON.stringify(signBundleWithKey(STATEMENT, key, { hash: 'sha256' }));
  const library = { verifier: toKeyLibrary(key.publicKeyPem, TrustedRoot.fromJSON(empty), 0), text };
  const subject = { digest: DIGEST, manifest: toManifest() };
  const runs = toRuns(verifyAs(bundle, keyAuthority(key.publicKeyPem), subject), library);
  return { name, bundle, runs, foreign: { key: key.publicKeyPem } };
}

function toKeyLibrary(pem: string, root: TrustedRoot, observers: 0 | 1): Verifier {
  const publicKey = createPublicKey(pem);
  const trust = toTrustMaterial(root, () => ({ publicKey, validFor: () => true }));
  const thresholds = { tlogThreshold: observers, timestampThreshold: observers, ctlogThreshold: 0 };
  return new Verifier(trust, thresholds);
}

// Shared by the tests of signature/, verdict/ and policy/: one digest, authorities for fresh keys and deployments, and
// ways to change one place of a bundle.
import { NO_REVOCATIONS } from '../../src/trust/revocation.ts';
import { createTransparencyLog, type LogEntry, type RekorVersion } from '../../src/demo/transparency-log.ts';
import { createSigstore, type KeylessOptions, type Sigstore } from '../../src/demo/sigstore.ts';
import type { Witness } from '../../src/demo/witness.ts';
import { cosignSignStatement } from '../../src/demo/statement.ts';
import { parseManifest, type ImageManifest } from '../../src/model/manifest.ts';
import type {
  KeyAuthority,
  KeylessAuthority,
  NamedTrust,
  Requirements,
  SigningAuthority,
} from '../../src/signature/authority.ts';
import { toSignatureCandidate } from '../../src/signature/candidate.ts';
import { SignatureError } from '../../src/signature/error.ts';
import type { SignatureFacts } from '../../src/signature/facts.ts';
import { createExactMatcher, type IdentityMatcher } from '../../src/signature/identity.ts';
import { parsePublicKeys } from '../../src/signature/public-key.ts';
import { verifySignature } from '../../src/signature/verify.ts';
import { parseTrustedRoot } from '../../src/trust/trusted-root.ts';
import { parseWitnessKey, type WitnessKey } from '../../src/trust/witness-key.ts';

export const DIGEST = `sha256:${'ab'.repeat(32)}`;
export const OTHER_DIGEST = `sha256:${'cd'.repeat(32)}`;
export const STATEMENT = cosignSignStatement(DIGEST, { team: 'red' });
export const ALICE = { issuer: 'https://idp.models.test', subject: 'alice@models.test' };
const EMPTY_DIGEST = 'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a';

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
export type Path = readonly (string | number)[];

/** A manifest as parseManifest returns it; `overrides` replace members of the document. */
export function toManifest(layers: readonly object[] = [], overrides: object = {}): ImageManifest {
  const document = {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: { mediaType: 'application/vnd.oci.empty.v1+json', digest: EMPTY_DIGEST, size: 2 },
    layers,
    ...overrides,
  };
  const manifest = parseManifest(Buffer.from(JSON.stringify(document)));
  if (manifest.kind !== 'manifest') throw new Error('an index is no manifest');
  return manifest;
}

export function toBytes(bundle: object): Buffer {
  return Buffer.isBuffer(bundle) ? bundle : Buffer.from(JSON.stringify(bundle));
}

/** A deep copy. */
export function copy(value: object): Json {
  return JSON.parse(JSON.stringify(value)) as Json;
}

/** The value at a path. */
export function valueAt(root: object, path: Path): Json {
  let value = copy(root);
  for (const step of path) value = (value as Record<string | number, Json>)[step] as Json;
  return value;
}

/** A copy with one place replaced; undefined deletes it. */
export function change(root: object, path: Path, value: unknown): object {
  const result = copy(root) as { [name: string]: Json };
  const parent = path
    .slice(0, -1)
    .reduce<Json>((node, step) => (node as Record<string | number, Json>)[step] as Json, result);
  const last = path.at(-1) ?? '';
  if (value !== undefined) (parent as Record<string | number, unknown>)[last] = value;
  else if (Array.isArray(parent)) parent.splice(Number(last), 1);
  else delete (parent as { [name: string]: Json })[last];
  return result;
}

export function keyAuthority(pem: string, more: Partial<KeyAuthority> = {}): KeyAuthority {
  const parsed = parsePublicKeys(pem);
  if (!parsed.ok) throw new Error(parsed.problem);
  return {
    kind: 'key',
    name: 'release-key',
    signatureFormats: new Set(['CosignBundle']),
    keys: parsed.keys,
    ...more,
  };
}

export const ONE_OF_EACH: Requirements = { logEntries: 1, timestamps: 1, certificateTimestamps: 1 };

export function exactIdentity(
  { issuer, subject }: { issuer: string; subject: string } = ALICE,
  claims: Readonly<Record<string, string>> = {},
): IdentityMatcher {
  return {
    issuer: createExactMatcher(issuer),
    subject: createExactMatcher(subject),
    claims: new Map(Object.entries(claims).map(([name, value]) => [name, createExactMatcher(value)])),
  };
}

export function keylessAuthority(
  trustedRootJson: string,
  more: Partial<KeylessAuthority> = {},
): KeylessAuthority {
  return {
    kind: 'keyless',
    revoked: NO_REVOCATIONS,
    name: 'release-workflow',
    signatureFormats: new Set(['CosignBundle']),
    identities: [exactIdentity()],
    trustRoot: 'private',
    root: parseTrustedRoot(Buffer.from(trustedRootJson)),
    requirements: ONE_OF_EACH,
    ...more,
  };
}

/** Observers that demand nothing, unless `needs` says so. */
export function observersOf(
  trustedRootJson: string,
  needs: Partial<Requirements> = {},
  more: Partial<NamedTrust> = {},
): NamedTrust {
  return {
    trustRoot: 'private',
    root: parseTrustedRoot(Buffer.from(trustedRootJson)),
    requirements: { logEntries: 0, timestamps: 0, certificateTimestamps: 0, ...needs },
    revoked: NO_REVOCATIONS,
    ...more,
  };
}

/** The witness as a TrustRoot names it. */
export function toWitnessKey({ name, verifierKey }: Witness): WitnessKey {
  const parsed = parseWitnessKey(name, verifierKey);
  if (!parsed.ok) throw new Error(parsed.problem);
  return parsed.witness;
}

const CHECKPOINTS: Path = ['verificationMaterial', 'tlogEntries'];

/** The bundle with its only checkpoint cosigned. */
export function cosign(bundle: object, ...witnesses: readonly Witness[]): object {
  return recheck(bundle, (note) => witnesses.reduce((signed, witness) => witness.cosign(signed), note));
}

/** The bundle with its only checkpoint replaced. */
export function recheck(bundle: object, replace: (note: string) => string): object {
  const path = [...CHECKPOINTS, 0, 'inclusionProof', 'checkpoint', 'envelope'];
  return change(bundle, path, replace(valueAt(bundle, path) as string));
}

export interface Against {
  readonly digest?: string;
  readonly manifest?: ImageManifest;
  readonly now?: Date;
}

/** The facts of a bundle. @throws what parsing and verifying throw */
export function verify(bundle: object, authority: SigningAuthority, against: Against = {}): SignatureFacts {
  const { digest = DIGEST, manifest = toManifest(), now = new Date() } = against;
  const candidate = toSignatureCandidate(toBytes(bundle));
  if (candidate === undefined) throw new SignatureError('SignatureMissing', 'it is an attestation');
  return verifySignature(candidate, authority, { digest, manifest }, now);
}

/** `accepted`, or the reason of the SignatureError; anything else that is thrown is passed on. */
export function outcome(bundle: object, authority: SigningAuthority, against: Against = {}): string {
  try {
    verify(bundle, authority, against);
    return 'accepted';
  } catch (error) {
    if (!(error instanceof SignatureError)) throw error;
    return error.reason;
  }
}

/** A deployment with the authority that trusts it and one good bundle. */
export interface World {
  readonly sigstore: Sigstore;
  readonly authority: KeylessAuthority;
  readonly sign: (options?: KeylessOptions, statement?: object) => Promise<object>;
}

export async function createWorld(rekor: RekorVersion = 'v2'): Promise<World> {
  const sigstore = await createSigstore({ rekor });
  return {
    sigstore,
    authority: keylessAuthority(sigstore.trustedRootJson()),
    sign: (options = {}, statement = STATEMENT) => sigstore.signKeyless(statement, ALICE, options),
  };
}

/** The same log entry in a second, foreign log. */
export function logElsewhere(
  entry: LogEntry,
  url: string,
): { entry: LogEntry; log: ReturnType<typeof createTransparencyLog> } {
  const log = createTransparencyLog('v2', url);
  const body = Buffer.from(entry.canonicalizedBody, 'base64');
  return { log, entry: log.append({ ...entry.kindVersion, body }, new Date()) };
}

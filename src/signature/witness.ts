// What does @sigstore/verify say about this bundle? Its only importer: hands the library our own SignedEntity and
// TrustMaterial through its public interface, with signed bytes used as they came and links inside a trusted root
// verified once. The library leans on behaviour that is not written down: its version is pinned and tested.
import { verify as verifySignatureBytes, createPublicKey, type KeyObject } from 'node:crypto';
import { ASN1Obj, X509Certificate, type RFC3161Timestamp } from '@sigstore/core';
import { VerificationError, Verifier, type SignedEntity, type TrustMaterial } from '@sigstore/verify';
import type { DenialReason } from '../reason.ts';
import { DER_TAG, readDer, readDerChildren, requireTag } from '../lib/der.ts';
import { quote } from '../lib/text.ts';
import type { CertificateAuthority, LogAuthority, TrustedRoot } from '../trust/trusted-root.ts';
import type { LogEntry } from './bundle.ts';
import type { SignedContent } from './content.ts';
import { SignatureError } from './error.ts';

type SignatureContent = SignedEntity['signature'];
type LibraryLogEntry = SignedEntity['tlogEntries'][number];

/** A certificate as the library walks it, on raw bytes. */
export class WitnessCertificate extends X509Certificate {
  readonly #der: Buffer;
  readonly #tbs: Buffer;
  readonly #spki: Buffer;
  readonly #precertificateTbs: Buffer | undefined;
  #issuerKey: KeyObject | undefined;
  readonly #links = new WeakMap<X509Certificate, boolean>();

  /** @param precertificateTbs signed part without SCTs; only leaves have one */
  constructor(der: Buffer, precertificateTbs?: Buffer) {
    super(ASN1Obj.parseBuffer(der as Buffer<ArrayBuffer>));
    const [tbs] = readDerChildren(readDer(der, DER_TAG.sequence).content);
    this.#der = der;
    this.#tbs = requireTag(tbs, DER_TAG.sequence).bytes;
    this.#spki = requireTag(
      readDerChildren(requireTag(tbs, DER_TAG.sequence).content)[6],
      DER_TAG.sequence,
    ).bytes;
    this.#precertificateTbs = precertificateTbs;
  }

  override get publicKey(): Buffer {
    return this.#spki;
  }

  override equals(other: X509Certificate): boolean {
    return other instanceof WitnessCertificate && this.#der.equals(other.#der);
  }

  /** Links between certificates of one trusted root are proven once; they cannot change. */
  override verify(issuer?: X509Certificate): boolean {
    const by = issuer ?? this;
    const known = this.#links.get(by);
    if (known !== undefined) return known;
    const isGood = by instanceof WitnessCertificate && this.#isSignedBy(by);
    this.#links.set(by, isGood);
    return isGood;
  }

  #isSignedBy(issuer: WitnessCertificate): boolean {
    issuer.#issuerKey ??= createPublicKey({ key: issuer.#spki, format: 'der', type: 'spki' });
    return verifySignatureBytes(this.signatureAlgorithm, this.#tbs, issuer.#issuerKey, this.signatureValue);
  }

  /** The library clones a leaf only to cut its SCTs out and encode it again; both are done already. */
  override clone(): X509Certificate {
    const tbs = this.#precertificateTbs ?? this.#tbs;
    const standIn = { extensions: [...this.extensions], tbsCertificate: { toDER: () => tbs } };
    return standIn as unknown as X509Certificate;
  }
}

function toContent({
  signature,
  payloadDigest,
  signedDigest,
  findAlgorithm,
}: SignedContent): SignatureContent {
  return {
    signature,
    compareSignature: (other) => signature.equals(other),
    // Only envelopes have a payload beside the signed bytes: a message never equals one.
    compareDigest: (digest) => payloadDigest('sha256')?.equals(digest) === true,
    compareSignedDigest: (digest) => signedDigest('sha256')?.equals(digest) === true,
    verifySignature: (key) => findAlgorithm(key) !== undefined,
  };
}

function toLibraryLog({ baseUrl, logId, publicKey, validFor }: LogAuthority): TrustMaterial['tlogs'][number] {
  return { baseURL: baseUrl, logID: logId, publicKey, validFor };
}

function toLibraryAuthority({
  chain,
  validFor,
}: CertificateAuthority): TrustMaterial['certificateAuthorities'][number] {
  return { certChain: chain.map((der) => new WitnessCertificate(der)), validFor };
}

const materials = new WeakMap<TrustedRoot, TrustMaterial>();

/** The library's view of a trusted root, made once per root. @throws SignatureError `TrustRootUnavailable` */
export function toTrustMaterial(root: TrustedRoot): TrustMaterial {
  const known = materials.get(root);
  if (known !== undefined) return known;
  try {
    const material: TrustMaterial = {
      certificateAuthorities: root.certificateAuthorities.map(toLibraryAuthority),
      timestampAuthorities: root.timestampAuthorities.map(toLibraryAuthority),
      tlogs: root.logs.map(toLibraryLog),
      ctlogs: root.certificateLogs.map(toLibraryLog),
      publicKey: () => {
        throw new SignatureError('InternalError', 'a trusted root holds no signing keys');
      },
    };
    materials.set(root, material);
    return material;
  } catch (error) {
    throw new SignatureError(
      'TrustRootUnavailable',
      `the trusted root has an unreadable certificate: ${quote(String(error), 120)}`,
    );
  }
}

/** Asks the library whether a managed key signs this. @throws SignatureError `SignatureInvalid` */
export function witnessKeySignature(content: SignedContent, key: KeyObject): void {
  const trust: TrustMaterial = {
    certificateAuthorities: [],
    timestampAuthorities: [],
    tlogs: [],
    ctlogs: [],
    publicKey: () => ({ publicKey: key, validFor: () => true }),
  };
  const entity: SignedEntity = {
    signature: toContent(content),
    key: { $case: 'public-key', hint: '' },
    timestamps: [],
    tlogEntries: [],
  };
  runVerifier(entity, trust, { tlogThreshold: 0, timestampThreshold: 0, ctlogThreshold: 0 });
}

/** What keyless evidence is needed, counted by the library per entry; distinctness is checked by the caller. */
export interface Thresholds {
  readonly tlogThreshold: number;
  readonly timestampThreshold: number;
  readonly ctlogThreshold: number;
}

/** Everything of a keyless signature that the library judges. */
export interface KeylessEvidence {
  readonly content: SignedContent;
  readonly leaf: WitnessCertificate;
  readonly logEntries: readonly LogEntry[];
  readonly timestamps: readonly RFC3161Timestamp[];
}

/** Asks the library about certificate chain, SCTs, log entries, timestamps and signature. @throws SignatureError */
export function witnessKeyless(
  evidence: KeylessEvidence,
  trust: TrustMaterial,
  thresholds: Thresholds,
): void {
  const logEntries = evidence.logEntries.map(toLibraryEntry);
  const entity: SignedEntity = {
    signature: toContent(evidence.content),
    key: { $case: 'certificate', certificate: evidence.leaf },
    timestamps: [
      ...evidence.timestamps.map((timestamp) => ({ $case: 'timestamp-authority' as const, timestamp })),
      // Integrated time is a trusted time only under a signed entry timestamp.
      ...logEntries
        .filter((entry) => entry.inclusionPromise !== undefined && entry.integratedTime !== '0')
        .map((tlogEntry) => ({ $case: 'transparency-log' as const, tlogEntry })),
    ],
    tlogEntries: logEntries,
  };
  runVerifier(entity, trust, thresholds);
}

function toLibraryEntry(entry: LogEntry): LibraryLogEntry {
  const { proof } = entry;
  return {
    logIndex: entry.logIndex,
    logId: { keyId: entry.logId },
    kindVersion: { kind: entry.kind, version: entry.version },
    integratedTime: entry.integratedTime,
    inclusionPromise:
      entry.signedEntryTimestamp === undefined
        ? undefined
        : { signedEntryTimestamp: entry.signedEntryTimestamp },
    inclusionProof:
      proof === undefined
        ? undefined
        : {
            logIndex: proof.logIndex,
            treeSize: proof.treeSize,
            rootHash: proof.rootHash,
            hashes: [...proof.hashes],
            checkpoint: { envelope: proof.checkpoint },
          },
    canonicalizedBody: entry.body,
  };
}

const REASONS: Readonly<Record<string, DenialReason>> = {
  TLOG_ERROR: 'TransparencyLogInvalid',
  TLOG_INCLUSION_PROOF_ERROR: 'TransparencyLogInvalid',
  TLOG_INCLUSION_PROMISE_ERROR: 'TransparencyLogInvalid',
  TLOG_MISSING_INCLUSION_ERROR: 'TransparencyLogInvalid',
  TLOG_BODY_ERROR: 'TransparencyLogInvalid',
  CERTIFICATE_ERROR: 'CertificateInvalid',
  TIMESTAMP_ERROR: 'TimestampInvalid',
  SIGNATURE_ERROR: 'SignatureInvalid',
};

function runVerifier(entity: SignedEntity, trust: TrustMaterial, thresholds: Thresholds): void {
  try {
    // No policy is passed: the library would read the identity as an unanchored regular expression.
    new Verifier(trust, thresholds).verify(entity);
  } catch (error) {
    if (error instanceof SignatureError) throw error;
    const reason =
      error instanceof VerificationError ? (REASONS[error.code] ?? 'SignatureInvalid') : 'SignatureInvalid';
    const message =
      error instanceof VerificationError ? quote(error.message, 120) : 'the evidence is malformed';
    throw new SignatureError(reason, `verification failed: ${message}`);
  }
}

// What does @sigstore/verify say about evidence that our own core accepted? Its only importer: hands the library our own
// SignedEntity through its public interface, with every signature left to it. A refusal is a disagreement. The library
// leans on behaviour that is not written down: its version is pinned and tested.
import { createHash, type KeyObject } from 'node:crypto';
import { crypto as library, dsse } from '@sigstore/core';
import { VerificationError, Verifier, type SignedEntity, type TrustMaterial } from '@sigstore/verify';
import { quote } from '../lib/text.ts';
import type { LogEntry } from './bundle.ts';
import type { LeafCertificate } from './certificate.ts';
import type { SignedContent } from './content.ts';
import { DisagreementError } from './error.ts';
import type { SecondOpinion } from './facts.ts';
import { toIntegratedTime } from './log-entry.ts';
import type { Observations, RequiredTrust } from './observers.ts';
import type { PreparedAuthority, PreparedTrust } from './prepared-trust.ts';
import { toTrustMaterial, WitnessCertificate, WitnessTimestamp } from './witness-objects.ts';

type SignatureContent = SignedEntity['signature'];
type LibraryLogEntry = SignedEntity['tlogEntries'][number];

/** What the core accepted; `algorithm` as `SignedContent.findAlgorithm` named it. */
export interface AcceptedSignature {
  readonly content: SignedContent;
  readonly algorithm: string;
  readonly observations: Observations;
}

// DSSE: the library names no hash, so OpenSSL's default counts, SHA-256. Messages: the hash that the bundle names.
const JUDGED_DSSE = new Set(['ecdsa-sha256', 'rsa-pkcs1-sha256', 'ed25519']);
const JUDGED_MESSAGE = /^(?:ecdsa|rsa-pkcs1)-/;

/** Asks the library about a signature by a certificate. @throws DisagreementError */
export function witnessCertificate(
  accepted: AcceptedSignature & { readonly leaf: LeafCertificate },
  required: RequiredTrust,
): SecondOpinion {
  if (!canJudge(accepted, required.trust)) return 'cannotJudge';
  return agree(() => {
    const { der, precertificateTbs } = accepted.leaf;
    const key = {
      $case: 'certificate' as const,
      certificate: new WitnessCertificate(der, precertificateTbs),
    };
    const { logEntries, timestamps, certificateTimestamps } = required.requirements;
    new Verifier(toTrustMaterial(required.trust), {
      tlogThreshold: logEntries,
      timestampThreshold: timestamps,
      ctlogThreshold: certificateTimestamps,
    }).verify(toEntity(accepted, key, required.trust));
  });
}

/** Asks the library about a signature by a managed key. @throws DisagreementError */
export function witnessKey(
  accepted: AcceptedSignature & { readonly key: KeyObject },
  required: RequiredTrust | undefined,
): SecondOpinion {
  if (!canJudge(accepted, required?.trust)) return 'cannotJudge';
  return agree(() => {
    const trust: TrustMaterial = {
      ...(required === undefined ? NOBODY : toTrustMaterial(required.trust)),
      publicKey: () => ({ publicKey: accepted.key, validFor: () => true }),
    };
    const { logEntries = 0, timestamps = 0 } = required?.requirements ?? {};
    new Verifier(trust, {
      tlogThreshold: logEntries,
      timestampThreshold: timestamps,
      ctlogThreshold: 0,
    }).verify(toEntity(accepted, { $case: 'public-key', hint: '' }, required?.trust));
  });
}

const NOBODY = { certificateAuthorities: [], timestampAuthorities: [], tlogs: [], ctlogs: [] };

// The library needs chains that end in a self-signed root, ECDSA timestamps, and checkpoint keys named by the log id.
function canJudge({ content, algorithm, observations }: AcceptedSignature, trust?: PreparedTrust): boolean {
  const { source } = content;
  const isJudged =
    source.kind === 'dsse'
      ? JUDGED_DSSE.has(algorithm)
      : source.artifact !== undefined && JUDGED_MESSAGE.test(algorithm);
  const { certificateAuthorities = [], timestampAuthorities = [] } = trust ?? {};
  return (
    isJudged &&
    certificateAuthorities.every(isRooted) &&
    (observations.stamps.length === 0 ||
      timestampAuthorities.every((authority) => isRooted(authority) && isEcdsa(authority))) &&
    observations.entries.every(({ log }) => isNamedByLogId(log))
  );
}

function isRooted({ chain }: PreparedAuthority): boolean {
  const anchor = chain.at(-1)?.certificate;
  return anchor !== undefined && anchor.issuer.equals(anchor.subject);
}

function isEcdsa({ chain: [signer] }: PreparedAuthority): boolean {
  return signer?.key.asymmetricKeyType === 'ec';
}

function isNamedByLogId({ logId, checkpointKeyId }: PreparedTrust['logs'][number]): boolean {
  return checkpointKeyId === undefined || checkpointKeyId.subarray(0, 4).equals(logId.subarray(0, 4));
}

function agree(ask: () => void): SecondOpinion {
  try {
    // No policy is passed: the library would read the identity as an unanchored regular expression.
    ask();
    return 'agrees';
  } catch (error) {
    const said = error instanceof VerificationError ? `${error.code}: ${error.message}` : 'it cannot read it';
    throw new DisagreementError(quote(said, 120));
  }
}

function toEntity(
  { content, observations }: AcceptedSignature,
  key: SignedEntity['key'],
  trust: PreparedTrust | undefined,
): SignedEntity {
  const entries = observations.entries.map(({ entry }) => ({ entry, libraryEntry: toLibraryEntry(entry) }));
  // The library refuses two times of one authority in one second, which prove no less than one.
  const stamps = distinct(
    observations.stamps,
    ({ authority, time }) =>
      `${authority.chain[0]?.certificate.serial.toString('hex') ?? ''} ${time.at.getTime()}`,
  );
  const promises = distinct(
    entries.filter(({ entry }) => toIntegratedTime(entry) !== undefined),
    ({ entry }) => `${entry.logId.toString('hex')} ${entry.integratedTime}`,
  );
  return {
    signature: toSignatureContent(content),
    key,
    timestamps: [
      ...stamps.map(({ response, time }) => ({
        $case: 'timestamp-authority' as const,
        timestamp: new WitnessTimestamp(response, time.at),
      })),
      ...promises.map(({ libraryEntry }) => ({
        $case: 'transparency-log' as const,
        tlogEntry: libraryEntry,
      })),
    ],
    tlogEntries: trust === undefined ? [] : entries.map(({ libraryEntry }) => libraryEntry),
  };
}

function distinct<T>(items: readonly T[], toId: (item: T) => string): readonly T[] {
  return [...new Map(items.map((item) => [toId(item), item])).values()];
}

// What the library's own content classes do, on our bytes: encoding and verification are the library's.
function toSignatureContent({ source, signature, signedDigest }: SignedContent): SignatureContent {
  const compareSignature = (other: Buffer): boolean => library.bufferEqual(other, signature);
  if (source.kind === 'message') {
    const compareDigest = (digest: Buffer): boolean =>
      library.bufferEqual(digest, signedDigest(source.hash) ?? Buffer.alloc(0));
    return {
      signature,
      compareSignature,
      compareDigest,
      compareSignedDigest: compareDigest,
      verifySignature: (key) =>
        library.verify(Buffer.from(source.artifact ?? []), key, signature, source.hash),
    };
  }
  const { payloadType, payload } = source.envelope;
  const encoded = dsse.preAuthEncoding(payloadType, payload);
  return {
    signature,
    compareSignature,
    compareDigest: (digest) => isHashOf(payload, digest),
    compareSignedDigest: (digest) => isHashOf(encoded, digest),
    verifySignature: (key) => library.verify(encoded, key, signature),
  };
}

function isHashOf(bytes: Buffer, digest: Buffer): boolean {
  return library.bufferEqual(createHash('sha256').update(bytes).digest(), digest);
}

function toLibraryEntry(entry: LogEntry): LibraryLogEntry {
  const { proof, signedEntryTimestamp } = entry;
  return {
    logIndex: entry.logIndex,
    logId: { keyId: entry.logId },
    kindVersion: { kind: entry.kind, version: entry.version },
    integratedTime: entry.integratedTime,
    inclusionPromise: signedEntryTimestamp === undefined ? undefined : { signedEntryTimestamp },
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

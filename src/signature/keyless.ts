// Did a short-lived certificate of a trusted CA sign this, at a time that somebody trusted recorded? Our own checks
// around @sigstore/verify: identity, leaf profile, entry binding, distinct authorities, windows, clocks.
import { RFC3161Timestamp } from '@sigstore/core';
import { quote } from '../lib/text.ts';
import { isWithin, type LogAuthority, type TrustedRoot } from '../trust/trusted-root.ts';
import type { KeylessAuthority } from './authority.ts';
import type { LogEntry } from './bundle.ts';
import type { SignatureCandidate } from './candidate.ts';
import { parseLeafCertificate, type LeafCertificate } from './certificate.ts';
import { SignatureError } from './error.ts';
import type { SignatureFacts } from './facts.ts';
import { matchIdentity } from './identity.ts';
import { verifyLogBodySigner } from './log-body.ts';
import type { SignedEvidence } from './signed-evidence.ts';
import { requireMessageEntries } from './simple-signing-log.ts';
import { toTrustMaterial, WitnessCertificate, witnessKeyless } from './witness.ts';

/** A verified time later than now by more than this is refused, in milliseconds. */
export const MAX_CLOCK_SKEW_MS = 5 * 60 * 1000;

/** Verifies the signer of a keyless candidate. @throws SignatureError */
export function verifyKeyless(
  { signed }: SignatureCandidate,
  authority: KeylessAuthority,
  now: Date,
): Omit<SignatureFacts, 'format' | 'annotations'> {
  if (signed.material.kind === 'certificateChain')
    throw new SignatureError(
      'UnsupportedFormat',
      'it carries a certificate chain, which keyless signatures do not',
    );
  if (signed.material.kind !== 'certificate')
    throw new SignatureError(
      'SignerNotTrusted',
      'it is signed with a key where the authority names identities',
    );
  const leaf = parseLeafCertificate(signed.material.der);
  const evidence = selectEvidence(signed, authority.root);
  requireMessageEntries({ ...signed, logEntries: evidence.logEntries });
  for (const entry of evidence.logEntries) {
    // Only a bundle must have the proof: cosign v2 keeps the signed entry timestamp alone, which is verified below.
    if (signed.content.source.kind === 'dsse') requireProof(entry);
    verifyLogBodySigner(entry, leaf.der);
  }
  const { requirements } = authority;
  requireDistinct(evidence, authority);
  witnessKeyless(
    {
      content: signed.content,
      leaf: toWitnessCertificate(leaf),
      logEntries: evidence.logEntries,
      timestamps: evidence.timestamps,
    },
    toTrustMaterial(authority.root),
    {
      tlogThreshold: requirements.logEntries,
      timestampThreshold: requirements.timestamps,
      ctlogThreshold: requirements.certificateTimestamps,
    },
  );
  const signedAt = requireTimes(evidence, leaf, now);
  requireLogWindows(evidence, signedAt);
  requireIdentity(leaf, authority);
  return {
    issuer: leaf.issuer,
    subject: leaf.subject,
    claims: leaf.claims,
    keyFingerprint: leaf.keyFingerprint,
    certificate: { serial: leaf.serial, notBefore: leaf.notBefore, notAfter: leaf.notAfter },
    signedAt,
    timeSources: [...new Set(evidence.times.map(({ source }) => source))],
    logs: evidence.logEntries.map((entry, index) => ({
      origin: evidence.logs[index]?.baseUrl ?? '',
      index: entry.proof?.logIndex ?? entry.logIndex,
    })),
  };
}

// The library's reader refuses encodings that OpenSSL skips over; its own errors must not spoil other candidates.
function toWitnessCertificate({ der, precertificateTbs }: LeafCertificate): WitnessCertificate {
  try {
    return new WitnessCertificate(der, precertificateTbs);
  } catch {
    throw new SignatureError('CertificateInvalid', 'the signing certificate is read in two ways');
  }
}

interface TrustedTime {
  readonly at: Date;
  readonly source: 'tsa' | 'transparency-log';
  /** Who vouches for it: times of one operator count once. */
  readonly operator: string;
}

interface Evidence {
  readonly logEntries: readonly LogEntry[];
  /** The log of each entry. */
  readonly logs: readonly LogAuthority[];
  readonly timestamps: readonly RFC3161Timestamp[];
  readonly times: readonly TrustedTime[];
}

// Material of logs and TSAs that the root does not know proves nothing and harms nothing: it is left out.
// What a known authority signed must verify, or the candidate fails.
function selectEvidence(signed: SignedEvidence, root: TrustedRoot): Evidence {
  const logs: LogAuthority[] = [];
  const logEntries = signed.logEntries.filter((entry) => {
    const log = root.logs.find(({ logId }) => logId.equals(entry.logId));
    if (log !== undefined) logs.push(log);
    return log !== undefined;
  });
  const known = signed.timestamps.flatMap((der) => selectTimestamp(der, root));
  const integrated = logEntries.flatMap((entry, index) =>
    entry.signedEntryTimestamp === undefined || entry.integratedTime === '0'
      ? []
      : [
          {
            at: new Date(Number(entry.integratedTime) * 1000),
            source: 'transparency-log' as const,
            operator: toOperator(logs[index]),
          },
        ],
  );
  return {
    logEntries,
    logs,
    timestamps: known.map(({ timestamp }) => timestamp),
    times: [...known.map(({ time }) => time), ...integrated],
  };
}

// Authorities whose operator is not named may all be one party: together they count once.
function toOperator(authority: { operator: string } | undefined): string {
  return authority?.operator ?? '';
}

function selectTimestamp(
  der: Buffer,
  root: TrustedRoot,
): { timestamp: RFC3161Timestamp; time: TrustedTime }[] {
  const material = toTrustMaterial(root);
  try {
    const timestamp = RFC3161Timestamp.parse(der as Buffer<ArrayBuffer>);
    const index = material.timestampAuthorities.findIndex(({ certChain: [signer] }) => {
      return (
        signer?.serialNumber.equals(timestamp.signerSerialNumber) === true &&
        signer.issuer.equals(timestamp.signerIssuer)
      );
    });
    if (index === -1) return [];
    const operator = toOperator(root.timestampAuthorities[index]);
    return [{ timestamp, time: { at: timestamp.signingTime, source: 'tsa', operator } }];
  } catch {
    throw new SignatureError('TimestampInvalid', 'a timestamp cannot be read');
  }
}

// sigstore_bundle.proto: since v0.2 an entry must have its inclusion proof; a promise alone is v0.1.
function requireProof({ proof }: LogEntry): void {
  if (proof === undefined)
    throw new SignatureError('TransparencyLogInvalid', 'a log entry has no inclusion proof');
}

function requireDistinct({ logs, times }: Evidence, { requirements, trustRoot }: KeylessAuthority): void {
  const operators = new Set(logs.map(toOperator)).size;
  if (operators < requirements.logEntries)
    throw new SignatureError(
      'TransparencyLogInvalid',
      `it has entries of ${operators} logs that TrustRoot ${quote(trustRoot, 63)} knows, ${requirements.logEntries} are required`,
    );
  const clocks = new Set(times.map(({ operator }) => operator)).size;
  if (clocks < requirements.timestamps)
    throw new SignatureError(
      'TimestampInvalid',
      `it has times of ${clocks} authorities that TrustRoot ${quote(trustRoot, 63)} knows, ${requirements.timestamps} are required`,
    );
}

function requireTimes({ times }: Evidence, leaf: LeafCertificate, now: Date): Date {
  for (const { at } of times) {
    if (at.getTime() > now.getTime() + MAX_CLOCK_SKEW_MS)
      throw new SignatureError(
        'TimestampInvalid',
        `its time ${at.toISOString()} is in the future of this controller's clock`,
      );
    if (at < leaf.notBefore || at > leaf.notAfter)
      throw new SignatureError(
        'TimestampInvalid',
        `its time ${at.toISOString()} is outside the certificate's validity`,
      );
  }
  return new Date(Math.min(...times.map(({ at }) => at.getTime())));
}

// The library checks a log key's window only for signed entry timestamps, not for inclusion proofs.
function requireLogWindows({ logs }: Evidence, signedAt: Date): void {
  const stale = logs.find(({ validFor }) => !isWithin(signedAt, validFor));
  if (stale !== undefined)
    throw new SignatureError(
      'TransparencyLogInvalid',
      `the key of log ${quote(stale.baseUrl, 80)} was not valid at ${signedAt.toISOString()}`,
    );
}

function requireIdentity(leaf: LeafCertificate, { identities, name }: KeylessAuthority): void {
  if (identities.some((allowed) => matchIdentity(leaf, allowed))) return;
  throw new SignatureError(
    'IdentityMismatch',
    `it is signed by ${quote(leaf.subject)} of issuer ${quote(leaf.issuer)}, which authority ${quote(name, 63)} does not name`,
  );
}

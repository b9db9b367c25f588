// Who else saw this signature, and when? Log entries and timestamps of the authorities that a trusted root knows, each
// verified, then counted by operator. What a stranger wrote is left out; what a known authority wrote must be right.
import type { Revocations } from '../trust/revocation.ts';
import { quote } from '../lib/text.ts';
import { ALWAYS, isWithin, type Validity } from '../trust/trusted-root.ts';
import type { WitnessKey } from '../trust/witness-key.ts';
import type { NamedTrust, Requirements } from './authority.ts';
import type { LogEntry } from './bundle.ts';
import type { SignedContent } from './content.ts';
import type { Cosigners } from './cosignature.ts';
import { SignatureError } from './error.ts';
import { verifyLogBody } from './log-body.ts';
import { toIntegratedTime, verifyInclusion } from './log-entry.ts';
import {
  preparedTrustOf,
  type PreparedAuthority,
  type PreparedLog,
  type PreparedTrust,
} from './prepared-trust.ts';
import { verifyTimestamp } from './timestamp.ts';

/** A verified time later than now by more than this is refused, in milliseconds. */
export const MAX_CLOCK_SKEW_MS = 5 * 60 * 1000;

/** What a bundle carries beside its signature. */
export interface Evidence {
  readonly logEntries: readonly LogEntry[];
  /** RFC 3161 TimeStampResp, DER. */
  readonly timestamps: readonly Buffer[];
}

/** A signature as it is observed: the signer is the leaf certificate or SubjectPublicKeyInfo, DER. */
export interface ObservedSignature {
  readonly content: SignedContent;
  readonly signerDer: Buffer;
}

/** Which authorities count, and how many of them are needed. */
export interface RequiredTrust {
  readonly trust: PreparedTrust;
  /** Name of the trust root, for messages. */
  readonly trustRoot: string;
  readonly requirements: Requirements;
  /** What the trust root revokes; absent where nothing can be revoked. */
  readonly revoked?: Revocations;
  /** Whose cosignatures on checkpoints count; absent: nobody's. */
  readonly witnesses?: readonly WitnessKey[];
}

/** The trust that an authority names, ready for use. */
export function toRequiredTrust({ root, ...named }: NamedTrust): RequiredTrust {
  const { trustRoot, requirements, revoked, witnesses = [] } = named;
  return { trust: preparedTrustOf(root), trustRoot, requirements, revoked, witnesses };
}

/** A time that an authority vouches for. */
export interface TrustedTime {
  readonly at: Date;
  readonly source: 'tsa' | 'transparency-log';
  /** Who vouches for it: times of one operator count once. `""` when the root does not say: those count as one party. */
  readonly operator: string;
}

/** An entry of a known log. */
export interface ObservedEntry {
  readonly entry: LogEntry;
  readonly log: PreparedLog;
  /** Names of the known witnesses that cosigned its checkpoint. */
  readonly witnesses: readonly string[];
}

/** What was verified. */
export interface Observations {
  /** Entries of known logs that enough witnesses cosigned. */
  readonly entries: readonly ObservedEntry[];
  /** Timestamps of known authorities. */
  readonly stamps: readonly {
    readonly response: Buffer;
    readonly time: TrustedTime;
    readonly authority: PreparedAuthority;
  }[];
  readonly times: readonly TrustedTime[];
}

/**
 * Verifies everything that known authorities wrote about the signature.
 * @param now time of the request
 * @throws SignatureError `TransparencyLogInvalid` or `TimestampInvalid`, also when there is not enough of it
 */
export function verifyObservations(
  evidence: Evidence,
  signature: ObservedSignature,
  required: RequiredTrust,
  now: Date,
): Observations {
  requireDifferent(evidence);
  const { trust, requirements, witnesses = [] } = required;
  const cosigners = { witnesses, notAfter: new Date(now.getTime() + MAX_CLOCK_SKEW_MS) };
  const verified = evidence.logEntries.flatMap((entry) => {
    const logs = trust.logs.filter(({ logId }) => logId.equals(entry.logId));
    return logs.length === 0 ? [] : [verifyEntry(entry, signature, { logs, cosigners })];
  });
  // What too few witnesses cosigned must be right all the same; it counts for nothing.
  const entries = verified.filter(({ witnesses: names }) => names.length >= (requirements.witnesses ?? 0));
  const stamps = evidence.timestamps.flatMap((response) => {
    const stamp = verifyTimestamp(response, signature.content.signature, trust);
    if (stamp === undefined) return [];
    const { at, authority } = stamp;
    return [{ response, time: { at, source: 'tsa' as const, operator: authority.operator }, authority }];
  });
  const times = [...stamps.map(({ time }) => time), ...entries.flatMap(toLogTimes)];
  requireOperators(entries, times, required);
  requirePast([...times, ...verified.flatMap(toLogTimes)], now);
  requireLogWindows(verified, earliestOf(times) ?? now);
  return { entries, stamps, times };
}

/** How long what no trusted time fixes holds before it is asked about again, in milliseconds: windows of logs end. */
const UNTIMED_LIFE_MS = 60_000;

/**
 * When a proof by such observations holds. Verified times stay verified, but a clock that was set back makes them lie in
 * the future; an entry without a time was judged by the clock.
 */
export function toValidity(
  {
    times,
    entries,
  }: { readonly times: readonly Pick<TrustedTime, 'at'>[]; readonly entries: readonly unknown[] },
  now: Date,
): Validity {
  if (times.length > 0) {
    const latest = Math.max(...times.map(({ at }) => at.getTime()));
    return { ...ALWAYS, start: new Date(latest - MAX_CLOCK_SKEW_MS) };
  }
  return entries.length === 0 ? ALWAYS : { start: now, end: new Date(now.getTime() + UNTIMED_LIFE_MS) };
}

/** The earliest of some times; undefined when there is none. */
export function earliestOf(times: readonly TrustedTime[]): Date | undefined {
  return times.length === 0 ? undefined : new Date(Math.min(...times.map(({ at }) => at.getTime())));
}

// Refused before anything is verified: a thousand copies would each cost a signature check.
function requireDifferent({ logEntries, timestamps }: Evidence): void {
  const entries = logEntries.map(({ logId, body }) => `${logId.toString('hex')} ${body.toString('latin1')}`);
  if (new Set(entries).size < entries.length)
    throw new SignatureError('TransparencyLogInvalid', 'it has the same log entry twice');
  const stamps = timestamps.map((response) => response.toString('latin1'));
  if (new Set(stamps).size < stamps.length)
    throw new SignatureError('TimestampInvalid', 'it has the same timestamp twice');
}

function verifyEntry(
  entry: LogEntry,
  { content, signerDer }: ObservedSignature,
  { logs, cosigners }: { readonly logs: readonly PreparedLog[]; readonly cosigners: Cosigners },
): ObservedEntry {
  // A log may be listed twice with two windows of the same key.
  const at = toIntegratedTime(entry);
  const log = (at && logs.find(({ validFor }) => isWithin(at, validFor))) ?? logs[0];
  if (log === undefined) throw new SignatureError('InternalError', 'a log entry without a log');
  verifyLogBody(entry, content, signerDer);
  return { entry, log, witnesses: verifyInclusion(entry, log, cosigners) };
}

// Integrated time is part of what a signed entry timestamp signs, and of nothing else (CVE-2026-48816).
function toLogTimes({ entry, log }: ObservedEntry): readonly TrustedTime[] {
  const at = toIntegratedTime(entry);
  return at === undefined ? [] : [{ at, source: 'transparency-log', operator: log.operator }];
}

// Client specification §4.6, CVE-2026-49834: several entries or times of one operator are one observation; authorities
// whose operator is not named may all be one party.
function requireOperators(
  entries: Observations['entries'],
  times: readonly TrustedTime[],
  { requirements, trustRoot }: RequiredTrust,
): void {
  const logs = new Set(entries.map(({ log }) => log.operator)).size;
  if (logs < requirements.logEntries)
    throw new SignatureError(
      'TransparencyLogInvalid',
      `it has entries of ${logs} logs that TrustRoot ${quote(trustRoot, 63)} knows${toCosigned(requirements)}, ${requirements.logEntries} are required`,
    );
  const clocks = new Set(times.map(({ operator }) => operator)).size;
  if (clocks < requirements.timestamps)
    throw new SignatureError(
      'TimestampInvalid',
      `it has times of ${clocks} authorities that TrustRoot ${quote(trustRoot, 63)} knows, ${requirements.timestamps} are required`,
    );
}

function toCosigned({ witnesses = 0 }: Requirements): string {
  return witnesses === 0 ? '' : ` and ${witnesses} of its witnesses cosigned`;
}

function requirePast(times: readonly TrustedTime[], now: Date): void {
  const future = times.find(({ at }) => !(at.getTime() <= now.getTime() + MAX_CLOCK_SKEW_MS));
  if (future !== undefined)
    throw new SignatureError(
      'TimestampInvalid',
      `its time ${toShown(future.at)} is in the future of this controller's clock, which says ${now.toISOString()}`,
    );
}

// Integrated times reach further than dates do.
function toShown(at: Date): string {
  return Number.isNaN(at.getTime()) ? 'beyond all dates' : at.toISOString();
}

// An entry's log key must have been valid when the entry was made: its integrated time, else the earliest time at all.
function requireLogWindows(entries: Observations['entries'], otherwise: Date): void {
  for (const { entry, log } of entries) {
    const at = toIntegratedTime(entry) ?? otherwise;
    if (!isWithin(at, log.validFor))
      throw new SignatureError(
        'TransparencyLogInvalid',
        `the key of log ${quote(log.baseUrl, 80)} was not valid at ${at.toISOString()}`,
      );
  }
}

// Have these log entries the form that belongs to their signature? Asked before anything of them is verified: what a
// log proves about one kind of signature must not stand in for another.
import type { LogEntry } from './bundle.ts';
import { SignatureError } from './error.ts';
import type { PreparedTrust } from './prepared-trust.ts';
import type { SignedEvidence } from './signed-evidence.ts';
import { requireMessageEntries } from './simple-signing-log.ts';

/**
 * Requires the form of every entry of a log that the root knows; entries of strangers are left out anyway.
 * @throws SignatureError
 */
export function requireEntryForms(signed: SignedEvidence, { logs }: PreparedTrust): void {
  const isKnown = ({ logId }: LogEntry): boolean => logs.some((log) => log.logId.equals(logId));
  const known = { ...signed, logEntries: signed.logEntries.filter(isKnown) };
  requireMessageEntries(known);
  requireProofs(known);
}

/**
 * Requires the inclusion proof of every entry of a bundle: since v0.2 a promise alone is not enough
 * (sigstore_bundle.proto). cosign v2 keeps the signed entry timestamp alone.
 * @throws SignatureError `TransparencyLogInvalid`
 */
export function requireProofs({
  content,
  logEntries,
  isWithoutProofs = false,
}: Pick<SignedEvidence, 'content' | 'logEntries' | 'isWithoutProofs'>): void {
  if (content.source.kind !== 'dsse' || isWithoutProofs) return;
  if (logEntries.some(({ proof }) => proof === undefined))
    throw new SignatureError('TransparencyLogInvalid', 'a log entry has no inclusion proof');
}

// Has the administrator withdrawn trust from any of this? Turns a revocation into the reason why a signature no longer
// counts. Asked at every verification: a list that grows works at once.
import { findRevocation, type RevocableParts, type Revocations } from '../trust/revocation.ts';
import { SignatureError } from './error.ts';

/** @throws SignatureError `Revoked` when any part is on the list */
export function refuseRevoked(parts: RevocableParts, revoked: Revocations | undefined): void {
  const finding = revoked === undefined ? undefined : findRevocation(parts, revoked);
  if (finding !== undefined) throw new SignatureError(finding.reason, finding.message);
}

// Has the administrator withdrawn trust from any of this? Turns a revocation into the reason why a signature no longer
// counts. Asked at every verification: a list that grows works at once.
import { findRevocation, type RevocableParts, type Revocations } from '../trust/revocation.ts';
import type { AuthorityMaterial } from './authority.ts';
import { SignatureError } from './error.ts';

/** What the TrustRoot that an authority names revokes; undefined when it names none. */
export function revocationsOf(authority: AuthorityMaterial): Revocations | undefined {
  return authority.kind === 'keyless' ? authority.revoked : authority.observers?.revoked;
}

/** @throws SignatureError `Revoked` when any part is on the list */
export function refuseRevoked(parts: RevocableParts, revoked: Revocations | undefined): void {
  const finding = revoked === undefined ? undefined : findRevocation(parts, revoked);
  if (finding !== undefined) throw new SignatureError(finding.reason, finding.message);
}

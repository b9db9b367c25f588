// How does a verdict name what an attestation lacks?
import { line } from '../support/verdicts.ts';

/** What a policy asks for, and what there is instead, `none at all` by default. `place`: another repository */
interface Wanted {
  readonly name: string;
  readonly type: string;
  readonly found?: string;
  readonly place?: string;
}

/** The line about an attestation that is not attached. */
export function unattestedLine(
  reference: string,
  policy: string,
  { name, type, found = 'none at all', place }: Wanted,
): string {
  const where = place === undefined ? '' : ` (looked in ${place})`;
  const why = `attestation ${name}: none of type "${type}" is attached to this digest${where}; found: ${found}`;
  const rest = `policy ${policy}: ${why}; attest the digest, for example with cosign attest`;
  return line('AttestationMissing', reference, rest);
}

/** The line about an attestation that does not count. @param who `POLICY authority NAME` */
export function rejectedLine(reference: string, who: string, why: string): string {
  const rest = `policy ${who}: attestation ${why}; attest again, by a signer and with content that the policy accepts`;
  return line('AttestationRejected', reference, rest);
}

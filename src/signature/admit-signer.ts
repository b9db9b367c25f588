// Is this signer one that the authority names? Matches what was proven about a signer with the authority's identities;
// everything else about the signature is verified before.
import { isTimeUp } from '../lib/allowance.ts';
import { quote } from '../lib/text.ts';
import type { CertificateAuthority, SigningAuthority } from './authority.ts';
import { matchCertificateIdentity, toMainName, type CertificateNames } from './certificate-identity.ts';
import { SignatureError } from './error.ts';
import { matchIdentity } from './identity.ts';

/** What is known about a signer. */
export interface KnownSigner<Facts> {
  readonly facts: Facts;
  /** What a certificate of a private PKI says about its owner. */
  readonly names?: CertificateNames;
}

interface NamedFacts {
  readonly issuer: string;
  readonly subject: string;
  readonly claims: Readonly<Record<string, string>>;
}

/**
 * The facts, when the authority names the signer; of a private PKI with the name that matched.
 * @throws SignatureError `IdentityMismatch`
 */
export function admitSigner<Facts extends NamedFacts>(
  { facts, names }: KnownSigner<Facts>,
  authority: SigningAuthority,
): Facts {
  if (authority.kind === 'key') return facts;
  if (authority.kind === 'certificate')
    return { ...facts, subject: matchName(facts.issuer, names, authority) };
  if (authority.identities.some((allowed) => matchIdentity(facts, allowed))) return facts;
  throw refuse(facts, authority.name);
}

function matchName(
  issuer: string,
  names: CertificateNames | undefined,
  { identities, name }: CertificateAuthority,
): string {
  if (names === undefined) throw new Error('a certificate was proven without its names');
  for (const allowed of identities) {
    const subject = matchCertificateIdentity(names, allowed);
    if (subject !== undefined) return subject;
  }
  throw refuse({ issuer, subject: toMainName(names) }, name);
}

// Patterns that are out of time match nothing: that is not the signer's doing.
function refuse({ issuer, subject }: Pick<NamedFacts, 'issuer' | 'subject'>, name: string): SignatureError {
  if (isTimeUp())
    return new SignatureError(
      'IdentityMismatch',
      `there was no time to compare its signer with the identities of authority ${quote(name, 63)}: patterns of the namespace's policies take too long`,
    );
  return new SignatureError(
    'IdentityMismatch',
    `it is signed by ${quote(subject)} of issuer ${quote(issuer)}, which authority ${quote(name, 63)} does not name`,
  );
}

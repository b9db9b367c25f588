// Which certificate authority issued this leaf, and was all of it valid when it signed? Path validation against the
// prepared chains of a trusted root (RFC 5280 §6.1), at every trusted time.
import { isIssuedBy } from './certificate-role.ts';
import { SignatureError } from './error.ts';
import {
  isAuthorityValidAt,
  isCertificateValidAt,
  type PreparedAuthority,
  type PreparedCertificate,
} from './prepared-trust.ts';
import type { Certificate } from './x509.ts';

/** The certificate that issued a leaf, in the authority it belongs to. */
export interface LeafIssuer {
  readonly authority: PreparedAuthority;
  readonly issuer: PreparedCertificate;
}

const refuse = (message: string): SignatureError => new SignatureError('CertificateInvalid', message);

/**
 * Finds the issuer of a leaf.
 * @param times every trusted time of the signature; at least one
 * @throws SignatureError `CertificateInvalid` when nobody known issued it, or not everything was valid at each time
 */
export function verifyLeafChain(
  leaf: Certificate,
  authorities: readonly PreparedAuthority[],
  times: readonly Date[],
): LeafIssuer {
  const expired = times.find((at) => !isCertificateValidAt(leaf, at));
  if (expired !== undefined)
    throw refuse(`the signing certificate was not valid at ${expired.toISOString()}`);
  // The same issuer may stand in several chains of a root: one that was valid at each time is enough.
  const named = authorities.flatMap((authority) => issuersNamed(leaf.issuer, authority));
  const valid = named.filter(({ authority, position }) =>
    times.every((at) => isAuthorityValidAt(authority, at, position)),
  );
  const found = valid.find(({ issuer }) => isIssuedBy(leaf, issuer));
  if (found !== undefined) return found;
  if (named.some(({ issuer }) => isIssuedBy(leaf, issuer)))
    throw refuse('the certificate authority was not valid when it was used');
  throw refuse('no certificate authority of the trust root issued the signing certificate');
}

// A chain's anchor may issue leaves as well as the intermediate below it.
function issuersNamed(
  name: Buffer,
  authority: PreparedAuthority,
): readonly (LeafIssuer & { readonly position: number })[] {
  return authority.chain.flatMap((issuer, position) =>
    issuer.certificate.subject.equals(name) ? [{ authority, issuer, position }] : [],
  );
}

// Whom does a certificate of a private PKI name, and is that somebody the policy names? Subject alternative names read
// strictly, the subject as RFC 4514 text, the key by its fingerprint.
import { DER_TAG, DerError, readDer, readDerChildren, type DerElement } from '../lib/der.ts';
import { sha256Hex } from '../lib/digest.ts';
import { toDistinguishedName } from './distinguished-name.ts';
import type { TextMatcher } from './identity.ts';
import { EXTENSION, type Certificate } from './x509.ts';

const MAX_NAMES = 64;

/** What a certificate says about its owner. */
export interface CertificateNames {
  readonly uris: readonly string[];
  readonly emails: readonly string[];
  readonly dnsNames: readonly string[];
  /** RFC 4514; `""` when the subject is empty. */
  readonly subjectDN: string;
  /** Lower-case hex SHA-256 of the SubjectPublicKeyInfo. */
  readonly spki: string;
}

/** One allowed identity; every member that is there must match, and at least one is. */
export interface CertificateIdentityMatcher {
  readonly subjectURI?: TextMatcher;
  readonly subjectEmail?: TextMatcher;
  readonly subjectDNS?: TextMatcher;
  readonly subjectDN?: TextMatcher;
  readonly spki?: TextMatcher;
}

/** Reads the names of a certificate. @throws DerError */
export function readCertificateNames(certificate: Certificate): CertificateNames {
  const names = readAlternativeNames(certificate);
  // GeneralName (RFC 5280 §4.2.1.6): [1] rfc822Name, [2] dNSName, [6] URI; other forms are read by nobody here.
  const textsOf = (tag: number): readonly string[] =>
    names.filter((name) => name.tag === tag).map(({ content }) => toPrintableAscii(content));
  return {
    emails: textsOf(0x81),
    dnsNames: textsOf(0x82),
    uris: textsOf(0x86),
    subjectDN: toDistinguishedName(certificate.subject),
    spki: sha256Hex(certificate.spki),
  };
}

function readAlternativeNames({ extensions }: Certificate): readonly DerElement[] {
  const extension = extensions.get(EXTENSION.subjectAltName);
  if (extension === undefined) return [];
  const names = readDerChildren(readDer(extension.value, DER_TAG.sequence).content);
  if (names.length === 0 || names.length > MAX_NAMES)
    throw new DerError(`it has none or more than ${MAX_NAMES} subject alternative names`);
  return names;
}

// IA5String by its bytes: decoding that clears bit 7 would make other names look like this one.
function toPrintableAscii(bytes: Buffer): string {
  if (bytes.length === 0 || bytes.some((byte) => byte < 0x21 || byte > 0x7e))
    throw new DerError('it has a subject alternative name that is not printable ASCII');
  return bytes.toString('latin1');
}

/**
 * Matches a certificate's names against one identity.
 * @returns the name that matched; the subject's where only the key was asked for; undefined for no match
 */
export function matchCertificateIdentity(
  names: CertificateNames,
  allowed: CertificateIdentityMatcher,
): string | undefined {
  const demands: readonly (readonly [TextMatcher | undefined, readonly string[], boolean])[] = [
    [allowed.subjectURI, names.uris, true],
    [allowed.subjectEmail, names.emails, true],
    [allowed.subjectDNS, names.dnsNames, true],
    // An empty subject is no name: a pattern must not match it.
    [allowed.subjectDN, names.subjectDN === '' ? [] : [names.subjectDN], true],
    [allowed.spki, [names.spki], false],
  ];
  const asked = demands.filter(([matcher]) => matcher !== undefined);
  const matched = asked.map(([matcher, texts]) => texts.find((text) => matcher?.matches(text) === true));
  if (asked.length === 0 || matched.includes(undefined)) return undefined;
  const index = asked.findIndex(([, , isName]) => isName);
  return index === -1 ? toMainName(names) : matched[index];
}

/** The name by which to speak of a certificate: its subject, else its first alternative name. */
export function toMainName({ subjectDN, uris, emails, dnsNames }: CertificateNames): string {
  return subjectDN === '' ? ([...uris, ...emails, ...dnsNames][0] ?? '') : subjectDN;
}

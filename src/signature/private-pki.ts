// Did a certificate of the authority's own PKI sign this? Path, leaf profile and signature, at the time of the request:
// nothing trusted says when such a signature was made, so an expired certificate proves nothing. Whom it names is
// matched elsewhere.
import { DerError } from '../lib/der.ts';
import { sha256Hex } from '../lib/digest.ts';
import type { CertificateAuthority } from './authority.ts';
import type { SignatureCandidate } from './candidate.ts';
import { readCertificateNames, type CertificateNames } from './certificate-identity.ts';
import {
  MAX_INTERMEDIATES,
  findPath,
  isPathKey,
  isValidAt,
  readPathCertificate,
  type PathCertificate,
} from './certificate-path.ts';
import { toDistinguishedName } from './distinguished-name.ts';
import { SignatureError } from './error.ts';
import type { SignerFacts } from './facts.ts';
import { ALWAYS, intersect, type Validity } from '../trust/trusted-root.ts';
import { EXTENSION, hasKeyUsage, readBasicConstraints, readPurposes, type Certificate } from './x509.ts';

/** id-kp-codeSigning (RFC 5280 §4.2.1.12). */
export const CODE_SIGNING = '1.3.6.1.5.5.7.3.3';
/** Bits of the key usage (RFC 5280 §4.2.1.3). */
const DIGITAL_SIGNATURE = 0;
const KEY_CERT_SIGN = 5;
/** Critical extensions whose meaning is checked here or in the path; any other critical one is refused (§4.2). */
const UNDERSTOOD = new Set<string>([
  EXTENSION.keyUsage,
  EXTENSION.subjectAltName,
  EXTENSION.basicConstraints,
  EXTENSION.extendedKeyUsage,
]);

const refuse = (message: string): SignatureError =>
  new SignatureError('CertificateInvalid', `the signing certificate ${message}`);

type Material = Omit<CertificateAuthority, 'name' | 'identities'>;

/** A signer under the private roots. */
export interface PrivateSigner {
  /** `subject` is `""`: which of the names is meant, the identity says. */
  readonly facts: SignerFacts;
  readonly names: CertificateNames;
  /** When everything on the path is valid. */
  readonly validity: Validity;
}

/** Verifies the signer of a candidate, whoever it is. @throws SignatureError */
export function verifyPrivatePki(
  { signed }: SignatureCandidate,
  authority: Material,
  now: Date,
): PrivateSigner {
  const { material, content, intermediates } = signed;
  if (material.kind === 'publicKey')
    throw new SignatureError(
      'SignerNotTrusted',
      'it is signed with a key where the authority names certificates',
    );
  const [der, ...others] = material.kind === 'certificate' ? [material.der] : material.ders;
  const leaf = readLeaf(der);
  const names = readStrictly(() => readCertificateNames(leaf.certificate));
  checkProfile(leaf, authority, now);
  const path = findPath(
    leaf,
    {
      roots: authority.roots,
      intermediates: authority.intermediates,
      untrusted: readUsable([...others, ...intermediates].slice(0, MAX_INTERMEDIATES)),
    },
    { now, purpose: authority.extendedKeyUsage === 'CodeSigning' ? CODE_SIGNING : undefined },
  );
  if (content.findAlgorithm(leaf.key) === undefined)
    throw new SignatureError('SignatureInvalid', 'its certificate did not sign it');
  const { certificate, serial } = leaf;
  const issuer = readStrictly(() => toDistinguishedName(certificate.issuer));
  return {
    facts: {
      issuer,
      subject: '',
      claims: {},
      keyFingerprint: names.spki,
      certificate: { serial, notBefore: certificate.notBefore, notAfter: certificate.notAfter },
      trustAnchor: sha256Hex(path.at(-1)?.certificate.spki ?? Buffer.alloc(0)),
      timeSources: [],
      logs: [],
      // The library knows no private chains.
      secondOpinion: 'cannotJudge',
    },
    names,
    validity: toValidity(path, authority.notAfter),
  };
}

function toValidity(path: readonly PathCertificate[], notAfter: Date | undefined): Validity {
  const windows = path.map(({ certificate }) => ({
    start: certificate.notBefore,
    end: certificate.notAfter,
  }));
  return intersect(notAfter === undefined ? windows : [...windows, { ...ALWAYS, end: notAfter }]);
}

function readStrictly<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof DerError) throw refuse(`cannot be read: ${error.message}`);
    throw error;
  }
}

function readLeaf(der: Buffer | undefined): PathCertificate {
  if (der === undefined) throw refuse('is missing');
  return readStrictly(() => readPathCertificate(der));
}

// What a signer sends along is help, not trust: a certificate that cannot be read helps nobody and harms nobody.
function readUsable(ders: readonly Buffer[]): readonly PathCertificate[] {
  return ders.flatMap((der) => {
    try {
      return [readPathCertificate(der)];
    } catch (error) {
      if (error instanceof DerError) return [];
      throw error;
    }
  });
}

function checkProfile({ certificate, key }: PathCertificate, authority: Material, now: Date): void {
  const { extensions } = certificate;
  for (const [oid, { isCritical }] of extensions)
    if (isCritical && !UNDERSTOOD.has(oid)) throw refuse(`has the unknown critical extension ${oid}`);
  if (extensions.has(EXTENSION.nameConstraints))
    throw refuse('has name constraints, which are not supported');
  readStrictly(() => checkUsage(certificate, authority));
  if (!isPathKey(key)) throw refuse('has a key of a kind or size that is not accepted');
  if (!isValidAt(certificate, now)) throw refuse(`is not valid at ${now.toISOString()}`);
  if (authority.notAfter !== undefined && now > authority.notAfter)
    throw refuse(`counts no more since ${authority.notAfter.toISOString()}, as the authority says`);
}

function checkUsage(certificate: Certificate, { extendedKeyUsage }: Material): void {
  const hasUsage = certificate.extensions.has(EXTENSION.keyUsage);
  if (hasUsage && !hasKeyUsage(certificate, DIGITAL_SIGNATURE)) throw refuse('is not for digital signatures');
  // model_signing's own leaves say cA, but no usage that lets them issue: RFC 5280 §4.2.1.3 makes those end entities.
  // Whoever may issue certificates is no signer of models.
  const { isCa } = readBasicConstraints(certificate);
  if (hasKeyUsage(certificate, KEY_CERT_SIGN) || (isCa && !hasUsage)) throw refuse('is a CA certificate');
  if (extendedKeyUsage === 'CodeSigning' && readPurposes(certificate)?.includes(CODE_SIGNING) !== true)
    throw refuse('is not for code signing');
}

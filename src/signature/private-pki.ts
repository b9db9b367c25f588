// Did a certificate of the authority's own PKI sign this? Path, leaf profile and signature, at every time that the
// authority's observers vouch for. Where nobody does, at the time of the request: then an expired certificate proves
// nothing. Whom it names is matched elsewhere.
import { DerError } from '../lib/der.ts';
import { sha256Hex } from '../lib/digest.ts';
import type { RevocableParts } from '../trust/revocation.ts';
import type { CertificateAuthority } from './authority.ts';
import { readCertificateNames, type CertificateNames } from './certificate-identity.ts';
import {
  MAX_INTERMEDIATES,
  describeTime,
  findPath,
  isPathKey,
  isValidAt,
  readPathCertificate,
  type PathCertificate,
} from './certificate-path.ts';
import { toDistinguishedName } from './distinguished-name.ts';
import { SignatureError } from './error.ts';
import { requireEntryForms } from './entry-forms.ts';
import { toLogFacts, toTimeFacts, type SignerFacts } from './facts.ts';
import {
  earliestOf,
  toRequiredTrust,
  toValidity,
  verifyObservations,
  type Observations,
} from './observers.ts';
import { refuseRevoked, revocationsOf } from './revoked.ts';
import type { SignedEvidence } from './signed-evidence.ts';
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
  { signed }: { readonly signed: SignedEvidence },
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
  checkProfile(leaf, authority);
  const observations = observe(signed, leaf, { authority, now });
  const isPresent = observations.times.length === 0;
  const times = isPresent ? [now] : observations.times.map(({ at }) => at);
  for (const at of times) checkWindow(leaf, authority, { at, isPresent });
  const path = findPath(
    leaf,
    {
      roots: authority.roots,
      intermediates: authority.intermediates,
      untrusted: readUsable([...others, ...intermediates].slice(0, MAX_INTERMEDIATES)),
    },
    { times, isPresent, purpose: authority.extendedKeyUsage === 'CodeSigning' ? CODE_SIGNING : undefined },
  );
  refuseRevoked(toRevocable(path), revocationsOf(authority));
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
      ...toObservedFacts(observations),
      // The library knows no private chains.
      secondOpinion: 'cannotJudge',
    },
    names,
    validity: intersect([toValidity(observations, now), ...toWindows(path, authority, observations)]),
  };
}

function toObservedFacts({
  times,
  entries,
}: Observations): Pick<SignerFacts, 'existedBy' | 'timeSources' | 'times' | 'logs'> {
  const existedBy = earliestOf(times);
  return { ...(existedBy && { existedBy }), ...toTimeFacts(times), logs: toLogFacts(entries) };
}

// Where nobody vouches for a time, everything must be valid whenever it is asked about.
function toWindows(
  path: readonly PathCertificate[],
  { notAfter }: Material,
  { times }: Observations,
): readonly Validity[] {
  if (times.length > 0) return [];
  const windows = path.map(({ certificate }) => ({
    start: certificate.notBefore,
    end: certificate.notAfter,
  }));
  return notAfter === undefined ? windows : [...windows, { ...ALWAYS, end: notAfter }];
}

function observe(
  signed: SignedEvidence,
  { certificate }: PathCertificate,
  { authority, now }: { readonly authority: Material; readonly now: Date },
): Observations {
  if (authority.observers === undefined) return { entries: [], stamps: [], times: [] };
  const required = toRequiredTrust(authority.observers);
  requireEntryForms(signed, required.trust);
  const { content } = signed;
  return verifyObservations(signed, { content, signerDer: certificate.der }, required, now);
}

function toRevocable(path: readonly PathCertificate[]): RevocableParts {
  return {
    spkis: path.map(({ certificate }) => sha256Hex(certificate.spki)),
    certificateSerials: path.map(({ serial }) => serial),
    artifactDigests: [],
  };
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

function checkProfile({ certificate, key }: PathCertificate, authority: Material): void {
  const { extensions } = certificate;
  for (const [oid, { isCritical }] of extensions)
    if (isCritical && !UNDERSTOOD.has(oid)) throw refuse(`has the unknown critical extension ${oid}`);
  if (extensions.has(EXTENSION.nameConstraints))
    throw refuse('has name constraints, which are not supported');
  readStrictly(() => checkUsage(certificate, authority));
  if (!isPathKey(key)) throw refuse('has a key of a kind or size that is not accepted');
}

function checkWindow(
  { certificate }: PathCertificate,
  { notAfter }: Pick<CertificateAuthority, 'notAfter'>,
  { at, isPresent }: { readonly at: Date; readonly isPresent: boolean },
): void {
  if (!isValidAt(certificate, at)) throw refuse(`is not valid at ${describeTime(at, isPresent)}`);
  if (notAfter !== undefined && at > notAfter)
    throw refuse(`counts no more since ${notAfter.toISOString()}, as the authority says`);
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

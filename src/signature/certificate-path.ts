// Which certificates lead from this one to a root that an administrator named? Path building and validation of
// RFC 5280 §6.1 over certificates that nobody vouches for. Names are compared by their bytes; name constraints and
// policy constraints are refused rather than applied; revocation lists are not asked.
import { createPublicKey, X509Certificate, type KeyObject } from 'node:crypto';
import { DerError } from '../lib/der.ts';
import { isIssuedBy, requireAuthority, requirePurpose } from './certificate-role.ts';
import { SignatureError } from './error.ts';
import { isStrongKey } from './signature-algorithm.ts';
import { readCertificate, type Certificate } from './x509.ts';

/** Most signatures that are checked for one path: certificates with the same name must not cost more. */
export const MAX_LINK_CHECKS = 16;
/** Most certificates between leaf and root (docs: limits). */
export const MAX_INTERMEDIATES = 10;
const MAX_STEPS = 256;
// Larger RSA keys, and larger exponents, only make a hostile certificate expensive to check.
const MAX_RSA_BITS = 8192;
const MAX_RSA_EXPONENT = 2n ** 33n;

/** A certificate with its key; nothing of it is verified. */
export interface PathCertificate {
  readonly certificate: Certificate;
  readonly key: KeyObject;
  /** Lower-case hex, as in the certificate. */
  readonly serial: string;
}

/** What a path may be built from: `untrusted` from the signer, the others from the policy. */
export interface PathMaterial {
  readonly roots: readonly PathCertificate[];
  readonly intermediates: readonly PathCertificate[];
  readonly untrusted: readonly PathCertificate[];
}

/** What a path must hold. */
export interface PathDemands {
  /** Instants at each of which every certificate must be valid; at least one. */
  readonly times: readonly Date[];
  /** True when the only time is that of our own clock. */
  readonly isPresent: boolean;
  /** Extended key usage (OID) that issuers limited to some must have among them. */
  readonly purpose: string | undefined;
}

/** Reads a certificate twice, by our reader and by OpenSSL. @throws DerError also when they do not agree */
export function readPathCertificate(der: Buffer): PathCertificate {
  const certificate = readCertificate(der);
  try {
    const native = new X509Certificate(der);
    const key = createPublicKey({ key: certificate.spki, format: 'der', type: 'spki' });
    const isSame =
      native.raw.equals(der) &&
      key.export({ type: 'spki', format: 'der' }).equals(certificate.spki) &&
      native.publicKey.equals(key);
    if (isSame) return { certificate, key, serial: native.serialNumber.toLowerCase() };
  } catch {
    throw new DerError('it cannot be read by OpenSSL');
  }
  throw new DerError('it is read in two ways');
}

/** True for keys that a path may hold: strong enough, and not made to be slow. */
export function isPathKey(key: KeyObject): boolean {
  const { modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {};
  return isStrongKey(key) && modulusLength <= MAX_RSA_BITS && publicExponent < MAX_RSA_EXPONENT;
}

/**
 * Finds a valid path.
 * @param leaf the signing certificate; its own profile and window are the caller's business
 * @returns the path, leaf first and root last
 * @throws SignatureError `CertificateInvalid` when there is none
 */
export function findPath(
  leaf: PathCertificate,
  { roots, intermediates, untrusted }: PathMaterial,
  demands: PathDemands,
): readonly PathCertificate[] {
  const search: Search = {
    roots,
    pool: [...untrusted, ...intermediates],
    demands,
    links: new Map(),
    checks: 0,
    steps: 0,
    problem: undefined,
  };
  const path = extend([leaf], search);
  if (path !== undefined) return path;
  throw refuse(search.problem ?? 'none of the authority’s roots leads to it');
}

const refuse = (why: string): SignatureError =>
  new SignatureError('CertificateInvalid', `the signing certificate is not trusted: ${why}`);

interface Search {
  readonly roots: readonly PathCertificate[];
  readonly pool: readonly PathCertificate[];
  readonly demands: PathDemands;
  /** Links that were checked, by child and issuer. */
  readonly links: Map<PathCertificate, Map<PathCertificate, boolean>>;
  checks: number;
  steps: number;
  /** Why the first issuer that signed could not be used: the best hint for people. */
  problem: string | undefined;
}

// Depth first, roots before intermediates: the first valid path wins. Every certificate is checked where it would
// stand, so a path that is returned holds as a whole.
function extend(path: readonly PathCertificate[], search: Search): readonly PathCertificate[] | undefined {
  search.steps += 1;
  if (search.steps > MAX_STEPS) throw refuse('its certificates form too many paths');
  for (const root of search.roots) if (isUsable(root, path, search)) return [...path, root];
  if (path.length > MAX_INTERMEDIATES) return undefined;
  for (const issuer of search.pool) {
    if (isRepeated(issuer, path) || !isUsable(issuer, path, search)) continue;
    const found = extend([...path, issuer], search);
    if (found !== undefined) return found;
  }
  return undefined;
}

// A name with the same key is one authority, however often it was certified: cross-signed loops end here.
function isRepeated({ certificate }: PathCertificate, path: readonly PathCertificate[]): boolean {
  return path.some(
    ({ certificate: other }) =>
      other.subject.equals(certificate.subject) && other.spki.equals(certificate.spki),
  );
}

function isUsable(issuer: PathCertificate, path: readonly PathCertificate[], search: Search): boolean {
  const child = path.at(-1);
  if (child === undefined || !isLinked(child, issuer, search)) return false;
  const problem = findProblem(issuer, path, search.demands);
  search.problem ??= problem;
  return problem === undefined;
}

function isLinked(child: PathCertificate, issuer: PathCertificate, search: Search): boolean {
  // Most certificates have another name: only those that could be the issuer cost a signature.
  if (!child.certificate.issuer.equals(issuer.certificate.subject) || !isPathKey(issuer.key)) return false;
  const known = search.links.get(child) ?? new Map<PathCertificate, boolean>();
  search.links.set(child, known);
  const before = known.get(issuer);
  if (before !== undefined) return before;
  search.checks += 1;
  if (search.checks > MAX_LINK_CHECKS) throw refuse('its certificates form too many paths');
  const isGood = isIssuedBy(child.certificate, issuer);
  known.set(issuer, isGood);
  return isGood;
}

function findProblem(
  { certificate }: PathCertificate,
  path: readonly PathCertificate[],
  { times, isPresent, purpose }: PathDemands,
): string | undefined {
  // RFC 5280 §6.1.4 (l): certificates that a name issued to itself, for a new key, do not count.
  const below = path.slice(1).filter(({ certificate: other }) => !other.issuer.equals(other.subject));
  try {
    requireAuthority(certificate, below.length);
    if (purpose !== undefined) requirePurpose(certificate, purpose);
  } catch (error) {
    if (error instanceof DerError) return error.message;
    throw error;
  }
  const outside = times.find((at) => !isValidAt(certificate, at));
  return outside && `one of its issuers is not valid at ${describeTime(outside, isPresent)}`;
}

/** A time in messages. @param isPresent nobody but our own clock says so */
export function describeTime(at: Date, isPresent: boolean): string {
  return `${at.toISOString()}${isPresent ? ', the time of this controller’s clock' : ''}`;
}

/** True when the instant is in the certificate's window, both ends included (RFC 5280 §4.1.2.5). */
export function isValidAt({ notBefore, notAfter }: Certificate, at: Date): boolean {
  // notAfter names a second, which is valid to its end.
  return at >= notBefore && at.getTime() < notAfter.getTime() + 1000;
}

// Which certificates come next? A CA and a serving certificate that are renewed in time and replaced with an overlap: a new
// CA is believed by clients before anything is served under it, and the old one for a while after. Where they are stored,
// and what clients believe, is left to the callers.
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { createAuthority, issueServing, SERVING_LIFE_MS, type KeyedCertificate } from './self-signed.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
/** Life of a CA, in milliseconds: two years. */
export const CA_LIFE_MS = 730 * DAY_MS;
/** How long an old CA stays believed after the last certificate under it was replaced, in milliseconds. */
export const OVERLAP_MS = DAY_MS;
/** A new CA is used after this long though nobody saw that clients believe it: whoever injects it has had time. */
export const BLIND_WAIT_MS = DAY_MS;
/** Share of its life after which a certificate is renewed. */
const RENEWAL_SHARE = 2 / 3;
const MAX_AUTHORITIES = 4;
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;

/** Everything there is, PEM. */
export interface ManagedCertificates extends KeyedCertificate {
  /** What clients should believe: the CA in use first, or the one that will be. */
  readonly authorities: readonly string[];
  /** Private key of the first of them. */
  readonly caKey: string;
}

/** Names of the members in a Secret; tls.crt and tls.key as in every Secret of type kubernetes.io/tls. */
export const SECRET_KEYS = {
  cert: 'tls.crt',
  key: 'tls.key',
  authorities: 'ca.crt',
  caKey: 'ca.key',
} as const;

/** Reads the data of a Secret; undefined when it cannot be served with. */
export function parseManagedCertificates(data: ReadonlyMap<string, Buffer>): ManagedCertificates | undefined {
  const text = (name: string): string => data.get(name)?.toString('utf8') ?? '';
  const certificates: ManagedCertificates = {
    cert: text(SECRET_KEYS.cert),
    key: text(SECRET_KEYS.key),
    authorities: (text(SECRET_KEYS.authorities).match(CERTIFICATE) ?? []).slice(0, MAX_AUTHORITIES),
    caKey: text(SECRET_KEYS.caKey),
  };
  try {
    const isPair = new X509Certificate(certificates.cert).checkPrivateKey(createPrivateKey(certificates.key));
    const areReadable = certificates.authorities.every((pem) => new X509Certificate(pem).ca);
    return isPair && areReadable && certificates.authorities.length > 0 ? certificates : undefined;
  } catch {
    return undefined;
  }
}

/** What decides what comes next. */
export interface RenewalContext {
  readonly now: Date;
  /** Host names and addresses that clients call. */
  readonly hosts: readonly string[];
  /** Whether clients believe an authority, as far as is known. */
  readonly isBelieved: (authority: string) => boolean;
}

/** The next certificates, or undefined when those that are there will do. @param current undefined: none */
export async function renewCertificates(
  current: ManagedCertificates | undefined,
  context: RenewalContext,
): Promise<ManagedCertificates | undefined> {
  const { now, hosts } = context;
  if (current === undefined) return begin(now, hosts);
  const withCa = await renewAuthority(current, now);
  const issued = mustIssue(withCa, context)
    ? { ...withCa, ...(await issueServing(toAuthority(withCa), hosts, now, toServingLifeMs(withCa, now))) }
    : withCa;
  const next = { ...issued, authorities: dropOld(issued, now) };
  return isSame(current, next) ? undefined : next;
}

async function begin(now: Date, hosts: readonly string[]): Promise<ManagedCertificates> {
  const authority = await createAuthority(now, CA_LIFE_MS);
  const serving = await issueServing(authority, hosts, now);
  return { ...serving, authorities: [authority.cert], caKey: authority.key };
}

async function renewAuthority(current: ManagedCertificates, now: Date): Promise<ManagedCertificates> {
  const { cert } = toAuthority(current);
  const last = new X509Certificate(cert);
  if (hasKey(cert, current.caKey) && !isDue(last, now)) return current;
  const authority = await createAuthority(now, toLifeMs(last, now, CA_LIFE_MS));
  // What is served now is believed until something else is, however often the key is lost meanwhile.
  const leaf = new X509Certificate(current.cert);
  const [used = [], others = []] = [true, false].map((isUsed) =>
    current.authorities.filter((pem) => isIssuedBy(leaf, pem) === isUsed),
  );
  const authorities = [authority.cert, ...used, ...others].slice(0, MAX_AUTHORITIES);
  return { ...current, authorities, caKey: authority.key };
}

function mustIssue(current: ManagedCertificates, { now, hosts, isBelieved }: RenewalContext): boolean {
  const leaf = new X509Certificate(current.cert);
  const authority = toAuthority(current).cert;
  // Clients refuse it already: nothing is lost by serving what they do not believe yet.
  if (leaf.validToDate <= now) return true;
  if (isIssuedBy(leaf, authority)) return isDue(leaf, now) || !hosts.every((host) => isFor(leaf, host));
  const ageMs = now.getTime() - new X509Certificate(authority).validFromDate.getTime();
  return isBelieved(authority) || ageMs >= BLIND_WAIT_MS;
}

function dropOld({ cert, authorities }: ManagedCertificates, now: Date): readonly string[] {
  const leaf = new X509Certificate(cert);
  const [first = ''] = authorities;
  const isOver = isIssuedBy(leaf, first) && now.getTime() - leaf.validFromDate.getTime() >= OVERLAP_MS;
  return authorities.filter((pem, index) => {
    if (index === 0) return true;
    return !isOver && new X509Certificate(pem).validToDate > now;
  });
}

function toAuthority({ authorities, caKey }: ManagedCertificates): KeyedCertificate {
  return { cert: authorities[0] ?? '', key: caKey };
}

// Of a kind that we sign with: another authority that somebody stored here is believed on, and ours stands beside it.
function hasKey(cert: string, key: string): boolean {
  try {
    const privateKey = createPrivateKey(key);
    const isOurs = privateKey.asymmetricKeyDetails?.namedCurve === 'prime256v1';
    return isOurs && new X509Certificate(cert).checkPrivateKey(privateKey);
  } catch {
    return false;
  }
}

function isDue({ validFromDate, validToDate }: X509Certificate, now: Date): boolean {
  const lifeMs = validToDate.getTime() - validFromDate.getTime();
  // One from the future was made by a clock that was wrong, or ours is: nobody with our clock would believe it.
  return now < validFromDate || now.getTime() - validFromDate.getTime() >= lifeMs * RENEWAL_SHARE;
}

// What takes the place of one from the future holds by both clocks: which of them is wrong cannot be known.
function toLifeMs({ validFromDate, validToDate }: X509Certificate, now: Date, lifeMs: number): number {
  return now < validFromDate ? Math.max(lifeMs, validToDate.getTime() - now.getTime()) : lifeMs;
}

function toServingLifeMs({ cert }: ManagedCertificates, now: Date): number {
  return toLifeMs(new X509Certificate(cert), now, SERVING_LIFE_MS);
}

function isIssuedBy(leaf: X509Certificate, authority: string): boolean {
  const issuer = new X509Certificate(authority);
  return leaf.checkIssued(issuer) && leaf.verify(issuer.publicKey);
}

function isFor(leaf: X509Certificate, host: string): boolean {
  return (isIP(host) === 0 ? leaf.checkHost(host) : leaf.checkIP(host)) !== undefined;
}

function isSame(one: ManagedCertificates, other: ManagedCertificates): boolean {
  return (
    one.cert === other.cert &&
    one.caKey === other.caKey &&
    one.authorities.join('\n') === other.authorities.join('\n')
  );
}

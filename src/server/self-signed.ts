// Which certificate is served when none is given? One of a CA of our own; how long both live and where their keys are
// kept is left to the callers.
import { createPrivateKey, webcrypto, randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';

/** Life of a serving certificate, in milliseconds: 90 days. */
export const SERVING_LIFE_MS = 90 * 24 * 60 * 60 * 1000;
const SKEW_MS = 5 * 60 * 1000;
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

/** A certificate and its private key, PEM. */
export interface KeyedCertificate {
  readonly key: string;
  readonly cert: string;
}

/** A serving certificate with the CA that clients must trust, PEM. */
export interface SelfSigned extends KeyedCertificate {
  readonly ca: string;
}

/** Makes a CA and a serving certificate for host names and addresses, valid for 90 days from now. */
export async function createSelfSigned(hosts: readonly string[], now: Date): Promise<SelfSigned> {
  const authority = await createAuthority(now, SERVING_LIFE_MS);
  return { ...(await issueServing(authority, hosts, now)), ca: authority.cert };
}

/** Makes a CA that lives from now for a time in milliseconds. Each has a name of its own: clients find issuers by name. */
export async function createAuthority(now: Date, lifeMs: number): Promise<KeyedCertificate> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const serialNumber = toSerial();
  const ca = await x509.X509CertificateGenerator.createSelfSigned(
    {
      ...toValidity(now, lifeMs),
      serialNumber,
      name: `CN=model-policy-controller CA ${serialNumber.slice(0, 8)}`,
      keys,
      signingAlgorithm: ALGORITHM,
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      ],
    },
    webcrypto,
  );
  return { key: await toKeyPem(keys.privateKey), cert: ca.toString('pem') };
}

/**
 * Issues a serving certificate for host names and addresses, for a time in milliseconds (default 90 days) or until its CA ends.
 * @throws Error for a key that is none on P-256
 */
export async function issueServing(
  authority: KeyedCertificate,
  hosts: readonly string[],
  now: Date,
  lifeMs: number = SERVING_LIFE_MS,
): Promise<KeyedCertificate> {
  const issuer = new x509.X509Certificate(authority.cert);
  // Whatever form of PEM somebody stored it in.
  const der = createPrivateKey(authority.key).export({ format: 'der', type: 'pkcs8' });
  const signingKey = await webcrypto.subtle.importKey('pkcs8', der, ALGORITHM, false, ['sign']);
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const validity = toValidity(now, lifeMs);
  const cert = await x509.X509CertificateGenerator.create(
    {
      notBefore: validity.notBefore,
      notAfter: validity.notAfter < issuer.notAfter ? validity.notAfter : issuer.notAfter,
      serialNumber: toSerial(),
      subject: 'CN=model-policy-controller',
      issuer: issuer.subjectName,
      publicKey: keys.publicKey,
      signingKey,
      signingAlgorithm: ALGORITHM,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        new x509.SubjectAlternativeNameExtension(
          hosts.map((host) => ({ type: isIP(host) === 0 ? ('dns' as const) : ('ip' as const), value: host })),
        ),
      ],
    },
    webcrypto,
  );
  return { key: await toKeyPem(keys.privateKey), cert: cert.toString('pem') };
}

function toValidity(now: Date, lifeMs: number): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(now.getTime() - SKEW_MS), notAfter: new Date(now.getTime() + lifeMs) };
}

async function toKeyPem(key: webcrypto.CryptoKey): Promise<string> {
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key)).toString('base64');
  return `-----BEGIN PRIVATE KEY-----\n${pkcs8.replaceAll(/.{64}/g, '$&\n').trimEnd()}\n-----END PRIVATE KEY-----\n`;
}

// Positive and never zero, 16 bytes (RFC 5280 §4.1.2.2).
function toSerial(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString('hex');
}

// How does a demo server speak TLS? A certificate for host names or addresses under an authority of its own.
// Leaves serving to registry.ts and to whoever else listens.
import { isIP } from 'node:net';
import * as der from './der.ts';
import {
  basicConstraints,
  certificatePem,
  extendedKeyUsage,
  extension,
  KEY_PURPOSE,
  keyUsage,
} from './certificate.ts';
import { createRootAuthority, issueCertificate } from './certificate-authority.ts';
import { generateSigningKey } from './keys.ts';

/** PEM texts for a TLS server and for its clients. */
export interface ServerCertificate {
  readonly key: string;
  readonly cert: string;
  /** What clients have to trust. */
  readonly ca: string;
}

/** A fresh key and certificate for these host names and IPv4 addresses, valid for decades unless told otherwise. */
export function createServerCertificate(
  hosts: readonly string[] = ['127.0.0.1', 'localhost'],
  { notAfter }: { readonly notAfter?: Date } = {},
): ServerCertificate {
  const root = createRootAuthority('server-root', { kind: 'p256' });
  const { publicKey, privateKey } = generateSigningKey('p256');
  const names = der.sequence(...hosts.map(generalName));
  const certificate = issueCertificate(root, {
    publicKey,
    commonName: hosts[0] ?? 'server',
    ...(notAfter === undefined ? {} : { notAfter }),
    extensions: [
      basicConstraints(false),
      keyUsage('digitalSignature'),
      extendedKeyUsage([KEY_PURPOSE.serverAuth]),
      extension('2.5.29.17', names),
    ],
  });
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    cert: certificatePem(certificate),
    ca: certificatePem(root.certificate),
  };
}

function generalName(host: string): Buffer {
  if (isIP(host) === 4) return der.taggedPrimitive(7, Buffer.from(host.split('.').map(Number)));
  return der.taggedPrimitive(2, Buffer.from(host));
}

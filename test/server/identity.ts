// Who is a client with a certificate? A CA of its own and certificates from it.
import { generateSigningKey } from '../../src/demo/keys.ts';
import { basicConstraints, certificatePem, keyUsage } from '../../src/demo/certificate.ts';
import { createRootAuthority, issueCertificate } from '../../src/demo/certificate-authority.ts';

/** A CA for clients. */
export interface Identity {
  readonly ca: string;
  issue(commonName: string): { key: string; cert: string };
}

/** Makes a CA with a fresh key. */
export function createIdentity(commonName: string): Identity {
  const root = createRootAuthority(commonName, { kind: 'p256' });
  return {
    ca: certificatePem(root.certificate),
    issue(name) {
      const { publicKey, privateKey } = generateSigningKey('p256');
      const extensions = [basicConstraints(false), keyUsage('digitalSignature')];
      const certificate = issueCertificate(root, { publicKey, commonName: name, extensions });
      return { key: privateKey.export({ type: 'pkcs8', format: 'pem' }), cert: certificatePem(certificate) };
    },
  };
}

// Who is who in the control plane? A CA, the API server's certificate and client certificates, made in memory.
// Kubernetes reads the organization as group and the common name as user.
import {
  certificateFields,
  createRootAuthority,
  type IssueRequest,
  type Issuer,
} from '../../src/demo/certificate-authority.ts';
import {
  certificatePem,
  distinguishedName,
  encodeCertificate,
  extendedKeyUsage,
  extension,
  KEY_PURPOSE,
  keyUsage,
} from '../../src/demo/certificate.ts';
import { sequence, taggedPrimitive } from '../../src/demo/der.ts';
import { generateSigningKey, type SigningKey } from '../../src/demo/keys.ts';

/** RFC 5280, section 4.2.1.12. */
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';
/** RFC 5280, section 4.2.1.6; iPAddress is [7]. */
const SUBJECT_ALTERNATIVE_NAME = '2.5.29.17';

/** PEM texts. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

export interface ClusterAuthority {
  readonly certificate: string;
  /** For a server on 127.0.0.1. */
  readonly issueServer: (commonName: string) => KeyPair;
  readonly issueClient: (user: string, group: string) => KeyPair;
}

/** A new CA that only the control plane of one test run trusts. */
export function createClusterAuthority(): ClusterAuthority {
  const issuer = createRootAuthority('e2e control plane', { kind: 'p256' });
  const loopback = sequence(taggedPrimitive(7, Buffer.from([127, 0, 0, 1])));
  return {
    certificate: certificatePem(issuer.certificate),
    issueServer: (commonName) =>
      issue(issuer, distinguishedName(commonName), [
        extendedKeyUsage([KEY_PURPOSE.serverAuth]),
        extension(SUBJECT_ALTERNATIVE_NAME, loopback),
      ]),
    issueClient: (user, group) =>
      issue(issuer, distinguishedName(user, group), [extendedKeyUsage([CLIENT_AUTH])]),
  };
}

/** A private key as PKCS #8 PEM. */
export function privateKeyPem({ privateKey }: SigningKey): string {
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

function issue(issuer: Issuer, subject: Buffer, extensions: readonly Buffer[]): KeyPair {
  const key = generateSigningKey('p256');
  const request: IssueRequest = {
    publicKey: key.publicKey,
    extensions: [keyUsage('digitalSignature'), ...extensions],
  };
  const fields = { ...certificateFields(issuer, request), subject };
  return {
    certificate: certificatePem(encodeCertificate(fields, issuer.key.privateKey)),
    key: privateKeyPem(key),
  };
}

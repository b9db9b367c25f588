// Signed by certificates of a company's authority and of another, for the release service and for somebody else, in time
// and expired.
import {
  createIntermediateAuthority,
  createRootAuthority,
  issueCertificate,
  type Issuer,
} from '../../../src/demo/certificate-authority.ts';
import {
  certificatePem,
  extendedKeyUsage,
  extension,
  KEY_PURPOSE,
  keyUsage,
} from '../../../src/demo/certificate.ts';
import { attachBundle } from '../../../src/demo/artifacts.ts';
import * as der from '../../../src/demo/der.ts';
import { generateSigningKey } from '../../../src/demo/keys.ts';
import { signBundleWithKey } from '../../../src/demo/sign-with-key.ts';
import { cosignSignStatement } from '../../../src/demo/statement.ts';
import { configMap, type PolicyMaterial, type RecorderKit } from '../recorder.ts';
import { packPlain } from './models.ts';

const RELEASE = 'https://models.acme.example/release';
const SUBJECT_ALTERNATIVE_NAME = '2.5.29.17';
const URI_TAG = 6;

interface Signer {
  readonly issuer: Issuer;
  readonly uri?: string;
  readonly notAfter?: Date;
}

/** Material of policies/private-pki. */
export const PRIVATE_PKI: PolicyMaterial = {
  policy: 'private-pki',
  make: async (kit) => {
    const root = createRootAuthority('acme-root');
    const issuer = createIntermediateAuthority(root, 'acme-models', { pathLength: 0 });
    signByCertificate(kit, 'released', { issuer });
    signByCertificate(kit, 'other-service', { issuer, uri: 'https://models.acme.example/training' });
    signByCertificate(kit, 'expired', { issuer, notAfter: new Date('2026-11-01T00:00:00Z') });
    signByCertificate(kit, 'other-root', { issuer: createRootAuthority('acme-root') });
    packPlain(kit, 'unsigned');
    return [configMap('model-ca', { 'ca.crt': certificatePem(root.certificate) })];
  },
};

function signByCertificate(kit: RecorderKit, name: string, signer: Signer): void {
  const model = packPlain(kit, name);
  const key = generateSigningKey('p256');
  const names = der.sequence(der.taggedPrimitive(URI_TAG, Buffer.from(signer.uri ?? RELEASE)));
  const leaf = issueCertificate(signer.issuer, {
    publicKey: key.publicKey,
    commonName: 'signer',
    ...(signer.notAfter && { notAfter: signer.notAfter }),
    extensions: [
      keyUsage('digitalSignature'),
      extendedKeyUsage([KEY_PURPOSE.codeSigning]),
      extension(SUBJECT_ALTERNATIVE_NAME, names),
    ],
  });
  const certificateChain = [leaf, ...signer.issuer.chain.slice(0, -1)];
  attachBundle(
    kit.registry,
    model,
    signBundleWithKey(cosignSignStatement(model.digest), key, { certificateChain }),
  );
}

// What does a log say about a signature? The canonical bodies that Rekor v1 and v2 write for DSSE envelopes, and v1 for
// plain messages.
// Leaves putting them into a tree to transparency-log.ts.
import { createHash, type KeyObject } from 'node:crypto';
import { certificatePem } from './certificate.ts';
import { publicKeyDer } from './keys.ts';
import type { DsseEnvelope } from './sign-with-key.ts';
import { preAuthenticationEncoding } from './statement.ts';
import type { LogBody } from './transparency-log.ts';

/** Who can check the logged signature: a certificate (DER) or a bare key. */
export type LogVerifier = { readonly certificate: Buffer } | { readonly publicKey: KeyObject };

/** `dsse` 0.0.1 of Rekor v1: hashes of envelope and payload, the signature, and the verifier as PEM. */
export function dsseBodyV1(envelope: DsseEnvelope, verifier: LogVerifier): LogBody {
  const pem = Buffer.from(verifierPem(verifier)).toString('base64');
  const spec = {
    envelopeHash: { algorithm: 'sha256', value: sha256(Buffer.from(JSON.stringify(envelope)), 'hex') },
    payloadHash: { algorithm: 'sha256', value: sha256(payloadOf(envelope), 'hex') },
    signatures: envelope.signatures.map(({ sig }) => ({ signature: sig, verifier: pem })),
  };
  return toBody('dsse', '0.0.1', spec);
}

/** `intoto` of Rekor v1: hashes of envelope and payload, the signature in base64 once more, and the verifier as PEM. */
export function inTotoBodyV1(
  envelope: DsseEnvelope,
  verifier: LogVerifier,
  version: '0.0.1' | '0.0.2' = '0.0.2',
): LogBody {
  const publicKey = Buffer.from(verifierPem(verifier)).toString('base64');
  const hash = { algorithm: 'sha256', value: sha256(Buffer.from(JSON.stringify(envelope)), 'hex') };
  const payloadHash = { algorithm: 'sha256', value: sha256(payloadOf(envelope), 'hex') };
  if (version === '0.0.1') return toBody('intoto', version, { content: { hash, payloadHash }, publicKey });
  const signatures = envelope.signatures.map(({ sig }) => ({
    publicKey,
    sig: Buffer.from(sig).toString('base64'),
  }));
  const logged = { payloadType: envelope.payloadType, signatures };
  return toBody('intoto', version, { content: { envelope: logged, hash, payloadHash } });
}

/** `hashedrekord` 0.0.1, which cosign 2 logs: the hash of the message, the signature, and the verifier as PEM. */
export function hashedRekordBodyV1(message: Buffer, signature: Buffer, verifier: LogVerifier): LogBody {
  return toBody('hashedrekord', '0.0.1', {
    data: { hash: { algorithm: 'sha256', value: sha256(message, 'hex') } },
    signature: {
      content: signature.toString('base64'),
      publicKey: { content: Buffer.from(verifierPem(verifier)).toString('base64') },
    },
  });
}

/** `dsse` 0.0.2 of Rekor v2: the payload's hash, the signature and the verifier. */
export function dsseBodyV2(envelope: DsseEnvelope, verifier: LogVerifier): LogBody {
  const dsseV002 = {
    payloadHash: { algorithm: 'SHA2_256', digest: sha256(payloadOf(envelope), 'base64') },
    signatures: envelope.signatures.map(({ sig }) => ({ content: sig, verifier: verifierV2(verifier) })),
  };
  return toBody('dsse', '0.0.2', { dsseV002 });
}

/** `hashedrekord` 0.0.2, which cosign 3 logs for DSSE too: the hash is that of the signed encoding. */
export function hashedRekordBodyV2(envelope: DsseEnvelope, verifier: LogVerifier): LogBody {
  const encoded = preAuthenticationEncoding(envelope.payloadType, payloadOf(envelope));
  const hashedRekordV002 = {
    data: { algorithm: 'SHA2_256', digest: sha256(encoded, 'base64') },
    signature: { content: envelope.signatures[0]?.sig ?? '', verifier: verifierV2(verifier) },
  };
  return toBody('hashedrekord', '0.0.2', { hashedRekordV002 });
}

function toBody(kind: string, version: string, spec: object): LogBody {
  return { kind, version, body: Buffer.from(JSON.stringify({ apiVersion: version, kind, spec })) };
}

function payloadOf(envelope: DsseEnvelope): Buffer {
  return Buffer.from(envelope.payload, 'base64');
}

function verifierPem(verifier: LogVerifier): string {
  return 'certificate' in verifier
    ? certificatePem(verifier.certificate)
    : verifier.publicKey.export({ type: 'spki', format: 'pem' });
}

function verifierV2(verifier: LogVerifier): object {
  const keyDetails = 'PKIX_ECDSA_P256_SHA_256';
  return 'certificate' in verifier
    ? { keyDetails, x509Certificate: { rawBytes: verifier.certificate.toString('base64') } }
    : { keyDetails, publicKey: { rawBytes: publicKeyDer(verifier.publicKey).toString('base64') } };
}

function sha256(bytes: Buffer, encoding: 'hex' | 'base64'): string {
  return createHash('sha256').update(bytes).digest(encoding);
}

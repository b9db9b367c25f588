// Whom and what does a cosign v2 signature bring along? Certificate, chain and timestamp, as annotations keep them. A
// certificate annotation holds a certificate and nothing else: a bare key there would vouch for itself
// (GHSA-fx35-mq7g-6g98).
import { MAX_ANNOTATION_CHARS } from '../evidence/evidence.ts';
import { decodeBase64 } from '../lib/base64.ts';
import { parseStrictJson, StrictJsonError } from '../lib/strict-json.ts';
import { toRecord } from '../lib/text.ts';
import { SignatureError } from './error.ts';

/** Most certificates of one chain (docs: limits). */
export const MAX_CHAIN_CERTIFICATES = 10;
// RFC 7468 §2, strict textual encoding, one block at the start of what is left.
const BLOCK = /^-----BEGIN CERTIFICATE-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END CERTIFICATE-----[\r\n]*/;

/** The DER of the one certificate. @throws SignatureError `CertificateInvalid` */
export function readCertificate(pem: string): Buffer {
  const [certificate, ...others] = readBlocks(pem, 'certificate');
  if (certificate === undefined || others.length > 0)
    throw refuse('the certificate annotation does not hold exactly one certificate');
  return certificate;
}

/** The DER of every certificate of a chain, of which nothing is trusted. @throws SignatureError `CertificateInvalid` */
export function readChain(pem: string): readonly Buffer[] {
  return readBlocks(pem, 'chain');
}

function refuse(message: string): SignatureError {
  return new SignatureError('CertificateInvalid', message);
}

function readBlocks(pem: string, where: string): readonly Buffer[] {
  const certificates: Buffer[] = [];
  for (let rest = pem.trimStart(); rest !== '';) {
    const match = BLOCK.exec(rest);
    const der = decodeBase64((match?.[1] ?? '').replaceAll(/[\r\n]/g, ''));
    if (match === null || der === undefined || der.length === 0)
      throw refuse(`the ${where} annotation holds something that is no certificate`);
    if (certificates.push(der) > MAX_CHAIN_CERTIFICATES)
      throw refuse(`the ${where} annotation holds more than ${MAX_CHAIN_CERTIFICATES} certificates`);
    rest = rest.slice(match[0].length);
  }
  return certificates;
}

/** The RFC 3161 response in `{SignedRFC3161Timestamp}`. @throws SignatureError `TimestampInvalid` */
export function readTimestamps(annotation: string): readonly Buffer[] {
  const { SignedRFC3161Timestamp: encoded } = readJson(annotation);
  const response = typeof encoded === 'string' ? decodeBase64(encoded) : undefined;
  if (response === undefined || response.length === 0)
    throw new SignatureError('TimestampInvalid', 'the timestamp annotation holds no timestamp');
  return [response];
}

function readJson(annotation: string): Record<string, unknown> {
  try {
    return toRecord(parseStrictJson(Buffer.from(annotation, 'utf8'), MAX_ANNOTATION_CHARS * 4));
  } catch (error) {
    if (!(error instanceof StrictJsonError)) throw error;
    throw new SignatureError('TimestampInvalid', `the timestamp annotation is invalid: ${error.message}`);
  }
}

// Which certificates does an admin name? Reads PEM blocks of roots and intermediates; what could never be part of a
// valid path is refused here, where somebody reads the message.
import { DerError } from '../lib/der.ts';
import { decodeBase64 } from '../lib/base64.ts';
import { quote } from '../lib/text.ts';
import { isPathKey, readPathCertificate, type PathCertificate } from './certificate-path.ts';
import { requireAuthority } from './certificate-role.ts';

/** Most certificates of one field: several mean rotation, not the roots of the web. */
export const MAX_CERTIFICATES = 16;
const BLOCK = /-----BEGIN ([A-Z0-9 ]{1,40})-----([^-]{1,60000})-----END ([A-Z0-9 ]{1,40})-----/g;

/** Certificates, or why the text holds none that may be used. */
export type CertificatesResult =
  | { readonly ok: true; readonly certificates: readonly PathCertificate[] }
  | { readonly ok: false; readonly problem: string };

/** Parses one or more `CERTIFICATE` PEM blocks of certificate authorities. */
export function parseCertificates(pem: string): CertificatesResult {
  const blocks = [...pem.matchAll(BLOCK)];
  const problem = findProblem(pem, blocks.length);
  if (problem !== undefined) return { ok: false, problem };
  const certificates: PathCertificate[] = [];
  for (const [, label = '', body = '', end = ''] of blocks) {
    if (label !== 'CERTIFICATE' || end !== label)
      return { ok: false, problem: `a PEM block is ${quote(label, 40)}, not CERTIFICATE` };
    const result = parseCertificate(body);
    if (typeof result === 'string') return { ok: false, problem: result };
    certificates.push(result);
  }
  return { ok: true, certificates };
}

function findProblem(pem: string, blocks: number): string | undefined {
  if (blocks === 0) return 'it holds no PEM block';
  if (pem.split('-----BEGIN ').length !== blocks + 1) return 'one of its PEM blocks is broken';
  return blocks > MAX_CERTIFICATES ? `it holds more than ${MAX_CERTIFICATES} PEM blocks` : undefined;
}

function parseCertificate(body: string): PathCertificate | string {
  const der = decodeBase64(body.replaceAll(/\s/g, ''));
  if (der === undefined) return 'a CERTIFICATE block is no base64';
  try {
    const found = readPathCertificate(der);
    requireAuthority(found.certificate, 0);
    return isPathKey(found.key) ? found : 'a certificate has a key of a kind or size that is not accepted';
  } catch (error) {
    if (error instanceof DerError) return `a certificate cannot be used: ${error.message}`;
    throw error;
  }
}

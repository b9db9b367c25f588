// Is this log entry about this signature by this certificate? A log only proves that its entry exists; the entry must
// name the same signer, or anyone's entry could stand in for the signer's (client specification §4.4, CVE-2026-22703).
import { X509Certificate } from 'node:crypto';
import { parseStrictJson, StrictJsonError } from '../lib/strict-json.ts';
import { quote, toArray, toRecord, toText } from '../lib/text.ts';
import { MAX_BUNDLE_BYTES } from '../evidence/evidence.ts';
import type { LogEntry } from './bundle.ts';
import { SignatureError } from './error.ts';

const refuse = (message: string): SignatureError =>
  new SignatureError('TransparencyLogInvalid', `the transparency log entry ${message}`);

interface LoggedSigner {
  readonly certificate: unknown;
  /** Name of the hash whose value the library compares as SHA-256, whatever the entry calls it. */
  readonly hash: unknown;
}

// Where each kind and version keeps the signer's certificate: PEM in base64 (Rekor v1) or DER in base64 (Rekor v2).
const SIGNERS: Readonly<Record<string, (spec: Record<string, unknown>) => LoggedSigner>> = {
  'hashedrekord/0.0.1': ({ signature, data }) => ({
    certificate: toRecord(toRecord(signature)['publicKey'])['content'],
    hash: toRecord(toRecord(data)['hash'])['algorithm'],
  }),
  'dsse/0.0.1': ({ signatures, payloadHash }) => ({
    certificate: toRecord(onlyOne(signatures))['verifier'],
    hash: toRecord(payloadHash)['algorithm'],
  }),
  'hashedrekord/0.0.2': ({ hashedRekordV002 }) => {
    const { signature, data } = toRecord(hashedRekordV002);
    return { certificate: v2Certificate(toRecord(signature)), hash: toRecord(data)['algorithm'] };
  },
  'dsse/0.0.2': ({ dsseV002 }) => {
    const { signatures, payloadHash } = toRecord(dsseV002);
    return {
      certificate: v2Certificate(toRecord(onlyOne(signatures))),
      hash: toRecord(payloadHash)['algorithm'],
    };
  },
};
const SHA256_NAMES = new Set<unknown>(['sha256', 'SHA2_256']);

function onlyOne(value: unknown): unknown {
  const entries = toArray(value);
  if (entries.length !== 1) throw refuse(`has ${entries.length} signatures where one belongs`);
  return entries[0];
}

function v2Certificate(signature: Record<string, unknown>): unknown {
  return toRecord(toRecord(signature['verifier'])['x509Certificate'])['rawBytes'];
}

/** Checks that an entry is of a known kind and names exactly this leaf. @throws SignatureError `TransparencyLogInvalid` */
export function verifyLogBodySigner(entry: LogEntry, leafDer: Buffer): void {
  const kind = `${entry.kind}/${entry.version}`;
  const read = Object.hasOwn(SIGNERS, kind) ? SIGNERS[kind] : undefined;
  if (read === undefined)
    throw new SignatureError('UnsupportedFormat', `log entries of kind ${quote(kind, 64)} are not supported`);
  const spec = toRecord(toRecord(readBody(entry.body))['spec']);
  const { certificate, hash } = read(spec);
  if (!SHA256_NAMES.has(hash)) throw refuse('has another hash than SHA-256');
  const named = toDer(toText(certificate) ?? '');
  if (named === undefined || !named.equals(leafDer)) throw refuse('names another signer');
}

function readBody(body: Buffer): unknown {
  try {
    return parseStrictJson(body, MAX_BUNDLE_BYTES);
  } catch (error) {
    if (error instanceof StrictJsonError) throw refuse(`is invalid: ${error.message}`);
    throw error;
  }
}

function toDer(encoded: string): Buffer | undefined {
  const bytes = Buffer.from(encoded, 'base64');
  try {
    return new X509Certificate(bytes).raw;
  } catch {
    return undefined;
  }
}

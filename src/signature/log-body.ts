// Is this log entry about this signature by this certificate? A log only proves that its entry exists; the entry must
// name the same signer, or anyone's entry could stand in for the signer's (client specification §4.4, CVE-2026-22703).
import { X509Certificate } from 'node:crypto';
import { parseStrictJson, StrictJsonError } from '../lib/strict-json.ts';
import { quote, toArray, toRecord, toText } from '../lib/text.ts';
import { MAX_BUNDLE_BYTES, type LogEntry } from './bundle.ts';
import { SignatureError } from './error.ts';

const refuse = (message: string): SignatureError =>
  new SignatureError('TransparencyLogInvalid', `the transparency log entry ${message}`);

// Where each kind and version keeps the signer's certificate: PEM in base64 (Rekor v1) or DER in base64 (Rekor v2).
const VERIFIERS: Readonly<Record<string, (spec: Record<string, unknown>) => unknown>> = {
  'hashedrekord/0.0.1': (spec) => toRecord(toRecord(spec['signature'])['publicKey'])['content'],
  'dsse/0.0.1': (spec) => toRecord(onlyOne(spec['signatures']))['verifier'],
  'hashedrekord/0.0.2': (spec) => v2Certificate(toRecord(toRecord(spec['hashedRekordV002'])['signature'])),
  'dsse/0.0.2': (spec) => v2Certificate(toRecord(onlyOne(toRecord(spec['dsseV002'])['signatures']))),
};

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
  const read = Object.hasOwn(VERIFIERS, kind) ? VERIFIERS[kind] : undefined;
  if (read === undefined)
    throw new SignatureError('UnsupportedFormat', `log entries of kind ${quote(kind, 64)} are not supported`);
  const spec = toRecord(toRecord(readBody(entry.body))['spec']);
  const named = toDer(toText(read(spec)) ?? '');
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

// Is this log entry about this signature by this signer? A log only proves that its entry exists; the entry must name
// the same signature, content and signer, or anyone's entry could stand in (client specification §4.4, CVE-2026-22703).
import { MAX_BUNDLE_BYTES } from '../evidence/evidence.ts';
import { decodeBase64 } from '../lib/base64.ts';
import { parseStrictJson, StrictJsonError } from '../lib/strict-json.ts';
import { quote, toArray, toRecord, toText } from '../lib/text.ts';
import type { LogEntry } from './bundle.ts';
import type { SignedContent } from './content.ts';
import { SignatureError } from './error.ts';
import type { HashName } from './signature-algorithm.ts';

const refuse = (message: string): SignatureError =>
  new SignatureError('TransparencyLogInvalid', `the transparency log entry ${message}`);

/** What an entry says was signed, and by whom. */
interface LoggedSignature {
  readonly signature: Buffer | undefined;
  /** DER of the certificate or of the SubjectPublicKeyInfo. */
  readonly signer: Buffer | undefined;
  readonly hash: unknown;
  readonly digest: Buffer | undefined;
  /** What the digest is of. */
  readonly of: 'signed bytes' | 'payload';
}

type Spec = Readonly<Record<string, unknown>>;

// Rekor v1 (rekor pkg/types/*): hex digests and PEM in base64; Rekor v2 (rekor-tiles api/proto/rekor/v2): base64 and DER.
const READERS: Readonly<Record<string, (spec: Spec) => LoggedSignature>> = {
  'hashedrekord/0.0.1': ({ signature, data }) => {
    const { content, publicKey } = toRecord(signature);
    const hash = toRecord(toRecord(data)['hash']);
    return {
      signature: toBytes(content),
      signer: toPemBytes(toRecord(publicKey)['content']),
      ...toHexDigest(hash),
      of: 'signed bytes',
    };
  },
  'dsse/0.0.1': ({ signatures, payloadHash }) => {
    const { signature, verifier } = onlyOne(signatures);
    return {
      signature: toBytes(signature),
      signer: toPemBytes(verifier),
      ...toHexDigest(toRecord(payloadHash)),
      of: 'payload',
    };
  },
  'intoto/0.0.2': ({ content }) => {
    const { envelope, payloadHash } = toRecord(content);
    const { sig, publicKey } = onlyOne(toRecord(envelope)['signatures']);
    return {
      // The signature is base64 of the envelope's base64.
      signature: toBytes(toBytes(sig)?.toString('latin1')),
      signer: toPemBytes(publicKey),
      ...toHexDigest(toRecord(payloadHash)),
      of: 'payload',
    };
  },
  'hashedrekord/0.0.2': ({ hashedRekordV002 }) => {
    const { signature, data } = toRecord(hashedRekordV002);
    return { ...toSignatureV2(toRecord(signature)), ...toDigestV2(toRecord(data)), of: 'signed bytes' };
  },
  'dsse/0.0.2': ({ dsseV002 }) => {
    const { signatures, payloadHash } = toRecord(dsseV002);
    return {
      ...toSignatureV2(onlyOne(signatures)),
      ...toDigestV2(toRecord(payloadHash)),
      of: 'payload',
    };
  },
};
// One name for each hash in either generation; another label on the same bytes is another claim.
const HASH_NAMES: Readonly<Record<string, HashName>> = {
  sha256: 'sha256',
  sha384: 'sha384',
  sha512: 'sha512',
  SHA2_256: 'sha256',
  SHA2_384: 'sha384',
  SHA2_512: 'sha512',
};
const HASH_BYTES: Readonly<Record<HashName, number>> = { sha256: 32, sha384: 48, sha512: 64 };

/** Checks that an entry is of a known kind and names exactly this signer. @throws SignatureError `TransparencyLogInvalid` */
export function verifyLogBodySigner(entry: LogEntry, signerDer: Buffer): void {
  const logged = readLogBody(entry);
  requireSigner(logged, signerDer);
}

/**
 * Checks that an entry is about this signature over this content by this signer.
 * @param signerDer the leaf certificate, or the SubjectPublicKeyInfo of a managed key
 * @throws SignatureError `TransparencyLogInvalid`, `UnsupportedFormat` for other kinds and versions
 */
export function verifyLogBody(entry: LogEntry, content: SignedContent, signerDer: Buffer): void {
  const logged = readLogBody(entry);
  requireSigner(logged, signerDer);
  if (logged.signature?.equals(content.signature) !== true) throw refuse('is about another signature');
  const expected =
    logged.of === 'payload' ? content.payloadDigest(logged.hash) : content.signedDigest(logged.hash);
  if (expected === undefined || !expected.equals(logged.digest)) throw refuse('is about other content');
}

function requireSigner({ signer }: LoggedSignature, signerDer: Buffer): void {
  if (signer?.equals(signerDer) !== true) throw refuse('names another signer');
}

function readLogBody(entry: LogEntry): LoggedSignature & { hash: HashName; digest: Buffer } {
  const kind = `${entry.kind}/${entry.version}`;
  const read = Object.hasOwn(READERS, kind) ? READERS[kind] : undefined;
  if (read === undefined)
    throw new SignatureError('UnsupportedFormat', `log entries of kind ${quote(kind, 64)} are not supported`);
  const body = toRecord(readJson(entry.body));
  if (body['kind'] !== entry.kind || body['apiVersion'] !== entry.version)
    throw refuse('is of another kind than it says');
  const logged = read(toRecord(body['spec']));
  const { hash: label, digest } = logged;
  const hash = typeof label === 'string' && Object.hasOwn(HASH_NAMES, label) ? HASH_NAMES[label] : undefined;
  if (hash === undefined || digest?.length !== HASH_BYTES[hash])
    throw refuse('has a digest that its hash algorithm does not make');
  return { ...logged, hash, digest };
}

function readJson(body: Buffer): unknown {
  try {
    return parseStrictJson(body, MAX_BUNDLE_BYTES);
  } catch (error) {
    if (error instanceof StrictJsonError) throw refuse(`is invalid: ${error.message}`);
    throw error;
  }
}

function onlyOne(value: unknown): Spec {
  const entries = toArray(value);
  if (entries.length !== 1) throw refuse(`has ${entries.length} signatures where one belongs`);
  return toRecord(entries[0]);
}

function toSignatureV2({ content, verifier }: Spec): Pick<LoggedSignature, 'signature' | 'signer'> {
  const { x509Certificate, publicKey } = toRecord(verifier);
  // The verifier is a oneof: both at once would be read as either.
  if ((x509Certificate === undefined) === (publicKey === undefined))
    throw refuse('names not exactly one signer');
  return {
    signature: toBytes(content),
    signer: toBytes(toRecord(x509Certificate ?? publicKey)['rawBytes']),
  };
}

function toDigestV2({ algorithm, digest }: Spec): Pick<LoggedSignature, 'hash' | 'digest'> {
  return { hash: algorithm, digest: toBytes(digest) };
}

function toHexDigest({ algorithm, value }: Spec): Pick<LoggedSignature, 'hash' | 'digest'> {
  const isHex = typeof value === 'string' && /^(?:[0-9a-f]{2}){1,64}$/.test(value);
  return { hash: algorithm, digest: isHex ? Buffer.from(value, 'hex') : undefined };
}

function toBytes(value: unknown): Buffer | undefined {
  return decodeBase64(toText(value) ?? '');
}

// One PEM block of a certificate or key (RFC 7468), in base64 once more.
function toPemBytes(value: unknown): Buffer | undefined {
  const pem = toBytes(value)?.toString('latin1') ?? '';
  const match =
    /^-----BEGIN (CERTIFICATE|PUBLIC KEY)-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END \1-----\s*$/.exec(pem);
  return match === null ? undefined : decodeBase64((match[2] ?? '').replaceAll(/\s/g, ''));
}

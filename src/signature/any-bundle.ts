// What is in a Sigstore bundle of any version, with a statement or a plain message? For checking bundles against files
// on the command line. Admission never reads bundles this way: it takes version 0.3 with a statement, by bundle.ts.
// Specification: sigstore protobuf-specs, sigstore_bundle.proto.
import { DerError } from '../lib/der.ts';
import { quote, toText } from '../lib/text.ts';
import { toLogEntries, toTimestamps, type LogEntry } from './bundle-evidence.ts';
import { base64, isPresent, list, optionalText, readJson, record, refuse } from './bundle-fields.ts';
import { toEnvelope, type Envelope } from './bundle.ts';
import { SignatureError } from './error.ts';
import type { HashName } from './signature-algorithm.ts';
import { readCertificate } from './x509.ts';

/** Most certificates of one bundle (docs: limits). */
export const MAX_CHAIN = 10;

/** A plain signature over an artifact. */
export interface MessageSignature {
  readonly hash: HashName;
  /** What the bundle says the artifact's hash is. */
  readonly digest: Buffer;
  readonly signature: Buffer;
}

/** A parsed bundle. */
export interface AnyBundle {
  readonly material:
    | { readonly kind: 'certificate'; readonly der: Buffer }
    | { readonly kind: 'publicKey'; readonly hint: string | undefined };
  readonly logEntries: readonly LogEntry[];
  /** RFC 3161 TimeStampResp, DER. */
  readonly timestamps: readonly Buffer[];
  readonly content:
    | { readonly kind: 'dsse'; readonly envelope: Envelope }
    | { readonly kind: 'message'; readonly message: MessageSignature };
}

type Version = '0.1' | '0.2' | '0.3';

const MEDIA_TYPES: Readonly<Record<string, Version>> = {
  'application/vnd.dev.sigstore.bundle+json;version=0.1': '0.1',
  'application/vnd.dev.sigstore.bundle+json;version=0.2': '0.2',
  'application/vnd.dev.sigstore.bundle+json;version=0.3': '0.3',
  'application/vnd.dev.sigstore.bundle.v0.3+json': '0.3',
};
const HASHES: Readonly<Record<string, HashName>> = {
  SHA2_256: 'sha256',
  SHA2_384: 'sha384',
  SHA2_512: 'sha512',
};

/** Parses bundle bytes of any version. @throws SignatureError `SignatureInvalid` or `UnsupportedFormat` */
export function parseAnyBundle(bytes: Uint8Array): AnyBundle {
  const body = readJson(bytes);
  const mediaType = toText(body['mediaType']) ?? '';
  const version = Object.hasOwn(MEDIA_TYPES, mediaType) ? MEDIA_TYPES[mediaType] : undefined;
  if (version === undefined)
    throw new SignatureError(
      'UnsupportedFormat',
      `bundle media type ${quote(mediaType, 80)} is not supported`,
    );
  const material = record(body['verificationMaterial'], 'verificationMaterial');
  const entries = version === '0.1' ? withoutBareProofs(material) : material;
  const logEntries = toLogEntries(entries);
  for (const entry of logEntries) requireInclusion(entry, version);
  return {
    material: toMaterial(material, version),
    logEntries,
    timestamps: toTimestamps(material),
    content: toContent(body),
  };
}

// Version 0.1 had proofs without checkpoints. Nobody signs such a proof, so it proves nothing; the promise must.
function withoutBareProofs(material: Record<string, unknown>): Record<string, unknown> {
  const { tlogEntries } = material;
  if (!Array.isArray(tlogEntries)) return material;
  const entries = tlogEntries.map((value: unknown) => {
    const entry = record(value, 'tlogEntries');
    const { inclusionProof } = entry;
    const isBare =
      isPresent(inclusionProof) && !isPresent(record(inclusionProof, 'inclusionProof')['checkpoint']);
    return isBare ? { ...entry, inclusionProof: undefined } : entry;
  });
  return { ...material, tlogEntries: entries };
}

// sigstore_bundle.proto: v0.1 must have the promise, later versions the proof.
function requireInclusion({ signedEntryTimestamp, proof }: LogEntry, version: Version): void {
  if (version === '0.1' ? signedEntryTimestamp === undefined : proof === undefined)
    throw new SignatureError(
      'TransparencyLogInvalid',
      `a log entry has no inclusion ${version === '0.1' ? 'promise' : 'proof'}`,
    );
}

function toMaterial(material: Record<string, unknown>, version: Version): AnyBundle['material'] {
  const { certificate, publicKey, x509CertificateChain } = material;
  const present = [certificate, publicKey, x509CertificateChain].filter(isPresent);
  if (present.length !== 1)
    throw refuse(`it has ${present.length} kinds of signer where exactly one belongs`);
  if (isPresent(publicKey))
    return { kind: 'publicKey', hint: optionalText(record(publicKey, 'publicKey')['hint'], 'hint') };
  // sigstore_bundle.proto: one certificate from v0.3 on, a chain before.
  if (isPresent(certificate) !== (version === '0.3'))
    throw refuse(`a bundle of version ${version} names its certificate in another way`);
  if (isPresent(certificate)) return { kind: 'certificate', der: toCertificate(certificate, 'certificate') };
  return { kind: 'certificate', der: toLeaf(record(x509CertificateChain, 'x509CertificateChain')) };
}

// The leaf comes first. What follows proves nothing, and must not hold a root: roots come from the trusted root only.
function toLeaf({ certificates }: Record<string, unknown>): Buffer {
  const ders = list(certificates, 'certificates', MAX_CHAIN).map((value) =>
    toCertificate(value, 'certificates'),
  );
  const [leaf, ...issuers] = ders;
  if (leaf === undefined) throw refuse('its certificate chain is empty');
  if (issuers.some(isSelfIssued)) throw refuse('its certificate chain holds a root certificate');
  return leaf;
}

function isSelfIssued(der: Buffer): boolean {
  try {
    const { issuer, subject } = readCertificate(der);
    return issuer.equals(subject);
  } catch (error) {
    if (error instanceof DerError) throw refuse(`a certificate cannot be read: ${error.message}`);
    throw error;
  }
}

function toCertificate(value: unknown, where: string): Buffer {
  return base64(record(value, where)['rawBytes'], where);
}

function toContent({ messageSignature, dsseEnvelope }: Record<string, unknown>): AnyBundle['content'] {
  if (isPresent(messageSignature) === isPresent(dsseEnvelope))
    throw refuse('it has not exactly one of messageSignature and dsseEnvelope');
  return isPresent(dsseEnvelope)
    ? { kind: 'dsse', envelope: toEnvelope(record(dsseEnvelope, 'dsseEnvelope')) }
    : { kind: 'message', message: toMessage(record(messageSignature, 'messageSignature')) };
}

function toMessage({ messageDigest, signature }: Record<string, unknown>): MessageSignature {
  const { algorithm, digest } = record(messageDigest, 'messageDigest');
  const hash =
    typeof algorithm === 'string' && Object.hasOwn(HASHES, algorithm) ? HASHES[algorithm] : undefined;
  if (hash === undefined) throw refuse('its message digest is of an unknown algorithm');
  return { hash, digest: base64(digest, 'digest'), signature: base64(signature, 'signature') };
}

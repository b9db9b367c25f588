// What is in this Sigstore bundle? Strict reading of untrusted bytes: one media type, exactly one of each oneof,
// canonical base64, caps before anything is allocated. Nothing is verified here. Only what counts at admission is
// read: other versions and message signatures are any-bundle.ts, which admission does not import.
// Specification: sigstore protobuf-specs, sigstore_bundle.proto and sigstore_rekor.proto (JSON mapping).
import { quote, toText } from '../lib/text.ts';
import { toLogEntries, toTimestamps, type LogEntry } from './bundle-evidence.ts';
import { base64, isPresent, list, optionalText, readJson, record, refuse, text } from './bundle-fields.ts';
import { SignatureError } from './error.ts';

export {
  MAX_LOG_ENTRIES,
  MAX_PROOF_HASHES,
  MAX_TIMESTAMPS,
  MAX_TIMESTAMPS_BYTES,
  type InclusionProof,
  type LogEntry,
} from './bundle-evidence.ts';

/** Most certificates of one chain, the signing one among them (docs: limits). */
export const MAX_CHAIN_CERTIFICATES = 10;
const MEDIA_TYPES = new Set([
  'application/vnd.dev.sigstore.bundle.v0.3+json',
  'application/vnd.dev.sigstore.bundle+json;version=0.3',
]);

/** The only payload type of signed statements (in-toto attestation spec, envelope.md). */
export const IN_TOTO_PAYLOAD_TYPE = 'application/vnd.in-toto+json';

/** What the bundle says its signer is: a hint for looking, never a reason to trust. */
export type SigningMaterial =
  | { readonly kind: 'certificate'; readonly der: Buffer }
  | { readonly kind: 'publicKey'; readonly hint: string | undefined }
  /** Leaf first, as the signer wrote them; at least one. */
  | { readonly kind: 'certificateChain'; readonly ders: readonly Buffer[] };

/** A DSSE envelope with exactly one signature. */
export interface Envelope {
  readonly payloadType: string;
  readonly payload: Buffer;
  readonly signature: Buffer;
}

/** A parsed bundle v0.3 with a DSSE envelope. */
export interface Bundle {
  readonly material: SigningMaterial;
  readonly logEntries: readonly LogEntry[];
  /** RFC 3161 TimeStampResp, DER. */
  readonly timestamps: readonly Buffer[];
  readonly envelope: Envelope;
}

/** Parses bundle bytes. @param maxBytes default 1 MiB @throws SignatureError `SignatureInvalid` or `UnsupportedFormat` */
export function parseBundle(bytes: Uint8Array, maxBytes?: number): Bundle {
  const body = readJson(bytes, maxBytes);
  const mediaType = toText(body['mediaType']) ?? '';
  if (!MEDIA_TYPES.has(mediaType))
    throw new SignatureError(
      'UnsupportedFormat',
      `bundle media type ${quote(mediaType, 80)} is not supported`,
    );
  if (isPresent(body['messageSignature'])) {
    if (isPresent(body['dsseEnvelope'])) throw refuse('it has both messageSignature and dsseEnvelope');
    throw new SignatureError('UnsupportedFormat', 'a message signature does not say what it is about');
  }
  const material = record(body['verificationMaterial'], 'verificationMaterial');
  return {
    material: toMaterial(material),
    logEntries: toLogEntries(material),
    timestamps: toTimestamps(material),
    envelope: toEnvelope(record(body['dsseEnvelope'], 'dsseEnvelope')),
  };
}

function toMaterial(material: Record<string, unknown>): SigningMaterial {
  const { certificate, publicKey, x509CertificateChain } = material;
  const present = [certificate, publicKey, x509CertificateChain].filter(isPresent);
  if (present.length !== 1)
    throw refuse(`it has ${present.length} kinds of signer where exactly one belongs`);
  if (isPresent(x509CertificateChain))
    return { kind: 'certificateChain', ders: toChain(x509CertificateChain) };
  if (isPresent(certificate))
    return {
      kind: 'certificate',
      der: base64(record(certificate, 'certificate')['rawBytes'], 'certificate'),
    };
  // model_signing 1.0 writes rawBytes here: a claim of the bundle about its own key, which nothing reads.
  return { kind: 'publicKey', hint: optionalText(record(publicKey, 'publicKey')['hint'], 'hint') };
}

function toChain(value: unknown): readonly Buffer[] {
  const { certificates } = record(value, 'x509CertificateChain');
  const ders = list(certificates, 'x509CertificateChain', MAX_CHAIN_CERTIFICATES).map((entry) =>
    base64(record(entry, 'x509CertificateChain')['rawBytes'], 'x509CertificateChain'),
  );
  if (ders.length === 0) throw refuse('its certificate chain is empty');
  return ders;
}

/** A DSSE envelope. @throws SignatureError */
export function toEnvelope(envelope: Record<string, unknown>): Envelope {
  const signatures = list(envelope['signatures'], 'signatures', 1);
  if (signatures.length !== 1) throw refuse('its envelope has no signature');
  const { sig, keyid } = record(signatures[0], 'signatures[0]');
  // A hint that nothing reads; model_signing writes null or nothing in it.
  optionalText(keyid, 'keyid');
  const payloadType = text(envelope['payloadType'], 'payloadType', 255);
  if (payloadType !== IN_TOTO_PAYLOAD_TYPE)
    throw new SignatureError('UnsupportedFormat', `payload type ${quote(payloadType, 80)} is not supported`);
  return {
    payloadType,
    payload: base64(envelope['payload'], 'payload'),
    signature: base64(sig, 'sig'),
  };
}

// What is in this cosign v2 signature? Strict reading of the signed payload and of the annotations around it, into the
// same parts that bundles have. Nothing is verified here. The signature is over the raw payload bytes, which begin with
// a brace: no DSSE encoding does, so neither can be taken for the other.
// Specification: cosign specs/SIGNATURE_SPEC.md; containers-signature.5 "JSON Data Format" for the payload.
import { createHash } from 'node:crypto';
import { MAX_PAYLOAD_BYTES, type SimpleSigningEvidence } from '../evidence/evidence.ts';
import { decodeBase64 } from '../lib/base64.ts';
import { parseStrictJson, StrictJsonError } from '../lib/strict-json.ts';
import { isRecord, quote, toRecord, toText } from '../lib/text.ts';
import type { SignedContent } from './content.ts';
import { findAlgorithm } from './key-algorithm.ts';
import { SignatureError } from './error.ts';
import type { SignedEvidence } from './signed-evidence.ts';
import { toAnnotatedEvidence } from './annotated-evidence.ts';

/** The only type of payload that says what cosign signatures mean. */
const PAYLOAD_TYPE = 'cosign container image signature';

/** What the signed payload says. */
export interface SimpleSigningPayload {
  /** Digest of the manifest that was signed, as written. */
  readonly digest: string;
  /** Annotations signed with it (`cosign sign -a`): the texts of `optional`; values of other types are left out. */
  readonly annotations: Readonly<Record<string, string>>;
}

const refuse = (message: string): SignatureError =>
  new SignatureError('SignatureInvalid', `the simple signing signature is invalid: ${message}`);

/** Reads a signature's parts. @throws SignatureError */
export function parseSimpleSigning({ payload, annotations }: SimpleSigningEvidence): {
  readonly signed: SignedEvidence;
  readonly payload: SimpleSigningPayload;
} {
  const { signature: encoded } = annotations;
  const signature = encoded === undefined ? undefined : decodeBase64(encoded);
  if (signature === undefined || signature.length === 0)
    throw refuse('it has no signature in canonical base64');
  return {
    signed: {
      content: toMessageContent(payload, signature),
      ...toAnnotatedEvidence(annotations),
    },
    payload: parsePayload(payload),
  };
}

// Which hash was used is not written anywhere: nobody but the key decides, so no second reader can be asked.
function toMessageContent(message: Buffer, signature: Buffer): SignedContent {
  return {
    source: { kind: 'message', artifact: undefined, hash: 'sha256' },
    signature,
    signedDigest: (hash) => createHash(hash).update(message).digest(),
    payloadDigest: () => undefined,
    findAlgorithm: (key) => findAlgorithm(key, message, signature),
  };
}

/** Parses the signed payload. @throws SignatureError `SignatureInvalid` */
export function parsePayload(bytes: Uint8Array): SimpleSigningPayload {
  const body = readJson(bytes);
  requireOnly(body, ['critical', 'optional'], 'it');
  const critical = toRecord(body['critical']);
  requireOnly(critical, ['type', 'image', 'identity'], 'critical');
  const image = toRecord(critical['image']);
  requireOnly(image, ['docker-manifest-digest'], 'critical.image');
  if (critical['type'] !== PAYLOAD_TYPE)
    throw refuse(`its type is ${quote(toText(critical['type']) ?? '(none)', 80)}`);
  const digest = toText(image['docker-manifest-digest']);
  if (digest === undefined) throw refuse('it names no manifest digest');
  // critical.identity is a name that the signer chose; nothing is decided by it.
  return { digest, annotations: readOptional(body['optional']) };
}

function readJson(bytes: Uint8Array): Record<string, unknown> {
  try {
    const body = parseStrictJson(bytes, MAX_PAYLOAD_BYTES);
    if (isRecord(body)) return body;
  } catch (error) {
    if (error instanceof StrictJsonError) throw refuse(error.message);
    throw error;
  }
  throw refuse('its payload is no JSON object');
}

// containers-signature.5: "critical" members that are not understood make the signature unacceptable. It also keeps
// out members that readers without regard to case take for these.
function requireOnly(record: Record<string, unknown>, known: readonly string[], where: string): void {
  const other = Object.keys(record).find((name) => !known.includes(name));
  if (other !== undefined) throw refuse(`${where} has the unknown member ${quote(other, 40)}`);
}

function readOptional(optional: unknown): Readonly<Record<string, string>> {
  if (optional === undefined || optional === null) return {};
  if (!isRecord(optional)) throw refuse('optional is no object');
  return Object.fromEntries(
    Object.entries(optional).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

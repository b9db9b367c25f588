// What is in this cosign v2 attestation? A DSSE envelope as the blob, and around it the annotations that simple signing
// signatures have too, into the same parts that bundles have. Nothing is verified here.
// Specification: cosign specs/ATTESTATION_SPEC.md; DSSE envelope.md.
import { MAX_ATTESTATION_BYTES, type EnvelopeEvidence } from '../evidence/evidence.ts';
import { parseStrictJson, StrictJsonError } from '../lib/strict-json.ts';
import { isRecord } from '../lib/text.ts';
import { toEnvelope } from './bundle.ts';
import { toEnvelopeContent } from './content.ts';
import { SignatureError } from './error.ts';
import type { SignedEvidence } from './signed-evidence.ts';
import { toAnnotatedEvidence } from './annotated-evidence.ts';

const refuse = (message: string): SignatureError =>
  new SignatureError('SignatureInvalid', `the attestation is invalid: ${message}`);

/** Reads an attestation's parts. @throws SignatureError */
export function parseTaggedEnvelope({ bytes, annotations }: EnvelopeEvidence): {
  readonly signed: SignedEvidence;
  readonly payload: Buffer;
} {
  const envelope = toEnvelope(readJson(bytes));
  return {
    signed: {
      content: toEnvelopeContent(envelope),
      ...toAnnotatedEvidence(annotations),
      isWithoutProofs: true,
    },
    payload: envelope.payload,
  };
}

function readJson(bytes: Uint8Array): Record<string, unknown> {
  try {
    const body = parseStrictJson(bytes, MAX_ATTESTATION_BYTES);
    if (isRecord(body)) return body;
  } catch (error) {
    if (error instanceof StrictJsonError) throw refuse(error.message);
    throw error;
  }
  throw refuse('it is no JSON object');
}

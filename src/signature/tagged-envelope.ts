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
import { readLogBundle } from './simple-signing-log.ts';
import { readCertificate, readChain, readTimestamps } from './simple-signing-witnesses.ts';

const refuse = (message: string): SignatureError =>
  new SignatureError('SignatureInvalid', `the attestation is invalid: ${message}`);

/** Reads an attestation's parts. @throws SignatureError */
export function parseTaggedEnvelope({ bytes, annotations }: EnvelopeEvidence): {
  readonly signed: SignedEvidence;
  readonly payload: Buffer;
} {
  const { certificate, chain, logBundle, timestamp } = annotations;
  const envelope = toEnvelope(readJson(bytes));
  return {
    signed: {
      content: toEnvelopeContent(envelope),
      // A key id in the envelope is a hint at most, and cosign leaves it empty.
      material:
        certificate === undefined
          ? { kind: 'publicKey', hint: undefined }
          : { kind: 'certificate', der: readCertificate(certificate) },
      intermediates: chain === undefined ? [] : readChain(chain),
      logEntries: logBundle === undefined ? [] : [readLogBundle(logBundle)],
      timestamps: timestamp === undefined ? [] : readTimestamps(timestamp),
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

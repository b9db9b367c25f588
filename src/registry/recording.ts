// What did a registry answer? The file format of recordings: every answer that judging a reference took, so that a policy
// can be tested without the registry. Bytes that are text stay readable; nothing secret is ever in it.
import { compileSchema } from '../lib/own-schema.ts';
import { decodeBase64 } from '../lib/base64.ts';
import { parseStrictJson, StrictJsonError } from '../lib/strict-json.ts';
import type { Descriptor } from '../model/manifest.ts';
import { REGISTRY_ERROR_REASONS, type RegistryErrorKind } from './error.ts';

/** Largest recording, in bytes: a few attestations fit, weights do not. */
export const MAX_RECORDING_BYTES = 64 * 1024 * 1024;
const VERSION = 1;

/** Bytes in a recording: UTF-8 text where that gives the same bytes back, else base64. */
export type RecordedBytes = { readonly text: string } | { readonly base64: string };

/** What was answered. */
export type RecordedAnswer =
  | { readonly kind: 'manifest'; readonly digest: string; readonly bytes: RecordedBytes }
  | { readonly kind: 'absent' }
  | { readonly kind: 'referrers'; readonly descriptors: readonly Descriptor[]; readonly isTruncated: boolean }
  | { readonly kind: 'blob'; readonly bytes: RecordedBytes }
  | { readonly kind: 'error'; readonly error: RegistryErrorKind; readonly message: string };

/** Answers by question: `manifest REPOSITORY TARGET`, `tag …`, `referrers …`, `blob …`. */
export type Recording = ReadonlyMap<string, RecordedAnswer>;

/** Thrown for files that are no recordings. */
export class RecordingError extends Error {
  override readonly name = 'RecordingError';
}

const bytes = {
  type: 'object',
  properties: { text: { type: 'string' }, base64: { type: 'string' } },
  additionalProperties: false,
  minProperties: 1,
  maxProperties: 1,
};
const descriptor = {
  type: 'object',
  required: ['mediaType', 'digest', 'size', 'annotations'],
  properties: {
    mediaType: { type: 'string' },
    digest: { type: 'string' },
    size: { type: 'integer' },
    annotations: { type: 'object', additionalProperties: { type: 'string' } },
  },
};
const answerOf = (kind: string, properties: object): object => ({
  type: 'object',
  required: ['kind', ...Object.keys(properties)],
  properties: { kind: { const: kind }, ...properties },
  additionalProperties: false,
});
const validate = compileSchema<{
  readonly answers: Readonly<Record<string, RecordedAnswer>>;
}>({
  type: 'object',
  required: ['version', 'answers'],
  properties: {
    version: { const: VERSION },
    answers: {
      type: 'object',
      additionalProperties: {
        anyOf: [
          answerOf('manifest', { digest: { type: 'string' }, bytes }),
          answerOf('absent', {}),
          answerOf('referrers', {
            descriptors: { type: 'array', items: descriptor },
            isTruncated: { type: 'boolean' },
          }),
          answerOf('blob', { bytes }),
          answerOf('error', {
            error: { enum: Object.keys(REGISTRY_ERROR_REASONS) },
            message: { type: 'string' },
          }),
        ],
      },
    },
  },
});

/** Parses a recording. @throws RecordingError */
export function parseRecording(file: Uint8Array): Recording {
  let body: unknown;
  try {
    body = parseStrictJson(file, MAX_RECORDING_BYTES);
  } catch (error) {
    if (error instanceof StrictJsonError) throw new RecordingError(error.message);
    throw error;
  }
  if (validate(body)) return new Map(Object.entries(body.answers));
  const [fault] = validate.errors ?? [];
  throw new RecordingError(
    `it is no recording of version ${VERSION}: ${fault?.instancePath ?? ''} ${fault?.message ?? ''}`,
  );
}

/** Writes a recording, its answers in the order of their questions: recording again changes nothing that did not change. */
export function encodeRecording(recording: Recording): string {
  const answers = Object.fromEntries([...recording].toSorted(([left], [right]) => (left < right ? -1 : 1)));
  return `${JSON.stringify({ version: VERSION, answers }, null, 1)}\n`;
}

/** Bytes as a recording holds them. */
export function toRecordedBytes(value: Buffer): RecordedBytes {
  const text = value.toString('utf8');
  return Buffer.from(text).equals(value) ? { text } : { base64: value.toString('base64') };
}

/** The bytes of a recording. @throws RecordingError when they are no base64 */
export function fromRecordedBytes(recorded: RecordedBytes): Buffer {
  if ('text' in recorded) return Buffer.from(recorded.text);
  const decoded = decodeBase64(recorded.base64);
  if (decoded === undefined) throw new RecordingError('its bytes are no base64');
  return decoded;
}

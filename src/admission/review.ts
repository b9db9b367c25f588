// What does the API server ask? Decodes an AdmissionReview from capped bytes; everything behind this file works on
// typed values. Specification: admission.k8s.io/v1.
import { compileSchema } from '../lib/own-schema.ts';
import { parseStrictJson, StrictJsonError, type JsonLimits } from '../lib/strict-json.ts';
import { toRecord, toText } from '../lib/text.ts';

/** What a review may hold: the API server sends objects of any shape, and two of them. */
const REVIEW_LIMITS: JsonLimits = { maxValues: 1_000_000, maxNames: 100_000 };

/** Largest review body, in bytes: two objects of 3 MiB, the API server's own limit, and their wrapping. */
export const MAX_REVIEW_BYTES = 7 * 1024 * 1024;
export const REVIEW_API_VERSION = 'admission.k8s.io/v1';

/** A group, version and kind. */
export interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** The part of an AdmissionRequest that is used. */
export interface AdmissionRequest {
  readonly uid: string;
  readonly kind: GroupVersionKind;
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';
  readonly subResource?: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly userInfo?: { readonly username?: string };
  readonly object?: unknown;
  readonly oldObject?: unknown;
  readonly dryRun?: boolean;
}

/** A request, or what the body is instead: `uid` is there whenever it could be read. */
export type ReviewResult =
  | { readonly ok: true; readonly request: AdmissionRequest }
  | { readonly ok: false; readonly uid: string | undefined; readonly problem: string };

const MAX_UID_CHARS = 128;
const name = { type: 'string', maxLength: 253 };
const validate = compileSchema<AdmissionRequest>({
  type: 'object',
  required: ['uid', 'kind', 'operation'],
  properties: {
    uid: { type: 'string', minLength: 1, maxLength: MAX_UID_CHARS },
    kind: {
      type: 'object',
      required: ['group', 'version', 'kind'],
      properties: { group: name, version: name, kind: name },
    },
    operation: { enum: ['CREATE', 'UPDATE', 'DELETE', 'CONNECT'] },
    subResource: name,
    name,
    namespace: name,
    userInfo: { type: 'object', properties: { username: { type: 'string' } } },
    dryRun: { type: 'boolean', nullable: true },
  },
});

/** Decodes a body; never throws for content. */
export function parseReview(body: Uint8Array): ReviewResult {
  const refuse = (problem: string, uid?: string): ReviewResult => ({ ok: false, uid, problem });
  let review: Record<string, unknown>;
  try {
    review = toRecord(parseStrictJson(body, MAX_REVIEW_BYTES, REVIEW_LIMITS));
  } catch (error) {
    if (error instanceof StrictJsonError) return refuse(error.message);
    throw error;
  }
  if (review['apiVersion'] !== REVIEW_API_VERSION || review['kind'] !== 'AdmissionReview')
    return refuse(`the body is no ${REVIEW_API_VERSION} AdmissionReview`);
  const request = review['request'];
  const uid = toText(toRecord(request)['uid']) ?? '';
  if (uid === '' || uid.length > MAX_UID_CHARS)
    return refuse('the AdmissionReview has no usable request.uid');
  return validate(request) ? { ok: true, request } : refuse(describeFault(), uid);
}

function describeFault(): string {
  const [error] = validate.errors ?? [];
  return `request${(error?.instancePath ?? '').replaceAll('/', '.')} ${error?.message ?? 'is invalid'}`;
}

// May this policy object be saved? Answers reviews of our own kinds with the compiler that the webhook runs: what can
// never work is refused with its place and its cure; what only lacks something, or is probably not meant, is a warning.
// Deletion, status, and changes of metadata alone are never held up.
import { isDeepStrictEqual } from 'node:util';
import type { FairTurns } from '../lib/fair-turns.ts';
import { boundBytes, quote, toRecord } from '../lib/text.ts';
import { API_GROUP } from '../policy/types.ts';
import type { CheckedKind } from '../policy/validate.ts';
import { toDeadlineMs, type HandlerResult } from './handle.ts';
import { MAX_MESSAGE_BYTES } from './response.ts';
import { parseReview, REVIEW_API_VERSION, type AdmissionRequest } from './review.ts';

/** One thing about a policy object. */
export interface PolicyFault {
  /** Where, as kubectl writes paths; empty for the whole object. */
  readonly field: string;
  /** What is wrong and what to do; further lines show the source with a caret. */
  readonly message: string;
}

/** What there is to say about a policy object. */
export interface PolicyCheck {
  /** Why it cannot be saved. */
  readonly faults: readonly PolicyFault[];
  /** What is worth knowing. */
  readonly warnings: readonly string[];
}

/** Checks a spec as if it were saved now. */
export type CheckPolicy = (kind: CheckedKind, name: string, object: unknown) => PolicyCheck;

const KINDS = new Set<string>([
  'ClusterModelPolicy',
  'ModelPolicy',
  'TrustRoot',
  'ModelPolicyException',
] satisfies CheckedKind[]);
const MAX_WARNINGS = 16;
const MAX_WARNING_BYTES = 512;

/** Answers bodies of reviews, within the time that the API server gives; never rejects for content. */
export type PolicyHandler = (body: Uint8Array, timeoutMs: number | undefined) => Promise<HandlerResult>;

/** Creates the handler. @param turns who asks for much, which a dry run does not even have to save, waits behind himself */
export function createPolicyHandler(check: CheckPolicy, turns: FairTurns): PolicyHandler {
  return async (body, timeoutMs) => {
    const endMs = performance.now() + toDeadlineMs(timeoutMs);
    const review = parseReview(body);
    if (!review.ok)
      return review.uid === undefined
        ? { status: 400, body: { error: { reason: 'RequestMalformed', message: review.problem } } }
        : toResult(review.uid, { faults: [{ field: '', message: review.problem }], warnings: [] }, 400);
    const { request } = review;
    if (!isChecked(request)) return toResult(request.uid, NOTHING_TO_SAY);
    const checked = await turns.take(request.namespace ?? '', () =>
      performance.now() < endMs ? checkRequest(request, check) : NOT_CHECKED,
    );
    return toResult(request.uid, checked);
  };
}

const NOTHING_TO_SAY: PolicyCheck = { faults: [], warnings: [] };
// As when nothing answers: what cannot be evaluated denies, whoever was told.
const NOT_CHECKED: PolicyCheck = {
  faults: [],
  warnings: ['this was not checked: the time for it is up, because many are being checked'],
};

function isChecked({ operation, subResource = '', kind, object, oldObject }: AdmissionRequest): boolean {
  if (operation === 'DELETE' || operation === 'CONNECT' || subResource !== '') return false;
  if (kind.group !== API_GROUP || !KINDS.has(kind.kind)) return false;
  return !(
    operation === 'UPDATE' && isDeepStrictEqual(toRecord(object)['spec'], toRecord(oldObject)['spec'])
  );
}

function checkRequest({ kind, name, object }: AdmissionRequest, check: CheckPolicy): PolicyCheck {
  const { apiVersion } = toRecord(object);
  if (apiVersion !== `${API_GROUP}/v1alpha1`)
    return {
      faults: [{ field: 'apiVersion', message: `${quote(String(apiVersion), 80)} is not served here` }],
      warnings: [],
    };
  return check(kind.kind as CheckedKind, name ?? '', object);
}

function toResult(uid: string, { faults, warnings }: PolicyCheck, code: 400 | 403 = 403): HandlerResult {
  const message = faults
    .map((fault) => (fault.field === '' ? fault.message : `${fault.field}: ${fault.message}`))
    .join('\n');
  const status = {
    status: 'Failure',
    code,
    reason: code === 403 ? 'Forbidden' : 'BadRequest',
    message: boundBytes(message, MAX_MESSAGE_BYTES),
    details: {
      causes: faults.map((fault) => ({
        reason: code === 403 ? 'PolicyInvalid' : 'RequestMalformed',
        message: boundBytes(fault.message, MAX_MESSAGE_BYTES),
        ...(fault.field === '' ? {} : { field: fault.field }),
      })),
    },
  };
  return {
    status: 200,
    body: {
      apiVersion: REVIEW_API_VERSION,
      kind: 'AdmissionReview',
      response: {
        uid,
        allowed: faults.length === 0,
        ...(faults.length === 0 ? {} : { status }),
        ...(warnings.length === 0
          ? {}
          : { warnings: warnings.slice(0, MAX_WARNINGS).map((text) => boundBytes(text, MAX_WARNING_BYTES)) }),
      },
    },
  };
}

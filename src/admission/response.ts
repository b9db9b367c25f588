// What do we answer the API server? AdmissionReview v1 responses: everything a person needs is in the message,
// everything a machine needs in causes and audit annotations, each bounded.
import { boundBytes } from '../lib/text.ts';
import { toStatusCode } from '../verdict/fold.ts';
import type { Finding } from '../reason.ts';
import type { Decision } from '../verdict/decision.ts';
import { REVIEW_API_VERSION } from './review.ts';

/** Longest status message, in bytes (docs: limits). */
export const MAX_MESSAGE_BYTES = 8192;
/** Longest audit annotation, in bytes. */
export const MAX_ANNOTATION_BYTES = 1024;
/** The API server cuts warnings beyond this when all together pass 4 KiB; longer ones are cut by us, in bytes. */
const MAX_WARNING_BYTES = 1024;
const ANNOTATION_PREFIX = 'modelpolicy.dev/';

const STATUS_REASONS = {
  400: 'BadRequest',
  403: 'Forbidden',
  500: 'InternalError',
  503: 'ServiceUnavailable',
} as const;

/** The JSON of an AdmissionReview response. */
export function toReviewResponse(uid: string, decision: Decision): object {
  const { verdict } = decision;
  const warnings = toWarnings(decision);
  return {
    apiVersion: REVIEW_API_VERSION,
    kind: 'AdmissionReview',
    response: {
      uid,
      allowed: verdict.allowed,
      ...(verdict.allowed ? {} : { status: toStatus(verdict.findings) }),
      ...(warnings.length === 0 ? {} : { warnings }),
      auditAnnotations: toAnnotations(decision),
    },
  };
}

/** What kubectl prints as `Warning:` lines. */
export function toWarnings({ verdict, notices }: Decision): readonly string[] {
  return [...verdict.warned.map(({ message }) => message), ...notices].map((text) =>
    boundBytes(text, MAX_WARNING_BYTES),
  );
}

/** The message of a denial: one line per finding. */
export function toMessage(findings: readonly Finding[]): string {
  return boundBytes(findings.map(({ message }) => message).join('\n'), MAX_MESSAGE_BYTES);
}

function toStatus(findings: readonly Finding[]): object {
  const code = toStatusCode(findings);
  return {
    status: 'Failure',
    code,
    reason: STATUS_REASONS[code],
    message: toMessage(findings),
    details: {
      causes: findings.map(({ reason, message, field }) => ({
        reason,
        message,
        ...(field === undefined ? {} : { field }),
      })),
    },
  };
}

function toAnnotations({
  verdict,
  acted,
  policies,
  uses,
  exceptions: used,
  exemption,
}: Decision): Record<string, string> {
  const reasons = [...new Set(acted.map(({ finding }) => finding.reason))].toSorted();
  const digests = [
    ...new Set(uses.flatMap(({ digest }) => (digest === undefined ? [] : [digest]))),
  ].toSorted();
  const exceptions = [...new Set(used.map(({ exception }) => exception))].toSorted();
  const verdictText =
    exemption === undefined ? (verdict.allowed ? 'allowed' : 'denied') : `exempt-${exemption}`;
  // What is cut off are a namespace's own: it names them as it likes, and as many as it likes.
  const ordered = [
    ...policies.filter((name) => !name.includes('/')),
    ...policies.filter((name) => name.includes('/')),
  ];
  const annotations: Record<string, string> = { [`${ANNOTATION_PREFIX}verdict`]: verdictText };
  for (const [name, values] of Object.entries({ reasons, policies: ordered, digests, exceptions }))
    if (values.length > 0)
      annotations[`${ANNOTATION_PREFIX}${name}`] = boundBytes(values.join(','), MAX_ANNOTATION_BYTES);
  return annotations;
}

// What happens to one posted review, whatever it is? Decode, decide in time, respond, record. The one place that
// catches the unexpected: it denies that request and nothing else.
import { createFairTurns } from '../lib/fair-turns.ts';
import { createShares } from '../lib/shares.ts';
import { createStopwatch } from '../lib/stopwatch.ts';
import { quote } from '../lib/text.ts';
import type { Finding } from '../reason.ts';
import type { RecordedRequest } from '../telemetry/decision-record.ts';
import { createFinding } from '../verdict/finding-message.ts';
import type { Decision } from '../verdict/decision.ts';
import { decide, type DecisionDependencies } from './decide.ts';
import { toUndecided } from './outcome.ts';
import { toReviewResponse } from './response.ts';
import { parseReview, type AdmissionRequest } from './review.ts';

/** Time without `?timeout=`, in milliseconds (docs: limits). */
export const DEFAULT_TIMEOUT_MS = 10_000;
/** What is kept back for the answer's way home: the larger of this and a tenth, in milliseconds (docs: limits). */
export const MINIMUM_MARGIN_MS = 500;
/** Requests decided at once, a namespace's at most as many as are left; more are denied at once rather than late. */
export const MAX_IN_FLIGHT = 2000;

/** Told about every decision; a throw denies the request that it was told about. */
export interface DecisionObserver {
  /** Of a malformed request only the uid is known. */
  decided(request: RecordedRequest, decision: Decision): void;
  failed(uid: string, error: unknown): void;
  inFlight(count: number): void;
}

/** An HTTP answer. */
export interface HandlerResult {
  readonly status: 200 | 400;
  readonly body: object;
}

/** Handles review bodies; never rejects. */
export type ReviewHandler = (body: Uint8Array, timeoutMs: number | undefined) => Promise<HandlerResult>;

/** Time for a decision: the API server's own less the margin, so that our denial arrives before it gives up. */
export function toDeadlineMs(timeoutMs: number = DEFAULT_TIMEOUT_MS): number {
  return Math.max(1, timeoutMs - Math.max(MINIMUM_MARGIN_MS, timeoutMs / 10));
}

/** Creates the handler of one process. */
export function createReviewHandler(
  dependencies: DecisionDependencies,
  observer: DecisionObserver,
): ReviewHandler {
  const inFlight = createShares(MAX_IN_FLIGHT);
  const withTurns = { turns: createFairTurns(), ...dependencies };
  const deny = (finding: Finding): Decision => toUndecided(createStopwatch(), [finding]);
  function fail(uid: string, error: unknown): Decision {
    attempt(() => observer.failed(uid, error));
    return deny(createFinding('InternalError', 'this request could not be decided'));
  }
  async function decideSafely(request: AdmissionRequest, timeoutMs: number | undefined): Promise<Decision> {
    const { namespace = '' } = request;
    // Anybody who reaches us can make up names: all that nobody has heard of are one.
    const isKnown = attempt(() => dependencies.snapshot()?.findNamespace(namespace)) !== undefined;
    const release = inFlight.take(isKnown ? namespace : '');
    if (release === undefined)
      return deny(
        toTooMany(
          inFlight.taken,
          isKnown ? `namespace ${quote(namespace, 63)}` : 'namespaces that are not known',
        ),
      );
    try {
      observer.inFlight(inFlight.taken);
      return await decide(request, withTurns, AbortSignal.timeout(toDeadlineMs(timeoutMs)));
    } catch (error) {
      return fail(request.uid, error);
    } finally {
      release();
      attempt(() => observer.inFlight(inFlight.taken));
    }
  }
  function respond(request: RecordedRequest, decision: Decision): HandlerResult {
    try {
      observer.decided(request, decision);
      return { status: 200, body: toReviewResponse(request.uid, decision) };
    } catch (error) {
      return { status: 200, body: toReviewResponse(request.uid, fail(request.uid, error)) };
    }
  }
  return async (body, timeoutMs) => {
    const review = parseReview(body);
    if (review.ok) return respond(review.request, await decideSafely(review.request, timeoutMs));
    if (review.uid === undefined)
      return { status: 400, body: { error: { reason: 'RequestMalformed', message: review.problem } } };
    const unread = { uid: review.uid, operation: '', kind: { kind: '' } };
    return respond(unread, deny(createFinding('RequestMalformed', review.problem)));
  };
}

const toTooMany = (taken: number, whom: string): Finding =>
  createFinding(
    'Overloaded',
    taken >= MAX_IN_FLIGHT
      ? `${MAX_IN_FLIGHT} requests are being decided`
      : `${taken} requests are being decided, most of them for ${whom}`,
  );

// What only watches must not stand in the way of an answer that is already a denial.
function attempt<T>(tell: () => T): T | undefined {
  try {
    return tell();
  } catch {
    // Nobody is left to tell.
    return undefined;
  }
}

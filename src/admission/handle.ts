// What happens to one posted review, whatever it is? Decode, decide in time, respond, record. The one place that
// catches the unexpected: it denies that request and nothing else.
import { createStopwatch } from '../lib/stopwatch.ts';
import type { Finding } from '../reason.ts';
import { createFinding } from '../verdict/finding-message.ts';
import type { Decision } from '../verdict/decision.ts';
import { decide, toUndecided, type DecisionDependencies } from './decide.ts';
import { toReviewResponse } from './response.ts';
import { parseReview, type AdmissionRequest } from './review.ts';

/** Time without `?timeout=`, in milliseconds (docs: limits). */
export const DEFAULT_TIMEOUT_MS = 10_000;
/** What is kept back for the answer's way home: the larger of this and a tenth, in milliseconds (docs: limits). */
export const MINIMUM_MARGIN_MS = 500;
/** Requests decided at once; more are denied at once rather than late. */
export const MAX_IN_FLIGHT = 1000;

/** Told about every decision; must not throw. */
export interface DecisionObserver {
  decided(request: AdmissionRequest, decision: Decision): void;
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
  let inFlight = 0;
  async function decideSafely(request: AdmissionRequest, timeoutMs: number | undefined): Promise<Decision> {
    const watch = createStopwatch();
    const deny = (finding: Finding): Decision => toUndecided(watch, [finding]);
    if (inFlight >= MAX_IN_FLIGHT)
      return deny(createFinding('Overloaded', `${MAX_IN_FLIGHT} requests are being decided`));
    inFlight += 1;
    observer.inFlight(inFlight);
    try {
      return await decide(request, dependencies, AbortSignal.timeout(toDeadlineMs(timeoutMs)));
    } catch (error) {
      observer.failed(request.uid, error);
      return deny(createFinding('InternalError', 'this request could not be decided'));
    } finally {
      inFlight -= 1;
      observer.inFlight(inFlight);
    }
  }
  return async (body, timeoutMs) => {
    const review = parseReview(body);
    if (!review.ok && review.uid === undefined)
      return { status: 400, body: { error: { reason: 'RequestMalformed', message: review.problem } } };
    if (!review.ok) {
      const refused = toUndecided(createStopwatch(), [createFinding('RequestMalformed', review.problem)]);
      return { status: 200, body: toReviewResponse(review.uid ?? '', refused) };
    }
    const decision = await decideSafely(review.request, timeoutMs);
    observer.decided(review.request, decision);
    return { status: 200, body: toReviewResponse(review.request.uid, decision) };
  };
}

// How much may be read at once? Bodies are held in memory until they are decided: together they have a limit, beyond
// which requests are turned away before they are read.
import type { RequestHandler } from 'express';
import { MAX_REVIEW_BYTES } from '../admission/review.ts';

/** Bytes of all bodies in memory at once. */
export const MAX_BODIES_BYTES = 128 * 1024 * 1024;

/** Creates the gate. A body of undeclared length counts as the largest that is read. */
export function createBodyGate(maxBytes: number = MAX_BODIES_BYTES): RequestHandler {
  let held = 0;
  return (request, response, next) => {
    const declared = Number(request.headers['content-length'] ?? MAX_REVIEW_BYTES);
    const size = Math.min(Number.isSafeInteger(declared) ? declared : MAX_REVIEW_BYTES, MAX_REVIEW_BYTES);
    if (held + size > maxBytes) {
      response
        .status(503)
        .set({ 'retry-after': '1', connection: 'close' })
        .json({ error: { reason: 'Overloaded', message: 'too many requests are being read' } });
      return;
    }
    held += size;
    response.once('close', () => {
      held -= size;
    });
    next();
  };
}

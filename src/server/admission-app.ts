// Which HTTP requests reach a decision? The express app of the admission port: two routes, raw capped bodies, JSON
// errors, nothing that says more than it must.
import express, { type ErrorRequestHandler, type Express } from 'express';
import type { ReviewHandler } from '../admission/handle.ts';
import { MAX_REVIEW_BYTES } from '../admission/review.ts';
import type { PolicyHandler } from '../admission/validate-policy.ts';
import { createBodyGate } from './body-gate.ts';
import { parseDurationMs } from '../lib/duration.ts';
import { toRecord } from '../lib/text.ts';

const MAX_TIMEOUT_MS = 30_000;

/** Creates the app around its handlers. */
export function createAdmissionApp(handle: ReviewHandler, handlePolicy?: PolicyHandler): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  // Compressed bodies are refused: nobody sends them, and they could grow.
  const readBody = express.raw({ type: () => true, limit: MAX_REVIEW_BYTES, inflate: false });
  const serve = (path: string, answer: ReviewHandler | PolicyHandler): void => {
    app.post(path, createBodyGate(), readBody, async (request, response) => {
      if (response.headersSent) return;
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      const result = await answer(body, toTimeoutMs(request.query['timeout']));
      response.status(result.status).json(result.body);
    });
  };
  serve('/validate', handle);
  if (handlePolicy !== undefined) serve('/validate-policy', handlePolicy);
  app.use((_request, response) => {
    response.status(404).json({
      error: { reason: 'NotFound', message: 'only POST /validate and /validate-policy are served here' },
    });
  });
  app.use(answerError);
  return app;
}

// The API server sends at most 30 s; what cannot be read counts as not sent.
function toTimeoutMs(value: unknown): number | undefined {
  const timeoutMs = typeof value === 'string' ? parseDurationMs(value) : undefined;
  return timeoutMs === undefined || timeoutMs === 0 ? undefined : Math.min(timeoutMs, MAX_TIMEOUT_MS);
}

const answerError: ErrorRequestHandler = (error: unknown, request, response, _next) => {
  // Already answered, as the body gate does: what is left of the request is nobody's concern.
  if (response.headersSent) {
    request.destroy();
    return;
  }
  const { status } = toRecord(error);
  const code = typeof status === 'number' && status >= 400 && status < 500 ? status : 500;
  const message =
    code === 413 ? `the body is larger than ${MAX_REVIEW_BYTES} bytes` : 'the request could not be read';
  response
    .status(code)
    .json({ error: { reason: code === 500 ? 'InternalError' : 'RequestMalformed', message } });
};

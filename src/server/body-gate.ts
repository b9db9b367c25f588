// How much may be read at once? Bodies are held in memory until they are decided: together they have a limit, beyond
// which requests are turned away.
import type { RequestHandler } from 'express';

/** Bytes of all bodies in memory at once. */
export const MAX_BODIES_BYTES = 128 * 1024 * 1024;

/** Creates the gate. Bytes are counted as they arrive: what a client only declares costs nobody anything. */
export function createBodyGate(maxBytes: number = MAX_BODIES_BYTES): RequestHandler {
  let held = 0;
  return (request, response, next) => {
    let own = 0;
    request.on('data', (chunk: Buffer) => {
      own += chunk.length;
      held += chunk.length;
      if (held <= maxBytes || response.headersSent) return;
      response.once('finish', () => request.destroy());
      response
        .status(503)
        .set({ 'retry-after': '1', connection: 'close' })
        .json({ error: { reason: 'Overloaded', message: 'too many requests are being read' } });
    });
    response.once('close', () => {
      held -= own;
      own = 0;
    });
    next();
  };
}

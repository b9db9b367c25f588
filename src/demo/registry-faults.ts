// How can a registry misbehave? Delivers one answer, late, in pieces, changed, or not at all.
// Leaves the decision which request suffers to registry.ts and its caller.
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer } from './registry-routes.ts';

const CHUNKS = 8;

/** What goes wrong with one answer; an empty fault changes nothing. */
export interface Fault {
  readonly status?: number;
  /** Added to the headers of the answer. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
  /** Wait before the first byte. */
  readonly delayMs?: number;
  /** Wait for this before the first byte. */
  readonly until?: Promise<unknown>;
  /** Never answer; the connection stays open until the client or `close` ends it. */
  readonly hang?: boolean;
  /** Reset the connection instead of answering, or with `chunkDelayMs` in the middle of the body. */
  readonly reset?: boolean;
  /** Send the body in eight pieces with this pause before each. */
  readonly chunkDelayMs?: number;
}

/** Sends the answer with the fault applied; resolves when the last byte is handed over or the client is gone. */
export async function deliver(response: ServerResponse, answer: Answer, fault: Fault): Promise<void> {
  await fault.until;
  if (fault.delayMs !== undefined) await sleep(fault.delayMs, undefined, { ref: false });
  if (fault.hang === true) return;
  if (fault.reset === true && fault.chunkDelayMs === undefined) {
    response.socket?.resetAndDestroy();
    return;
  }
  await sendAnswer(response, answer, fault);
}

async function sendAnswer(response: ServerResponse, answer: Answer, fault: Fault): Promise<void> {
  const body = faultyBody(answer, fault);
  response.writeHead(fault.status ?? answer.status, {
    ...answer.headers,
    'content-length': String(body.length),
    ...fault.headers,
  });
  const cut = fault.reset === true;
  const sent = cut ? body.subarray(0, body.length / 2) : body;
  if (response.req.method !== 'HEAD') await writeBody(response, sent, fault.chunkDelayMs);
  if (cut) response.socket?.resetAndDestroy();
  else response.end();
}

function faultyBody(answer: Answer, fault: Fault): Buffer {
  if (fault.body !== undefined) return Buffer.from(fault.body);
  // A made-up status must not carry the honest content as if nothing had happened.
  return fault.status === undefined ? answer.body : Buffer.alloc(0);
}

async function writeBody(response: ServerResponse, body: Buffer, pause: number | undefined): Promise<void> {
  if (pause === undefined) {
    response.write(body);
    return;
  }
  const step = Math.max(1, Math.ceil(body.length / CHUNKS));
  for (let start = 0; start < body.length && !response.destroyed; start += step) {
    await sleep(pause, undefined, { ref: false });
    response.write(body.subarray(start, start + step));
  }
}

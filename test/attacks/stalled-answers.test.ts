// Can the registry of one tenant keep everybody else from theirs? It begins many large answers and ends none.
import assert from 'node:assert/strict';
import { MAX_BYTES_IN_FLIGHT } from '../../src/registry/intake.ts';
import type { TransportResponse } from '../../src/registry/transport.ts';
import { answer, Stage } from '../registry/servers.ts';

const ANSWER_BYTES = 8 * 1024 * 1024;

describe('many large answers that are never ended', () => {
  const stage = new Stage();
  afterEach(() => stage.end());

  it('give way to the answer of another host', async () => {
    const hostile = await stage.serve((_, response) => {
      response.writeHead(200, { 'content-length': String(ANSWER_BYTES) });
      response.write(Buffer.alloc(ANSWER_BYTES - 1));
    });
    const honest = await stage.serve((_, response) =>
      answer(response, 200, {}, Buffer.alloc(ANSWER_BYTES, 1)),
    );
    const transport = stage.transport({ plainHttpHosts: new Set([hostile.address, honest.address]) });
    const end = new AbortController();
    const send = (url: string, signal: AbortSignal): Promise<TransportResponse> =>
      transport.send({ url: new URL(url), headers: {}, maxBytes: ANSWER_BYTES, signal });
    const count = MAX_BYTES_IN_FLIGHT / ANSWER_BYTES + 4;
    const refused: string[] = [];
    const stalled = Array.from({ length: count }, () =>
      send(hostile.url, end.signal).catch((error: unknown) => void refused.push(String(error))),
    );
    while (refused.length < 3) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.match(refused[0] ?? '', /too much is being received/);
    const { body } = await send(honest.url, AbortSignal.timeout(20_000));
    assert.equal(body.length, ANSWER_BYTES);
    end.abort();
    await Promise.all(stalled);
  });
});

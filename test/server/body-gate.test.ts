// Is memory for bodies bounded, and given back?
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request as httpRequest, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { createBodyGate } from '../../src/server/body-gate.ts';

describe('createBodyGate()', () => {
  let server: Server;
  let release: (() => void)[];

  beforeEach(async () => {
    release = [];
    const app = express();
    app.post('/', createBodyGate(1000), express.raw({ type: () => true }), (_request, response) => {
      release.push(() => void response.send('ok'));
    });
    server = createServer(app).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });

  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  function post(bytes: number): Promise<number> {
    const { port } = server.address() as AddressInfo;
    return new Promise((resolve, reject) => {
      httpRequest({ host: '127.0.0.1', port, method: 'POST' }, (response) => {
        response.resume();
        response.on('end', () => resolve(response.statusCode ?? 0));
      })
        .on('error', reject)
        .end(Buffer.alloc(bytes, 0x20));
    });
  }

  async function waitForHeld(count: number): Promise<void> {
    while (release.length < count) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  it('turns away what would not fit, before reading it, and takes it when there is room again', async () => {
    const first = post(900);
    await waitForHeld(1);
    assert.equal(await post(200), 503);
    const small = post(100);
    await waitForHeld(2);
    for (const answer of release) answer();
    assert.deepEqual(await Promise.all([first, small]), [200, 200]);
    const again = post(900);
    await waitForHeld(3);
    release[2]?.();
    assert.equal(await again, 200);
  });
});

// Are token services of clouds asked within bounds, and nobody else in their place?
import assert from 'node:assert/strict';
import { fetchToken } from '../../src/registry/keychain-fetch.ts';
import { answer, Stage } from './servers.ts';

describe('fetchToken()', () => {
  const stage = new Stage();
  afterEach(() => stage.end());

  it('sends what it is given, and reads status, headers and text', async () => {
    let body = '';
    const server = await stage.serve((request, response) => {
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => answer(response, 403, { 'X-Thing': 'y' }, 'no'));
    });
    const { status, headers, text } = await fetchToken({
      url: `${server.url}/token`,
      method: 'POST',
      headers: { authorization: 'z' },
      body: 'a=b',
    });
    assert.deepEqual([status, headers['x-thing'], text, body], [403, 'y', 'no', 'a=b']);
    assert.equal(server.seen[0]?.authorization, 'z');
  });

  it('follows nobody elsewhere', async () => {
    const thief = await stage.serve((_, response) => answer(response, 200, {}, '{}'));
    const server = await stage.serve((_, response) => answer(response, 307, { location: thief.url }));
    await assert.rejects(fetchToken({ url: server.url, method: 'GET', headers: { authorization: 'z' } }));
    assert.equal(thief.connections(), 0);
  });

  it('reads no answer without end', async () => {
    const server = await stage.serve((_, response) => {
      response.writeHead(200);
      const timer = setInterval(() => response.write('x'.repeat(16_384)), 1);
      response.on('close', () => clearInterval(timer));
    });
    await assert.rejects(fetchToken({ url: server.url, method: 'GET', headers: {} }), /larger than 65536/);
  });
});

// Can a client that trusts the authority, and only such a client, talk TLS to a demo server?
import assert from 'node:assert/strict';
import { get } from 'node:https';
import { startRegistry } from '../../src/demo/registry.ts';
import { createServerCertificate } from '../../src/demo/server-certificate.ts';

function statusOf(url: string, ca?: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    get(url, { ...(ca === undefined ? {} : { ca }), agent: false }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode));
    }).on('error', reject);
  });
}

describe('createServerCertificate', () => {
  it('serves a registry to clients that trust it', async () => {
    const { ca, ...tls } = createServerCertificate();
    const registry = await startRegistry({ tls });
    try {
      assert.match(registry.url, /^https:\/\/127\.0\.0\.1:\d+$/u);
      assert.equal(await statusOf(`${registry.url}/v2/`, ca), 200);
      assert.equal(await statusOf(`${registry.url.replace('127.0.0.1', 'localhost')}/v2/`, ca), 200);
      await assert.rejects(statusOf(`${registry.url}/v2/`));
    } finally {
      await registry.close();
    }
  });

  it('is for the hosts it names', async () => {
    const { ca, ...tls } = createServerCertificate(['registry.models.test']);
    const registry = await startRegistry({ tls });
    try {
      await assert.rejects(statusOf(`${registry.url}/v2/`, ca), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
    } finally {
      await registry.close();
    }
  });
});

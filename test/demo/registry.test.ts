// Does the demo registry answer as registries do, and misbehave only when told to?
import assert from 'node:assert/strict';
import { startRegistry, type RegistryHandle, type RegistryOptions } from '../../src/demo/registry.ts';

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const INDEX = 'application/vnd.oci.image.index.v1+json';

interface Listing {
  manifests: { digest: string; artifactType?: string; annotations?: Record<string, string> }[];
}

interface Token {
  token: string;
}

describe('startRegistry', () => {
  const running: RegistryHandle[] = [];

  async function start(options?: RegistryOptions): Promise<RegistryHandle> {
    const registry = await startRegistry(options);
    running.push(registry);
    return registry;
  }

  function put(registry: RegistryHandle, content: object, ...tags: string[]): string {
    return registry.putManifest('team/model', Buffer.from(JSON.stringify(content)), MANIFEST, ...tags);
  }

  async function list(url: string): Promise<Listing> {
    return (await (await fetch(url)).json()) as Listing;
  }

  afterEach(async () => {
    await Promise.all(running.splice(0).map((registry) => registry.close()));
  });

  it('serves the version check', async () => {
    const registry = await start();
    assert.equal((await fetch(`${registry.url}/v2/`)).status, 200);
    assert.equal(registry.url, `http://${registry.address}`);
  });

  it('serves a manifest by tag and by digest, with its media type', async () => {
    const registry = await start();
    const digest = put(registry, { a: 1 }, 'v1', 'latest');
    for (const reference of ['v1', 'latest', digest, encodeURIComponent(digest)]) {
      const response = await fetch(`${registry.url}/v2/team/model/manifests/${reference}`);
      assert.equal(response.headers.get('content-type'), MANIFEST);
      assert.equal(response.headers.get('docker-content-digest'), digest);
      assert.equal(await response.text(), '{"a":1}');
    }
  });

  it('answers HEAD with the length and no body', async () => {
    const registry = await start();
    put(registry, { a: 1 }, 'v1');
    const response = await fetch(`${registry.url}/v2/team/model/manifests/v1`, { method: 'HEAD' });
    assert.equal(response.headers.get('content-length'), '7');
    assert.equal(await response.text(), '');
    assert.equal(registry.requests[0]?.bytes, 0);
  });

  it('serves blobs from every repository', async () => {
    const registry = await start();
    const { digest, size } = registry.putBlob(Buffer.from('weights'));
    assert.equal(size, 7);
    assert.equal(await (await fetch(`${registry.url}/v2/other/blobs/${digest}`)).text(), 'weights');
  });

  it('answers 404 with an OCI error for what it does not have', async () => {
    const registry = await start();
    const cases: [string, string][] = [
      ['/v2/team/model/manifests/v1', 'MANIFEST_UNKNOWN'],
      ['/v2/team/model/blobs/sha256:00', 'BLOB_UNKNOWN'],
      ['/v2/team/model/tags/list', 'UNSUPPORTED'],
      ['/v2/team/%ff/manifests/v1', 'UNSUPPORTED'],
    ];
    for (const [path, code] of cases) {
      const response = await fetch(registry.url + path);
      assert.equal(response.status, 404);
      const body = (await response.json()) as { errors: { code: string }[] };
      assert.equal(body.errors[0]?.code, code, path);
    }
  });

  it('refuses to be written to', async () => {
    const registry = await start();
    const response = await fetch(`${registry.url}/v2/team/model/manifests/v1`, { method: 'PUT', body: '{}' });
    assert.equal(response.status, 405);
  });

  it('lists referrers of one repository with type and annotations', async () => {
    const registry = await start();
    const subject = put(registry, { a: 1 });
    const first = put(registry, {
      subject: { digest: subject },
      artifactType: 'x/a',
      annotations: { k: 'v' },
    });
    const second = put(registry, { subject: { digest: subject }, config: { mediaType: 'x/config' } });
    registry.putManifest('elsewhere', Buffer.from(`{"subject":{"digest":"${subject}"}}`), MANIFEST);
    registry.putManifest('team/model', Buffer.from('not json'), MANIFEST);
    const { manifests } = await list(`${registry.url}/v2/team/model/referrers/${subject}`);
    assert.deepEqual(
      manifests.map(({ digest, artifactType, annotations }) => [digest, artifactType, annotations]),
      [
        [first, 'x/a', { k: 'v' }],
        [second, 'x/config', undefined],
      ],
    );
  });

  it('lists the type of the config as go-containerregistry does, when asked', async () => {
    const registry = await start({ listsConfigType: true });
    const subject = put(registry, { a: 1 });
    put(registry, { subject: { digest: subject }, artifactType: 'x/a', config: { mediaType: 'x/config' } });
    const { manifests } = await list(`${registry.url}/v2/team/model/referrers/${subject}`);
    assert.equal(manifests[0]?.artifactType, 'x/config');
  });

  it('filters referrers by artifact type and says so', async () => {
    const registry = await start();
    const subject = put(registry, { a: 1 });
    put(registry, { subject: { digest: subject }, artifactType: 'x/a' });
    put(registry, { subject: { digest: subject }, artifactType: 'x/b' });
    const response = await fetch(`${registry.url}/v2/team/model/referrers/${subject}?artifactType=x%2Fb`);
    assert.equal(response.headers.get('oci-filters-applied'), 'artifactType');
    assert.equal(((await response.json()) as Listing).manifests.length, 1);
  });

  it('splits long listings and links the next page', async () => {
    const registry = await start({ referrersPageSize: 2 });
    const subject = put(registry, { a: 1 });
    const pushed = [1, 2, 3, 4, 5].map((n) => put(registry, { n, subject: { digest: subject } }));
    const seen: string[] = [];
    let next: string | undefined = `/v2/team/model/referrers/${subject}`;
    let pages = 0;
    while (next !== undefined) {
      const response: Response = await fetch(registry.url + next);
      seen.push(...((await response.json()) as Listing).manifests.map(({ digest }) => digest));
      next = /^<([^>]+)>; rel="next"$/u.exec(response.headers.get('link') ?? '')?.[1];
      pages += 1;
    }
    assert.deepEqual(seen, pushed);
    assert.equal(pages, 3);
  });

  it('keeps the referrers tag schema when it has no referrers API', async () => {
    const registry = await start({ referrersApi: false });
    const subject = put(registry, { a: 1 });
    const referrer = put(registry, { subject: { digest: subject } });
    assert.equal((await fetch(`${registry.url}/v2/team/model/referrers/${subject}`)).status, 404);
    const response = await fetch(`${registry.url}/v2/team/model/manifests/${subject.replace(':', '-')}`);
    assert.equal(response.headers.get('content-type'), INDEX);
    assert.equal(((await response.json()) as Listing).manifests[0]?.digest, referrer);
  });

  it('forgets a deleted tag', async () => {
    const registry = await start();
    put(registry, { a: 1 }, 'v1');
    registry.deleteTag('team/model', 'v1');
    assert.equal((await fetch(`${registry.url}/v2/team/model/manifests/v1`)).status, 404);
  });

  it('lies about manifests and blobs when told to', async () => {
    const registry = await start();
    const manifest = put(registry, { a: 1 });
    const { digest } = registry.putBlob(Buffer.from('weights'));
    registry.replaceManifest(manifest, Buffer.from('{"a":2}'));
    registry.replaceBlob(digest, Buffer.from('other'));
    assert.equal(
      await (await fetch(`${registry.url}/v2/team/model/manifests/${manifest}`)).text(),
      '{"a":2}',
    );
    assert.equal(await (await fetch(`${registry.url}/v2/team/model/blobs/${digest}`)).text(), 'other');
  });

  it('records every request in order', async () => {
    const registry = await start();
    put(registry, { a: 1 }, 'v1');
    const headers = { authorization: 'Basic eA==' };
    await (await fetch(`${registry.url}/v2/team/model/manifests/v1`, { headers })).text();
    await (await fetch(`${registry.url}/v2/team/model/blobs/sha256:00?x=1`)).text();
    assert.deepEqual(registry.requests[0], {
      method: 'GET',
      path: '/v2/team/model/manifests/v1',
      status: 200,
      bytes: 7,
      authorization: 'Basic eA==',
    });
    assert.equal(registry.requests[1]?.path, '/v2/team/model/blobs/sha256:00?x=1');
    assert.equal(registry.requests[1]?.status, 404);
  });

  describe('with an account', () => {
    const auth = { username: 'reader', password: 'secret' };
    const basic = { authorization: `Basic ${Buffer.from('reader:secret').toString('base64')}` };

    it('challenges, hands out a token for the scope and then serves', async () => {
      const registry = await start({ auth });
      put(registry, { a: 1 }, 'v1');
      const url = `${registry.url}/v2/team/model/manifests/v1`;
      const refused = await fetch(url);
      assert.equal(refused.status, 401);
      assert.equal(
        refused.headers.get('www-authenticate'),
        `Bearer realm="${registry.url}/token",service="${registry.address}",scope="repository:team/model:pull"`,
      );
      const tokenUrl = `${registry.url}/token?service=x&scope=repository:team/model:pull`;
      const { token } = (await (await fetch(tokenUrl, { headers: basic })).json()) as Token;
      const headers = { authorization: `Bearer ${token}` };
      assert.equal((await fetch(url, { headers })).status, 200);
      assert.equal((await fetch(`${registry.url}/v2/other/manifests/v1`, { headers })).status, 401);
      assert.equal((await fetch(`${registry.url}/v2/`, { headers })).status, 200);
    });

    it('refuses a token to wrong credentials, and content to Basic alone', async () => {
      const registry = await start({ auth });
      const wrong = { authorization: 'Basic d3Jvbmc6d3Jvbmc=' };
      assert.equal((await fetch(`${registry.url}/token`, { headers: wrong })).status, 401);
      assert.equal((await fetch(`${registry.url}/token`)).status, 401);
      assert.equal((await fetch(`${registry.url}/v2/`, { headers: basic })).status, 401);
    });
  });

  describe('with a fault', () => {
    it('replaces status, headers and body', async () => {
      const registry = await start();
      registry.setFault(({ path }) =>
        path.includes('manifests')
          ? { status: 429, headers: { 'retry-after': '1' }, body: 'slow' }
          : undefined,
      );
      const response = await fetch(`${registry.url}/v2/team/model/manifests/v1`);
      assert.equal(response.status, 429);
      assert.equal(response.headers.get('retry-after'), '1');
      assert.equal(await response.text(), 'slow');
      assert.equal((await fetch(`${registry.url}/v2/`)).status, 200);
      registry.setFault(undefined);
      assert.equal((await fetch(`${registry.url}/v2/team/model/manifests/v1`)).status, 404);
    });

    it('sends no content with a made-up status', async () => {
      const registry = await start();
      put(registry, { a: 1 }, 'v1');
      registry.setFault(() => ({ status: 503 }));
      const response = await fetch(`${registry.url}/v2/team/model/manifests/v1`);
      assert.equal(response.status, 503);
      assert.equal(await response.text(), '');
    });

    it('hangs until the client gives up', async () => {
      const registry = await start();
      registry.setFault(() => ({ hang: true }));
      await assert.rejects(fetch(`${registry.url}/v2/`, { signal: AbortSignal.timeout(50) }));
      assert.equal(registry.requests[0]?.status, 0);
    });

    it('ends hanging requests when it closes', async () => {
      const registry = await start();
      registry.setFault(() => ({ hang: true }));
      const failed = assert.rejects(fetch(`${registry.url}/v2/`));
      while (registry.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 2));
      await registry.close();
      await failed;
    });

    it('resets the connection', async () => {
      const registry = await start();
      registry.setFault(() => ({ reset: true }));
      await assert.rejects(fetch(`${registry.url}/v2/`));
    });

    it('resets the connection in the middle of the body', async () => {
      const registry = await start();
      put(registry, { long: 'x'.repeat(64) }, 'v1');
      registry.setFault(() => ({ reset: true, chunkDelayMs: 1 }));
      const response = await fetch(`${registry.url}/v2/team/model/manifests/v1`);
      assert.equal(response.status, 200);
      await assert.rejects(response.text());
    });

    it('delays the answer, and the pieces of the body', async () => {
      const registry = await start();
      put(registry, { long: 'x'.repeat(64) }, 'v1');
      registry.setFault(() => ({ delayMs: 20, chunkDelayMs: 5 }));
      const started = performance.now();
      const text = await (await fetch(`${registry.url}/v2/team/model/manifests/v1`)).text();
      assert.ok(performance.now() - started > 45);
      assert.equal(text.length, 75);
    });
  });
});

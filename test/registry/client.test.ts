// Is every byte that a registry sends bounded, hashed and named for what it is?
import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { createSecureServer, type ServerHttp2Stream } from 'node:http2';
import { createServer as createTlsServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { gzipSync } from 'node:zlib';
import { startRegistry, type Fault, type RegistryHandle } from '../../src/demo/registry.ts';
import { createServerCertificate } from '../../src/demo/server-certificate.ts';
import { DeadlineError } from '../../src/lib/deadline.ts';
import { MAX_MANIFEST_BYTES, type Descriptor } from '../../src/model/manifest.ts';
import { createRegistryClient, type RegistryClient } from '../../src/registry/client.ts';
import { RegistryError, type RegistryErrorKind } from '../../src/registry/error.ts';
import { createTransport, type TransportRequest } from '../../src/registry/transport.ts';
import { answer, REPOSITORY, soon, Stage, TLS, type BareServer } from './servers.ts';

const sha256 = (bytes: Buffer | string): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
const sha512 = (bytes: Buffer | string): string =>
  `sha512:${createHash('sha512').update(bytes).digest('hex')}`;
const blobOf = (bytes: Buffer | string, changes: Partial<Descriptor> = {}): Descriptor => ({
  mediaType: 'x/y',
  digest: sha256(bytes),
  size: Buffer.byteLength(bytes),
  annotations: {},
  ...changes,
});
const rejects = (promise: Promise<unknown>, kind: RegistryErrorKind, why = /./): Promise<void> =>
  assert.rejects(promise, (error) => {
    assert.ok(error instanceof RegistryError, String(error));
    assert.equal(error.kind, kind, error.message);
    assert.match(error.message, why);
    assert.match(error.message, /^[\x20-\x7e…]{1,600}$/);
    return true;
  });
const BODY = '{"schemaVersion":2}';

describe('createRegistryClient()', () => {
  const stage = new Stage();
  let registry: RegistryHandle;
  let client: RegistryClient;

  beforeEach(async () => {
    registry = await startRegistry();
    client = stage.client([registry.address]);
  });

  afterEach(async () => {
    await stage.end();
    await registry.close();
  });

  const name = (server: { address: string } = registry): { registry: string; repository: string } => ({
    registry: server.address,
    repository: REPOSITORY,
  });
  const put = (body: Buffer | string = BODY, ...tags: string[]): string =>
    registry.putManifest(
      REPOSITORY,
      Buffer.from(body),
      'application/vnd.oci.image.manifest.v1+json',
      ...tags,
    );
  const fail = (fault: Fault): void => registry.setFault(() => fault);
  const fetchFrom = (server: BareServer, target = 'v1', signal = soon()): Promise<string> =>
    stage
      .client([server.address])
      .fetchManifest(name(server), target, signal)
      .then(({ bytes }) => bytes.toString());

  describe('fetchManifest()', () => {
    it('resolves a tag by its bytes, and reads a digest', async () => {
      const digest = put(BODY, 'v1');
      for (const target of ['v1', digest]) {
        const found = await client.fetchManifest(name(), target, soon());
        assert.deepEqual([found.digest, found.bytes.toString()], [digest, BODY]);
      }
    });

    it('reads a sha512 digest', async () => {
      const server = await stage.serve((_, response) => answer(response, 200, {}, BODY));
      assert.equal(await fetchFrom(server, sha512(BODY)), BODY);
      await rejects(fetchFrom(server, sha512('other')), 'mismatch');
    });

    it('refuses bytes that do not hash to the digest, whatever the headers say', async () => {
      const digest = put();
      registry.replaceManifest(digest, Buffer.from('{"schemaVersion":2,"evil":true}'));
      await rejects(client.fetchManifest(name(), digest, soon()), 'mismatch', /hashes to sha256:/);
    });

    it('refuses a Docker-Content-Digest that lies about right bytes, by tag and by digest', async () => {
      const digest = put(BODY, 'v1');
      for (const lie of [sha256('other'), sha512('other')]) {
        fail({ headers: { 'docker-content-digest': lie } });
        await rejects(client.fetchManifest(name(), 'v1', soon()), 'mismatch', /Docker-Content-Digest/);
        await rejects(client.fetchManifest(name(), digest, soon()), 'mismatch', /Docker-Content-Digest/);
      }
    });

    it('never takes the digest of a tag from a header', async () => {
      put(BODY, 'v1');
      for (const header of ['', 'x', sha256(BODY).toUpperCase(), sha512(BODY)]) {
        fail({ headers: { 'docker-content-digest': header } });
        assert.equal((await client.fetchManifest(name(), 'v1', soon())).digest, sha256(BODY));
      }
    });

    const statuses: readonly (readonly [number, RegistryErrorKind])[] = [
      [401, 'unauthorized'],
      [403, 'unauthorized'],
      [404, 'notFound'],
      [429, 'throttled'],
      [400, 'unreachable'],
      [405, 'unreachable'],
      [201, 'unreachable'],
      [204, 'unreachable'],
      [206, 'unreachable'],
      [304, 'unreachable'],
      [500, 'unreachable'],
      [502, 'unreachable'],
      [503, 'unreachable'],
    ];
    for (const [status, kind] of statuses) {
      it(`calls ${status} ${kind}`, async () => {
        put(BODY, 'v1');
        fail({ status });
        await rejects(client.fetchManifest(name(), 'v1', soon()), kind);
        assert.equal(registry.requests.length, 1);
      });
    }

    it('sends no method but GET, no Authorization and no wish for compression', async () => {
      const server = await stage.serve((_, response) => answer(response, 200, {}, BODY));
      await fetchFrom(server);
      const [seen] = server.seen;
      assert.equal(seen?.authorization, undefined);
      assert.equal(seen?.headers['accept-encoding'], undefined);
      assert.match(seen?.headers.accept ?? '', /oci\.image\.manifest/);
      assert.equal(seen?.headers['user-agent'], 'model-policy-controller');
    });

    it('says unreachable when nobody listens, and when the name does not resolve', async () => {
      await registry.close();
      await rejects(client.fetchManifest(name(), 'v1', soon()), 'unreachable');
      const unknown = { registry: 'no-such-host.invalid', repository: 'x' };
      await rejects(stage.client([]).fetchManifest(unknown, 'v1', soon()), 'unreachable');
    });
  });

  describe('fetchBlob()', () => {
    const limit = (maxBytes = 1000, signal = soon()): { maxBytes: number; signal: AbortSignal } => ({
      maxBytes,
      signal,
    });

    it('reads exactly the bytes of the descriptor', async () => {
      registry.putBlob(Buffer.from('bundle'));
      assert.equal((await client.fetchBlob(name(), blobOf('bundle'), limit())).toString(), 'bundle');
      registry.putBlob(Buffer.alloc(0));
      assert.equal((await client.fetchBlob(name(), blobOf(''), limit())).length, 0);
    });

    it('asks for nothing that is said to be too large', async () => {
      await rejects(client.fetchBlob(name(), blobOf('bundle'), limit(5)), 'tooLarge', /6 bytes exceeds 5/);
      assert.equal(registry.requests.length, 0);
    });

    it('reads a blob that is smaller than the challenge and the redirect before it', async () => {
      const text = 'x'.repeat(2000);
      const server = await stage.serve(({ url = '', headers }, response) => {
        if (headers.authorization === undefined)
          answer(response, 401, { 'www-authenticate': 'Basic realm="x"' }, text);
        else if (url === '/found') answer(response, 200, {}, 'bundle');
        else answer(response, 307, { location: '/found' }, text);
      });
      const keychain = new Map([[server.address, { username: 'u', password: 'p' }]]);
      const small = stage.client([server.address], keychain);
      assert.equal((await small.fetchBlob(name(server), blobOf('bundle'), limit())).toString(), 'bundle');
      const gone = await stage.serve((_, response) => answer(response, 404, {}, text));
      await rejects(
        stage.client([gone.address]).fetchBlob(name(gone), blobOf('bundle'), limit()),
        'notFound',
      );
    });

    it('refuses other bytes of the same length, and right bytes of another length', async () => {
      const { digest } = registry.putBlob(Buffer.from('bundle'));
      await rejects(client.fetchBlob(name(), blobOf('bundle', { size: 7 }), limit()), 'mismatch');
      registry.replaceBlob(digest, Buffer.from('Bundle'));
      await rejects(client.fetchBlob(name(), blobOf('bundle'), limit()), 'mismatch');
      registry.replaceBlob(digest, Buffer.from('bundles'));
      await rejects(client.fetchBlob(name(), blobOf('bundle'), limit()), 'mismatch');
      registry.replaceBlob(digest, Buffer.from('bun'));
      await rejects(client.fetchBlob(name(), blobOf('bundle'), limit()), 'mismatch');
    });

    it('follows a redirect to another host without credentials, and hashes what comes from there', async () => {
      let body = 'bundle';
      const storage = await stage.serve((_, response) => answer(response, 200, {}, body));
      const server = await stage.serve(({ headers }, response) =>
        headers.authorization === undefined
          ? answer(response, 401, { 'www-authenticate': 'Basic realm="x"' })
          : answer(response, 307, { location: `${storage.url}/store?sig=x` }),
      );
      const keychain = new Map(
        [server, storage].map(({ address }) => [address, { username: 'u', password: 'p' }]),
      );
      const redirected = stage.client([server.address, storage.address], keychain);
      assert.equal(
        (await redirected.fetchBlob(name(server), blobOf('bundle'), limit())).toString(),
        'bundle',
      );
      assert.deepEqual(
        storage.seen.map(({ path, authorization }) => [path, authorization]),
        [['/store?sig=x', undefined]],
      );
      assert.match(server.seen.at(-1)?.authorization ?? '', /^Basic /);
      body = 'Bundle';
      await rejects(redirected.fetchBlob(name(server), blobOf('bundle'), limit()), 'mismatch');
    });
  });

  describe('redirects', () => {
    const redirecting = (location: string, status = 307): Promise<BareServer> =>
      stage.serve((_, response) => answer(response, status, { location }));

    it('are followed at most three times, also in a circle', async () => {
      const server = await redirecting('/v2/again');
      await rejects(fetchFrom(server), 'unreachable', /more than 3 redirects/);
      assert.equal(server.seen.length, 4);
      const pair: BareServer[] = [];
      for (const other of [1, 0])
        pair.push(
          await stage.serve((_, response) => answer(response, 302, { location: `${pair[other]?.url}/x` })),
        );
      const [first, second] = pair;
      assert.ok(first && second);
      const both = stage.client([first.address, second.address]);
      await rejects(both.fetchManifest(name(first), 'v1', soon()), 'unreachable', /redirects/);
      assert.equal(first.seen.length + second.seen.length, 4);
    });

    for (const status of [301, 302, 303, 307, 308]) {
      it(`are followed with ${status} when they are relative`, async () => {
        const server = await stage.serve(({ url = '' }, response) =>
          url === '/found'
            ? answer(response, 200, {}, BODY)
            : answer(response, status, { location: '/found' }),
        );
        assert.equal(await fetchFrom(server), BODY);
      });
    }

    const refused = [
      'http://reg.example/x',
      'ftp://reg.example/x',
      'file:///etc/passwd',
      'http://[',
      'https://u:p@reg.example/',
      'data:,x',
      'https://169.254.169.254/latest',
      'https://127.0.0.1:1/',
      'https://2130706433/',
      'https://[::ffff:127.0.0.1]/',
      'https://localhost:1/',
      '//127.0.0.1/x',
    ];
    for (const location of refused) {
      it(`are refused to ${location}`, async () => {
        const server = await redirecting(location);
        await rejects(fetchFrom(server), 'unreachable');
        assert.equal(server.seen.length, 1);
      });
    }

    it('are no redirects without a location, or with one and another status', async () => {
      const server = await stage.serve((_, response) => answer(response, 302));
      await rejects(fetchFrom(server), 'unreachable', /answered 302/);
      const created = await redirecting('/x', 201);
      await rejects(fetchFrom(created), 'unreachable', /answered 201/);
    });

    for (const location of [
      'http://minio.example/b/x?X-Amz-Signature=hunter2',
      'https://jane:hunter2@reg.example/x',
      '//jane:hunter2@reg.example/x',
      'https://jane:hunter2@[/x',
    ])
      it(`are refused without saying what opens ${location}`, async () => {
        const server = await redirecting(location);
        await rejects(fetchFrom(server), 'unreachable', /^(?!.*hunter2).*redirects to/);
      });

    it('quote a hostile location harmlessly', async () => {
      const server = await redirecting(`gopher://${'x'.repeat(5000)}\u00ff"`);
      await rejects(fetchFrom(server), 'unreachable', /5\d\d\d chars/);
    });
  });

  describe('throttling', () => {
    for (const status of [429, 503]) {
      it(`is waited out with ${status} and Retry-After`, async () => {
        let tries = 0;
        const server = await stage.serve((_, response) => {
          tries += 1;
          if (tries < 3) answer(response, status, { 'retry-after': '0' });
          else answer(response, 200, {}, BODY);
        });
        assert.equal(await fetchFrom(server), BODY);
      });

      it(`is told after two further tries with ${status}`, async () => {
        const server = await stage.serve((_, response) => answer(response, status, { 'retry-after': '0' }));
        await rejects(fetchFrom(server), 'throttled', new RegExp(String(status)));
        assert.equal(server.seen.length, 3);
      });

      it(`ends with the deadline, not with the registry's wish, with ${status}`, async () => {
        const server = await stage.serve((_, response) => answer(response, status, { 'retry-after': '2' }));
        await assert.rejects(fetchFrom(server, 'v1', soon(100)), DeadlineError);
        assert.equal(server.seen.length, 1);
      });
    }

    it('is waited out until a date', async () => {
      const server: BareServer = await stage.serve((_, response) => {
        const wish = new Date().toUTCString();
        if (server.seen.length < 2) answer(response, 429, { 'retry-after': wish });
        else answer(response, 200, {}, BODY);
      });
      assert.equal(await fetchFrom(server), BODY);
    });

    for (const wish of [
      'Xxx, 99 Xxx 2026 99:99:99 GMT',
      '3',
      '6',
      '99999',
      '-1',
      'Wed, 21 Oct 2099 07:28:00 GMT',
      '1e1',
      ' ',
      '0x1',
    ]) {
      it(`is not waited out for ${JSON.stringify(wish)}`, async () => {
        const server = await stage.serve((_, response) => answer(response, 429, { 'retry-after': wish }));
        await rejects(fetchFrom(server), 'throttled');
        assert.equal(server.seen.length, 1);
      });
    }

    it('is no reason to try again after another status', async () => {
      const server = await stage.serve((_, response) => answer(response, 500, { 'retry-after': '0' }));
      await rejects(fetchFrom(server), 'unreachable');
      assert.equal(server.seen.length, 1);
    });
  });

  describe('bodies', () => {
    // Kernel buffers of both ends may hold some megabytes more than was read.
    const SLACK_BYTES = 16 * 1024 * 1024;

    async function endless(
      headers: Record<string, string> = {},
    ): Promise<{ server: BareServer; sent: () => number; closed: Promise<void> }> {
      let sent = 0;
      let closed: () => void = () => undefined;
      const chunk = Buffer.alloc(64 * 1024, 0x20);
      const end = new Promise<void>((resolve) => (closed = resolve));
      const server = await stage.serve((_, response) => {
        response.writeHead(200, headers);
        response.on('close', closed);
        const write = (): void => {
          while (sent < 1e9 && !response.destroyed) {
            sent += chunk.length;
            if (!response.write(chunk)) {
              response.once('drain', write);
              return;
            }
          }
          response.end();
        };
        write();
      });
      return { server, sent: () => sent, closed: end };
    }

    it('of a gigabyte are cut at the cap, and the connection with them', async () => {
      const { server, sent, closed } = await endless();
      await rejects(fetchFrom(server), 'tooLarge', /larger than 4194304 bytes/);
      await closed;
      assert.ok(sent() < MAX_MANIFEST_BYTES + SLACK_BYTES, String(sent()));
    });

    it('of a gigabyte are cut where a small blob was described', async () => {
      const { server, sent, closed } = await endless({ 'content-length': '1000000000' });
      const small = stage.client([server.address]);
      await rejects(
        small.fetchBlob(name(server), blobOf('bundle'), { maxBytes: 1000, signal: soon() }),
        'tooLarge',
      );
      await closed;
      assert.ok(sent() < SLACK_BYTES, String(sent()));
    });

    it('of errors and challenges are capped too', async () => {
      for (const status of [401, 404, 500]) {
        const server = await stage.serve((_, response) =>
          answer(response, status, {}, Buffer.alloc(MAX_MANIFEST_BYTES + 1)),
        );
        await rejects(fetchFrom(server), 'tooLarge');
      }
    });

    it('with a content encoding are never unpacked', async () => {
      const bomb = gzipSync(Buffer.alloc(8 * 1024 * 1024, 0x20));
      const server = await stage.serve((_, response) =>
        answer(response, 200, { 'content-encoding': 'gzip' }, bomb),
      );
      const found = await stage.client([server.address]).fetchManifest(name(server), 'v1', soon());
      assert.ok(found.bytes.equals(bomb));
      assert.equal(found.digest, sha256(bomb));
    });

    it('that come one byte at a time end with the deadline, and so does the connection', async () => {
      let closed: () => void = () => undefined;
      const end = new Promise<void>((resolve) => (closed = resolve));
      const server = await stage.serve((_, response) => {
        response.writeHead(200);
        const timer = setInterval(() => response.write(' '), 5);
        response.on('close', () => {
          clearInterval(timer);
          closed();
        });
      });
      await assert.rejects(fetchFrom(server, 'v1', soon(100)), DeadlineError);
      await end;
    });

    it('that never come end with the deadline: no headers, no body, no answer to the connection', async () => {
      const silent = await stage.serve(() => undefined);
      const started = await stage.serve((_, response) => {
        response.writeHead(200, { 'content-length': '10' });
        response.write('x');
      });
      for (const server of [silent, started])
        await assert.rejects(fetchFrom(server, 'v1', soon(100)), DeadlineError);
      await assert.rejects(fetchFrom(silent, 'v1', AbortSignal.abort()), DeadlineError);
    });

    it('that end early, by reset or by a missing rest, are unreachable', async () => {
      put(BODY, 'v1');
      for (const fault of [{ reset: true }, { reset: true, chunkDelayMs: 1 }]) {
        fail(fault);
        await rejects(client.fetchManifest(name(), 'v1', soon()), 'unreachable');
      }
      const short = await stage.serve(({ socket }) =>
        socket.end('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc'),
      );
      await rejects(fetchFrom(short), 'unreachable');
      const chunked = await stage.serve(({ socket }) =>
        socket.end('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nabc'),
      );
      await rejects(fetchFrom(chunked), 'unreachable');
    });

    for (const raw of [
      '',
      'nonsense\r\n\r\n',
      'HTTP/1.1 999999 x\r\n\r\n',
      'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab',
      'HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n',
      `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(100_000)}\r\n\r\n`,
    ]) {
      it(`after ${JSON.stringify(raw.slice(0, 40))} are unreachable`, async () => {
        const server = await stage.serve(({ socket }) => socket.end(raw));
        await rejects(fetchFrom(server), 'unreachable');
      });
    }

    it('leave the connections to others when they fail', async () => {
      put(BODY, 'v1');
      registry.setFault(({ path }) => (path.endsWith('/slow') ? { hang: true } : undefined));
      const slow = Array.from({ length: 40 }, () => client.fetchManifest(name(), 'slow', soon(150)));
      await Promise.all(slow.map((promise) => assert.rejects(promise, DeadlineError)));
      assert.equal((await client.fetchManifest(name(), 'v1', soon())).digest, sha256(BODY));
    });
  });

  describe('over TLS', () => {
    it('works with the authority that was given', async () => {
      const server = await stage.serve((_, response) => answer(response, 200, {}, BODY), { isTls: true });
      const found = await stage.tlsClient([server.address]).fetchManifest(name(server), 'v1', soon());
      assert.equal(found.bytes.toString(), BODY);
    });

    it('says unreachable with another authority, with none, and for another host name', async () => {
      const server = await stage.serve((_, response) => answer(response, 200, {}, BODY), { isTls: true });
      const configuredHosts = new Set([server.address]);
      for (const caPem of [createServerCertificate().ca, undefined]) {
        const transport = stage.transport({ configuredHosts, ...(caPem === undefined ? {} : { caPem }) });
        const stranger = createRegistryClient(transport, new Map());
        await rejects(stranger.fetchManifest(name(server), 'v1', soon()), 'unreachable', /certificate/);
      }
      const alias = `127.0.0.2:${server.address.split(':')[1]}`;
      await rejects(
        stage.tlsClient([alias]).fetchManifest(name({ address: alias }), 'v1', soon()),
        'unreachable',
      );
      assert.equal(server.seen.length, 0);
    });

    it('is not given up for plain HTTP, and plain HTTP is not spoken by itself', async () => {
      const plain = await stage.serve((_, response) => answer(response, 200, {}, BODY));
      await rejects(stage.tlsClient([plain.address]).fetchManifest(name(plain), 'v1', soon()), 'unreachable');
      assert.equal(plain.seen.length, 0);
    });

    it('bounds bodies and time over HTTP/2 too', async () => {
      let mode: 'fine' | 'endless' | 'silent' | 'goaway' = 'fine';
      const server = createSecureServer({ key: TLS.key, cert: TLS.cert, allowHTTP1: true });
      const sessions = new Set<{ destroy(): void }>();
      server.on('session', (session) => sessions.add(session));
      server.on('stream', (stream: ServerHttp2Stream) => {
        stream.on('error', () => undefined);
        if (mode === 'silent') return;
        if (mode === 'goaway') {
          stream.session?.goaway(1);
          stream.session?.destroy();
          return;
        }
        stream.respond({ ':status': 200 });
        if (mode === 'fine') stream.end(BODY);
        else stream.end(Buffer.alloc(MAX_MANIFEST_BYTES + 1));
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      try {
        const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
        const fetch = (signal = soon()): Promise<unknown> =>
          stage.tlsClient([address]).fetchManifest(name({ address }), 'v1', signal);
        await fetch();
        mode = 'endless';
        await rejects(fetch(), 'tooLarge');
        mode = 'silent';
        await assert.rejects(fetch(soon(100)), DeadlineError);
        mode = 'goaway';
        await rejects(fetch(), 'unreachable');
      } finally {
        for (const session of sessions) session.destroy();
        server.close();
      }
    });
  });
});

describe('createTransport()', () => {
  const stage = new Stage();
  const servers: Server[] = [];
  afterEach(async () => {
    await stage.end();
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      server.close();
    }
  });

  it('tells the observer every status, and error where there was none', async () => {
    const seen: string[] = [];
    const server = await stage.serve(({ url }, response) =>
      url === '/ok' ? answer(response, 204) : response.destroy(),
    );
    const transport = stage.transport({
      plainHttpHosts: new Set([server.address]),
      observe: (status) => seen.push(status),
    });
    const request = (path: string): TransportRequest => ({
      url: new URL(path, server.url),
      headers: {},
      maxBytes: 9,
      signal: soon(),
    });
    await transport.send(request('/ok'));
    await assert.rejects(transport.send(request('/no')), RegistryError);
    assert.deepEqual(seen, ['204', 'error']);
  });

  it('takes the first of repeated headers, in lower case', async () => {
    const server = await stage.serve((_, response) =>
      answer(response, 200, { 'X-A': ['1', '2'], 'Docker-Content-Digest': ['a', 'b'] }),
    );
    const transport = stage.transport({ plainHttpHosts: new Set([server.address]) });
    const { headers } = await transport.send({
      url: new URL(server.url),
      headers: {},
      maxBytes: 9,
      signal: soon(),
    });
    assert.equal(headers['docker-content-digest'], 'a');
    assert.ok(headers['x-a']?.startsWith('1'));
  });

  it('accepts a body of exactly the cap', async () => {
    const server = await stage.serve((_, response) => answer(response, 200, {}, 'x'.repeat(9)));
    const transport = stage.transport({ plainHttpHosts: new Set([server.address]) });
    const send = (maxBytes: number): Promise<unknown> =>
      transport.send({ url: new URL(server.url), headers: {}, maxBytes, signal: soon() });
    await send(9);
    await rejects(send(8), 'tooLarge');
  });

  it('tries once more when a kept connection is closed as it is used again', async () => {
    let answered = 0;
    const server = await stage.serve((request, response) => {
      answered += 1;
      if (answered === 2) request.socket.destroy();
      else answer(response, 200, {}, 'x');
    });
    const transport = stage.transport({ plainHttpHosts: new Set([server.address]) });
    const send = async (): Promise<string> =>
      (
        await transport.send({ url: new URL(server.url), headers: {}, maxBytes: 9, signal: soon() })
      ).body.toString();
    assert.deepEqual([await send(), await send()], ['x', 'x']);
    assert.equal(answered, 3);
  });

  it('says who was asked for what, without the query', async () => {
    const server = await stage.serve(({ socket }) => socket.destroy());
    const transport = stage.transport({ plainHttpHosts: new Set([server.address]) });
    const url = new URL('/v2/team/model/blobs/x?signature=secret', server.url);
    await assert.rejects(
      transport.send({ url, headers: {}, maxBytes: 9, signal: soon() }),
      (error) =>
        error instanceof RegistryError &&
        error.message.startsWith(`"${server.address}/v2/team/model/blobs/x" could not be asked: `) &&
        !error.message.includes('secret'),
    );
  });

  it('shows a client certificate to the one host that it is for', async () => {
    const named: string[] = [];
    const certificate = createServerCertificate();
    const start = async (): Promise<string> => {
      const server = createTlsServer(
        { ...TLS, ca: certificate.ca, requestCert: true, rejectUnauthorized: false },
        ({ socket }, response) => {
          named.push((socket as TLSSocket).getPeerCertificate().fingerprint256);
          response.end('x');
        },
      );
      servers.push(server);
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return `127.0.0.1:${(server.address() as AddressInfo).port}`;
    };
    const hosts = [await start(), await start()];
    const transport = stage.transport({
      configuredHosts: new Set(hosts),
      tlsByHost: new Map([
        [hosts[0] ?? '', { caPem: TLS.ca, certPem: certificate.cert, keyPem: certificate.key }],
      ]),
    });
    const send = (host = ''): Promise<unknown> =>
      transport.send({ url: new URL(`https://${host}/`), headers: {}, maxBytes: 9, signal: soon() });
    await send(hosts[0]);
    // The authority of one host is none for another.
    await rejects(send(hosts[1]), 'unreachable', /certificate/);
    assert.deepEqual(named, [new X509Certificate(certificate.cert).fingerprint256]);
  });

  it('sends nothing more once it is closed', async () => {
    const server = await stage.serve((_, response) => answer(response, 200));
    const hosts = { plainHttpHosts: new Set([server.address]), configuredHosts: new Set<string>() };
    const transport = createTransport(hosts, []);
    const send = (): Promise<unknown> =>
      transport.send({ url: new URL(server.url), headers: {}, maxBytes: 9, signal: soon() });
    await send();
    await transport.close();
    await rejects(send(), 'unreachable');
  });
});

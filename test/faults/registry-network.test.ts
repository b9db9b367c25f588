// Does a broken network or registry deny for what it is, in time, and is it forgotten when it is mended? Faults 28 to 31.
import assert from 'node:assert/strict';
import { createSecureServer, type ServerHttp2Stream } from 'node:http2';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import type { OptionValues } from '../../src/config.ts';
import { startRegistry, type Fault, type RegistryHandle } from '../../src/demo/registry.ts';
import { createServerCertificate } from '../../src/demo/server-certificate.ts';
import { MAX_RETRIES } from '../../src/registry/exchange.ts';
import {
  pushModel,
  pushSigned,
  requestsOf,
  startController,
  teamPolicy,
  type Controller,
} from '../support/controller.ts';
import { expectAllowed, expectDenied, sumOf } from '../support/expect.ts';
import { reviewOf, volumePod } from '../support/review.ts';
import { ScratchFiles } from '../support/scratch-files.ts';

const DIGEST = `sha256:${'0'.repeat(64)}`;
const SOON = { path: '/validate?timeout=2s' };
/** Manifest, referrers and signature tag. */
const FIRST_ROUND = 3;

describe('faults of the network', () => {
  const files = new ScratchFiles();
  let registry: RegistryHandle;
  let controller: Controller;

  beforeEach(async () => {
    registry = await startRegistry();
    controller = await startController({ registry });
  });
  afterEach(async () => {
    await controller.stop();
    await registry.close();
    files.remove();
  });

  const requestCount = async (status: string): Promise<number> =>
    sumOf(await controller.metrics(), 'model_policy_registry_requests_total', { status });

  for (const status of [429, 503]) {
    it(`28: ${status} with Retry-After is tried again a few times, then denied as RegistryThrottled`, async () => {
      const model = pushSigned(registry);
      registry.setFault(() => ({ status, headers: { 'retry-after': '0' } }));
      await expectDenied(controller, reviewOf(volumePod(model.reference)), {
        code: 503,
        reasons: ['RegistryThrottled'],
      });
      assert.ok(requestsOf(registry, model).length <= FIRST_ROUND * (1 + MAX_RETRIES));
      // The decision does not wait for tries that can no longer change it.
      const counted = await requestCount(String(status));
      assert.ok(counted >= 1 + MAX_RETRIES && counted <= requestsOf(registry, model).length, `${counted}`);
      registry.setFault(undefined);
      await expectAllowed(controller, reviewOf(volumePod(model.reference)));
    });

    it(`28: ${status} that is over after one wait is admitted`, async () => {
      const model = pushSigned(registry);
      const seen = new Set<string>();
      registry.setFault(({ path }) => {
        if (seen.has(path)) return undefined;
        seen.add(path);
        return { status, headers: { 'retry-after': '0' } };
      });
      await expectAllowed(controller, reviewOf(volumePod(model.reference)));
    });

    it(`28: ${status} that asks for a long wait is not waited out`, async () => {
      const model = pushSigned(registry);
      registry.setFault(() => ({ status, headers: { 'retry-after': '3600' } }));
      await expectDenied(controller, reviewOf(volumePod(model.reference)), {
        code: 503,
        reasons: ['RegistryThrottled'],
      });
      assert.ok(requestsOf(registry, model).length <= FIRST_ROUND);
    });
  }

  it('28: the wait ends with the request, whatever the registry wishes', async () => {
    const model = pushSigned(registry);
    registry.setFault(() => ({ status: 429, headers: { 'retry-after': '2' } }));
    await expectDenied(
      controller,
      reviewOf(volumePod(model.reference)),
      { code: 503, reasons: ['DeadlineExceeded'] },
      { path: '/validate?timeout=1s' },
    );
  });

  /** A server that does with connections what it is told, and says when the first one is closed. */
  async function listen(onSocket: (socket: Socket) => void): Promise<{
    address: string;
    closed: Promise<void>;
    close(): void;
  }> {
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        resolve();
      });
      onSocket(socket);
    });
    await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
    const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    return {
      address,
      closed,
      close() {
        for (const socket of sockets) socket.destroy();
        server.close();
      },
    };
  }

  async function judgeAt(
    address: string,
    access: OptionValues = { 'plain-http': [address] },
  ): Promise<Controller> {
    const policies = { all: teamPolicy(registry, { models: [{ glob: `${address}/**` }] }) };
    return startController({ registry, policies, access });
  }

  const slow: readonly (readonly [string, (socket: Socket) => void])[] = [
    ['accepts and says nothing', (socket) => socket.resume()],
    [
      'sends a body of one byte a second',
      (socket) => {
        socket.resume();
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n');
        const timer = setInterval(() => socket.write('x'), 1000);
        socket.on('close', () => clearInterval(timer));
      },
    ],
    [
      'sends headers of one byte a second',
      (socket) => {
        socket.resume();
        socket.write('HTTP/1.1 200 OK\r\nx: ');
        const timer = setInterval(() => socket.write('x'), 1000);
        socket.on('close', () => clearInterval(timer));
      },
    ],
  ];
  for (const [what, onSocket] of slow) {
    it(`29: a registry that ${what} is denied before the API server gives up, and its connection is closed`, async () => {
      const server = await listen(onSocket);
      const judge = await judgeAt(server.address);
      try {
        // Were the denial not ours and in time, the controller would still be answering when the socket closes.
        let isAnswered = false;
        const denied = expectDenied(
          judge,
          reviewOf(volumePod(`${server.address}/m@${DIGEST}`)),
          { code: 503, reasons: ['DeadlineExceeded'] },
          SOON,
        ).then(() => (isAnswered = true));
        await server.closed;
        assert.ok(isAnswered, 'the connection was closed first');
        await denied;
      } finally {
        await judge.stop();
        server.close();
      }
    });
  }

  const withAuthority = (host: string, ca: string): OptionValues => ({
    registries: files.writeRegistries([{ host, caFile: 'ca.pem' }], { 'ca.pem': ca }),
  });

  const isUnavailable = async (judge: Controller, address: string, why: RegExp): Promise<void> => {
    const { message } = await expectDenied(judge, reviewOf(volumePod(`${address}/m@${DIGEST}`)), {
      code: 503,
      reasons: ['RegistryUnavailable'],
    });
    assert.match(message, why);
    assert.ok(message.includes(address), message);
    assert.doesNotMatch(message, /SignatureMissing/);
  };

  it('30: a name that does not resolve is RegistryUnavailable', async () => {
    const judge = await judgeAt('no-such-registry.invalid', {});
    await isUnavailable(judge, 'no-such-registry.invalid', /ENOTFOUND|EAI_AGAIN/);
    await judge.stop();
  });

  it('30: a certificate that is expired, foreign, or for another name is RegistryUnavailable', async () => {
    const certificates: readonly (readonly [ReturnType<typeof createServerCertificate>, string, RegExp])[] = [
      [createServerCertificate(), createServerCertificate().ca, /certificate/],
      [createServerCertificate(['other.test']), '', /certificate|altnames/i],
      [createServerCertificate(['127.0.0.1'], { notAfter: new Date('2020-01-02') }), '', /expired/],
    ];
    for (const [tls, ca, why] of certificates) {
      const secure = await startRegistry({ tls });
      const judge = await judgeAt(secure.address, withAuthority(secure.address, ca === '' ? tls.ca : ca));
      await isUnavailable(judge, secure.address, why);
      assert.equal(secure.requests.length, 0);
      await judge.stop();
      await secure.close();
    }
  });

  const broken: readonly (readonly [string, Fault])[] = [
    ['resets the connection', { reset: true }],
    ['resets it in the middle of the body', { reset: true, chunkDelayMs: 1 }],
    [
      'promises more than it sends',
      { headers: { 'content-length': '100000' }, reset: true, chunkDelayMs: 1 },
    ],
    ['fails', { status: 500 }],
    ['is being restarted', { status: 502 }],
  ];
  for (const [what, fault] of broken) {
    for (const part of ['/manifests/', '/referrers/', '/blobs/']) {
      it(`30: a registry that ${what} at ${part} is RegistryUnavailable, never unsigned, and not remembered`, async () => {
        const model = pushSigned(registry);
        registry.setFault(({ path }) => (path.includes(part) ? fault : undefined));
        await expectDenied(controller, reviewOf(volumePod(model.reference)), {
          code: 503,
          reasons: ['RegistryUnavailable'],
        });
        registry.setFault(undefined);
        await expectAllowed(controller, reviewOf(volumePod(model.reference)));
      });
    }
  }

  it('30: HTTP/2 that says goodbye in the middle of an answer is RegistryUnavailable', async () => {
    const tls = createServerCertificate();
    const server = createSecureServer({ key: tls.key, cert: tls.cert });
    let streams = 0;
    server.on('stream', (stream: ServerHttp2Stream) => {
      streams += 1;
      stream.on('error', () => undefined);
      stream.respond({ ':status': 200, 'content-length': '100' });
      stream.write('{', () => {
        stream.session?.goaway(0);
        stream.session?.destroy();
      });
    });
    await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
    const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const judge = await judgeAt(address, withAuthority(address, tls.ca));
    await isUnavailable(judge, address, /./);
    assert.ok(streams >= 1);
    await judge.stop();
    server.close();
  });

  const withoutApi: readonly (readonly [string, Fault])[] = [
    ['404', { status: 404 }],
    ['405', { status: 405 }],
    ['a web page', { headers: { 'content-type': 'text/html' }, body: '<html>log in</html>' }],
    ['another content type', { headers: { 'content-type': 'application/json' } }],
    ['a redirect to a web page', { status: 302, headers: { location: 'https://pages.test/referrers' } }],
  ];
  for (const [what, fault] of withoutApi) {
    it(`31: referrers that are ${what} are looked for under the tag: unsigned there is unsigned`, async () => {
      const old = await startRegistry({ referrersApi: false });
      const judge = await startController({ registry: old });
      const [signed, unsigned] = [pushSigned(old), pushModel(old)];
      old.setFault(({ path }) => (path.includes('/referrers/') ? fault : undefined));
      await expectAllowed(judge, reviewOf(volumePod(signed.reference)));
      await expectDenied(judge, reviewOf(volumePod(unsigned.reference)), {
        code: 403,
        reasons: ['SignatureMissing'],
      });
      await judge.stop();
      await old.close();
    });
  }

  const junk: readonly (readonly [string, Fault, 403 | 503, string])[] = [
    ['an index that is none', { body: '<html>' }, 403, 'ManifestInvalid'],
    ['a manifest', { body: '{"schemaVersion":2,"config":{},"layers":[]}' }, 403, 'ManifestInvalid'],
    ['401', { status: 401 }, 503, 'RegistryUnauthorized'],
    ['403', { status: 403 }, 503, 'RegistryUnauthorized'],
  ];
  for (const [what, fault, code, reason] of junk) {
    it(`31: referrers that are ${what} are ${reason}, and never unsigned`, async () => {
      const model = pushSigned(registry);
      registry.setFault(({ path }) => (path.includes('/referrers/') ? fault : undefined));
      await expectDenied(controller, reviewOf(volumePod(model.reference)), { code, reasons: [reason] });
    });
  }
});

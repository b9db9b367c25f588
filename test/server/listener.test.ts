// Does the listening side keep its promises to bad clients and at its end? Real sockets, real TLS.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:https';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as tlsConnect, type TLSSocket } from 'node:tls';
import express, { type Express } from 'express';
import { createIdentity } from './identity.ts';
import { createServerCertificate } from '../../src/demo/server-certificate.ts';
import {
  listen,
  ListenError,
  MAX_CONNECTIONS,
  type Listener,
  type TlsMaterial,
} from '../../src/server/listener.ts';
import { post } from '../support/https-client.ts';
import { until } from '../support/until.ts';

const TLS = createServerCertificate();
const QUESTION = 'GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n';
const LOOPBACK = { host: '127.0.0.1', port: 0 };

describe('listen()', () => {
  const running: Listener[] = [];
  let arrived: (() => void) | undefined;
  let release: (() => void) | undefined;

  function createApp(): Express {
    const app = express();
    app.post('/slow', async (_request, response) => {
      arrived?.();
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      response.send('slow');
    });
    app.use((_request, response) => void response.send('ok'));
    return app;
  }

  async function start(tls: TlsMaterial = TLS): Promise<Listener> {
    const listener = await listen(createApp(), LOOPBACK, tls);
    running.push(listener);
    return listener;
  }

  afterEach(async () => {
    release?.();
    await Promise.all(running.splice(0).map((listener) => listener.drain(0)));
  });

  const portOf = ({ address }: Listener): number => Number(address.split(':').at(-1));
  const raw = async (listener: Listener): Promise<Socket> => {
    const socket = connect(portOf(listener), '127.0.0.1');
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    return socket;
  };
  const secure = async (listener: Listener, options: object = {}): Promise<TLSSocket> => {
    const socket = tlsConnect({ port: portOf(listener), host: '127.0.0.1', ca: TLS.ca, ...options });
    socket.on('error', () => undefined);
    await once(socket, 'secureConnect');
    return socket;
  };
  const ask = async (listener: Listener, ca = TLS.ca): Promise<string> =>
    (await post({ address: listener.address, ca }, 'x')).text;

  it('says where it listens', async () => {
    assert.match((await start()).address, /^127\.0\.0\.1:\d+$/);
    const six = await listen(createApp(), { host: '::1', port: 0 }).catch(() => undefined);
    if (six === undefined) return;
    running.push(six);
    assert.match(six.address, /^\[::1\]:\d+$/);
  });

  describe('on a port that it cannot have', () => {
    it('throws ListenError for a taken one', async () => {
      const server = createServer();
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      await assert.rejects(listen(createApp(), { host: '127.0.0.1', port }, TLS), (error: Error) => {
        assert.ok(error instanceof ListenError);
        assert.equal(
          error.message,
          `cannot listen on 127.0.0.1:${port}: the port is taken by another process`,
        );
        return true;
      });
      server.close();
    });

    it('throws ListenError for a host that is not here', async () => {
      await assert.rejects(listen(createApp(), { host: '192.0.2.1', port: 0 }), ListenError);
    });

    it('throws ListenError for a number that is no port', async () => {
      await assert.rejects(listen(createApp(), { host: '127.0.0.1', port: 99_999 }), ListenError);
    });
  });

  describe('with TLS', () => {
    it('speaks TLS 1.2 and 1.3, and nothing older', async () => {
      const listener = await start();
      for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
        const socket = await secure(listener, { minVersion: version, maxVersion: version });
        assert.equal(socket.getProtocol(), version);
        socket.destroy();
      }
      await assert.rejects(
        secure(listener, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }),
      );
    });

    it('drops what is no TLS, and serves on', async () => {
      const listener = await start();
      const socket = await raw(listener);
      socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
      socket.resume();
      await once(socket, 'close');
      assert.equal(await ask(listener), 'ok');
    });

    it('serves another certificate after setTls, old connections included in peace', async () => {
      const listener = await start();
      const old = await secure(listener);
      const next = createServerCertificate();
      listener.setTls(next);
      assert.equal(await ask(listener, next.ca), 'ok');
      await assert.rejects(ask(listener, TLS.ca));
      old.write('GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
      assert.match(String(await once(old, 'data')), /^HTTP\/1\.1 200/);
    });

    it('keeps its certificate when the next one cannot be used', async () => {
      const listener = await start();
      const other = createServerCertificate();
      for (const material of [
        { key: TLS.key, cert: 'no certificate' },
        { key: other.key, cert: TLS.cert },
        { key: '', cert: '' },
      ])
        assert.throws(() => listener.setTls(material), ListenError);
      assert.equal(await ask(listener), 'ok');
    });
  });

  describe('with a client CA', () => {
    const authority = createIdentity('client CA');
    const client = authority.issue('api-server');
    const stranger = createIdentity('client CA').issue('api-server');
    const askAs = async (listener: Listener, identity?: { key: string; cert: string }): Promise<string> =>
      (
        await post(
          { address: listener.address, ca: TLS.ca },
          'x',
          identity === undefined ? {} : { client: identity },
        )
      ).text;

    it('refuses clients without a certificate, or with another CA’s', async () => {
      const listener = await start({ ...TLS, clientCa: authority.ca });
      await assert.rejects(askAs(listener));
      await assert.rejects(askAs(listener, stranger));
      assert.equal(await askAs(listener, client), 'ok');
    });

    it('still does after the certificate was replaced', async () => {
      const listener = await start({ ...TLS, clientCa: authority.ca });
      listener.setTls({ ...TLS, clientCa: authority.ca });
      await assert.rejects(askAs(listener));
      await assert.rejects(askAs(listener, stranger));
      assert.equal(await askAs(listener, client), 'ok');
    });

    it('ends an open connection after its next answer when the CA is another one, not when the certificate is', async () => {
      const listener = await start({ ...TLS, clientCa: authority.ca });
      const socket = await secure(listener, client);
      const ended = once(socket, 'end');
      const askOn = async (): Promise<string> => {
        socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
        return String((await once(socket, 'data'))[0]);
      };
      listener.setTls({ ...TLS, clientCa: authority.ca });
      assert.match(await askOn(), /connection: keep-alive/i);
      listener.setTls({ ...TLS, clientCa: createIdentity('client CA').ca });
      assert.match(await askOn(), /connection: close/i);
      await ended;
    });

    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const)
      it(`resumes no session with ${maxVersion} of a client whose CA was taken out`, async () => {
        const listener = await start({ ...TLS, clientCa: authority.ca });
        let session: Buffer | undefined;
        const askAgain = async (): Promise<string> => {
          const options = { port: portOf(listener), host: '127.0.0.1', ca: TLS.ca, ...client, maxVersion };
          const socket = tlsConnect({ ...options, ...(session === undefined ? {} : { session }) });
          let how = '';
          socket.on('session', (ticket) => (session = ticket));
          socket.once('secureConnect', () => (how = socket.isSessionReused() ? 'resumed' : 'anew'));
          socket.write(QUESTION);
          return `${await text(socket)} ${how}`;
        };
        assert.match(await askAgain(), /200 OK.* anew$/s);
        assert.match(await askAgain(), /200 OK.* resumed$/s);
        listener.setTls({ ...TLS, clientCa: createIdentity('client CA').ca });
        assert.doesNotMatch(await askAgain().catch(() => 'refused'), /200 OK|resumed/);
      });

    it('never falls back to the web’s authorities when it is given none', async () => {
      for (const clientCa of [
        '',
        'no certificate',
        '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n',
      ])
        await assert.rejects(start({ ...TLS, clientCa }), ListenError);
    });
  });

  describe('with slow clients', () => {
    it('cuts whoever never finishes a handshake, headers or a body', async function () {
      this.timeout(40_000);
      const listener = await start();
      const [silent, header, body, half] = [
        await raw(listener),
        await secure(listener),
        await secure(listener),
        await secure(listener),
      ];
      header.write('POST / HTTP/1.1\r\nhost: x\r\n');
      body.write('POST /slow HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf');
      half.write('POST /validate HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhe');
      const drip = setInterval(() => header.write(`x-${Date.now()}: 1\r\n`), 500);
      const sockets = [silent, header, body, half];
      for (const socket of sockets) socket.resume();
      const closed = Promise.all(sockets.map((socket) => once(socket, 'close')));
      assert.equal(await ask(listener), 'ok');
      const outcome = await Promise.race([
        closed.then(() => 'cut'),
        sleep(20_000, 'still open', { ref: false }),
      ]);
      clearInterval(drip);
      for (const socket of sockets) socket.destroy();
      assert.equal(outcome, 'cut');
      assert.equal(await ask(listener), 'ok');
    });

    it('refuses headers without end', async () => {
      const listener = await start();
      const answer = await post({ address: listener.address, ca: TLS.ca }, 'x', {
        headers: { 'x-long': 'x'.repeat(20_000) },
      });
      assert.equal(answer.status, 431);
      assert.equal(await ask(listener), 'ok');
    });
  });

  describe('drain()', () => {
    async function askSlowly(
      listener: Listener,
    ): Promise<{ answer: Promise<string>; socket: Promise<unknown> }> {
      const here = new Promise<void>((resolve) => {
        arrived = resolve;
      });
      const answer = post({ address: listener.address, ca: TLS.ca }, 'x', {
        path: '/slow',
        headers: { connection: 'keep-alive' },
      });
      await here;
      return { answer: answer.then(({ text }) => text), socket: answer };
    }

    it('finishes requests in flight and takes no new ones', async () => {
      const listener = await start();
      const { answer } = await askSlowly(listener);
      const drained = listener.drain(10_000);
      await assert.rejects(ask(listener));
      release?.();
      assert.equal(await answer, 'slow');
      assert.equal(
        await Promise.race([drained.then(() => 'drained'), sleep(3000, 'waiting', { ref: false })]),
        'drained',
      );
    });

    it('does not wait for connections that are kept alive', async () => {
      const listener = await start();
      const socket = await secure(listener);
      socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
      await once(socket, 'data');
      assert.equal(
        await Promise.race([
          listener.drain(10_000).then(() => 'drained'),
          sleep(3000, 'waiting', { ref: false }),
        ]),
        'drained',
      );
    });

    it('cuts requests that outlast it', async () => {
      const listener = await start();
      const { answer } = await askSlowly(listener);
      answer.catch(() => undefined);
      await listener.drain(50);
      await assert.rejects(answer);
    });

    for (const [what, open] of [
      ['that never spoke', raw],
      ['that never sent a request', secure],
    ] as const) {
      it(`cuts connections ${what}`, async () => {
        const listener = await start();
        const socket = await open(listener);
        assert.equal(
          await Promise.race([
            listener.drain(200).then(() => 'drained'),
            sleep(4000, 'waiting', { ref: false }),
          ]),
          'drained',
        );
        socket.destroy();
      });
    }
  });

  describe('sendAway()', () => {
    it('ends a connection after its next answer, and still takes new ones', async () => {
      const listener = await start();
      const socket = await secure(listener);
      const askAgain = async (): Promise<string> => {
        socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
        const [data] = (await once(socket, 'data')) as [Buffer];
        return data.toString();
      };
      assert.match(await askAgain(), /^connection: keep-alive/im);
      listener.sendAway();
      const ended = once(socket, 'close');
      assert.match(await askAgain(), /^connection: close/im);
      socket.resume();
      await ended;
      assert.equal(await ask(listener), 'ok');
    });
  });

  it('serves plain HTTP when no certificate is given', async () => {
    const listener = await listen(createApp(), LOOPBACK);
    running.push(listener);
    const response = await fetch(`http://${listener.address}/`);
    assert.equal(await response.text(), 'ok');
    listener.setTls(TLS);
  });

  it('cuts off an address that has half of all connections, and takes others', async () => {
    const listener = await listen(createApp(), LOOPBACK);
    running.push(listener);
    const open = async (): Promise<Socket> => {
      const socket = await raw(listener);
      socket.resume();
      return socket;
    };
    const sockets: Socket[] = [];
    // No more at once than wait to be accepted.
    while (sockets.length < MAX_CONNECTIONS / 2 + 100)
      sockets.push(...(await Promise.all(Array.from({ length: 100 }, open))));
    const countOpen = (): number => sockets.filter(({ closed }) => !closed).length;
    await until('the surplus to be cut off', () => countOpen() === MAX_CONNECTIONS / 2);
    const other = connect({ port: portOf(listener), host: '127.0.0.1', localAddress: '127.0.0.2' });
    other.write(QUESTION);
    assert.match(await text(other), /200 OK/);
    for (const socket of sockets) socket.destroy();
    const isAnswered = (): Promise<boolean> =>
      fetch(`http://${listener.address}/`).then(
        ({ ok }) => ok,
        () => false,
      );
    await until('room again', isAnswered);
  });

  it('serves a thousand connections at once, and one more', async () => {
    const listener = await start();
    const sockets = await Promise.all(Array.from({ length: 1000 }, () => raw(listener)));
    const agentless = request({ port: portOf(listener), host: '127.0.0.1', ca: TLS.ca, agent: false });
    agentless.on('error', () => undefined);
    agentless.destroy();
    assert.equal(await ask(listener), 'ok');
    for (const socket of sockets) socket.destroy();
    assert.equal(await ask(listener), 'ok');
  });
});

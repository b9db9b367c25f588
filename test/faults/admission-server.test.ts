// Does the server stand up to who talks to it? Bodies that are no review (fault 51; more of them in
// test/admission/review.test.ts), clients without a certificate, floods, slow and renegotiating ones (52), ten times as many
// requests as are decided at once (53), dependencies that throw (54; each by itself in test/admission/handle.test.ts).
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { MAX_IN_FLIGHT } from '../../src/admission/handle.ts';
import { MAX_REVIEW_BYTES } from '../../src/admission/review.ts';
import type { Service } from '../../src/cli/service.ts';
import { createWorkspace, type Workspace } from '../cli/run.ts';
import { createIdentity } from '../server/identity.ts';
import { askService, readMetrics, startTestCluster, type TestCluster } from '../support/cluster-service.ts';
import { pushSigned, startController, type Controller } from '../support/controller.ts';
import { expectAllowed, sumOf } from '../support/expect.ts';
import { post } from '../support/https-client.ts';
import { podOf, reviewOf, updateOf, volumePod } from '../support/review.ts';
import { until } from '../support/until.ts';

const portOf = (address: string): number => Number(address.split(':').at(-1));
/** One namespace may have half of what is decided at once. */
const SHARE = MAX_IN_FLIGHT / 2;
const PLAIN_POD = podOf({});
const REVIEWS_OF_THE_API_SERVER = 40;
const IDLE_CONNECTIONS = 1000;
const SLOW_CONNECTIONS = 200;

async function openRaw(address: string): Promise<Socket> {
  const socket = connect(portOf(address), '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket.resume();
}

async function openTls(address: string, options: ConnectionOptions): Promise<TLSSocket> {
  const socket = connectTls({ port: portOf(address), host: '127.0.0.1', ...options });
  socket.on('error', () => undefined);
  await once(socket, 'secureConnect');
  return socket;
}

const toRequest = (body: string): string =>
  `POST /validate?timeout=30s HTTP/1.1\r\nhost: x\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

describe('a server under attack', () => {
  describe('that knows its clients', () => {
    const clients = createIdentity('clients');
    const apiServer = clients.issue('kube-apiserver');
    let workspace: Workspace;
    let cluster: TestCluster;
    let service: Service;

    beforeEach(async () => {
      workspace = createWorkspace();
      writeFileSync(join(workspace.path, 'clients.pem'), clients.ca);
      cluster = await startTestCluster();
      cluster.putNamespace('default');
      service = await cluster.start({ 'client-ca': join(workspace.path, 'clients.pem') });
      await service.synced;
    });
    afterEach(async () => {
      await cluster.stop();
      workspace.remove();
    });
    const askAsApiServer = (): Promise<{ readonly allowed: boolean }> =>
      askService(service, reviewOf(PLAIN_POD), { client: apiServer });
    const countDecided = async (): Promise<number> =>
      sumOf(await readMetrics(service), 'model_policy_requests_total');

    const strangers = createIdentity('clients').issue('kube-apiserver');
    const ownSigned = createIdentity('kube-apiserver');
    const wrong = {
      'no certificate': undefined,
      'a certificate of another CA of the same name': strangers,
      'a CA that it is itself': { ...ownSigned.issue('kube-apiserver'), cert: ownSigned.ca },
      'the certificate of the API server and another key': { ...apiServer, key: strangers.key },
    };
    for (const [what, client] of Object.entries(wrong))
      it(`fault 52: decides nothing for who posts with ${what}`, async () => {
        const server = { address: service.address, ca: service.ca ?? '' };
        const options = client === undefined ? {} : { client };
        for (const path of ['/validate?timeout=10s', '/validate-policy'])
          await assert.rejects(post(server, JSON.stringify(reviewOf(PLAIN_POD)), { ...options, path }));
        assert.equal(await countDecided(), 0);
        assert.equal((await askAsApiServer()).allowed, true);
        assert.equal(await countDecided(), 1);
      });

    it('fault 52: answers the API server through a flood of connections that show nothing, and is rid of them', async function () {
      this.timeout(60_000);
      const flood = await Promise.all(
        Array.from({ length: IDLE_CONNECTIONS }, () => openRaw(service.address)),
      );
      const closed = Promise.all(flood.map((socket) => once(socket, 'close')));
      for (let count = 0; count < REVIEWS_OF_THE_API_SERVER; count += 1)
        assert.equal((await askAsApiServer()).allowed, true);
      await closed;
      assert.equal(await countDecided(), REVIEWS_OF_THE_API_SERVER);
    });
  });

  describe('that is sent anything', () => {
    let controller: Controller;
    beforeEach(async () => {
      controller = await startController();
    });
    afterEach(async () => controller.stop());

    const review = reviewOf(PLAIN_POD);
    const wrong: Readonly<Record<string, readonly [string | Buffer, number]>> = {
      'a review that is cut off': [JSON.stringify(review).slice(0, -20), 400],
      'a review of v1beta1': [JSON.stringify({ ...review, apiVersion: 'admission.k8s.io/v1beta1' }), 400],
      'a review without a uid': [JSON.stringify(reviewOf(PLAIN_POD, { uid: '' })), 400],
      'another kind': [JSON.stringify(PLAIN_POD), 400],
      'a list': ['[]', 400],
      nothing: ['', 400],
      'noise of 1 MiB': [randomBytes(1024 * 1024), 400],
      'more than 7 MiB': [Buffer.alloc(MAX_REVIEW_BYTES + 1, 0x20), 413],
    };
    for (const [what, [body, status]] of Object.entries(wrong))
      it(`fault 51: refuses ${what}, and decides the next one`, async () => {
        assert.equal((await controller.post(body)).status, status);
        await expectAllowed(controller, review);
        assert.equal(sumOf(await controller.metrics(), 'model_policy_requests_total'), 1);
      });

    it('fault 51: decides an update of two objects of 3 MiB', async () => {
      const { reference } = pushSigned(controller.registry);
      const annotations = { pad: 'x'.repeat(3 * 1024 * 1024) };
      const spec = volumePod(reference)['spec'] as object;
      await expectAllowed(controller, updateOf(podOf({}, { annotations }), podOf(spec, { annotations })));
    });

    it('fault 54: denies only the requests whose dependencies throw, among others at the same time', async () => {
      await controller.stop();
      const boom = (): never => {
        throw new TypeError('secret detail');
      };
      controller = await startController({
        namespaces: { default: {} },
        dependencies: {
          readNamespace: (name) => (name === 'now' ? boom() : Promise.reject(new Error('secret detail'))),
        },
      });
      const { reference } = pushSigned(controller.registry);
      const answers = await Promise.all(
        Array.from({ length: 60 }, (_, index) => {
          const namespace = ['default', 'now', 'later'][index % 3] ?? '';
          return controller.ask(reviewOf(volumePod(reference), { namespace }));
        }),
      );
      const allowed = answers.filter((answer) => answer.allowed);
      assert.equal(allowed.length, 20);
      for (const answer of answers.filter((one) => !one.allowed)) {
        assert.deepEqual([answer.code, answer.reasons], [500, ['InternalError']]);
        assert.doesNotMatch(JSON.stringify(answer), /secret/);
      }
      const metrics = await controller.metrics();
      assert.equal(sumOf(metrics, 'model_policy_decisions_total', { reason: 'InternalError' }), 40);
      assert.equal(sumOf(metrics, 'model_policy_requests_in_flight'), 0);
    });
  });

  describe('that lets everybody in', () => {
    let controller: Controller;
    let release: () => void = () => undefined;

    beforeEach(async () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      release = resolve;
      const readNamespace = async (name: string): Promise<{ labels: object; object: object } | undefined> => {
        if (name === 'held') await promise;
        return { labels: {}, object: {} };
      };
      controller = await startController({
        namespaces: { default: {} },
        dependencies: { readNamespace } as object,
      });
    });
    afterEach(async () => {
      release();
      await controller.stop();
    });

    it('fault 52: cuts who sends a header byte by byte, and answers everybody else meanwhile', async function () {
      this.timeout(60_000);
      const sockets = await Promise.all(
        Array.from({ length: SLOW_CONNECTIONS }, () => openTls(controller.address, { ca: controller.ca })),
      );
      const closed = Promise.all(sockets.map((socket) => once(socket.resume(), 'close')));
      const drip = setInterval(() => {
        for (const socket of sockets) if (!socket.destroyed) socket.write('x');
      }, 250);
      for (const socket of sockets) socket.write('POST /validate HTTP/1.1\r\nx-slow: ');
      try {
        for (let count = 0; count < REVIEWS_OF_THE_API_SERVER; count += 1)
          await expectAllowed(controller, reviewOf(PLAIN_POD));
        await closed;
      } finally {
        clearInterval(drip);
      }
      await expectAllowed(controller, reviewOf(PLAIN_POD));
    });

    it('fault 52: renegotiates with nobody', async () => {
      const maxVersion = 'TLSv1.2';
      const sockets = await Promise.all(
        Array.from({ length: 20 }, () => openTls(controller.address, { ca: controller.ca, maxVersion })),
      );
      const outcomes = await Promise.all(
        sockets.map(
          (socket) =>
            new Promise<string>((resolve) => {
              socket.once('close', () => resolve('cut'));
              socket.renegotiate({}, (error) => resolve(error === null ? 'renegotiated' : 'refused'));
              socket.resume();
            }),
        ),
      );
      for (const socket of sockets) socket.destroy();
      assert.equal(outcomes.filter((outcome) => outcome === 'renegotiated').length, 0);
      await expectAllowed(controller, reviewOf(PLAIN_POD));
    });

    it(`fault 53: holds ${SHARE} requests of a namespace, denies ten times as many, and answers others`, async function () {
      this.timeout(60_000);
      const body = JSON.stringify(reviewOf(PLAIN_POD, { namespace: 'held' }));
      const clients: Client[] = [];
      const open = (requests: number, atOnce: number): Promise<Client> =>
        openClient(controller, { body, requests, atOnce }).then((client) => {
          clients.push(client);
          return client;
        });
      const openMany = (count: number, requests: number, atOnce: number): Promise<readonly Client[]> =>
        Promise.all(Array.from({ length: count }, () => open(requests, atOnce)));
      const gauge = async (): Promise<number> =>
        sumOf(await controller.metrics(), 'model_policy_requests_in_flight');
      const inside = await openMany(SHARE / 10, 10, 10);
      await until('a full house', async () => (await gauge()) === SHARE);
      const outside = await openMany(20, SHARE / 2, 1);
      await until('denials', () => sumOfClients(outside).overloaded === 10 * SHARE);
      // Everybody else had an answer while not one of those inside had.
      assert.deepEqual(sumOfClients(inside), { overloaded: 0, allowed: 0 });
      assert.equal(await gauge(), SHARE);
      await expectAllowed(controller, reviewOf(PLAIN_POD));
      release();
      await until('admissions', () => sumOfClients(inside).allowed === SHARE);
      await expectAllowed(controller, reviewOf(PLAIN_POD));
      assert.equal(await gauge(), 0);
      const metrics = await controller.metrics();
      const denials = sumOf(metrics, 'model_policy_decisions_total', { reason: 'Overloaded' });
      assert.equal(denials, 10 * SHARE);
      for (const { socket } of clients) socket.destroy();
    });
  });
});

interface Verdicts {
  readonly overloaded: number;
  readonly allowed: number;
}

interface Client extends Verdicts {
  readonly socket: Socket;
}

/** Posts a body again and again on one connection, `atOnce` without waiting, and counts the verdicts. */
async function openClient(
  { address, ca }: Controller,
  { body, requests, atOnce }: { readonly body: string; readonly requests: number; readonly atOnce: number },
): Promise<Client> {
  const socket = await openTls(address, { ca });
  const client = { socket, overloaded: 0, allowed: 0 };
  const request = toRequest(body);
  let sent = atOnce;
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
    for (let end = toAnswerEnd(text); end <= text.length; end = toAnswerEnd(text)) {
      const answer = text.slice(0, end);
      text = text.slice(end);
      if (answer.includes('"reason":"Overloaded"')) client.overloaded += 1;
      if (answer.includes('"allowed":true')) client.allowed += 1;
      if (sent < requests) socket.write(request);
      sent += 1;
    }
  });
  socket.write(request.repeat(atOnce));
  return client;
}

function toAnswerEnd(text: string): number {
  const length = /^content-length: (\d+)\r$/im.exec(text)?.[1];
  const head = text.indexOf('\r\n\r\n');
  return length === undefined || head === -1 ? Infinity : head + 4 + Number(length);
}

function sumOfClients(clients: readonly Verdicts[]): Verdicts {
  return {
    overloaded: clients.reduce((total, { overloaded }) => total + overloaded, 0),
    allowed: clients.reduce((total, { allowed }) => total + allowed, 0),
  };
}

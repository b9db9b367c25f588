// Which HTTP requests reach a decision, and what happens to the others? Framing tricks, aborted and pipelined requests
// on the real listener.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type TLSSocket } from 'node:tls';
import { pushModel, pushSigned, startController, type Controller } from '../support/controller.ts';
import { expectAllowed } from '../support/expect.ts';
import { podOf, reviewOf, volumePod } from '../support/review.ts';

describe('createAdmissionApp()', () => {
  let controller: Controller;
  let good: string;
  let bad: string;

  before(async () => {
    controller = await startController();
    good = pushSigned(controller.registry).reference;
    bad = pushModel(controller.registry).reference;
  });
  after(() => controller.stop());
  afterEach(() => expectAllowed(controller, reviewOf(volumePod(good))));

  async function open(): Promise<TLSSocket> {
    const port = Number(controller.address.split(':').at(-1));
    const socket = connect({ port, host: '127.0.0.1', ca: controller.ca });
    socket.on('error', () => undefined);
    await once(socket, 'secureConnect');
    return socket;
  }

  /** Writes bytes and reads until the server closes, or the text satisfies. */
  async function exchange(
    bytes: string | Buffer,
    isEnough: (text: string) => boolean = () => false,
  ): Promise<string> {
    const socket = await open();
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8');
      if (isEnough(text)) socket.destroy();
    });
    socket.write(bytes);
    await Promise.race([once(socket, 'close'), sleep(10_000, undefined, { ref: false })]);
    socket.destroy();
    return text;
  }

  const head = (length: number | string, more = ''): string =>
    `POST /validate?timeout=5s HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n${more}content-length: ${length}\r\n\r\n`;
  const framed = (review: object): string => {
    const body = JSON.stringify(review);
    return head(Buffer.byteLength(body)) + body;
  };

  it('serves its two routes and nothing else', async () => {
    const requests = [
      ['GET', '/validate'],
      ['PUT', '/validate'],
      ['POST', '/'],
      ['POST', '/metrics'],
      ['GET', '/healthz'],
      ['GET', '/validate-policy'],
      ['POST', '/validate-policy/x'],
      ['POST', '/validate/x'],
      ['POST', '/%ff'],
      ['OPTIONS', '/validate'],
    ] as const;
    for (const [method, path] of requests) {
      const { status, text, headers } = await controller.post('', { method, path });
      assert.ok(status === 404 || (method === 'OPTIONS' && status === 200), `${method} ${path}: ${status}`);
      assert.equal(headers['x-powered-by'], undefined);
      assert.doesNotMatch(text, /node_modules|\bat /);
    }
  });

  it('reads chunked bodies', async () => {
    const body = JSON.stringify(reviewOf(volumePod(bad)));
    const chunks = body.match(/.{1,7}/gs) ?? [];
    const text = await exchange(
      `POST /validate HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n${chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('')}0\r\n\r\n`,
    );
    assert.match(text, /^HTTP\/1\.1 200/);
    assert.match(text, /SignatureMissing/);
  });

  it('refuses a chunked body that grows past 7 MiB', async () => {
    const chunk = `100000\r\n${'x'.repeat(0x100000)}\r\n`;
    const text = await exchange(
      `POST /validate HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n${chunk.repeat(8)}0\r\n\r\n`,
    );
    assert.match(text, /^HTTP\/1\.1 413/);
    assert.match(text, /"RequestMalformed"/);
  });

  it('answers pipelined requests in order, each for itself', async () => {
    const reviews = [good, bad, good, bad].map((reference) => reviewOf(volumePod(reference)));
    const text = await exchange(
      reviews.map(framed).join(''),
      (seen) => seen.split('HTTP/1.1 200').length === 5 && seen.endsWith('}}'),
    );
    const answers = [...text.matchAll(/"uid":"([^"]+)","allowed":(true|false)/g)].map(([, uid, allowed]) => [
      uid,
      allowed,
    ]);
    assert.deepEqual(
      answers,
      reviews.map((review, index) => [(review['request'] as { uid: string }).uid, String(index % 2 === 0)]),
    );
  });

  const smuggled: readonly (readonly [string, string])[] = [
    [
      'two lengths',
      'POST /validate HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello',
    ],
    [
      'a length and chunks',
      'POST /validate HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['a negative length', head(-1)],
    ['a length that is no number', head('0x10')],
    ['chunks of no size', 'POST /validate HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n'],
    ['no host', 'POST /validate HTTP/1.1\r\ncontent-length: 0\r\n\r\n'],
    ['a header with a line break', 'POST /validate HTTP/1.1\r\nhost: x\r\nx : y\r\n\r\n'],
    ['no HTTP at all', 'hello\r\n\r\n'],
    ['binary', '\u0000\u0001\u0002\r\n\r\n'],
    ['HTTP/2 out of the blue', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ];
  for (const [what, bytes] of smuggled) {
    it(`refuses ${what}`, async () => {
      const text = await exchange(bytes, (seen) => seen.includes('\r\n\r\n'));
      assert.match(text, /^HTTP\/1\.1 400/);
    });
  }

  it('survives requests that are aborted mid-flight', async () => {
    const sockets = await Promise.all(Array.from({ length: 50 }, () => open()));
    for (const [index, socket] of sockets.entries()) {
      const whole = framed(reviewOf(volumePod(good)));
      socket.write(index % 2 === 0 ? whole : whole.slice(0, -40));
      setTimeout(() => socket.destroy(), index % 10);
    }
    await sleep(50);
  });

  it('survives clients that never read', async () => {
    const sockets = await Promise.all(Array.from({ length: 20 }, () => open()));
    for (const socket of sockets) {
      socket.pause();
      socket.write(framed(reviewOf(volumePod(bad))).repeat(20));
    }
    await expectAllowed(controller, reviewOf(volumePod(good)));
    for (const socket of sockets) socket.destroy();
  });

  it('answers others while slow and silent clients wait', async () => {
    const sockets = await Promise.all(Array.from({ length: 200 }, () => open()));
    for (const [index, socket] of sockets.entries())
      if (index % 2 === 0) socket.write(head(1000).slice(0, 40));
    await expectAllowed(controller, reviewOf(volumePod(good)));
    for (const socket of sockets) socket.destroy();
  });

  it('ignores headers that would change who asks or what', async () => {
    const headers = {
      'x-forwarded-for': '10.0.0.1',
      'x-http-method-override': 'DELETE',
      'x-original-url': '/healthz',
      expect: '100-continue',
      authorization: 'Bearer x',
    };
    assert.equal((await controller.ask(reviewOf(volumePod(bad)), { headers })).allowed, false);
    assert.equal((await controller.ask(reviewOf(podOf({})), { headers })).allowed, true);
  });
});

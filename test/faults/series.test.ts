// Can a cluster of any size, or one that lies about its size, fill the metrics (fault 60)? Ten thousand namespaces, each
// with a model of its own, over HTTPS; the namespaces are simulated: only their names are sent.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:tls';
import { MAX_NAMESPACE_LABELS } from '../../src/telemetry/metrics.ts';
import { startController, type Controller } from '../support/controller.ts';
import { sumOf } from '../support/expect.ts';
import { reviewOf, volumePod } from '../support/review.ts';
import { until } from '../support/until.ts';

const NAMESPACES = 10_000;
const CONNECTIONS = 20;
/** Less than are decided at once, so that each is decided. */
const AT_ONCE = 20;

describe('metrics of a large cluster', () => {
  let controller: Controller;
  beforeEach(async () => {
    controller = await startController({
      policies: {
        team: {
          models: [{ glob: 'other.test/**' }],
          authorities: [{ name: 'a', static: { action: 'Pass' } }],
        },
      },
    });
  });
  afterEach(async () => controller.stop());

  it(`fault 60: have bounded series after ${NAMESPACES} namespaces with ${NAMESPACES} models, and name none of these`, async function () {
    this.timeout(120_000);
    const seriesOf = async (): Promise<number> =>
      (await controller.metrics()).split('\n').filter((line) => line.startsWith('model_policy_')).length;
    let next = 0;
    const takeRequest = (): string | undefined => {
      if (next === NAMESPACES) return undefined;
      const digest = `sha256:${String(next).padStart(64, '0')}`;
      const pod = volumePod(`registry.test/unique-${next}/model@${digest}`);
      const body = JSON.stringify(reviewOf(pod, { namespace: `ns-${next}`, name: `pod-${next}` }));
      next += 1;
      return `POST /validate HTTP/1.1\r\nhost: x\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
    };
    const answers = await Promise.all(
      Array.from({ length: CONNECTIONS }, () => askInTurn(controller, takeRequest)),
    );
    assert.equal(
      answers.reduce((total, count) => total + count, 0),
      NAMESPACES,
    );
    const metrics = await controller.metrics();
    const name = 'model_policy_decisions_total';
    assert.equal(sumOf(metrics, name, { reason: 'NoMatchingPolicy' }), NAMESPACES);
    const others = sumOf(metrics, name, { namespace: '(other)' });
    assert.equal(others, NAMESPACES - MAX_NAMESPACE_LABELS);
    assert.doesNotMatch(metrics, /unique-|sha256|pod-\d/);
    const before = await seriesOf();
    // More of the same makes no more of them.
    const another = `registry.test/another/model@sha256:${'f'.repeat(64)}`;
    await controller.ask(reviewOf(volumePod(another), { namespace: 'another' }));
    const series = await seriesOf();
    assert.equal(series, before);
    assert.ok(series < MAX_NAMESPACE_LABELS + 500, `${series} series`);
  });
});

/** Sends requests on one connection, some at once, until there are no more; counts the denials. */
async function askInTurn(
  { address, ca }: Controller,
  takeRequest: () => string | undefined,
): Promise<number> {
  const socket = connect({ port: Number(address.split(':').at(-1)), host: '127.0.0.1', ca });
  await once(socket, 'secureConnect');
  const counts = { sent: 0, answered: 0 };
  const send = (): void => {
    const request = takeRequest();
    if (request === undefined) return;
    counts.sent += 1;
    socket.write(request);
  };
  let rest = '';
  socket.on('data', (chunk: Buffer) => {
    const parts = (rest + chunk.toString('latin1')).split('"allowed":false');
    rest = (parts.at(-1) ?? '').slice(-20);
    for (let part = 1; part < parts.length; part += 1) {
      counts.answered += 1;
      send();
    }
  });
  for (let count = 0; count < AT_ONCE; count += 1) send();
  let last = -1;
  // As long as answers come: a busy machine is not a fault.
  while (counts.answered < counts.sent && counts.answered !== last) {
    last = counts.answered;
    await until('answers', () => counts.answered > last || counts.answered === counts.sent);
  }
  socket.destroy();
  return counts.answered;
}

// Can one namespace hold up the others? Counted in answers, not in time: whoever asks for much is not answered first.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { text } from 'node:stream/consumers';
import { setImmediate } from 'node:timers/promises';
import { pushSigned, startController, teamPolicy } from '../support/controller.ts';
import { startRegistry } from '../../src/demo/registry.ts';
import { reviewOf, volumePod } from '../support/review.ts';

const FLOOD = 40;
const RANGE = `[${Array.from({ length: 100 }, (_, n) => n).join()}]`;
/** Spends the whole budget of a namespace. */
const DEAR = Array.from({ length: 3 }, () => ({
  expression: `${RANGE}.all(a, ${RANGE}.all(b, a + b >= 0))`,
}));

describe('fairness', () => {
  it('lets a namespace whose rules are as dear as they may be wait behind itself only', async () => {
    const registry = await startRegistry();
    const controller = await startController({
      registry,
      policies: { team: teamPolicy(registry) },
      modelPolicies: { 'flood/dear': teamPolicy(registry, { validations: DEAR }) },
    });
    // As an API server asks: on connections that stand already.
    const agent = new Agent({ keepAlive: true, ca: controller.ca });
    const { reference } = pushSigned(registry);
    const order: string[] = [];
    const ask = async (namespace: string): Promise<void> => {
      const [host, port] = controller.address.split(':');
      const headers = { 'content-type': 'application/json' };
      const asked = request({ host, port, path: '/validate', method: 'POST', headers, agent });
      asked.end(JSON.stringify(reviewOf(volumePod(reference), { namespace })));
      const [answer] = (await once(asked, 'response')) as [IncomingMessage];
      await text(answer);
      order.push(namespace);
    };
    try {
      await Promise.all(Array.from({ length: FLOOD + 1 }, () => ask('default')));
      order.length = 0;
      const flood = Array.from({ length: FLOOD }, () => ask('flood'));
      while (!controller.records.some(({ verdict }) => verdict === 'denied')) await setImmediate();
      await Promise.all([...flood, ask('default')]);
      assert.equal(order.length, FLOOD + 1);
      assert.ok(order.indexOf('default') < FLOOD / 4, `answer ${order.indexOf('default')}`);
      assert.equal(controller.records.filter(({ verdict }) => verdict === 'denied').length, FLOOD);
    } finally {
      agent.destroy();
      await controller.stop();
      await registry.close();
    }
  });
});

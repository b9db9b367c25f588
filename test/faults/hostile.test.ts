// Does every input that is made to be expensive end at its bound, with the reason that is documented? How long it takes is
// measured by bench/hostile.ts; nothing here is about time.
import assert from 'node:assert/strict';
import { startRegistry, type RegistryHandle } from '../../src/demo/registry.ts';
import { startController, type Controller } from '../support/controller.ts';
import { expectAllowed } from '../support/expect.ts';
import {
  createHostileWorld,
  HOSTILE_INPUTS,
  toHostilePolicies,
  type HostileWorld,
} from '../support/hostile-inputs.ts';
import { podOf, reviewOf } from '../support/review.ts';

interface Response {
  readonly allowed: boolean;
  readonly status?: { readonly details: { readonly causes: readonly { readonly reason: string }[] } };
}

describe('hostile input', () => {
  let registry: RegistryHandle;
  let world: HostileWorld;
  let controller: Controller;

  before(async () => {
    registry = await startRegistry();
    world = await createHostileWorld(registry);
    controller = await startController({ registry, ...toHostilePolicies(world) });
  });
  after(async () => {
    await controller.stop();
    await registry.close();
  });

  for (const { name, reasons, build } of HOSTILE_INPUTS)
    it(`is answered ${reasons.join() || 'with an admission'}: ${name}`, async () => {
      const { status, text } = await controller.post(await build(world));
      if (status !== 200) return assert.deepEqual([`HTTP ${status}`], reasons, text.slice(0, 300));
      const { response } = JSON.parse(text) as { response: Response };
      const causes = response.status?.details.causes ?? [];
      assert.deepEqual([...new Set(causes.map(({ reason }) => reason))], reasons, text.slice(0, 2000));
      assert.equal(response.allowed, reasons.length === 0);
    });

  it('leaves a controller behind that never failed, and decides the next pod', async () => {
    assert.deepEqual(controller.failures, []);
    await expectAllowed(controller, reviewOf(podOf({})));
  });
});

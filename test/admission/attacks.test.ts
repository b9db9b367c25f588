// Ways that once got past: each a pod, a registry or a file as an attacker would write it.
import assert from 'node:assert/strict';
import { attachBundle } from '../../src/demo/artifacts.ts';
import { startRegistry, type RegistryHandle } from '../../src/demo/registry.ts';
import {
  pushModel,
  pushSigned,
  startController,
  teamPolicy,
  type Controller,
} from '../support/controller.ts';
import { expectDenied } from '../support/expect.ts';
import { argumentPod, imagePod, podOf, reviewOf, PLAIN_CONTAINER, volumePod } from '../support/review.ts';

describe('an attacker', () => {
  let registry: RegistryHandle;
  let controller: Controller | undefined;
  beforeEach(async () => {
    registry = await startRegistry();
  });
  afterEach(async () => {
    await controller?.stop();
    await registry.close();
  });

  async function start(overrides: object = {}): Promise<Controller> {
    controller = await startController({ registry, policies: { team: teamPolicy(registry, overrides) } });
    return controller;
  }

  for (const digest of ['Require', 'Resolve'])
    it(`gains nothing by a digest or port that only nodes read, with digest ${digest}`, async () => {
      const signed = pushSigned(registry, 'latest');
      const [host = '', port = ''] = registry.address.split(':');
      const { repository } = signed;
      const evil = pushModel(registry);
      const tool = await start({ digest });
      for (const image of [
        `${registry.address}/${repository}@sha384:${'a'.repeat(96)}`,
        `${registry.address}/${repository}:latest@sha384:${'a'.repeat(96)}`,
        `${host}:${port.padStart(21, '0')}/${repository}@${evil.digest}`,
        `${host}:${port.padStart(900, '0')}/${repository}@${evil.digest}`,
      ]) {
        const answer = await tool.ask(reviewOf(imagePod(image)));
        assert.equal(answer.allowed, false, image.slice(0, 120));
      }
      await expectDenied(
        tool,
        reviewOf(imagePod(`${registry.address}/${repository}@sha384:${'a'.repeat(96)}`)),
        {
          code: 403,
          reasons: ['ReferenceInvalid'],
        },
      );
    });

  it('makes no work of junk: many uses of a digest with many broken signatures', async () => {
    const model = pushModel(registry);
    for (let index = 0; index < 64; index += 1) attachBundle(registry, model, { junk: index });
    const tool = await start();
    const args = Array.from({ length: 250 }, () => `oci://${model.reference}`);
    const answer = await tool.ask(reviewOf(argumentPod(...args)));
    assert.equal(answer.allowed, false);
  });

  it('has referrers of more than a signature needs refused before they are read whole', async () => {
    const model = pushModel(registry);
    attachBundle(registry, model, {}, { annotations: { padding: 'x'.repeat(128 * 1024) } });
    const tool = await start();
    await expectDenied(tool, reviewOf(volumePod(model.reference)), {
      code: 403,
      reasons: ['ArtifactTooLarge'],
    });
  });

  it('cannot have the host of a reference read in two ways', async () => {
    const tool = await start({ models: undefined });
    for (const host of ['1.2.3.4.5', '0x7f.1', '2130706433.0'])
      await expectDenied(tool, reviewOf(volumePod(`${host}/m@sha256:${'a'.repeat(64)}`)), {
        code: 403,
        reasons: ['ReferenceInvalid'],
      });
  });

  it('finds ordinary pods admitted beside all that', async () => {
    const tool = await start();
    const answer = await tool.ask(reviewOf(podOf({ containers: [PLAIN_CONTAINER] })));
    assert.equal(answer.allowed, true);
  });
});

// How often is a registry waited for, when the token is warm and the digest is cold? Three times, and not for layers.
import assert from 'node:assert/strict';
import { attachBundle, packModel, type PackedModel } from '../../src/demo/artifacts.ts';
import { startRegistry, type RegistryHandle } from '../../src/demo/registry.ts';
import { signBundleWithKey } from '../../src/demo/sign-with-key.ts';
import { cosignSignStatement } from '../../src/demo/statement.ts';
import { startController, TEAM_KEY, type Controller } from '../support/controller.ts';
import { expectAllowed } from '../support/expect.ts';
import { reviewOf, volumePod } from '../support/review.ts';
import { ScratchFiles } from '../support/scratch-files.ts';
import { RoundTrips } from '../vectors/round-trips.ts';

const ACCOUNT = { username: 'reader', password: 'secret' };
const REPOSITORY = 'team/warm';
/** Long enough that requests of one round are never taken for two. */
const QUIET_MS = 250;
/** A refusal, and the token, before the first three. */
const COLD_ROUNDS = 5;
const WARM_ROUNDS = 3;

describe('round trips of evidence', () => {
  const files = new ScratchFiles();
  let registry: RegistryHandle;
  let controller: Controller;

  beforeEach(async () => {
    registry = await startRegistry({ auth: ACCOUNT });
    const auth = Buffer.from(`${ACCOUNT.username}:${ACCOUNT.password}`).toString('base64');
    const config = JSON.stringify({ auths: { [registry.address]: { auth } } });
    controller = await startController({
      registry,
      access: {
        'plain-http': [registry.address],
        'registry-config': `${files.write({ 'config.json': config })}/config.json`,
      },
    });
  });
  afterEach(async () => {
    await controller.stop();
    await registry.close();
    files.remove();
  });

  const push = (content: string): PackedModel => {
    const model = packModel(registry, REPOSITORY, { 'model.safetensors': content });
    attachBundle(registry, model, signBundleWithKey(cosignSignStatement(model.digest), TEAM_KEY));
    return model;
  };

  /** Rounds and paths of one admission. */
  async function admit({ reference }: PackedModel): Promise<{ rounds: number; paths: readonly string[] }> {
    const before = registry.requests.length;
    const trips = new RoundTrips(QUIET_MS);
    registry.setFault(() => ({ until: trips.enter() }));
    await expectAllowed(controller, reviewOf(volumePod(reference)));
    return { rounds: trips.count, paths: registry.requests.slice(before).map(({ path }) => path) };
  }

  it('are three for a cold digest with a warm token, none for a known one, and two more for the first token', async () => {
    const [first, second] = [push('first'), push('second')];
    assert.equal((await admit(first)).rounds, COLD_ROUNDS);
    const { rounds, paths } = await admit(second);
    assert.equal(rounds, WARM_ROUNDS);
    assert.equal(paths.length, new Set(paths).size);
    const layers = [registry.putBlob(Buffer.from('first')), registry.putBlob(Buffer.from('second'))];
    for (const { digest } of layers) assert.ok(registry.requests.every(({ path }) => !path.includes(digest)));
    assert.deepEqual(await admit(second), { rounds: 0, paths: [] });
  });
});

// Does a signature in one repository let the same bytes in from another, and does a name have a second spelling?
import assert from 'node:assert/strict';
import { attachBundle, packModel, type PackedModel } from '../../src/demo/artifacts.ts';
import { generateSigningKey, type SigningKey } from '../../src/demo/keys.ts';
import { startRegistry, type RegistryHandle } from '../../src/demo/registry.ts';
import { signBundleWithKey } from '../../src/demo/sign-with-key.ts';
import { cosignSignStatement } from '../../src/demo/statement.ts';
import { pushSigned, startController, TEAM_KEY, type Controller } from '../support/controller.ts';
import { reviewOf, volumePod } from '../support/review.ts';

describe('the same model in two repositories with policies of their own', () => {
  const vendorKey = generateSigningKey('p256');
  let registry: RegistryHandle;
  let controller: Controller;
  before(async () => {
    registry = await startRegistry();
    const policyFor = (folder: string, { publicKeyPem: pem }: SigningKey): object => ({
      models: [{ glob: `${registry.address}/${folder}/**` }],
      authorities: [{ name: folder, key: { pem } }],
    });
    controller = await startController({
      registry,
      policies: { team: policyFor('team', TEAM_KEY), vendor: policyFor('vendor', vendorKey) },
    });
  });
  after(async () => {
    await controller.stop();
    await registry.close();
  });

  const pushTo = (repository: string, ...keys: readonly SigningKey[]): PackedModel => {
    const model = packModel(registry, repository, { 'model.safetensors': 'the same weights' });
    for (const key of keys)
      attachBundle(registry, model, signBundleWithKey(cosignSignStatement(model.digest), key));
    return model;
  };

  it('is judged in each of them alone, in whatever order and however warm the caches are', async () => {
    const team = pushTo('team/copy', TEAM_KEY);
    const wrong = pushTo('vendor/wrong', TEAM_KEY);
    const bare = pushTo('vendor/bare');
    const vendor = pushTo('vendor/copy', vendorKey);
    assert.equal(new Set([team, wrong, bare, vendor].map(({ digest }) => digest)).size, 1);
    const ask = async (...models: readonly PackedModel[]): Promise<readonly string[] | true> => {
      const answer = await controller.ask(reviewOf(volumePod(...models.map(({ reference }) => reference))));
      return answer.allowed || answer.reasons;
    };
    for (let round = 0; round < 2; round += 1) {
      assert.equal(await ask(team, vendor), true);
      assert.deepEqual(await ask(team, wrong), ['SignerNotTrusted']);
      assert.deepEqual(await ask(bare, vendor, team), ['SignatureMissing']);
    }
  });

  it('has one spelling', async () => {
    const { reference } = pushSigned(registry);
    for (const [from, to] of [
      ['team/', 'team%2f'],
      ['team/', 'team//'],
      ['team/', 'team/../team/'],
      ['team', 'te\u212am'],
      ['127.0.0.1', '127.1'],
      ['127.0.0.1', '127.0.0.1.'],
      ['127', '\uff11\uff12\uff17'],
      ['sha256', 'SHA256'],
      [/$/, '\n'],
      [/$/, '@sha256:0'],
      [/^/, 'jane@'],
    ] as const) {
      const { allowed, reasons } = await controller.ask(reviewOf(volumePod(reference.replace(from, to))));
      assert.deepEqual([allowed, reasons], [false, ['ReferenceInvalid']], to);
    }
  });
});

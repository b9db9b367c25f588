// Does a signature on an index, or on what is behind it, reach exactly as far as documented? Fault 4.
import { attachBundle, packModel, type PackedModel } from '../../src/demo/artifacts.ts';
import { startRegistry, type RegistryHandle } from '../../src/demo/registry.ts';
import { signBundleWithKey } from '../../src/demo/sign-with-key.ts';
import { cosignSignStatement } from '../../src/demo/statement.ts';
import { startController, TEAM_KEY, type Controller } from '../support/controller.ts';
import { expectAllowed, expectDenied } from '../support/expect.ts';
import { reviewOf, volumePod } from '../support/review.ts';

const INDEX = 'application/vnd.oci.image.index.v1+json';
const REPOSITORY = 'team/index';

describe('faults of content: indexes', () => {
  let registry: RegistryHandle;
  let controller: Controller;
  let children: PackedModel[];
  let index: PackedModel;

  beforeEach(async () => {
    registry = await startRegistry();
    controller = await startController({ registry });
    children = ['amd64', 'arm64'].map((name) => packModel(registry, REPOSITORY, { 'model.bin': name }));
    const manifest = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: INDEX,
        manifests: children.map(({ mediaType, digest, size }) => ({ mediaType, digest, size })),
      }),
    );
    const digest = registry.putManifest(REPOSITORY, manifest, INDEX);
    const reference = `${registry.address}/${REPOSITORY}@${digest}`;
    index = { repository: REPOSITORY, digest, size: manifest.length, mediaType: INDEX, manifest, reference };
  });
  afterEach(async () => {
    await controller.stop();
    await registry.close();
  });

  const sign = (...models: readonly PackedModel[]): void => {
    for (const model of models)
      attachBundle(registry, model, signBundleWithKey(cosignSignStatement(model.digest), TEAM_KEY));
  };
  const pod = ({ reference }: PackedModel): object => reviewOf(volumePod(reference));

  it('4: a signed index admits by its digest, and none of its children by theirs', async () => {
    sign(index);
    await expectAllowed(controller, pod(index));
    for (const child of children)
      await expectDenied(controller, pod(child), { code: 403, reasons: ['SignatureMissing'] });
  });

  it('4: every child signed admits the index, too', async () => {
    sign(...children);
    for (const model of [index, ...children]) await expectAllowed(controller, pod(model));
  });

  it('4: one child signed admits that child, and not the index', async () => {
    sign(...children.slice(0, 1));
    await expectAllowed(controller, pod(children[0] ?? index));
    for (const model of [index, children[1] ?? index])
      await expectDenied(controller, pod(model), { code: 403, reasons: ['SignatureMissing'] });
  });

  it('4: a signed index with a child that is served with other bytes is denied', async () => {
    sign(index);
    registry.replaceManifest(children[1]?.digest ?? '', Buffer.from('{"schemaVersion":2}'));
    await expectDenied(controller, pod(index), { code: 503, reasons: ['DigestMismatch'] });
  });
});

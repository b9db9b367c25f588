// Is a manifest that hides, lies or overwhelms denied, and is not one byte of weights fetched? Fault 6.
import assert from 'node:assert/strict';
import { attachBundle, type PackedModel } from '../../src/demo/artifacts.ts';
import { startRegistry, type RegistryHandle } from '../../src/demo/registry.ts';
import { signBundleWithKey } from '../../src/demo/sign-with-key.ts';
import { cosignSignStatement } from '../../src/demo/statement.ts';
import {
  pushSigned,
  requestsOf,
  startController,
  TEAM_KEY,
  teamPolicy,
  type Controller,
} from '../support/controller.ts';
import { expectAllowed, expectDenied } from '../support/expect.ts';
import { reviewOf, volumePod } from '../support/review.ts';

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const WEIGHTS = Buffer.alloc(4_000_000, 7);
/** Far more than manifests and signatures of a small model take, far less than its weights. */
const MAX_EGRESS_BYTES = 100_000;

describe('faults of content: manifests', () => {
  let registry: RegistryHandle;
  let controller: Controller;
  let count = 0;

  beforeEach(async () => {
    registry = await startRegistry();
    controller = await startController({ registry });
  });
  afterEach(async () => {
    await controller.stop();
    await registry.close();
  });

  const layer = (fields: object = {}): object => ({
    mediaType: 'application/octet-stream',
    ...registry.putBlob(WEIGHTS),
    annotations: { 'org.opencontainers.image.title': 'model.safetensors' },
    ...fields,
  });

  /** Pushes a signed manifest of these layers, with these changes. */
  function push(layers: readonly object[], changes: object = {}): PackedModel {
    count += 1;
    const manifest = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: MANIFEST,
        artifactType: 'application/vnd.acme.model',
        config: { mediaType: 'application/vnd.oci.empty.v1+json', ...registry.putBlob(Buffer.from('{}')) },
        layers,
        ...changes,
      }),
    );
    const repository = `team/odd-${count}`;
    const digest = registry.putManifest(repository, manifest, MANIFEST);
    const reference = `${registry.address}/${repository}@${digest}`;
    const model = { repository, digest, size: manifest.length, mediaType: MANIFEST, manifest, reference };
    attachBundle(registry, model, signBundleWithKey(cosignSignStatement(digest), TEAM_KEY));
    return model;
  }

  const egressOf = (model: PackedModel): number =>
    requestsOf(registry, model).reduce((sum, { bytes }) => sum + bytes, 0);
  const denied = async (model: PackedModel, reason: string, code: 403 | 503 = 403): Promise<void> => {
    await expectDenied(controller, reviewOf(volumePod(model.reference)), { code, reasons: [reason] });
    const { digest } = registry.putBlob(WEIGHTS);
    assert.ok(requestsOf(registry, model).every(({ path }) => !path.includes(digest)));
  };

  it('6: a signed model is admitted without one byte of its weights', async () => {
    const model = push([layer()]);
    await expectAllowed(controller, reviewOf(volumePod(model.reference)));
    assert.ok(egressOf(model) < MAX_EGRESS_BYTES);
  });

  it('6: a layer whose bytes come from elsewhere is denied', async () => {
    const model = push([layer({ urls: ['https://elsewhere.test/weights'] })]);
    await denied(model, 'ManifestInvalid');
    assert.ok(egressOf(model) < MAX_EGRESS_BYTES);
  });

  it('6: an artifact type that a rule does not allow is denied', async () => {
    controller.setPolicies({
      team: teamPolicy(registry, {
        validations: [{ expression: "model.artifactType == 'application/vnd.acme.model'" }],
      }),
    });
    await expectAllowed(controller, reviewOf(volumePod(push([layer()]).reference)));
    const model = push([layer()], { artifactType: 'application/vnd.acme.malware' });
    await denied(model, 'RuleViolated');
    assert.ok(egressOf(model) < MAX_EGRESS_BYTES);
  });

  it('6: 100,000 layers are denied', async () => {
    const tiny = { mediaType: 'a/b', digest: `sha256:${'0'.repeat(64)}`, size: 1 };
    // Too many bytes in the common notation, and too many layers in the shortest one that fits.
    await denied(push(Array.from({ length: 100_000 }, () => tiny)), 'ArtifactTooLarge');
    await denied(push(Array.from({ length: 30_000 }, () => tiny)), 'ManifestInvalid');
  });

  it('6: a layer that is called model.sig and has the size of weights is not fetched', async () => {
    const model = push([layer(), layer({ annotations: { 'org.opencontainers.image.title': 'model.sig' } })]);
    await expectAllowed(controller, reviewOf(volumePod(model.reference)));
    assert.ok(egressOf(model) < MAX_EGRESS_BYTES);
  });

  it('6: a referrer that describes weights as a signature fetches none', async () => {
    const model = push([layer()]);
    const referrer = {
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: { mediaType: 'application/vnd.oci.empty.v1+json', ...registry.putBlob(Buffer.from('{}')) },
      layers: [{ mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json', ...registry.putBlob(WEIGHTS) }],
      subject: { mediaType: MANIFEST, digest: model.digest, size: model.size },
    };
    registry.putManifest(model.repository, Buffer.from(JSON.stringify(referrer)), MANIFEST);
    await expectAllowed(controller, reviewOf(volumePod(model.reference)));
    assert.ok(egressOf(model) < MAX_EGRESS_BYTES);
  });

  it('6: a registry that answers for a manifest with weights is cut off', async () => {
    const model = pushSigned(registry);
    registry.setFault(({ path }) =>
      path.endsWith(`/manifests/${model.digest}`) ? { body: Buffer.alloc(64_000_000, 0x20) } : undefined,
    );
    await denied(model, 'ArtifactTooLarge');
  });
});

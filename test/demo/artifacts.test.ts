// Do packed models and attached bundles have the shape that oras and cosign 3 write?
import assert from 'node:assert/strict';
import { attachBundle, packModel } from '../../src/demo/artifacts.ts';
import { generateSigningKey } from '../../src/demo/keys.ts';
import { startRegistry, type RegistryHandle } from '../../src/demo/registry.ts';
import { sha256Digest } from '../../src/demo/registry-store.ts';
import { signBundleWithKey } from '../../src/demo/sign-with-key.ts';
import { cosignSignStatement } from '../../src/demo/statement.ts';

const EMPTY_DIGEST = 'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a';
const BUNDLE = 'application/vnd.dev.sigstore.bundle.v0.3+json';

describe('artifacts', () => {
  let registry: RegistryHandle;

  beforeEach(async () => {
    registry = await startRegistry();
  });

  afterEach(() => registry.close());

  async function manifestOf(digest: string): Promise<Record<string, unknown>> {
    const response = await fetch(`${registry.url}/v2/team/model/manifests/${digest}`);
    return (await response.json()) as Record<string, unknown>;
  }

  describe('packModel', () => {
    it('lists one raw layer for each file, with its title', async () => {
      const model = packModel(registry, 'team/model', {
        'model.safetensors': Buffer.from([1, 2, 3]),
        'config.json': '{}',
        'README.md': '# model',
      });
      assert.equal(model.reference, `${registry.address}/team/model@${model.digest}`);
      assert.equal(model.digest, sha256Digest(model.manifest));
      assert.equal(model.size, model.manifest.length);
      const manifest = await manifestOf(model.digest);
      assert.equal(manifest['artifactType'], 'application/vnd.acme.model');
      assert.deepEqual(manifest['config'], {
        mediaType: 'application/vnd.oci.empty.v1+json',
        digest: EMPTY_DIGEST,
        size: 2,
        data: 'e30=',
      });
      const layers = manifest['layers'] as { mediaType: string; annotations: Record<string, string> }[];
      assert.deepEqual(
        layers.map(({ mediaType, annotations }) => [
          mediaType,
          annotations['org.opencontainers.image.title'],
        ]),
        [
          ['application/octet-stream', 'model.safetensors'],
          ['application/json', 'config.json'],
          ['text/markdown', 'README.md'],
        ],
      );
    });

    it('takes a tag, an artifact type and annotations', async () => {
      const options = { tag: 'v1', artifactType: 'x/model', annotations: { k: 'v' } };
      const { digest } = packModel(registry, 'team/model', { f: 'x' }, options);
      const manifest = await manifestOf('v1');
      assert.equal(manifest['artifactType'], 'x/model');
      assert.equal((manifest['annotations'] as Record<string, string>)['k'], 'v');
      assert.deepEqual(await manifestOf(digest), manifest);
    });
  });

  describe('attachBundle', () => {
    it('writes the referrer that cosign 3 writes', async () => {
      const model = packModel(registry, 'team/model', { f: 'x' });
      const bundle = signBundleWithKey(cosignSignStatement(model.digest), generateSigningKey('p256'));
      const digest = attachBundle(registry, model, bundle);
      const manifest = await manifestOf(digest);
      const annotations = manifest['annotations'] as Record<string, string>;
      assert.match(
        annotations['org.opencontainers.image.created'] ?? '',
        /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/u,
      );
      const bytes = Buffer.from(JSON.stringify(bundle));
      assert.deepEqual(manifest, {
        schemaVersion: 2,
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        config: {
          mediaType: 'application/vnd.oci.empty.v1+json',
          size: 2,
          digest: EMPTY_DIGEST,
          artifactType: BUNDLE,
        },
        layers: [{ mediaType: BUNDLE, size: bytes.length, digest: sha256Digest(bytes) }],
        annotations: {
          'dev.sigstore.bundle.content': 'dsse-envelope',
          'dev.sigstore.bundle.predicateType': 'https://sigstore.dev/cosign/sign/v1',
          'org.opencontainers.image.created': annotations['org.opencontainers.image.created'],
        },
        subject: {
          mediaType: 'application/vnd.oci.image.manifest.v1+json',
          size: model.size,
          digest: model.digest,
        },
        artifactType: BUNDLE,
      });
    });

    it('attaches raw bytes and wrong facts when asked', async () => {
      const model = packModel(registry, 'team/model', { f: 'x' });
      const digest = attachBundle(registry, model, Buffer.from('not json'), {
        artifactType: 'x/other',
        subjectDigest: EMPTY_DIGEST,
        annotations: { 'dev.sigstore.bundle.content': 'message-signature' },
      });
      const manifest = await manifestOf(digest);
      assert.equal(manifest['artifactType'], 'x/other');
      assert.equal((manifest['subject'] as { digest: string }).digest, EMPTY_DIGEST);
      const annotations = manifest['annotations'] as Record<string, string>;
      assert.equal(annotations['dev.sigstore.bundle.content'], 'message-signature');
      assert.equal(annotations['dev.sigstore.bundle.predicateType'], undefined);
    });
  });
});

// Is every manifest behind an index looked at, each once, in few round trips, and is nothing hidden from it?
import assert from 'node:assert/strict';
import { attachBundle, packModel, type PackedModel } from '../../src/demo/artifacts.ts';
import { startRegistry, type RegistryHandle } from '../../src/demo/registry.ts';
import { createRegistryClient } from '../../src/registry/client.ts';
import { createTransport, type Transport } from '../../src/registry/transport.ts';
import type { EvidenceResult } from '../../src/evidence/evidence.ts';
import { gatherEvidence } from '../../src/evidence/gather.ts';

const REPOSITORY = 'team/model';
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const INDEX = 'application/vnd.oci.image.index.v1+json';
const LIST = 'application/vnd.docker.distribution.manifest.list.v2+json';
const UNKNOWN = { os: 'unknown', architecture: 'unknown' };

describe('gatherEvidence() of an index', () => {
  let registry: RegistryHandle;
  let transport: Transport;

  beforeEach(async () => {
    registry = await startRegistry();
    transport = createTransport(
      { plainHttpHosts: new Set([registry.address]), configuredHosts: new Set() },
      [],
    );
  });
  afterEach(async () => {
    await transport.close();
    await registry.close();
  });

  const pack = (name: string): PackedModel => packModel(registry, REPOSITORY, { [name]: Buffer.from(name) });
  const toChild = ({ mediaType, digest, size }: PackedModel, more: object = {}): object => ({
    mediaType,
    digest,
    size,
    ...more,
  });
  const putIndex = (manifests: readonly object[], mediaType = INDEX): string =>
    registry.putManifest(
      REPOSITORY,
      Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests })),
      mediaType,
    );
  const gather = (digest: string): Promise<EvidenceResult> =>
    gatherEvidence(
      createRegistryClient(transport, new Map()),
      { registry: registry.address, repository: REPOSITORY },
      digest,
      AbortSignal.timeout(10_000),
    );

  /** A container image, or with `layerType` an attestation as BuildKit writes it. */
  function putImage(layerType: string): PackedModel {
    const body = {
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: {
        mediaType: 'application/vnd.oci.image.config.v1+json',
        ...registry.putBlob(Buffer.from(`{"of":"${layerType}"}`)),
      },
      layers: [{ mediaType: layerType, ...registry.putBlob(Buffer.from(layerType)) }],
    };
    const manifest = Buffer.from(JSON.stringify(body));
    const digest = registry.putManifest(REPOSITORY, manifest, MANIFEST);
    return {
      repository: REPOSITORY,
      digest,
      size: manifest.length,
      mediaType: MANIFEST,
      manifest,
      reference: '',
    };
  }

  async function childrenOf(digest: string): Promise<readonly string[]> {
    const result = await gather(digest);
    assert.ok(result.ok, JSON.stringify(result));
    return (result.evidence.children ?? []).map((child) => child.digest);
  }

  async function reasonOf(digest: string): Promise<string> {
    const result = await gather(digest);
    assert.ok(!result.ok);
    return `${result.problem.reason} ${result.problem.message}`;
  }

  for (const mediaType of [INDEX, LIST])
    it(`gathers each child with its own bundles, as ${mediaType}`, async () => {
      const [a, b] = [pack('a'), pack('b')];
      attachBundle(registry, b, { of: 'b' });
      const result = await gather(putIndex([toChild(a), toChild(b), toChild(a)], mediaType));
      assert.ok(result.ok);
      const { children = [], bundles } = result.evidence;
      assert.deepEqual(
        children.map((child) => [child.digest, child.bundles.length]),
        [
          [a.digest, 0],
          [b.digest, 1],
        ],
      );
      assert.equal(bundles.length, 0);
    });

  it('has no children for an empty index', async () => {
    assert.deepEqual(await childrenOf(putIndex([])), []);
  });

  it('refuses what it cannot judge whole', async () => {
    const model = pack('a');
    const inner = putIndex([toChild(model)]);
    const many = Array.from({ length: 33 }, (_, index) =>
      toChild(model, { digest: `sha256:${String(index).padStart(64, '0')}` }),
    );
    const size = Buffer.byteLength(
      JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests: [toChild(model)] }),
    );
    const cases: readonly (readonly [readonly object[], RegExp])[] = [
      [many, /^ManifestInvalid .*more than 32 manifests/],
      [[toChild(model, { size: 5_000_000 })], /^ManifestInvalid .*bytes together/],
      [[toChild(model, { size: model.size + 1 })], /^ManifestInvalid .*where its index says/],
      [[{ mediaType: INDEX, digest: inner, size }], /^ManifestInvalid .*another image index/],
      [[toChild(model), toChild(model, { digest: `sha256:${'0'.repeat(64)}` })], /^ArtifactNotFound/],
    ];
    for (const [manifests, expected] of cases) assert.match(await reasonOf(putIndex(manifests)), expected);
  });

  it('says what the registry says when one child cannot be had', async () => {
    const [a, b] = [pack('a'), pack('b')];
    registry.setFault(({ path }) => (path.includes(`referrers/${b.digest}`) ? { status: 500 } : undefined));
    assert.match(await reasonOf(putIndex([toChild(a), toChild(b)])), /^RegistryUnavailable/);
  });

  it('leaves out attestations of container images, and nothing that only claims to be one', async () => {
    const image = putImage('application/vnd.oci.image.layer.v1.tar+gzip');
    const attestation = putImage('application/vnd.in-toto+json');
    const model = pack('model');
    const claim = (about: string, platform: object = UNKNOWN): object => ({
      platform,
      annotations: {
        'vnd.docker.reference.type': 'attestation-manifest',
        'vnd.docker.reference.digest': about,
      },
    });
    const good = toChild(attestation, claim(image.digest));
    assert.deepEqual(await childrenOf(putIndex([toChild(image), good])), [image.digest]);
    const hidden: readonly (readonly [PackedModel, object])[] = [
      [model, claim(image.digest)],
      [attestation, claim(image.digest, { os: 'linux', architecture: 'amd64' })],
      [attestation, claim(`sha256:${'1'.repeat(64)}`)],
      [attestation, claim(attestation.digest)],
      [attestation, {}],
    ];
    for (const [child, more] of hidden)
      assert.deepEqual(await childrenOf(putIndex([toChild(image), toChild(child, more)])), [
        image.digest,
        child.digest,
      ]);
    assert.match(
      await reasonOf(putIndex([toChild(model), toChild(attestation, claim(model.digest))])),
      /^ManifestInvalid .*no container image/,
    );
  });
});

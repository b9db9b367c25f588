// Is another repository read beside the model's own, at the same time, within the same bounds, and kept apart from it?
import assert from 'node:assert/strict';
import { attachBundle, packModel, type PackedModel } from '../../src/demo/artifacts.ts';
import { attachAttestations } from '../../src/demo/attestation.ts';
import { startRegistry, type RegistryHandle, type RegistryOptions } from '../../src/demo/registry.ts';
import { attachSimpleSignatures } from '../../src/demo/signature-tag.ts';
import { SIMPLE_SIGNING_ANNOTATIONS as NAMES } from '../../src/demo/simple-signing.ts';
import { MAX_CANDIDATES, type Evidence, type FoundEvidence } from '../../src/evidence/evidence.ts';
import { gatherWished } from '../../src/evidence/gather.ts';
import type { EvidenceWish, SignatureRepository } from '../../src/evidence/signature-repository.ts';
import { createRegistryClient, type RegistryClient } from '../../src/registry/client.ts';
import { createTransport, type Transport } from '../../src/registry/transport.ts';
import { RoundTrips } from '../vectors/round-trips.ts';

const OWN = 'team/model';
const CURATED = 'curated/signatures';
const DEAD_MS = 10_000;

describe('gatherWished()', () => {
  let registry: RegistryHandle;
  let transport: Transport;
  let model: PackedModel;

  async function open(options: RegistryOptions = {}): Promise<void> {
    registry = await startRegistry(options);
    const plainHttpHosts = new Set([registry.address]);
    transport = createTransport({ plainHttpHosts, configuredHosts: new Set() }, []);
    model = packModel(registry, OWN, { 'model.bin': 'weights' });
  }
  beforeEach(() => open());
  afterEach(async () => {
    await transport.close();
    await registry.close();
  });

  const client = (): RegistryClient => createRegistryClient(transport, new Map());
  const there = (): PackedModel => ({ ...model, repository: CURATED });
  const toRepository = (): SignatureRepository => ({
    id: 'curated',
    registry: registry.address,
    repository: CURATED,
    credentials: [],
  });
  const toWish = (more: Partial<EvidenceWish> = {}, wantsAttestations = false): EvidenceWish => ({
    wantsOwn: false,
    wantsAttestations: false,
    elsewhere: [{ repository: toRepository(), client: client(), wantsAttestations }],
    ...more,
  });
  async function gather(wish: EvidenceWish): Promise<{ evidence: Evidence; curated: FoundEvidence }> {
    const name = { registry: registry.address, repository: OWN };
    const signal = AbortSignal.timeout(DEAD_MS);
    const result = await gatherWished({ client: client(), name, digest: model.digest, signal }, wish);
    assert.ok(result.ok, JSON.stringify(result));
    const curated = result.evidence.elsewhere?.get('curated');
    assert.ok(curated !== undefined);
    return { evidence: result.evidence, curated };
  }
  const simple = { payload: Buffer.from('payload'), annotations: { [NAMES.signature]: 'c2ln' } };

  it('finds referrers and tags there, named by their repository, and leaves the own ones alone', async () => {
    attachBundle(registry, model, { own: true });
    attachBundle(registry, there(), { number: 1 });
    attachSimpleSignatures(registry, there(), [simple]);
    const { evidence, curated } = await gather(toWish());
    const repository = `${registry.address}/${CURATED}`;
    assert.deepEqual([evidence.bundles, evidence.problems, evidence.tagged], [[], [], undefined]);
    assert.deepEqual(
      curated.bundles.map((found) => [found.place, found.bytes.toString(), found.repository]),
      [['referrer', '{"number":1}', repository]],
    );
    assert.deepEqual(
      curated.simpleSignatures.map((found) => [found.place, found.repository]),
      [['tag', repository]],
    );
    assert.deepEqual(
      registry.requests.filter(({ path }) => path.startsWith(`/v2/${OWN}/`)).map(({ path }) => path),
      [`/v2/${OWN}/manifests/${model.digest}`],
    );
  });

  it('finds referrers there by the tag schema', async () => {
    await transport.close();
    await registry.close();
    await open({ referrersApi: false });
    attachBundle(registry, there(), { number: 1 });
    const { curated } = await gather(toWish());
    assert.deepEqual([curated.bundles.length, curated.problems], [1, []]);
  });

  it('finds attestations under the tag there, where they are wanted there', async () => {
    for (const repository of [model, there()])
      attachAttestations(registry, repository, [{ envelope: { a: 1 }, annotations: {} }]);
    const { evidence, curated } = await gather(toWish({ wantsOwn: true }, true));
    assert.equal(evidence.tagged, undefined);
    assert.deepEqual(
      curated.tagged?.envelopes.map(({ repository }) => repository),
      [`${registry.address}/${CURATED}`],
    );
  });

  it('reads the layer model.sig of the model, whoever looks beside it', async () => {
    model = packModel(registry, OWN, { 'model.bin': 'weights', 'model.sig': '{"layer":1}' });
    const { evidence, curated } = await gather(toWish());
    assert.deepEqual(
      evidence.bundles.map(({ place }) => place),
      ['layer'],
    );
    assert.deepEqual(curated.bundles, []);
  });

  it('takes three rounds for both', async () => {
    attachBundle(registry, model, { own: true });
    attachBundle(registry, there(), { number: 1 });
    attachSimpleSignatures(registry, there(), [simple]);
    const trips = new RoundTrips(100);
    registry.setFault(() => ({ until: trips.enter() }));
    const { evidence, curated } = await gather(toWish({ wantsOwn: true }, true));
    assert.deepEqual([evidence.bundles.length, curated.bundles.length, trips.count], [1, 1, 3]);
  });

  it('bounds each repository by itself: surplus at one hides nothing at the other', async () => {
    for (let count = 0; count <= MAX_CANDIDATES; count += 1) attachBundle(registry, there(), { count });
    attachBundle(registry, model, { own: true });
    const { evidence, curated } = await gather(toWish({ wantsOwn: true }));
    assert.deepEqual([evidence.bundles.length, evidence.problems], [1, []]);
    assert.equal(curated.bundles.length, MAX_CANDIDATES);
    assert.deepEqual(
      curated.problems.map(({ reason }) => reason),
      ['TooManySignatures'],
    );
  });

  for (const [what, part] of [
    ['the listing', '/referrers/'],
    ['a referrer', '/manifests/sha256:'],
    ['the tag', '.sig'],
    ['a blob', '/blobs/'],
  ] as const)
    it(`keeps trouble with ${what} there apart, and names the repository`, async () => {
      attachBundle(registry, model, { own: true });
      attachBundle(registry, there(), { number: 1 });
      registry.setFault(({ path }) =>
        path.startsWith(`/v2/${CURATED}/`) && path.includes(part) ? { status: 500 } : undefined,
      );
      const { evidence, curated } = await gather(toWish({ wantsOwn: true }));
      assert.deepEqual([evidence.bundles.length, evidence.problems], [1, []]);
      const [problem, ...others] = curated.problems;
      assert.deepEqual([problem?.reason, others], ['RegistryUnavailable', []]);
      assert.ok(problem?.message.startsWith(`signatures in ${registry.address}/${CURATED}: `));
    });

  it('keeps trouble with the own listing from those who look elsewhere', async () => {
    attachBundle(registry, there(), { number: 1 });
    registry.setFault(({ path }) => (path.startsWith(`/v2/${OWN}/referrers/`) ? { status: 500 } : undefined));
    const { evidence, curated } = await gather(toWish({ wantsOwn: true }));
    assert.deepEqual([curated.bundles.length, curated.problems], [1, []]);
    assert.deepEqual(
      evidence.problems.map(({ reason }) => reason),
      ['RegistryUnavailable'],
    );
  });
});

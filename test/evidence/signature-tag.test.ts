// Is every place looked at, within one bound, without one place's trouble or surplus hiding what another holds?
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { attachBundle, packModel, type PackedModel } from '../../src/demo/artifacts.ts';
import { startRegistry, type Fault, type RegistryHandle } from '../../src/demo/registry.ts';
import {
  attachBundleByTag,
  attachSimpleSignatures,
  putTagged,
  signatureTag,
} from '../../src/demo/signature-tag.ts';
import { SIMPLE_SIGNING_ANNOTATIONS as NAMES, type SimpleSignature } from '../../src/demo/simple-signing.ts';
import { createCachingClient, createRegistryCaches } from '../../src/evidence/caching-client.ts';
import {
  MAX_ANNOTATION_CHARS,
  MAX_CANDIDATES,
  MAX_PAYLOAD_BYTES,
  type Evidence,
  type EvidenceResult,
} from '../../src/evidence/evidence.ts';
import { gatherEvidence } from '../../src/evidence/gather.ts';
import type { DenialReason } from '../../src/reason.ts';
import { createRegistryClient, type RegistryClient } from '../../src/registry/client.ts';
import { RegistryError } from '../../src/registry/error.ts';
import { createTransport, type Transport } from '../../src/registry/transport.ts';

const REPOSITORY = 'team/model';
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const INDEX = 'application/vnd.oci.image.index.v1+json';
const SIMPLE = 'application/vnd.dev.cosign.simplesigning.v1+json';
const signature = (text: string, annotations: Readonly<Record<string, string>> = {}): SimpleSignature => ({
  payload: Buffer.from(text),
  annotations: { [NAMES.signature]: 'c2ln', ...annotations },
});

describe('gatherEvidence() beyond referrers', () => {
  let registry: RegistryHandle;
  let transport: Transport;
  let model: PackedModel;

  beforeEach(async () => {
    registry = await startRegistry();
    transport = createTransport(
      { plainHttpHosts: new Set([registry.address]), configuredHosts: new Set() },
      [],
    );
    model = packModel(registry, REPOSITORY, { 'model.bin': 'weights' });
  });

  afterEach(async () => {
    await transport.close();
    await registry.close();
  });

  const client = (): RegistryClient => createRegistryClient(transport, new Map());
  const name = (): { registry: string; repository: string } => ({
    registry: registry.address,
    repository: REPOSITORY,
  });
  const gather = (from = client(), signal = AbortSignal.timeout(10_000)): Promise<EvidenceResult> =>
    gatherEvidence(from, name(), model.digest, signal);
  const failOn = (part: string, fault: Fault): void =>
    registry.setFault(({ path }) => (path.includes(part) ? fault : undefined));

  async function evidenceOf(from = client()): Promise<Evidence> {
    const result = await gather(from);
    assert.ok(result.ok, JSON.stringify(result));
    return result.evidence;
  }

  async function gathered(): Promise<{ bundles: string[]; payloads: string[]; problems: string[] }> {
    const { bundles, simpleSignatures, problems } = await evidenceOf();
    for (const { message } of problems) assert.match(message, /^[\x20-\x7e…]{1,900}$/);
    return {
      bundles: bundles.map(({ place, bytes }) => `${place} ${bytes.toString()}`),
      payloads: simpleSignatures.map(({ place, payload }) => `${place} ${payload.toString()}`),
      problems: problems.map(({ reason }) => reason),
    };
  }

  it('finds signatures under the tag beside bundles at referrers', async () => {
    attachBundle(registry, model, { number: 1 });
    const tagged = attachSimpleSignatures(registry, model, [
      signature('{"a":1}', { [NAMES.certificate]: 'pem', [NAMES.chain]: '', unrelated: 'x' }),
      signature('{"b":2}'),
    ]);
    assert.deepEqual(await gathered(), {
      bundles: ['referrer {"number":1}'],
      payloads: ['tag {"b":2}', 'tag {"a":1}'],
      problems: [],
    });
    const { simpleSignatures } = await evidenceOf();
    const [first] = simpleSignatures.filter(({ payload }) => payload.includes('a'));
    assert.deepEqual(first?.annotations, { signature: 'c2ln', certificate: 'pem' });
    assert.equal(first.referrer, tagged);
  });

  it('finds a bundle under the tag, as Red Hat writes it', async () => {
    attachBundleByTag(registry, model, { number: 1 });
    assert.deepEqual(await gathered(), { bundles: ['tag {"number":1}'], payloads: [], problems: [] });
  });

  it('finds both on a registry without the referrers API', async () => {
    const old = await startRegistry({ referrersApi: false });
    const plain = createTransport({ plainHttpHosts: new Set([old.address]), configuredHosts: new Set() }, []);
    try {
      const packed = packModel(old, REPOSITORY, { f: 'x' });
      attachBundle(old, packed, { number: 1 });
      attachSimpleSignatures(old, packed, [signature('{}')]);
      const at = { registry: old.address, repository: REPOSITORY };
      const result = await gatherEvidence(
        createRegistryClient(plain, new Map()),
        at,
        packed.digest,
        AbortSignal.timeout(10_000),
      );
      assert.ok(result.ok);
      assert.deepEqual([result.evidence.bundles.length, result.evidence.simpleSignatures.length], [1, 1]);
    } finally {
      await plain.close();
      await old.close();
    }
  });

  it('finds the layer model.sig, and fetches no other layer', async () => {
    model = packModel(registry, REPOSITORY, { 'model.bin': 'weights', 'model.sig': '{"sig":1}' });
    assert.deepEqual(await gathered(), { bundles: ['layer {"sig":1}'], payloads: [], problems: [] });
    assert.equal(registry.requests.filter(({ path }) => path.includes('/blobs/')).length, 1);
  });

  it('fetches one payload once, however many keys signed it, and passes over copies', async () => {
    const second = signature('{}', { [NAMES.signature]: 'b3RoZXI=' });
    attachSimpleSignatures(registry, model, [signature('{}'), second, signature('{}')]);
    // One flight per key is the caching client's: as everywhere, gathering goes through it.
    const { simpleSignatures } = await evidenceOf(
      createCachingClient(
        client(),
        createRegistryCaches(() => undefined),
      ),
    );
    assert.deepEqual(
      simpleSignatures.map(({ annotations }) => annotations.signature),
      ['c2ln', 'b3RoZXI='],
    );
    assert.equal(registry.requests.filter(({ path }) => path.includes('/blobs/')).length, 1);
  });

  it('asks three times in a row at most', async () => {
    model = packModel(registry, REPOSITORY, { 'model.bin': 'weights', 'model.sig': '{"sig":1}' });
    attachBundle(registry, model, { number: 1 });
    attachSimpleSignatures(registry, model, [signature('{}')]);
    // Every call is held until nothing else is under way: each release is one more round trip.
    const held: (() => void)[] = [];
    let underWay = 0;
    const hold = async <T>(call: () => Promise<T>): Promise<T> => {
      await new Promise<void>((release) => held.push(release));
      underWay += 1;
      return call().finally(() => (underWay -= 1));
    };
    const real = client();
    const slow: RegistryClient = {
      fetchManifest: (...ask) => hold(() => real.fetchManifest(...ask)),
      findTag: (...ask) => hold(() => real.findTag(...ask)),
      listReferrers: (...ask) => hold(() => real.listReferrers(...ask)),
      fetchBlob: (...ask) => hold(() => real.fetchBlob(...ask)),
    };
    const open = new Set(['gathering']);
    const gathering = gather(slow).finally(() => open.clear());
    const rounds: number[] = [];
    while (open.size > 0) {
      await sleep(2);
      if (underWay === 0 && held.length > 0) rounds.push(held.splice(0).map((release) => release()).length);
    }
    assert.ok((await gathering).ok);
    // manifest, listing and tag; the referrer; bundle, payload and model.sig
    assert.deepEqual(rounds, [3, 1, 3]);
  });

  describe('with trouble at the tag', () => {
    const statuses: readonly (readonly [number, DenialReason])[] = [
      [401, 'RegistryUnauthorized'],
      [403, 'RegistryUnauthorized'],
      [429, 'RegistryThrottled'],
      [500, 'RegistryUnavailable'],
      [503, 'RegistryUnavailable'],
    ];
    for (const [status, reason] of statuses) {
      it(`answering ${status}, says ${reason} beside the bundles, and never that there is nothing`, async () => {
        attachSimpleSignatures(registry, model, [signature('{}')]);
        failOn('.sig', { status });
        assert.deepEqual(await gathered(), { bundles: [], payloads: [], problems: [reason] });
        attachBundle(registry, model, { number: 1 });
        assert.deepEqual(await gathered(), {
          bundles: ['referrer {"number":1}'],
          payloads: [],
          problems: [reason],
        });
      });

      it(`not there, and the listing answering ${status}, says ${reason}`, async () => {
        failOn('/referrers/', { status });
        const result = await gather();
        assert.ok(!result.ok && result.problem.reason === reason);
      });

      it(`fine, and the listing answering ${status}, keeps what the tag holds`, async () => {
        attachSimpleSignatures(registry, model, [signature('{}')]);
        failOn('/referrers/', { status });
        assert.deepEqual(await gathered(), { bundles: [], payloads: ['tag {}'], problems: [reason] });
      });
    }

    it('that does not exist, says nothing', async () => {
      assert.deepEqual(await gathered(), { bundles: [], payloads: [], problems: [] });
    });

    const bodies: readonly (readonly [string, string, DenialReason])[] = [
      ['a web page', '<html>', 'ManifestInvalid'],
      ['an index', JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests: [] }), 'ManifestInvalid'],
      ['endless', ' '.repeat(5 * 1024 * 1024), 'ArtifactTooLarge'],
    ];
    for (const [what, body, reason] of bodies)
      it(`that names ${what}, says ${reason} and keeps the bundles`, async () => {
        attachBundle(registry, model, { number: 1 });
        registry.putManifest(REPOSITORY, Buffer.from(body), MANIFEST, signatureTag(model.digest));
        assert.deepEqual(await gathered(), {
          bundles: ['referrer {"number":1}'],
          payloads: [],
          problems: [reason],
        });
      });

    it('hanging until the request is over, says DeadlineExceeded', async () => {
      failOn('.sig', { hang: true });
      const result = await gather(client(), AbortSignal.timeout(150));
      assert.ok(!result.ok && result.problem.reason === 'DeadlineExceeded');
    });

    it('of a format that is not supported, names it', async () => {
      const body = {
        schemaVersion: 2,
        mediaType: MANIFEST,
        artifactType: 'application/vnd.cncf.notary.signature',
        config: { mediaType: 'x/y', ...registry.putBlob(Buffer.from('{}')) },
        layers: [],
      };
      registry.putManifest(
        REPOSITORY,
        Buffer.from(JSON.stringify(body)),
        MANIFEST,
        signatureTag(model.digest),
      );
      assert.deepEqual((await gathered()).problems, ['UnsupportedFormat']);
    });

    it('of layers of other kinds, passes over them without fetching one', async () => {
      putTagged(registry, model, [{ mediaType: 'text/x', ...registry.putBlob(Buffer.from('x')) }]);
      assert.deepEqual(await gathered(), { bundles: [], payloads: [], problems: [] });
      assert.equal(
        registry.requests.some(({ path }) => path.includes('/blobs/')),
        false,
      );
    });
  });

  describe('with one bad layer under the tag', () => {
    const good = (): object => ({
      mediaType: SIMPLE,
      ...registry.putBlob(Buffer.from('{"good":1}')),
      annotations: { [NAMES.signature]: 'c2ln' },
    });
    const only = { bundles: [], payloads: ['tag {"good":1}'] };

    const bad: readonly (readonly [string, () => object, DenialReason])[] = [
      [
        'whose digest lies',
        () => {
          const stored = registry.putBlob(Buffer.from('{"lie":1}'));
          registry.replaceBlob(stored.digest, Buffer.from('{"lie":2}'));
          return stored;
        },
        'DigestMismatch',
      ],
      [
        'whose size lies',
        () => ({ ...registry.putBlob(Buffer.from('{"lie":1}')), size: 8 }),
        'DigestMismatch',
      ],
      ['that is gone', () => ({ digest: `sha256:${'d'.repeat(64)}`, size: 9 }), 'RegistryUnavailable'],
      [
        'with a huge payload',
        () => ({ digest: `sha256:${'e'.repeat(64)}`, size: MAX_PAYLOAD_BYTES + 1 }),
        'ArtifactTooLarge',
      ],
      [
        'with a huge annotation',
        () => ({
          ...registry.putBlob(Buffer.from('{}')),
          annotations: { [NAMES.certificate]: 'x'.repeat(MAX_ANNOTATION_CHARS + 1) },
        }),
        'ArtifactTooLarge',
      ],
    ];
    for (const [what, make, reason] of bad)
      it(`${what}, keeps the other and says ${reason}`, async () => {
        putTagged(registry, model, [{ mediaType: SIMPLE, ...make() }, { ...good() }]);
        assert.deepEqual(await gathered(), { ...only, problems: [reason] });
        assert.equal(
          registry.requests.some(({ path }) => path.includes('eeee')),
          false,
        );
      });
  });

  describe('with too much of it', () => {
    const many = (count: number): SimpleSignature[] =>
      Array.from({ length: count }, (_, n) => signature(`{"n":${n}}`));

    it('reads 64 signatures and says TooManySignatures', async () => {
      attachSimpleSignatures(registry, model, many(MAX_CANDIDATES + 1));
      const { payloads, problems } = await gathered();
      assert.deepEqual([payloads.length, problems], [MAX_CANDIDATES, ['TooManySignatures']]);
      assert.equal(registry.requests.filter(({ path }) => path.includes('/blobs/')).length, MAX_CANDIDATES);
    });

    it('hides the bundles of one place behind no surplus at another', async () => {
      model = packModel(registry, REPOSITORY, { 'model.bin': 'weights', 'model.sig': '{"sig":1}' });
      attachBundle(registry, model, { number: 1, padding: 'x'.repeat(10_000) });
      attachSimpleSignatures(registry, model, many(500));
      const { bundles, payloads, problems } = await gathered();
      assert.equal(bundles.length, 2);
      assert.deepEqual([payloads.length, problems], [MAX_CANDIDATES - 2, ['TooManySignatures']]);
    });

    it('reads 4 MiB of payloads and annotations together, the smallest first', async () => {
      const noise = (n: number): SimpleSignature =>
        signature(`{"noise":${n}}`, {
          [NAMES.certificate]: 'x'.repeat(MAX_ANNOTATION_CHARS),
          [NAMES.chain]: 'y'.repeat(MAX_ANNOTATION_CHARS),
        });
      attachBundle(registry, model, { padding: 'x'.repeat(900_000) });
      attachSimpleSignatures(registry, model, [
        ...Array.from({ length: 29 }, (_, n) => noise(n)),
        ...many(1),
      ]);
      const { bundles, payloads, problems } = await gathered();
      assert.ok(payloads.includes('tag {"n":0}'));
      assert.deepEqual([bundles.length, problems], [0, ['TooManySignatures']]);
    });
  });

  it('remembers for seconds that a tag does not exist, and trouble not at all', async () => {
    const caching = createCachingClient(
      client(),
      createRegistryCaches(() => undefined),
    );
    const asked = (): number => registry.requests.filter(({ path }) => path.includes('.sig')).length;
    assert.ok((await gather(caching)).ok);
    assert.ok((await gather(caching)).ok);
    assert.equal(asked(), 1);

    model = packModel(registry, REPOSITORY, { 'model.bin': 'other' });
    failOn('.sig', { status: 500 });
    const result = await gather(caching);
    assert.deepEqual(result.ok && result.evidence.problems.map(({ reason }) => reason), [
      'RegistryUnavailable',
    ]);
    registry.setFault(undefined);
    const again = await gather(caching);
    assert.deepEqual(again.ok && again.evidence.problems, []);
  });

  it('throws what is a fault of this program', async () => {
    const broken = { ...client(), findTag: () => Promise.reject(new TypeError('bug')) };
    await assert.rejects(gather(broken), TypeError);
    const failing = { ...client(), findTag: () => Promise.reject(new RegistryError('invalid', 'x')) };
    const result = await gather(failing);
    assert.deepEqual(result.ok && result.evidence.problems.map(({ reason }) => reason), ['ManifestInvalid']);
  });
});

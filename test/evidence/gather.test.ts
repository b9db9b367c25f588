// Does every way in which a registry fails become the right reason, and does one bad candidate spoil no other?
import assert from 'node:assert/strict';
import { attachBundle, packModel, type PackedModel } from '../../src/demo/artifacts.ts';
import {
  startRegistry,
  type Fault,
  type RegistryHandle,
  type RegistryRequest,
} from '../../src/demo/registry.ts';
import { createCachingClient, createRegistryCaches } from '../../src/evidence/caching-client.ts';
import type { EvidenceResult } from '../../src/evidence/evidence.ts';
import { gatherEvidence, resolveTag } from '../../src/evidence/gather.ts';
import { DeadlineError } from '../../src/lib/deadline.ts';
import type { DenialReason } from '../../src/reason.ts';
import { createRegistryClient, type RegistryClient } from '../../src/registry/client.ts';
import { REGISTRY_ERROR_REASONS, RegistryError, type RegistryErrorKind } from '../../src/registry/error.ts';
import { createTransport, type Transport } from '../../src/registry/transport.ts';
import { MAX_BUNDLE_BYTES, MAX_BUNDLES_BYTES } from '../../src/evidence/evidence.ts';

const REPOSITORY = 'team/model';
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const INDEX = 'application/vnd.oci.image.index.v1+json';
const EMPTY = 'application/vnd.oci.empty.v1+json';
const BUNDLE = 'application/vnd.dev.sigstore.bundle.v0.3+json';
const WEIGHTS = Buffer.alloc(100_000, 7);
const soon = (): AbortSignal => AbortSignal.timeout(10_000);

describe('gatherEvidence()', () => {
  let registry: RegistryHandle;
  let transport: Transport;
  let model: PackedModel;
  let bundles: string[];

  beforeEach(async () => {
    registry = await startRegistry();
    transport = createTransport(
      { plainHttpHosts: new Set([registry.address]), configuredHosts: new Set() },
      [],
    );
    model = packModel(registry, REPOSITORY, { 'model.bin': WEIGHTS, 'config.json': '{}' }, { tag: 'v1' });
    bundles = [1, 2].map((number) => attachBundle(registry, model, { number }));
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
  const gather = (digest = model.digest, signal = soon()): Promise<EvidenceResult> =>
    gatherEvidence(client(), name(), digest, signal);
  const failOn = (part: string, fault: Fault): void =>
    registry.setFault(({ path }) => (path.includes(part) ? fault : undefined));

  it('reads small bundles first and stops at the bytes that one digest may cost', async () => {
    for (const number of [1, 2, 3, 4, 5])
      attachBundle(registry, model, Buffer.alloc(MAX_BUNDLE_BYTES - number, 0x20));
    const result = await gather();
    assert.ok(result.ok);
    const sizes = result.evidence.bundles.map(({ bytes }) => bytes.length);
    assert.ok(sizes.reduce((sum, size) => sum + size, 0) <= MAX_BUNDLES_BYTES);
    assert.ok(sizes.filter((size) => size < 100).length === bundles.length, 'the small ones are there');
    assert.deepEqual(
      result.evidence.problems.map(({ reason }) => reason),
      ['TooManySignatures'],
    );
  });

  async function gathered(): Promise<{ bundles: string[]; problems: string[] }> {
    const result = await gather();
    assert.ok(result.ok, JSON.stringify(result));
    return {
      bundles: result.evidence.bundles.map(({ bytes }) => bytes.toString()),
      problems: result.evidence.problems.map(({ reason }) => reason),
    };
  }

  async function reasonOf(promise: Promise<EvidenceResult>): Promise<string> {
    const result = await promise;
    assert.ok(!result.ok);
    assert.match(result.problem.message, /^[\x20-\x7e…]{1,900}$/);
    return result.problem.reason;
  }

  /** Attaches a manifest that refers to the model, with these changes. */
  function attach(changes: object, ...layers: object[]): string {
    const body = {
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: { mediaType: EMPTY, ...registry.putBlob(Buffer.from('{}')) },
      layers,
      subject: { mediaType: MANIFEST, digest: model.digest, size: model.size },
      artifactType: BUNDLE,
      ...changes,
    };
    return registry.putManifest(REPOSITORY, Buffer.from(JSON.stringify(body)), MANIFEST);
  }

  const layer = (text: string, mediaType = BUNDLE): object => ({
    mediaType,
    ...registry.putBlob(Buffer.from(text)),
  });

  it('gathers the manifest and every bundle, with where each was found', async () => {
    const result = await gather();
    assert.ok(result.ok);
    const { evidence } = result;
    assert.equal(evidence.digest, model.digest);
    assert.ok(evidence.manifest.kind === 'manifest');
    assert.equal(evidence.manifest.layers.length, 2);
    assert.deepEqual(
      evidence.bundles.map(({ referrer, bytes }) => [referrer, bytes.toString()]),
      [
        [bundles[0], '{"number":1}'],
        [bundles[1], '{"number":2}'],
      ],
    );
    assert.deepEqual(evidence.problems, []);
  });

  it('asks for manifests, listings and bundles, and for not one byte of weights', async () => {
    await gather();
    await resolveTag(client(), name(), 'v1', soon());
    const allowed = [
      /\/manifests\/(?:sha256:[0-9a-f]{64}|sha256-[0-9a-f]{64}\.sig|v1)$/,
      /\/referrers\/sha256:[0-9a-f]{64}$/,
      /\/blobs\/sha256:[0-9a-f]{64}$/,
    ];
    assert.ok(
      registry.requests.every(
        ({ method, path }) => method === 'GET' && allowed.some((route) => route.test(path)),
      ),
    );
    const blobs = registry.requests.filter(({ path }) => path.includes('/blobs/'));
    assert.equal(blobs.length, 2);
    assert.ok(registry.requests.reduce((sum, { bytes }) => sum + bytes, 0) < 20_000);
  });

  it('finds the bundles of a registry without the API', async () => {
    const old = await startRegistry({ referrersApi: false });
    try {
      const packed = packModel(old, REPOSITORY, { f: 'x' });
      attachBundle(old, packed, { number: 1 });
      const plain = createTransport(
        { plainHttpHosts: new Set([old.address]), configuredHosts: new Set() },
        [],
      );
      const result = await gatherEvidence(
        createRegistryClient(plain, new Map()),
        { registry: old.address, repository: REPOSITORY },
        packed.digest,
        soon(),
      );
      await plain.close();
      assert.ok(result.ok && result.evidence.bundles.length === 1);
    } finally {
      await old.close();
    }
  });

  describe('of a model that cannot be had', () => {
    const statuses: readonly (readonly [number, DenialReason])[] = [
      [401, 'RegistryUnauthorized'],
      [403, 'RegistryUnauthorized'],
      [404, 'ArtifactNotFound'],
      [429, 'RegistryThrottled'],
      [500, 'RegistryUnavailable'],
    ];
    for (const [status, reason] of statuses) {
      it(`says ${reason} when its manifest answers ${status}`, async () => {
        failOn(`manifests/${model.digest}`, { status });
        assert.equal(await reasonOf(gather()), reason);
      });
    }

    for (const [status, reason] of statuses.filter(([status]) => status !== 404)) {
      it(`says ${reason} when the listing answers ${status}: never that it is unsigned`, async () => {
        failOn('/referrers/', { status });
        assert.equal(await reasonOf(gather()), reason);
      });
    }

    const bodies: readonly (readonly [string, DenialReason])[] = [
      ['{"schemaVersion":2}', 'ManifestInvalid'],
      ['<html>', 'ManifestInvalid'],
      ['', 'ManifestInvalid'],
      [' '.repeat(5 * 1024 * 1024), 'ArtifactTooLarge'],
    ];
    for (const [body, reason] of bodies) {
      it(`says ${reason} for a manifest of ${body.length} bytes ${JSON.stringify(body.slice(0, 20))}`, async () => {
        const digest = registry.putManifest(REPOSITORY, Buffer.from(body), MANIFEST);
        assert.equal(await reasonOf(gather(digest)), reason);
      });
    }

    it('says DigestMismatch when other bytes are served', async () => {
      registry.replaceManifest(
        model.digest,
        Buffer.from(model.manifest.toString().replace('model.bin', 'other.bin')),
      );
      assert.equal(await reasonOf(gather()), 'DigestMismatch');
    });

    it('says RegistryUnavailable when the connection breaks', async () => {
      registry.setFault(() => ({ reset: true }));
      assert.equal(await reasonOf(gather()), 'RegistryUnavailable');
    });

    for (const part of ['/referrers/', '/manifests/', '/blobs/']) {
      it(`says DeadlineExceeded when ${part} does not answer in time`, async () => {
        failOn(part, { hang: true });
        assert.equal(await reasonOf(gather(model.digest, AbortSignal.timeout(150))), 'DeadlineExceeded');
      });
    }

    for (const [kind, reason] of Object.entries(REGISTRY_ERROR_REASONS) as [
      RegistryErrorKind,
      DenialReason,
    ][]) {
      it(`turns ${kind} into ${reason}, at the manifest, the listing and the tag`, async () => {
        const broken = (): Promise<never> => Promise.reject(new RegistryError(kind, 'x'));
        const honest = client();
        const at = { registry: registry.address, repository: REPOSITORY };
        for (const inner of [
          { ...honest, fetchManifest: broken },
          { ...honest, listReferrers: broken },
        ])
          assert.equal(await reasonOf(gatherEvidence(inner, at, model.digest, soon())), reason);
        const tag = await resolveTag({ ...honest, fetchManifest: broken }, at, 'v1', soon());
        assert.ok(!tag.ok && tag.problem.reason === reason);
      });
    }

    it('throws what is a fault of this program, and nothing else', async () => {
      const broken = { ...client(), listReferrers: () => Promise.reject(new TypeError('bug')) };
      await assert.rejects(gatherEvidence(broken, name(), model.digest, soon()), TypeError);
    });
  });

  describe('with one bad candidate', () => {
    const onlyOther = ['{"number":2}'];
    const faults: readonly (readonly [string, Fault, DenialReason])[] = [
      ['that is gone', { status: 404 }, 'RegistryUnavailable'],
      ['that nobody may read', { status: 403 }, 'RegistryUnauthorized'],
      ['that fails', { status: 500 }, 'RegistryUnavailable'],
      ['that is throttled', { status: 429 }, 'RegistryThrottled'],
      ['that breaks off', { reset: true }, 'RegistryUnavailable'],
      ['that is served with other bytes', { body: '{"schemaVersion":2}' }, 'DigestMismatch'],
      ['that is endless', { body: Buffer.alloc(5 * 1024 * 1024) }, 'ArtifactTooLarge'],
    ];
    for (const [what, fault, reason] of faults) {
      it(`${what}, keeps the other and says ${reason}`, async () => {
        failOn(`manifests/${bundles[0]}`, fault);
        assert.deepEqual(await gathered(), { bundles: onlyOther, problems: [reason] });
      });

      it(`whose bundle is one ${what}, keeps the other`, async () => {
        let spoiled = '';
        registry.setFault(({ path }: RegistryRequest) => {
          if (!path.includes('/blobs/')) return undefined;
          spoiled ||= path;
          return path === spoiled ? fault : undefined;
        });
        const { bundles, problems } = await gathered();
        assert.equal(bundles.length, 1);
        // A blob's bytes beyond its descriptor's size are other bytes, not too many.
        assert.deepEqual(problems, [reason]);
      });
    }

    it('that refers to another digest, says SubjectMismatch', async () => {
      attachBundle(registry, model, { evil: 1 }, { subjectDigest: `sha256:${'b'.repeat(64)}` });
      const evil = attach(
        { subject: { mediaType: MANIFEST, digest: `sha256:${'c'.repeat(64)}`, size: 1 } },
        layer('{"evil":2}'),
      );
      const listing = {
        schemaVersion: 2,
        mediaType: INDEX,
        manifests: [evil, ...bundles].map((digest) => ({ mediaType: MANIFEST, digest, size: 1 })),
      };
      failOn('/referrers/', { body: JSON.stringify(listing), headers: { 'content-type': INDEX } });
      assert.deepEqual(await gathered(), {
        bundles: ['{"number":1}', '{"number":2}'],
        problems: ['SubjectMismatch'],
      });
    });

    it('that a listing names without any subject, says SubjectMismatch', async () => {
      const evil = attach({ subject: undefined }, layer('{"evil":1}'));
      const listing = { schemaVersion: 2, manifests: [{ mediaType: MANIFEST, digest: evil, size: 1 }] };
      failOn('/referrers/', { body: JSON.stringify(listing), headers: { 'content-type': INDEX } });
      assert.deepEqual(await gathered(), { bundles: [], problems: ['SubjectMismatch'] });
    });

    it('with two layers, says ManifestInvalid', async () => {
      attach({}, layer('{"a":1}'), layer('{"b":1}'));
      const { bundles, problems } = await gathered();
      assert.deepEqual([bundles.length, problems], [2, ['ManifestInvalid']]);
    });

    it('of a format that is not supported, names it', async () => {
      attach({ artifactType: 'application/vnd.cncf.notary.signature' }, layer('x', 'application/jose+json'));
      attach({
        artifactType: undefined,
        config: {
          mediaType: 'application/vnd.cncf.notary.signature',
          ...registry.putBlob(Buffer.from('{}')),
        },
      });
      const { bundles, problems } = await gathered();
      assert.deepEqual([bundles.length, problems], [2, ['UnsupportedFormat', 'UnsupportedFormat']]);
    });

    it('of another kind, passes over it without fetching it', async () => {
      attach({ artifactType: 'text/sbom' }, layer('{"sbom":1}', 'application/spdx+json'));
      attach({ artifactType: 'x/empty' });
      const list = {
        schemaVersion: 2,
        mediaType: INDEX,
        manifests: [],
        subject: { mediaType: MANIFEST, digest: model.digest, size: 1 },
      };
      registry.putManifest(REPOSITORY, Buffer.from(JSON.stringify(list)), INDEX);
      assert.deepEqual(await gathered(), { bundles: ['{"number":1}', '{"number":2}'], problems: [] });
      assert.equal(registry.requests.filter(({ path }) => path.includes('/blobs/')).length, 2);
    });

    it('whose bundle is said to be too large, does not ask for it', async () => {
      const size = MAX_BUNDLE_BYTES + 1;
      attach({}, { mediaType: BUNDLE, digest: `sha256:${'d'.repeat(64)}`, size });
      const { bundles, problems } = await gathered();
      assert.deepEqual([bundles.length, problems], [2, ['ArtifactTooLarge']]);
      assert.equal(
        registry.requests.some(({ path }) => path.includes('dddd')),
        false,
      );
    });

    it('does not believe what the listing says about types', async () => {
      const listing = {
        schemaVersion: 2,
        manifests: bundles.map((digest) => ({
          mediaType: 'x/y',
          digest,
          size: 999,
          artifactType: 'text/html',
        })),
      };
      failOn('/referrers/', { body: JSON.stringify(listing), headers: { 'content-type': INDEX } });
      assert.equal((await gathered()).bundles.length, 2);
    });

    it('whose flight ended by its own time, keeps the others: only the request knows when its time is up', async () => {
      const honest = client();
      const inner: RegistryClient = {
        ...honest,
        fetchManifest: (at, target, signal) =>
          target === bundles[0]
            ? Promise.reject(new DeadlineError('flight'))
            : honest.fetchManifest(at, target, signal),
      };
      const result = await gatherEvidence(inner, name(), model.digest, soon());
      assert.ok(result.ok);
      assert.deepEqual(
        [result.evidence.bundles.length, result.evidence.problems.map(({ reason }) => reason)],
        [1, ['DeadlineExceeded']],
      );
    });
  });

  it('says TooManySignatures beside what it read of too many referrers', async () => {
    for (let number = 3; number <= 70; number += 1) attachBundle(registry, model, { number });
    const found = await gathered();
    assert.equal(found.bundles.length, 64);
    assert.deepEqual(found.problems, ['TooManySignatures']);
  });

  it('gathers for hundreds of requests at once with one fetch of each thing', async () => {
    const caching = createCachingClient(
      client(),
      createRegistryCaches(() => undefined),
    );
    const results = await Promise.all(
      Array.from({ length: 300 }, () => gatherEvidence(caching, name(), model.digest, soon())),
    );
    assert.ok(results.every((result) => result.ok && result.evidence.bundles.length === 2));
    assert.equal(new Set(registry.requests.map(({ path }) => path)).size, registry.requests.length);
    assert.equal(registry.requests.length, 7);
  });

  it('recovers at once when the registry does', async () => {
    const caching = createCachingClient(
      client(),
      createRegistryCaches(() => undefined),
    );
    registry.setFault(() => ({ status: 500 }));
    assert.equal(
      await reasonOf(gatherEvidence(caching, name(), model.digest, soon())),
      'RegistryUnavailable',
    );
    registry.setFault(undefined);
    assert.ok((await gatherEvidence(caching, name(), model.digest, soon())).ok);
  });
});

describe('resolveTag()', () => {
  it('gives the digest of the bytes that the tag names', async () => {
    const registry = await startRegistry();
    const transport = createTransport(
      { plainHttpHosts: new Set([registry.address]), configuredHosts: new Set() },
      [],
    );
    const client = createRegistryClient(transport, new Map());
    const at = { registry: registry.address, repository: REPOSITORY };
    try {
      const { digest } = packModel(registry, REPOSITORY, { f: 'x' }, { tag: 'v1' });
      assert.deepEqual(await resolveTag(client, at, 'v1', soon()), { ok: true, digest });
      const missing = await resolveTag(client, at, 'v2', soon());
      assert.ok(!missing.ok && missing.problem.reason === 'ArtifactNotFound');
      registry.setFault(() => ({ hang: true }));
      const late = await resolveTag(client, at, 'v1', AbortSignal.timeout(100));
      assert.ok(!late.ok && late.problem.reason === 'DeadlineExceeded');
    } finally {
      await transport.close();
      await registry.close();
    }
  });
});

// Is "nothing refers to it" said only when the registry said so, and is every listing finite?
import assert from 'node:assert/strict';
import { attachBundle, packModel, type PackedModel } from '../../src/demo/artifacts.ts';
import { startRegistry, type RegistryHandle, type RegistryOptions } from '../../src/demo/registry.ts';
import { DeadlineError } from '../../src/lib/deadline.ts';
import { RegistryError, type RegistryErrorKind } from '../../src/registry/error.ts';
import { COSIGN_SIGN_PREDICATE, PREDICATE_TYPE_ANNOTATION } from '../../src/model/predicate-type.ts';
import { MAX_REFERRERS, type ReferrersList } from '../../src/registry/referrers.ts';
import { answer, REPOSITORY, soon, Stage, type BareServer } from './servers.ts';

const INDEX = 'application/vnd.oci.image.index.v1+json';
const DIGEST = `sha256:${'a'.repeat(64)}`;
const FALLBACK = `/v2/${REPOSITORY}/manifests/sha256-${'a'.repeat(64)}`;
const LISTING = `/v2/${REPOSITORY}/referrers/${DIGEST}`;
const rejects = (promise: Promise<unknown>, kind: RegistryErrorKind): Promise<void> =>
  assert.rejects(promise, (error) => {
    assert.ok(error instanceof RegistryError, String(error));
    assert.equal(error.kind, kind, error.message);
    return true;
  });
const digestOf = (number: number): string => `sha256:${number.toString(16).padStart(64, '0')}`;
const indexOf = (...numbers: readonly number[]): string =>
  JSON.stringify({
    schemaVersion: 2,
    mediaType: INDEX,
    manifests: numbers.map((number) => ({
      mediaType: 'x/y',
      digest: digestOf(number),
      size: 1,
      artifactType: 'hint',
      annotations: { big: 'x' },
    })),
  });
const range = (start: number, end: number): number[] =>
  Array.from({ length: end - start }, (_, i) => start + i);

describe('listReferrers()', () => {
  const stage = new Stage();
  const registries: RegistryHandle[] = [];
  afterEach(async () => {
    await stage.end();
    await Promise.all(registries.splice(0).map((registry) => registry.close()));
  });

  const list = (server: { address: string }, digest = DIGEST, signal = soon()): Promise<ReferrersList> =>
    stage
      .client([server.address])
      .listReferrers({ registry: server.address, repository: REPOSITORY }, digest, signal);
  const digests = async (server: BareServer): Promise<readonly string[]> =>
    (await list(server)).descriptors.map(({ digest }) => digest);

  async function registryWith(
    count: number,
    options: RegistryOptions = {},
  ): Promise<{ registry: RegistryHandle; model: PackedModel; attached: string[] }> {
    const registry = await startRegistry(options);
    registries.push(registry);
    const model = packModel(registry, REPOSITORY, { f: 'x' });
    const attached = range(0, count).map((number) => attachBundle(registry, model, { number }));
    return { registry, model, attached };
  }

  /** Serves the API with the given answers, and the fallback tag with `tag`. */
  const serve = (
    listing: (
      server: BareServer,
      url: string,
    ) => { status?: number; headers?: Record<string, string>; body?: string },
    tag: { status?: number; body?: string } = { status: 404 },
  ): Promise<BareServer> => {
    let self: BareServer | undefined;
    const started = stage.serve(({ url = '' }, response) => {
      assert.ok(self);
      const {
        status = 200,
        headers = { 'content-type': INDEX },
        body = '',
      } = url.startsWith('/v2/team/model/manifests/')
        ? { ...tag, headers: { 'content-type': INDEX } }
        : listing(self, url);
      answer(response, status, headers, body);
    });
    return started.then((server) => (self = server));
  };

  describe('by the API', () => {
    it('reads every page, without filter and in order', async () => {
      const { registry, model, attached } = await registryWith(7, { referrersPageSize: 3 });
      const { descriptors, isTruncated } = await list(registry, model.digest);
      assert.deepEqual(
        descriptors.map(({ digest }) => digest),
        attached,
      );
      assert.equal(isTruncated, false);
      assert.equal(registry.requests.length, 3);
      assert.equal(
        registry.requests.some(({ path }) => path.includes('artifactType')),
        false,
      );
    });

    it('says that nothing refers to a digest when the API says so, without asking for a tag', async () => {
      const { registry, model } = await registryWith(0);
      assert.deepEqual(await list(registry, model.digest), { descriptors: [], isTruncated: false });
      assert.equal(registry.requests.length, 1);
      const server = await serve(() => ({ body: '{"schemaVersion":2,"manifests":null}' }));
      assert.deepEqual(await digests(server), []);
    });

    it('keeps nothing of a listing but where its entries are, and what kind they say they are', async () => {
      const server = await serve(() => ({ body: indexOf(1) }));
      assert.deepEqual((await list(server)).descriptors, [
        { mediaType: 'x/y', digest: digestOf(1), size: 1, annotations: {} },
      ]);
      const type = { [PREDICATE_TYPE_ANNOTATION]: 'https://slsa.dev/provenance/v1' };
      const announcing = await serve(() => ({
        body: JSON.stringify({
          schemaVersion: 2,
          manifests: [
            { mediaType: 'x/y', digest: digestOf(1), size: 1, annotations: { ...type, other: 'x' } },
          ],
        }),
      }));
      assert.deepEqual(
        (await list(announcing)).descriptors.map(({ annotations }) => annotations),
        [type],
      );
    });

    it('holds 64 of either kind, so that neither hides the other', async () => {
      const entry = (n: number, predicateType: string): object => ({
        mediaType: 'x/y',
        digest: digestOf(n),
        size: 1,
        annotations: { [PREDICATE_TYPE_ANNOTATION]: predicateType },
      });
      const manifests = [
        ...range(0, 200).map((n) => entry(n, 'https://slsa.dev/provenance/v1')),
        entry(200, COSIGN_SIGN_PREDICATE),
      ];
      const server = await serve(() => ({ body: JSON.stringify({ schemaVersion: 2, manifests }) }));
      const { descriptors, isTruncated } = await list(server);
      assert.deepEqual([descriptors.length, isTruncated], [MAX_REFERRERS + 1, true]);
      assert.equal(descriptors[0]?.digest, digestOf(200));
    });

    it('stops at 64, and says that there are more', async () => {
      const exactly = await serve(() => ({ body: indexOf(...range(0, MAX_REFERRERS)) }));
      assert.equal((await list(exactly)).isTruncated, false);
      const more = await serve(() => ({ body: indexOf(...range(0, MAX_REFERRERS + 1)) }));
      const { descriptors, isTruncated } = await list(more);
      assert.deepEqual([descriptors.length, isTruncated], [MAX_REFERRERS, true]);
      const { registry, model } = await registryWith(70, { referrersPageSize: 30 });
      assert.equal((await list(registry, model.digest)).isTruncated, true);
    });

    it('reads ten thousand entries of one page without harm', async () => {
      const server = await serve(() => ({ body: indexOf(...range(0, 10_000)) }));
      assert.equal((await list(server)).descriptors.length, MAX_REFERRERS);
    });

    it('stops after ten pages when they go in a circle or never end', async () => {
      let page = 0;
      for (const next of [() => `${LISTING}?n=1`, () => `?page=${(page += 1)}`]) {
        const server = await serve(() => ({
          headers: { 'content-type': INDEX, link: `<${next()}>; rel="next"` },
          body: indexOf(),
        }));
        const { descriptors, isTruncated } = await list(server);
        assert.deepEqual([descriptors.length, isTruncated], [0, true]);
        assert.equal(server.seen.length, 10);
      }
    });

    const links: readonly (readonly [string, string])[] = [
      ['absolute', '<URL?last=1>; rel="next"'],
      ['relative', '<?last=1>; rel="next"'],
      ['without quotes', '<?last=1>;rel=next'],
      ['with another parameter first', '<?last=1>; title="x"; rel="next"'],
      ['in upper case', '<?last=1>; REL="NEXT"'],
    ];
    for (const [what, link] of links) {
      it(`follows a link that is ${what}`, async () => {
        const server = await serve(({ url: origin }, url) =>
          url.includes('last=1')
            ? { body: indexOf(2) }
            : {
                headers: { 'content-type': INDEX, link: link.replace('URL', `${origin}${LISTING}`) },
                body: indexOf(1),
              },
        );
        assert.deepEqual(await digests(server), [digestOf(1), digestOf(2)]);
      });
    }

    for (const link of [
      '<https://evil.test/x>; rel="next"',
      '<//evil.test/x>; rel="next"',
      '</v2/other/referrers/x>; rel="next"',
      `<http://127.0.0.1:1${LISTING}>; rel="next"`,
      '<http://[>; rel="next"',
    ]) {
      it(`refuses the link ${link}, whatever the first page held`, async () => {
        const server = await serve(() => ({ headers: { 'content-type': INDEX, link }, body: indexOf(1) }));
        await rejects(list(server), 'invalid');
        assert.equal(server.seen.length, 1);
      });
    }

    it('takes no other relation for a next page', async () => {
      for (const link of ['<?x>; rel="prev"', '?x; rel="next"', '<>; rel="next"', 'junk'])
        assert.deepEqual(
          await digests(await serve(() => ({ headers: { 'content-type': INDEX, link }, body: indexOf(1) }))),
          [digestOf(1)],
        );
    });

    const trouble: readonly (readonly [number, RegistryErrorKind])[] = [
      [401, 'unauthorized'],
      [403, 'unauthorized'],
      [429, 'throttled'],
      [500, 'unreachable'],
      [502, 'unreachable'],
      [503, 'unreachable'],
    ];
    for (const [status, kind] of trouble) {
      it(`fails as ${kind} on ${status}, and asks for no tag`, async () => {
        const server = await serve(() => ({ status }), { status: 200, body: indexOf() });
        await rejects(list(server), kind);
        assert.equal(server.seen.length, 1);
      });
    }

    for (const status of [400, 404, 405, 500, 302]) {
      it(`fails on ${status} for a later page instead of forgetting it`, async () => {
        const server = await serve((_, url) =>
          url.includes('last')
            ? { status }
            : { headers: { 'content-type': INDEX, link: '<?last=1>; rel="next"' }, body: indexOf(1) },
        );
        await assert.rejects(list(server), RegistryError);
      });
    }

    for (const body of [
      '',
      '{}',
      '[]',
      'null',
      '<html>',
      '{"schemaVersion":2,"manifests":{}}',
      '{"schemaVersion":2,"manifests":[{}]}',
      '{"schemaVersion":2,"manifests":[],"manifests":[]}',
      '{"schemaVersion":2,"layers":[]}',
      '{"schemaVersion":2,"Manifests":[]}',
    ]) {
      it(`fails on ${JSON.stringify(body)} under the right type`, async () => {
        const server = await serve(() => ({ body }), { status: 200, body: indexOf() });
        await rejects(list(server), 'invalid');
      });
    }

    it('fails on a page beyond the cap', async () => {
      await rejects(list(await serve(() => ({ body: ' '.repeat(5 * 1024 * 1024) }))), 'tooLarge');
    });

    it('ends with the deadline when a page does not come', async () => {
      const server = await stage.serve(({ url = '' }, response) => {
        if (!url.includes('last'))
          answer(response, 200, { 'content-type': INDEX, link: '<?last=1>; rel="next"' }, indexOf(1));
      });
      await assert.rejects(list(server, DIGEST, soon(150)), DeadlineError);
    });
  });

  describe('by the tag schema', () => {
    const missing: readonly (readonly [
      string,
      { status?: number; headers?: Record<string, string>; body?: string },
    ])[] = [
      ['400', { status: 400 }],
      ['404', { status: 404 }],
      ['405', { status: 405 }],
      ['406', { status: 406 }],
      ['a web page', { headers: { 'content-type': 'text/html' }, body: '<html></html>' }],
      ['JSON of another type', { headers: { 'content-type': 'application/json' }, body: indexOf(9) }],
      ['no content type', { headers: {}, body: indexOf(9) }],
      ['a redirect to another host', { status: 307, headers: { location: 'https://evil.test/' } }],
      ['a redirect to metadata', { status: 302, headers: { location: 'https://169.254.169.254/' } }],
      ['a redirect to nowhere', { status: 303, headers: {} }],
    ];
    for (const [what, page] of missing) {
      it(`looks there after ${what}`, async () => {
        const server = await serve(() => page, { status: 200, body: indexOf(1) });
        assert.deepEqual(await digests(server), [digestOf(1)]);
        assert.deepEqual(
          server.seen.map(({ path }) => path),
          [LISTING, FALLBACK],
        );
      });
    }

    it('accepts a content type with parameters and in any case as the API', async () => {
      const server = await serve(() => ({
        headers: { 'content-type': `${INDEX.toUpperCase()}; charset=utf-8` },
        body: indexOf(1),
      }));
      assert.deepEqual(await digests(server), [digestOf(1)]);
      assert.equal(server.seen.length, 1);
    });

    it('does not go to the host that a listing redirects to', async () => {
      const other = await stage.serve((_, response) =>
        answer(response, 200, { 'content-type': INDEX }, indexOf(9)),
      );
      const server = await serve(() => ({ status: 307, headers: { location: `${other.url}${LISTING}` } }), {
        body: indexOf(1),
      });
      const client = stage.client([server.address, other.address]);
      const { descriptors } = await client.listReferrers(
        { registry: server.address, repository: REPOSITORY },
        DIGEST,
        soon(),
      );
      assert.deepEqual(
        descriptors.map(({ digest }) => digest),
        [digestOf(1)],
      );
      assert.equal(other.connections(), 0);
    });

    it('follows a redirect on the same host', async () => {
      const server = await serve((_, url) =>
        url.includes('moved')
          ? { body: indexOf(1) }
          : { status: 307, headers: { location: `${LISTING}?moved` } },
      );
      assert.deepEqual(await digests(server), [digestOf(1)]);
    });

    it('finds what the demo registry keeps there', async () => {
      const { registry, model, attached } = await registryWith(3, { referrersApi: false });
      const { descriptors } = await list(registry, model.digest);
      assert.deepEqual(
        descriptors.map(({ digest }) => digest),
        attached,
      );
    });

    it('cuts a sha512 digest to the length of a tag', async () => {
      const server = await serve(() => ({ status: 404 }));
      await list(server, `sha512:${'b'.repeat(128)}`);
      assert.equal(server.seen[1]?.path, `/v2/${REPOSITORY}/manifests/sha512-${'b'.repeat(64)}`);
    });

    it('says that nothing refers to the digest only when the tag is missing', async () => {
      const server = await serve(() => ({ status: 404 }), { status: 404 });
      assert.deepEqual(await list(server), { descriptors: [], isTruncated: false });
    });

    const trouble: readonly (readonly [number, RegistryErrorKind])[] = [
      [401, 'unauthorized'],
      [403, 'unauthorized'],
      [429, 'throttled'],
      [400, 'unreachable'],
      [500, 'unreachable'],
      [503, 'unreachable'],
    ];
    for (const [status, kind] of trouble) {
      it(`fails as ${kind} when the tag answers ${status}`, async () => {
        await rejects(list(await serve(() => ({ status: 404 }), { status })), kind);
      });
    }

    it('stops at 64 there too', async () => {
      const server = await serve(() => ({ status: 404 }), { body: indexOf(...range(0, 100)) });
      const { descriptors, isTruncated } = await list(server);
      assert.deepEqual([descriptors.length, isTruncated], [MAX_REFERRERS, true]);
    });

    it('fails when the tag names no index', async () => {
      for (const body of [
        '{}',
        '',
        `{"schemaVersion":2,"config":{"mediaType":"x","digest":"${DIGEST}","size":1},"layers":[]}`,
      ])
        await rejects(list(await serve(() => ({ status: 404 }), { body })), 'invalid');
    });
  });
});

// Is everything fetched once, for everybody, and trouble never remembered?
import assert from 'node:assert/strict';
import {
  createCachingClient,
  createRegistryCaches,
  type CacheName,
} from '../../src/evidence/caching-client.ts';
import { DeadlineError } from '../../src/lib/deadline.ts';
import type { Descriptor } from '../../src/model/manifest.ts';
import type { RegistryClient } from '../../src/registry/client.ts';
import { RegistryError } from '../../src/registry/error.ts';

const NAME = { registry: 'reg.example', repository: 'team/model' };
const DIGEST = `sha256:${'a'.repeat(64)}`;
const BLOB: Descriptor = { mediaType: 'x/y', digest: DIGEST, size: 1, annotations: {} };
const LIMIT = (
  signal: AbortSignal = new AbortController().signal,
): { maxBytes: number; signal: AbortSignal } => ({
  maxBytes: 100,
  signal,
});
const open = (): AbortSignal => new AbortController().signal;

/** A client that counts its calls and answers when told to. */
function createInner(): RegistryClient & {
  calls: string[];
  release(error?: Error): void;
  signals: AbortSignal[];
} {
  const waiting: ((error?: Error) => void)[] = [];
  const calls: string[] = [];
  const signals: AbortSignal[] = [];
  const wait = <T>(call: string, signal: AbortSignal, value: T): Promise<T> => {
    calls.push(call);
    signals.push(signal);
    return new Promise((resolve, reject) =>
      waiting.push((error) => (error === undefined ? resolve(value) : reject(error))),
    );
  };
  return {
    calls,
    signals,
    release: (error) => waiting.splice(0).forEach((answer) => answer(error)),
    fetchManifest: ({ repository }, target, signal) =>
      wait(`manifest ${repository} ${target}`, signal, { bytes: Buffer.from(target), digest: DIGEST }),
    findTag: ({ repository }, tag, signal) =>
      wait(`tag ${repository} ${tag}`, signal, { bytes: Buffer.from(tag), digest: DIGEST }),
    listReferrers: ({ repository }, digest, signal) =>
      wait(`referrers ${repository} ${digest}`, signal, { descriptors: [], isTruncated: false }),
    fetchBlob: ({ repository }, { digest, size }, { signal }) =>
      wait(`blob ${repository} ${digest} ${size}`, signal, Buffer.from('b')),
  };
}

describe('createCachingClient()', () => {
  const create = (): { inner: ReturnType<typeof createInner>; client: RegistryClient; seen: string[] } => {
    const inner = createInner();
    const seen: string[] = [];
    return {
      inner,
      seen,
      client: createCachingClient(
        inner,
        createRegistryCaches((cache: CacheName, result) => seen.push(`${cache} ${result}`)),
      ),
    };
  };

  const reads: readonly (readonly [
    string,
    (client: RegistryClient, signal: AbortSignal) => Promise<unknown>,
  ])[] = [
    ['a manifest by digest', (client, signal) => client.fetchManifest(NAME, DIGEST, signal)],
    ['a manifest by tag', (client, signal) => client.fetchManifest(NAME, 'v1', signal)],
    ['a tag that need not exist', (client, signal) => client.findTag(NAME, 'x.sig', signal)],
    ['referrers', (client, signal) => client.listReferrers(NAME, DIGEST, signal)],
    ['a blob', (client, signal) => client.fetchBlob(NAME, BLOB, LIMIT(signal))],
  ];
  for (const [what, read] of reads) {
    it(`fetches ${what} once for a thousand callers, and not again for those that follow`, async () => {
      const { inner, client, seen } = create();
      const callers = Array.from({ length: 1000 }, () => read(client, open()));
      inner.release();
      const values = await Promise.all(callers);
      assert.equal(new Set(values).size, 1);
      assert.equal(await read(client, open()), values[0]);
      assert.equal(inner.calls.length, 1);
      assert.deepEqual(
        [
          seen.filter((line) => line.endsWith('miss')).length,
          seen.filter((line) => line.endsWith('joined')).length,
        ],
        [1, 999],
      );
    });

    it(`lets no caller's deadline end the fetch of ${what} for the others`, async () => {
      const { inner, client } = create();
      const first = new AbortController();
      const hasty = read(client, first.signal);
      const patient = read(client, open());
      first.abort();
      await assert.rejects(hasty, DeadlineError);
      assert.equal(inner.signals[0]?.aborted, false);
      inner.release();
      await patient;
      assert.equal(inner.calls.length, 1);
      await assert.rejects(read(client, first.signal), DeadlineError);
    });

    it(`fails everybody who waits for ${what}, and fetches again afterwards`, async () => {
      const { inner, client } = create();
      const callers = [read(client, open()), read(client, open())];
      inner.release(new RegistryError('notFound', 'gone'));
      for (const outcome of await Promise.allSettled(callers)) assert.equal(outcome.status, 'rejected');
      const again = read(client, open());
      inner.release();
      await again;
      assert.equal(inner.calls.length, 2);
    });

    it(`leaves no unhandled rejection when ${what} fails after everybody has gone`, async () => {
      const unhandled: unknown[] = [];
      const listen = (reason: unknown): unknown => unhandled.push(reason);
      process.on('unhandledRejection', listen);
      try {
        const { inner, client } = create();
        await assert.rejects(read(client, AbortSignal.abort()), DeadlineError);
        inner.release(new Error('late'));
        await new Promise((resolve) => setImmediate(resolve));
        assert.deepEqual(unhandled, []);
      } finally {
        process.off('unhandledRejection', listen);
      }
    });
  }

  it('keeps registries, repositories, kinds and sizes apart', async () => {
    const { inner, client } = create();
    const other = [
      { registry: 'reg.example', repository: 'team/other' },
      { registry: 'other.example', repository: 'team/model' },
    ];
    const all = [NAME, ...other].flatMap((name) => [
      client.fetchManifest(name, DIGEST, open()),
      client.listReferrers(name, DIGEST, open()),
      client.fetchBlob(name, BLOB, LIMIT()),
      client.fetchBlob(name, { ...BLOB, size: 2 }, LIMIT()),
    ]);
    inner.release();
    await Promise.all(all);
    assert.equal(inner.calls.length, 12);
  });

  it('names its caches to the observer', async () => {
    const { inner, client, seen } = create();
    const all = reads.map(([, read]) => read(client, open()));
    inner.release();
    await Promise.all(all);
    assert.deepEqual(seen, ['bytes miss', 'tags miss', 'tags miss', 'referrers miss', 'bytes miss']);
  });
});

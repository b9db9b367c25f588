// Are mirrors asked where their word can be checked, and does the registry's own word stay the last?
import assert from 'node:assert/strict';
import { packModel, type PackedModel } from '../../src/demo/artifacts.ts';
import { startRegistry, type RegistryHandle } from '../../src/demo/registry.ts';
import { DeadlineError } from '../../src/lib/deadline.ts';
import { createRegistryClient, type RegistryClient } from '../../src/registry/client.ts';
import { RegistryError } from '../../src/registry/error.ts';
import type { HostSettings, MirrorSettings } from '../../src/registry/host-settings.ts';
import { createReadInOrder, MIRROR_REST_MS, type Source } from '../../src/registry/sources.ts';
import { REPOSITORY, soon, Stage } from './servers.ts';

const OWN: HostSettings = {
  plainHttp: true,
  mirrors: [],
  mirrorsOnly: false,
  tagAbsentStatuses: new Set(),
};
const mirrorAt = (host: string, more: Partial<MirrorSettings> = {}): MirrorSettings => ({
  host,
  prefix: '',
  resolves: false,
  ...more,
});

describe('createReadInOrder()', () => {
  const stage = new Stage();
  const NAME = { registry: 'origin.test', repository: REPOSITORY };
  let clock = 0;
  const order = (mirrors: readonly MirrorSettings[], own: Partial<HostSettings> = {}) =>
    createReadInOrder(
      stage.transport(),
      new Map([[NAME.registry, { ...OWN, plainHttp: false, ...own, mirrors }]]),
      () => clock,
    );
  const hostOf = (source: Source): string => source.locate('x').url.host;
  const fail = (kind: 'unreachable' | 'notFound' | 'mismatch' | 'throttled') => (source: Source) =>
    Promise.reject(new RegistryError(kind, `${hostOf(source)} ${kind}`));

  beforeEach(() => (clock = 0));
  afterEach(() => stage.end());

  /** Which hosts are asked when all but the last one fail. */
  async function askedWhen(
    readInOrder: ReturnType<typeof createReadInOrder>,
    kind: 'fixed' | 'named',
    trouble: 'unreachable' | 'notFound' | 'mismatch' | 'throttled' = 'notFound',
  ): Promise<readonly string[]> {
    const asked: string[] = [];
    const reading = readInOrder({
      name: NAME,
      kind,
      signal: soon(),
      read(source) {
        asked.push(hostOf(source));
        return fail(trouble)(source);
      },
    });
    await assert.rejects(reading, RegistryError);
    return asked;
  }

  it('asks mirrors in their order, then the registry, for what a digest fixes', async () => {
    const readInOrder = order([mirrorAt('one.test'), mirrorAt('two.test')]);
    assert.deepEqual(await askedWhen(readInOrder, 'fixed'), ['one.test', 'two.test', 'origin.test']);
  });

  it('asks the registry alone for names and listings, and mirrors that resolve before it', async () => {
    assert.deepEqual(await askedWhen(order([mirrorAt('one.test')]), 'named'), ['origin.test']);
    const resolving = order([mirrorAt('one.test'), mirrorAt('two.test', { resolves: true })]);
    assert.deepEqual(await askedWhen(resolving, 'named'), ['two.test', 'origin.test']);
  });

  it('asks no registry that has mirrors only', async () => {
    const mirrors = [mirrorAt('one.test'), mirrorAt('two.test', { resolves: true })];
    const readInOrder = order(mirrors, { mirrorsOnly: true });
    assert.deepEqual(await askedWhen(readInOrder, 'fixed'), ['one.test', 'two.test']);
    assert.deepEqual(await askedWhen(readInOrder, 'named'), ['two.test']);
  });

  it('puts the prefix before the repository', async () => {
    const readInOrder = order([mirrorAt('one.test', { prefix: 'cache/origin' })]);
    const read = (source: Source): Promise<string> => Promise.resolve(source.locate('blobs/x').url.href);
    assert.equal(
      await readInOrder({ name: NAME, kind: 'fixed', signal: soon(), read }),
      `https://one.test/v2/cache/origin/${REPOSITORY}/blobs/x`,
    );
  });

  for (const trouble of ['unreachable', 'throttled'] as const) {
    it(`leaves a mirror alone for a while that is ${trouble}`, async () => {
      const readInOrder = order([mirrorAt('one.test')]);
      assert.deepEqual(await askedWhen(readInOrder, 'fixed', trouble), ['one.test', 'origin.test']);
      assert.deepEqual(await askedWhen(readInOrder, 'fixed', trouble), ['origin.test']);
      clock = MIRROR_REST_MS;
      assert.deepEqual(await askedWhen(readInOrder, 'fixed', trouble), ['one.test', 'origin.test']);
    });
  }

  it('asks resting mirrors when there is nobody else', async () => {
    const readInOrder = order([mirrorAt('one.test'), mirrorAt('two.test', { resolves: true })], {
      mirrorsOnly: true,
    });
    for (const expected of [['one.test', 'two.test'], ['two.test']])
      assert.deepEqual(await askedWhen(readInOrder, 'fixed', 'unreachable'), expected);
  });

  it('does not leave one alone that merely has not got it, or lies', async () => {
    for (const trouble of ['notFound', 'mismatch'] as const) {
      const readInOrder = order([mirrorAt('one.test')]);
      for (const _ of [1, 2])
        assert.deepEqual(await askedWhen(readInOrder, 'fixed', trouble), ['one.test', 'origin.test']);
    }
  });

  it("fails as the registry fails, and names its mirrors' trouble", async () => {
    const read = (source: Source): Promise<never> =>
      fail(source.isMirror ? 'mismatch' : 'unreachable')(source);
    await assert.rejects(
      order([mirrorAt('one.test')])({ name: NAME, kind: 'fixed', signal: soon(), read }),
      (error) =>
        error instanceof RegistryError &&
        error.kind === 'unreachable' &&
        error.message === 'origin.test unreachable; before that one.test mismatch',
    );
  });

  it('takes the end of the request for no trouble of a mirror', async () => {
    const read = (): Promise<never> => Promise.reject(new DeadlineError('deadline exceeded'));
    const ended = AbortSignal.abort();
    const readInOrder = order([mirrorAt('one.test')]);
    await assert.rejects(readInOrder({ name: NAME, kind: 'fixed', signal: ended, read }), DeadlineError);
    assert.deepEqual(await askedWhen(readInOrder, 'fixed'), ['one.test', 'origin.test']);
  });

  it('speaks plain HTTP to the very port that was configured', async () => {
    for (const [host, url] of [
      ['plain.test', 'http://plain.test:443'],
      ['plain.test:80', 'http://plain.test'],
    ] as const) {
      const readInOrder = createReadInOrder(stage.transport({ plainHttpHosts: new Set([host]) }), new Map());
      const read = (source: Source): Promise<string> => Promise.resolve(source.locate('').url.origin);
      const name = { registry: host, repository: REPOSITORY };
      assert.equal(await readInOrder({ name, kind: 'fixed', signal: soon(), read }), url);
    }
  });
});

describe('createRegistryClient() with settings', () => {
  const stage = new Stage();
  let origin: RegistryHandle;
  let mirror: RegistryHandle;
  let model: PackedModel;

  beforeEach(async () => {
    origin = await startRegistry();
    mirror = await startRegistry();
    model = packModel(origin, REPOSITORY, { f: 'x' }, { tag: 'v1' });
    packModel(mirror, `cache/${REPOSITORY}`, { f: 'x' }, { tag: 'v1' });
  });

  afterEach(async () => {
    await stage.end();
    await Promise.all([origin.close(), mirror.close()]);
  });

  const clientWith = (
    settings: Partial<HostSettings>,
    mirrorMore: Partial<MirrorSettings> = {},
  ): RegistryClient =>
    createRegistryClient(
      stage.transport({ plainHttpHosts: new Set([origin.address, mirror.address]) }),
      new Map([[origin.address, { username: 'u', password: 'secret' }]]),
      new Map([
        [
          origin.address,
          { ...OWN, mirrors: [mirrorAt(mirror.address, { prefix: 'cache', ...mirrorMore })], ...settings },
        ],
      ]),
    );
  const name = (): { registry: string; repository: string } => ({
    registry: origin.address,
    repository: REPOSITORY,
  });

  it('reads digests at the mirror and tags at the registry', async () => {
    const client = clientWith({});
    assert.equal((await client.fetchManifest(name(), model.digest, soon())).digest, model.digest);
    assert.deepEqual([mirror.requests.length, origin.requests.length], [1, 0]);
    await client.fetchManifest(name(), 'v1', soon());
    await client.listReferrers(name(), model.digest, soon());
    await client.findTag(name(), 'none', soon());
    assert.deepEqual([mirror.requests.length, origin.requests.length], [1, 3]);
  });

  it('finds a tag at the registry that a mirror which resolves has not got', async () => {
    const client = clientWith({}, { resolves: true });
    mirror.deleteTag(`cache/${REPOSITORY}`, 'v1');
    assert.equal((await client.findTag(name(), 'v1', soon()))?.digest, model.digest);
    assert.equal(await client.findTag(name(), 'none', soon()), undefined);
  });

  it('takes statuses for an absent tag only where that was configured, and only for tags that need not exist', async () => {
    origin.setFault(({ path }) => (path.includes('/manifests/') ? { status: 403 } : undefined));
    const unauthorized = (error: unknown): boolean =>
      error instanceof RegistryError && error.kind === 'unauthorized';
    await assert.rejects(clientWith({}).findTag(name(), 'none', soon()), unauthorized);
    const client = clientWith({ tagAbsentStatuses: new Set([403]) });
    assert.equal(await client.findTag(name(), 'none', soon()), undefined);
    await assert.rejects(client.fetchManifest(name(), 'v1', soon()), unauthorized);
    origin.setFault(({ path }) => ({ status: path.includes('/referrers/') ? 404 : 403 }));
    assert.deepEqual((await client.listReferrers(name(), model.digest, soon())).descriptors, []);
  });
});

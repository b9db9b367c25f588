// Does trust stay what it should whatever a mirror does? A real TUF repository on loopback, honest and hostile.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadPublicGood } from '../../src/trust/public-good.ts';
import { createTrustStore, type TrustStore, type TrustStoreOptions } from '../../src/trust/trust-store.ts';
import type { RefreshEvent } from '../../src/trust/trust-tracker.ts';
import type { TrustSnapshot, TufSource } from '../../src/trust/trust-source.ts';
import { toSignedDigest } from '../../src/trust/tuf-signers.ts';
import { startMirror, type MirrorFault, type TestMirror } from './tuf-mirror.ts';
import { createKey, DAY_MS, TestRepository } from './tuf-repository.ts';

const NAME = 'corporate';

/** A trusted root that differs from every other by its operator. */
function trustedRoot(operator: string): Buffer {
  const body = JSON.parse(loadPublicGood().bytes.toString('utf8')) as { tlogs: object[] };
  return Buffer.from(JSON.stringify({ ...body, tlogs: body.tlogs.map((log) => ({ ...log, operator })) }));
}

describe('createTrustStore()', () => {
  let repository: TestRepository;
  let mirror: TestMirror;
  let directory: string;
  let source: TufSource;
  let stores: TrustStore[];
  let events: RefreshEvent[];
  let changes: number;

  beforeEach(async () => {
    repository = new TestRepository(trustedRoot('one'));
    mirror = await startMirror(repository.files);
    directory = mkdtempSync(join(tmpdir(), 'trust-test-'));
    source = {
      kind: 'tuf',
      mirror: mirror.url,
      anchor: { kind: 'root', bytes: repository.root },
      target: 'trusted_root.json',
      refreshIntervalMs: 3_600_000,
    };
    stores = [];
    events = [];
    changes = 0;
  });

  afterEach(async () => {
    for (const store of stores) store.stop();
    await mirror.close();
    rmSync(directory, { recursive: true, force: true });
  });

  function open(options: Partial<TrustStoreOptions> = {}, followed: TufSource = source): TrustStore {
    const store = createTrustStore({
      fetch: mirror.fetch,
      cacheDirectory: directory,
      onRefresh: (event) => events.push(event),
      ...options,
    });
    stores.push(store);
    store.onChange(() => {
      changes += 1;
    });
    store.track(new Map([[NAME, followed]]));
    return store;
  }

  async function openSettled(
    options: Partial<TrustStoreOptions> = {},
    followed: TufSource = source,
  ): Promise<TrustStore> {
    const store = open(options, followed);
    await store.settled();
    return store;
  }

  const problemOf = (store: TrustStore): string => {
    const reading = store.read(NAME);
    return reading.ok ? `ok: ${reading.snapshot.root.logs[0]?.operator ?? ''}` : reading.problem;
  };
  const operatorOf = problemOf;
  function snapshotOf(store: TrustStore): TrustSnapshot {
    const reading = store.read(NAME);
    assert.ok(reading.ok, reading.ok ? '' : reading.problem);
    return reading.snapshot;
  }
  const errorOf = (store: TrustStore): string => store.statuses()[0]?.lastError ?? '';
  const cacheOf = (anchor: Buffer): string =>
    join(directory, createHash('sha256').update(anchor).digest('hex'));

  it('says that the first refresh is under way, then has what the mirror vouches for', async () => {
    const store = open();
    assert.match(problemOf(store), /it has no root yet: the refresh from http:.* is under way/);
    await store.settled();
    const snapshot = snapshotOf(store);
    assert.equal(operatorOf(store), 'ok: one');
    assert.equal(snapshot.source, 'tuf');
    assert.equal(
      snapshot.expiresAt?.getTime(),
      Math.floor(repository.expires.timestamp.getTime() / 1000) * 1000,
    );
    assert.equal(changes, 1);
    assert.deepEqual(
      events.map(({ result }) => result),
      ['updated'],
    );
  });

  it('asks for five documents the first time and two when nothing is new', async () => {
    const store = await openSettled();
    assert.deepEqual(mirror.requests, [
      '2.root.json',
      'timestamp.json',
      'snapshot.json',
      'targets.json',
      'targets/trusted_root.json',
    ]);
    mirror.requests.length = 0;
    await store.refresh();
    assert.deepEqual(mirror.requests, ['2.root.json', 'timestamp.json']);
  });

  it('swaps to a new root at once, with a new generation, and tells it', async () => {
    const store = await openSettled();
    const before = snapshotOf(store);
    repository.targets.set('trusted_root.json', trustedRoot('two'));
    repository.publish();
    await store.refresh();
    const after = snapshotOf(store);
    assert.equal(operatorOf(store), 'ok: two');
    assert.ok(after.generation > before.generation);
    assert.equal(before.root.logs[0]?.operator, 'one');
    assert.equal(changes, 2);
  });

  it('keeps object and generation when the same bytes are vouched for again', async () => {
    const store = await openSettled();
    const before = snapshotOf(store);
    repository.expires.timestamp = new Date(Date.now() + 31 * DAY_MS);
    repository.publishTimestamp();
    await store.refresh();
    const after = snapshotOf(store);
    assert.equal(after.root, before.root);
    assert.equal(after.generation, before.generation);
    assert.equal(changes, 1);
    assert.equal(events.at(-1)?.result, 'unchanged');
  });

  it('survives listeners that throw', async () => {
    const store = open({
      onRefresh() {
        throw new Error('first listener');
      },
    });
    store.onChange(() => {
      throw new Error('second listener');
    });
    await store.settled();
    assert.equal(operatorOf(store), 'ok: one');
    assert.equal(errorOf(store), 'second listener');
  });

  it('has one refresh at a time', async () => {
    const store = await openSettled();
    mirror.requests.length = 0;
    await Promise.all([store.refresh(), store.refresh(), store.refresh()]);
    assert.equal(mirror.requests.length, 2);
  });

  describe('when the mirror fails (faults 22 and 23)', () => {
    const FAULTS: readonly (readonly [MirrorFault, RegExp])[] = [
      ['unavailable', /answered 503/],
      ['html', /is no JSON object/],
      ['truncated', /is no JSON object|has not the hash/],
      ['cut', /could not be fetched/],
      ['slow', /could not be fetched/],
      ['redirect', /answered 302/],
      ['huge', /could not be fetched: .*larger than/],
    ];
    for (const [fault, message] of FAULTS)
      it(`keeps the last good root through ${fault}, and recovers`, async () => {
        const store = await openSettled();
        const before = snapshotOf(store);
        mirror.fault = fault;
        repository.targets.set('trusted_root.json', trustedRoot('two'));
        repository.publishRoot();
        repository.publish();
        await store.refresh();
        assert.equal(snapshotOf(store), before);
        assert.match(errorOf(store), message);
        assert.equal(events.at(-1)?.result, 'failed');
        mirror.fault = 'none';
        await store.refresh();
        assert.equal(operatorOf(store), 'ok: two');
        assert.equal(errorOf(store), '');
      });

    it('has no root and says why while there was never one', async () => {
      await mirror.down();
      const store = await openSettled();
      assert.match(problemOf(store), /it has no root yet: the refresh failed: .*could not be fetched/);
    });

    it('does not make anybody wait: reading answers while a refresh hangs', async () => {
      mirror.fault = 'slow';
      const store = open();
      assert.match(problemOf(store), /under way/);
      store.stop();
    });

    it('serves from the cache after a restart until it expires, then says so and tells it', async () => {
      await openSettled();
      await mirror.down();
      let now = new Date();
      const timers: (() => void)[] = [];
      const store = await openSettled({
        environment: {
          now: () => now,
          schedule(_delay, callback) {
            timers.push(callback);
            return () => undefined;
          },
          random: () => 0.5,
        },
      });
      assert.equal(operatorOf(store), 'ok: one');
      await store.refresh();
      assert.equal(operatorOf(store), 'ok: one');
      const before = changes;
      now = new Date(Date.now() + 31 * DAY_MS);
      assert.match(problemOf(store), /its root expired at .*: the refresh failed/);
      for (const timer of timers.splice(0)) timer();
      assert.equal(changes, before + 1);
    });

    it('does not ask again after a restart within the interval', async () => {
      await openSettled();
      mirror.requests.length = 0;
      const store = await openSettled();
      assert.equal(operatorOf(store), 'ok: one');
      assert.deepEqual(mirror.requests, []);
    });

    it('tries again sooner than the interval, doubling, and never more often than the interval says', async () => {
      await mirror.down();
      const delays: number[] = [];
      const store = await openSettled({
        environment: {
          now: () => new Date(),
          schedule(delay) {
            delays.push(delay);
            return () => undefined;
          },
          random: () => 0.5,
        },
      });
      for (let round = 0; round < 10; round += 1) await store.refresh();
      assert.deepEqual(delays.slice(0, 3), [15_000, 30_000, 60_000]);
      assert.equal(Math.max(...delays), 3_600_000);
    });

    it('never asks when it is offline, and says so', async () => {
      const store = await openSettled({ fetch: undefined });
      assert.match(problemOf(store), /--offline/);
      assert.deepEqual(mirror.requests, []);
    });

    it('uses the cache offline', async () => {
      await openSettled();
      const store = await openSettled({ fetch: undefined });
      assert.equal(operatorOf(store), 'ok: one');
    });

    it('fails and says so where nothing can be written', async () => {
      writeFileSync(join(directory, 'file'), '');
      const store = await openSettled({ cacheDirectory: join(directory, 'file') });
      assert.match(problemOf(store), /no directory for the trust cache can be written/);
    });

    it('makes a private directory when it has something to keep, and removes it at the end', async () => {
      const TMPDIR = process.env['TMPDIR'];
      process.env['TMPDIR'] = directory;
      try {
        await openSettled({ cacheDirectory: undefined, fetch: undefined });
        assert.deepEqual(readdirSync(directory), []);
        const store = await openSettled({ cacheDirectory: undefined });
        assert.equal(operatorOf(store), 'ok: one');
        assert.equal(readdirSync(directory).length, 1);
        store.stop();
        assert.deepEqual(readdirSync(directory), []);
      } finally {
        if (TMPDIR === undefined) delete process.env['TMPDIR'];
        else process.env['TMPDIR'] = TMPDIR;
      }
    });

    it('refuses plain HTTP to a host that is not configured so', async () => {
      const store = await openSettled({}, { ...source, mirror: 'http://tuf.example.com' });
      assert.match(problemOf(store), /plain HTTP is spoken to hosts of --plain-http only/);
    });
  });

  describe('when metadata is wrong (fault 24)', () => {
    /** Refreshes against a repository that turned bad, and asserts that nothing changed. */
    async function refuses(turnBad: () => void, message: RegExp): Promise<void> {
      const store = await openSettled();
      const before = snapshotOf(store);
      repository.targets.set('trusted_root.json', trustedRoot('evil'));
      turnBad();
      await store.refresh();
      assert.equal(snapshotOf(store), before);
      assert.match(errorOf(store), message);
      assert.equal(events.at(-1)?.result, 'failed');
      assert.equal(changes, 1);
    }

    it('follows a root rotation to new keys', async () => {
      const store = await openSettled();
      const old = repository.roles.root.keys;
      repository.roles.root = { keys: [createKey(), createKey()], threshold: 2 };
      for (const role of ['timestamp', 'snapshot', 'targets'] as const)
        repository.roles[role] = { keys: [createKey()], threshold: 1 };
      repository.publishRoot([...old, ...repository.roles.root.keys]);
      repository.targets.set('trusted_root.json', trustedRoot('two'));
      repository.publish();
      await store.refresh();
      assert.equal(operatorOf(store), 'ok: two');
    });

    it('refuses a root that the old one did not sign', () =>
      refuses(() => {
        repository.roles.root = { keys: [createKey()], threshold: 1 };
        repository.publishRoot();
        repository.publish();
      }, /root.json is signed by 0 of 1 distinct keys/));

    it('refuses a root that does not sign itself', () =>
      refuses(() => {
        const old = repository.roles.root.keys;
        repository.roles.root = { keys: [createKey()], threshold: 1 };
        repository.publishRoot(old);
        repository.publish();
      }, /root.json is signed by 0 of 1 distinct keys/));

    it('refuses a root that skips a version', () =>
      refuses(() => {
        const first = repository.versions.root + 1;
        repository.versions.root += 1;
        const bytes = repository.publishRoot();
        repository.files.set(`${first}.root.json`, bytes);
      }, /Expected version 2/));

    it('refuses a threshold that one key under two ids reaches', () =>
      refuses(() => {
        const [key] = repository.roles.targets.keys;
        assert.ok(key);
        const twin = { ...key, id: 'ff'.repeat(32) };
        repository.roles.targets = { keys: [key, twin], threshold: 2 };
        repository.publishRoot();
        repository.publish();
      }, /targets.json is signed by 1 of 2 distinct keys/));

    it('refuses a root whose own threshold one key under two spellings reaches', () =>
      refuses(() => {
        const [key] = repository.roles.root.keys;
        assert.ok(key);
        const twin = { ...key, hex: key.hex.toUpperCase(), id: 'ee'.repeat(32) };
        repository.roles.root = { keys: [key, twin], threshold: 2 };
        repository.publishRoot();
      }, /root.json is signed by 1 of 2 distinct keys/));

    it('refuses a threshold of zero', () =>
      refuses(() => {
        repository.roles.targets = { keys: [createKey()], threshold: 0 };
        repository.publishRoot();
      }, /root.json is malformed/));

    it('refuses targets with too few signatures', () =>
      refuses(() => {
        repository.roles.targets = { keys: [...repository.roles.targets.keys, createKey()], threshold: 2 };
        repository.publishRoot();
        const [first] = repository.roles.targets.keys;
        assert.ok(first);
        repository.roles.targets.keys = [first];
        repository.publish();
      }, /targets.json is signed by 1 of 2 distinct keys/));

    for (const role of ['root', 'timestamp', 'snapshot', 'targets'] as const)
      it(`refuses an expired ${role}`, () =>
        refuses(() => {
          repository.expires[role] = new Date(Date.now() - 3_600_000);
          repository.publishRoot();
          repository.publish();
        }, /expired/));

    it('refuses a roll-back of everything', async () => {
      const old = repository.capture();
      repository.publish();
      repository.publish();
      await refuses(() => repository.restore(old), /less than current version/);
    });

    it('refuses a roll-back although the cache was lost', async () => {
      const old = repository.capture();
      repository.publish();
      await refuses(() => {
        rmSync(cacheOf(source.anchor.kind === 'root' ? source.anchor.bytes : Buffer.alloc(0)), {
          recursive: true,
        });
        repository.restore(old);
      }, /targets.json went back from version 2 to 1/);
    });

    it('refuses to be frozen past the expiry of what it saw', async () => {
      repository.expires.timestamp = new Date(Date.now() + 1500);
      repository.publishTimestamp();
      const store = await openSettled();
      assert.equal(operatorOf(store), 'ok: one');
      await new Promise((resolve) => {
        setTimeout(resolve, 2600);
      });
      await store.refresh();
      assert.match(errorOf(store), /timestamp.json is expired/);
      assert.match(problemOf(store), /its root expired at/);
    });

    it('refuses a mix of new timestamp and old snapshot', async () => {
      const old = repository.capture();
      await refuses(() => {
        repository.publish();
        for (const name of ['snapshot.json', 'targets.json'])
          repository.files.set(name, old.get(name) ?? Buffer.alloc(0));
      }, /snapshot/);
    });

    it('refuses targets that the snapshot does not name by version', () =>
      refuses(() => {
        const good = repository.files.get('snapshot.json') ?? Buffer.alloc(0);
        repository.publish();
        repository.files.set('snapshot.json', good);
        repository.publishTimestamp();
      }, /version/i));

    it('refuses a target with another hash', () =>
      refuses(() => {
        repository.publish((_name, entry) => ({ ...entry, hashes: { sha256: '00'.repeat(32) } }));
      }, /hash/));

    it('refuses a target without a hash', () =>
      refuses(() => {
        repository.publish((_name, entry) => ({ ...entry, hashes: {} }));
      }, /neither a sha256 nor a sha512/));

    it('refuses a target that is too large', () =>
      refuses(() => {
        repository.publish((_name, entry) => ({ ...entry, length: 50_000_000 }));
      }, /larger than 1048576 bytes/));

    it('refuses a mirror without the target', () =>
      refuses(() => {
        repository.targets = new Map();
        repository.publish();
      }, /has no target "trusted_root.json"/));

    it('does not follow delegations', () =>
      refuses(() => {
        const evil = createKey();
        const keys = { [evil.id]: { keytype: 'ed25519', scheme: 'ed25519', keyval: { public: evil.hex } } };
        const role = { name: '../evil', keyids: [evil.id], threshold: 1, terminating: true, paths: ['*'] };
        repository.targets = new Map();
        repository.targetsExtra = { delegations: { keys, roles: [role] } };
        repository.publish();
      }, /has no target|delegated role/));

    it('refuses a target that is no trusted root', () =>
      refuses(() => {
        repository.targets.set('trusted_root.json', Buffer.from('{}'));
        repository.publish();
      }, /mediaType/));

    it('refuses a trusted root without authorities: trust never shrinks to nothing', () =>
      refuses(() => {
        const body = JSON.parse(trustedRoot('evil').toString('utf8')) as object;
        repository.targets.set(
          'trusted_root.json',
          Buffer.from(
            JSON.stringify({ ...body, certificateAuthorities: [], timestampAuthorities: [], tlogs: [] }),
          ),
        );
        repository.publish();
      }, /no certificateAuthorities/));

    it('writes no target outside its directory, whatever the name', async () => {
      const path = '../x';
      repository.targets.set(path, trustedRoot('evil'));
      repository.publish();
      const store = await openSettled({}, { ...source, target: path });
      assert.deepEqual(readdirSync(directory).length, 1);
      assert.equal(store.read(NAME).ok, false);
    });

    it('refuses a pinned root that does not sign itself, and says so', async () => {
      const [key] = repository.roles.root.keys;
      const bytes = Buffer.from(repository.root.toString('utf8').replaceAll(/"sig":"../g, '"sig":"00'));
      assert.ok(key);
      const store = await openSettled({}, { ...source, anchor: { kind: 'root', bytes } });
      assert.match(problemOf(store), /root.json is signed by 0 of 1 distinct keys/);
    });
  });

  describe('the cache', () => {
    for (const file of ['root.json', 'timestamp.json', 'snapshot.json', 'targets.json', 'target'] as const)
      it(`starts over from half a ${file}`, async () => {
        await openSettled();
        const cache = cacheOf(repository.root);
        const name = readdirSync(cache).find((entry) =>
          file === 'target' ? entry.startsWith('target-') : entry === file,
        );
        assert.ok(name);
        const path = join(cache, name);
        const whole = readFileSync(path);
        writeFileSync(path, whole.subarray(0, whole.length / 2));
        const store = await openSettled();
        assert.equal(operatorOf(store), 'ok: one');
        assert.deepEqual(readFileSync(path), whole);
      });

    it('is another one for another pinned root', async () => {
      await openSettled();
      const other = new TestRepository(trustedRoot('other'));
      mirror.files = other.files;
      const store = await openSettled({}, { ...source, anchor: { kind: 'root', bytes: other.root } });
      assert.equal(operatorOf(store), 'ok: other');
    });

    it('keeps no target that somebody exchanged', async () => {
      await openSettled();
      const cache = cacheOf(repository.root);
      const name = readdirSync(cache).find((entry) => entry.startsWith('target-')) ?? '';
      writeFileSync(join(cache, name), trustedRoot('evil'));
      const store = await openSettled({ fetch: undefined });
      assert.equal(store.read(NAME).ok, false);
    });
  });

  describe('clocks (fault 25)', () => {
    it('tells how far the clocks are apart', async () => {
      mirror.clockOffsetMs = DAY_MS;
      const store = await openSettled();
      assert.equal(operatorOf(store), 'ok: one');
      const difference = events[0]?.clockDifferenceMs ?? 0;
      assert.ok(Math.abs(difference - DAY_MS) < 5000);
    });

    it('names the clock when metadata seems expired because of it', async () => {
      repository.expires.timestamp = new Date(Date.now() - 3_600_000);
      repository.publishTimestamp();
      mirror.clockOffsetMs = -DAY_MS;
      const store = await openSettled();
      assert.match(problemOf(store), /expired .*check the clock/);
    });
  });

  describe('an anchor that is a digest', () => {
    it('takes version 1 of the mirror when it is the one', async () => {
      const sha256 = toSignedDigest(repository.root);
      repository.publishRoot();
      const store = await openSettled({}, { ...source, anchor: { kind: 'digest', sha256 } });
      assert.equal(operatorOf(store), 'ok: one');
      assert.equal(mirror.requests[0], '1.root.json');
    });

    it('refuses another version 1', async () => {
      const store = await openSettled({}, { ...source, anchor: { kind: 'digest', sha256: '00'.repeat(32) } });
      assert.match(problemOf(store), /version 1 of the root is not the one that is trusted/);
    });
  });

  describe('sigstorePublicGood', () => {
    it('is there before anything was fetched, until the shipped root expires', () => {
      let now = new Date();
      const store = createTrustStore({
        fetch: undefined,
        environment: { now: () => now, schedule: () => () => undefined, random: () => 0 },
      });
      stores.push(store);
      store.track(new Map([[NAME, { kind: 'publicGood' }]]));
      const snapshot = snapshotOf(store);
      assert.equal(snapshot.source, 'shipped');
      assert.deepEqual(snapshot.expiresAt, loadPublicGood().expiresAt);
      now = new Date(loadPublicGood().expiresAt.getTime() + 1);
      assert.match(problemOf(store), /its root expired at .*--offline/);
    });

    it('keeps the shipped copy when the mirror is not what it should be', async () => {
      const store = createTrustStore({
        fetch: () => Promise.reject(new Error('no network')),
        cacheDirectory: directory,
      });
      stores.push(store);
      store.track(new Map([[NAME, { kind: 'publicGood' }]]));
      await store.settled();
      assert.equal(snapshotOf(store).source, 'shipped');
      assert.match(errorOf(store), /no network/);
    });
  });

  describe('track()', () => {
    it('keeps pinned documents as one object while they do not change', () => {
      const store = createTrustStore({ fetch: undefined });
      stores.push(store);
      const pinned = (operator: string) => ({ kind: 'pinned' as const, bytes: trustedRoot(operator) });
      store.track(new Map([[NAME, pinned('one')]]));
      const first = snapshotOf(store);
      store.track(new Map([[NAME, pinned('one')]]));
      assert.equal(snapshotOf(store), first);
      store.track(new Map([[NAME, pinned('two')]]));
      assert.ok(snapshotOf(store).generation > first.generation);
      assert.equal(snapshotOf(store).source, 'pinned');
    });

    it('says what is wrong with a pinned document', () => {
      const store = createTrustStore({ fetch: undefined });
      stores.push(store);
      store.track(new Map([[NAME, { kind: 'pinned', bytes: Buffer.from('{}') }]]));
      assert.match(problemOf(store), /its trusted root is invalid/);
    });

    it('follows a TrustRoot no longer than it is there', async () => {
      const store = await openSettled();
      store.track(new Map());
      assert.deepEqual(store.statuses(), []);
      assert.equal(problemOf(store), 'it is not known');
      mirror.requests.length = 0;
      await store.refresh();
      assert.deepEqual(mirror.requests, []);
    });
  });

  it('makes a directory that does not exist yet', async () => {
    mkdirSync(join(directory, 'a'));
    const store = await openSettled({ cacheDirectory: join(directory, 'a', 'b', 'c') });
    assert.equal(operatorOf(store), 'ok: one');
  });
});

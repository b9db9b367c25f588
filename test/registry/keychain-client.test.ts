// Are credentials tried in order, no more of them than are bounded, and never where none were refused?
import assert from 'node:assert/strict';
import type { RegistryClient } from '../../src/registry/client.ts';
import type { Credential } from '../../src/registry/docker-config.ts';
import { RegistryError, type RegistryErrorKind } from '../../src/registry/error.ts';
import { createKeychainClient } from '../../src/registry/keychain-client.ts';
import { MAX_CREDENTIALS, NOTHING_FOUND, type CredentialSource } from '../../src/registry/keychain.ts';
import { soon } from './servers.ts';

const NAME = { registry: 'reg.example', repository: 'team/model' };
const DIGEST = `sha256:${'a'.repeat(64)}`;
const user = (username: string): Credential => ({ username, password: 'hush' });

interface Source extends CredentialSource {
  asked: number;
}
function sourceOf(
  users: readonly string[],
  more: Partial<typeof NOTHING_FOUND> = {},
  isShared = true,
): Source {
  const source: Source = {
    asked: 0,
    isShared,
    find: () => {
      source.asked += 1;
      return Promise.resolve({ ...NOTHING_FOUND, ...more, credentials: users.map(user) });
    },
  };
  return source;
}

/** Clients for the named users; everybody but `allowed` is refused. */
function stage(allowed: readonly string[], kind: RegistryErrorKind = 'unauthorized') {
  const calls: string[] = [];
  const opened: (readonly [string, string, boolean | undefined])[] = [];
  const open: Parameters<typeof createKeychainClient>[1] = (registry, key) => {
    const who = key?.credential.username ?? 'nobody';
    opened.push([registry, who, key?.isShared]);
    const answer = async <T>(call: string, value: T): Promise<T> => {
      calls.push(`${who} ${call}`);
      await Promise.resolve();
      if (!allowed.includes(who)) throw new RegistryError(kind, `${who} was refused`);
      return value;
    };
    return {
      fetchManifest: () => answer('manifest', { bytes: Buffer.from(who), digest: DIGEST }),
      findTag: () => answer('tag', undefined),
      listReferrers: () => answer('referrers', { descriptors: [], isTruncated: false }),
      fetchBlob: () => answer('blob', Buffer.from(who)),
    };
  };
  return { calls, opened, open };
}
const fetchManifest = async (client: RegistryClient): Promise<string> =>
  (await client.fetchManifest(NAME, DIGEST, soon())).bytes.toString();
const refused = (promise: Promise<unknown>, why: RegExp): Promise<void> =>
  assert.rejects(
    promise,
    (error) =>
      error instanceof RegistryError &&
      error.kind === 'unauthorized' &&
      why.test(error.message) &&
      !error.message.includes('hush'),
  );

describe('createKeychainClient()', () => {
  it('asks as nobody only where nothing is configured', async () => {
    const { open, opened } = stage(['nobody']);
    const far = sourceOf([]);
    assert.equal(
      await fetchManifest(createKeychainClient({ near: [sourceOf([])], far: [far] }, open)),
      'nobody',
    );
    assert.deepEqual([opened, far.asked], [[['reg.example', 'nobody', undefined]], 1]);
    const near = [sourceOf(['a'])];
    await refused(fetchManifest(createKeychainClient({ near, far: [] }, open)), /^a was refused$/);
    const broken = sourceOf([], { failures: ['the helper is ill'] });
    await refused(
      fetchManifest(createKeychainClient({ near: [], far: [broken] }, open)),
      /the helper is ill/,
    );
    assert.equal(opened.filter(([, who]) => who === 'nobody').length, 1);
  });

  it('tries the next one when one is refused, in the order of the sources', async () => {
    const { open, calls } = stage(['c']);
    const near = [sourceOf(['a', 'b']), sourceOf(['c', 'd'])];
    assert.equal(await fetchManifest(createKeychainClient({ near, far: [] }, open)), 'c');
    assert.deepEqual(calls, ['a manifest', 'b manifest', 'c manifest']);
  });

  it('tries no other one for any other trouble', async () => {
    for (const kind of ['notFound', 'unreachable', 'throttled', 'mismatch', 'invalid', 'tooLarge'] as const) {
      const { open, calls } = stage([], kind);
      const client = createKeychainClient({ near: [sourceOf(['a', 'b'])], far: [sourceOf(['c'])] }, open);
      await assert.rejects(
        fetchManifest(client),
        (error) => error instanceof RegistryError && error.kind === kind,
      );
      assert.deepEqual(calls, ['a manifest']);
    }
  });

  it('asks what costs something only when all else is refused', async () => {
    const far = sourceOf(['b', 'far']);
    const { open, calls } = stage(['far']);
    const client = createKeychainClient({ near: [sourceOf(['a', 'b'])], far: [far] }, open);
    assert.equal(await fetchManifest(client), 'far');
    assert.deepEqual(calls, ['a manifest', 'b manifest', 'far manifest']);
    const idle = sourceOf(['far']);
    await fetchManifest(createKeychainClient({ near: [sourceOf(['far'])], far: [idle] }, open));
    assert.equal(idle.asked, 0);
  });

  it(`tries no more than ${MAX_CREDENTIALS}, and none twice`, async () => {
    const { open, calls } = stage([]);
    const near = [sourceOf(['a', 'a', 'b']), sourceOf(['b', 'c', 'd', 'e', 'f'])];
    const client = createKeychainClient({ near, far: [sourceOf(['g'])] }, open);
    await refused(fetchManifest(client), /^a was refused; 4 credentials were refused$/);
    assert.deepEqual(calls, ['a manifest', 'b manifest', 'c manifest', 'd manifest']);
  });

  it('stays with the one that was let in, and asks it about everything at once', async () => {
    const { open, calls } = stage(['b']);
    const client = createKeychainClient({ near: [sourceOf(['a', 'b'])], far: [] }, open);
    const blob = { mediaType: 'x/y', digest: DIGEST, size: 1, annotations: {} };
    await Promise.all([
      fetchManifest(client),
      client.listReferrers(NAME, DIGEST, soon()),
      client.findTag(NAME, 'v1', soon()),
    ]);
    await client.fetchBlob(NAME, blob, { maxBytes: 9, signal: soon() });
    assert.deepEqual(calls, ['a manifest', 'b manifest', 'b referrers', 'b tag', 'b blob']);
  });

  it('tells all callers of a repository that all were refused, having asked once', async () => {
    const { open, calls } = stage([]);
    const client = createKeychainClient({ near: [sourceOf(['a', 'b'])], far: [] }, open);
    await Promise.all(Array.from({ length: 5 }, () => refused(fetchManifest(client), /a was refused/)));
    assert.equal(calls.length, 2);
  });

  it('chooses for each repository by itself', async () => {
    const { open, calls } = stage(['b']);
    const client = createKeychainClient({ near: [sourceOf(['a', 'b'])], far: [] }, open);
    await fetchManifest(client);
    await client.fetchManifest({ ...NAME, repository: 'other' }, DIGEST, soon());
    assert.equal(calls.filter((call) => call === 'a manifest').length, 2);
  });

  it('does not wait where there is nothing to choose', async () => {
    const calls: string[] = [];
    const never = new Promise<never>(() => undefined);
    const slow = (call: string): Promise<never> => {
      calls.push(call);
      return never;
    };
    const client = createKeychainClient({ near: [sourceOf(['a'])], far: [] }, () => ({
      fetchManifest: () => slow('manifest'),
      findTag: () => slow('tag'),
      listReferrers: () => slow('referrers'),
      fetchBlob: () => slow('blob'),
    }));
    void client.fetchManifest(NAME, DIGEST, soon());
    void client.listReferrers(NAME, DIGEST, soon());
    void client.findTag(NAME, 'v1', soon());
    await new Promise(setImmediate);
    assert.deepEqual(calls, ['manifest', 'referrers', 'tag']);
  });

  it('names what could not be read when access is refused, not otherwise', async () => {
    const near = [sourceOf([], { missing: ['pull secret team/regcred does not exist'] })];
    await refused(
      fetchManifest(createKeychainClient({ near, far: [] }, stage([]).open)),
      /^nobody was refused; pull secret team\/regcred does not exist$/,
    );
    const { open } = stage(['nobody']);
    assert.equal(await fetchManifest(createKeychainClient({ near, far: [] }, open)), 'nobody');
  });

  it('says whose credential it is', async () => {
    const { open, opened } = stage(['b']);
    const near = [sourceOf(['a'], {}, false), sourceOf(['a', 'b'], {}, true)];
    await fetchManifest(createKeychainClient({ near, far: [] }, open));
    assert.deepEqual(opened, [
      ['reg.example', 'a', false],
      ['reg.example', 'b', true],
    ]);
  });
});

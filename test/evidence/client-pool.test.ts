// Does everybody see only what their own credential has opened?
import assert from 'node:assert/strict';
import { packModel, type PackedModel } from '../../src/demo/artifacts.ts';
import { startRegistry, type RegistryHandle } from '../../src/demo/registry.ts';
import { createClientPool, MAX_CLIENTS } from '../../src/evidence/client-pool.ts';
import type { RegistryClient } from '../../src/registry/client.ts';
import { RegistryError } from '../../src/registry/error.ts';
import type { ClientKey, OpenClient } from '../../src/registry/keychain-client.ts';
import { toCredentialId } from '../../src/registry/keychain.ts';
import { soon, Stage } from '../registry/servers.ts';

const REPOSITORY = 'team/model';

describe('createClientPool()', () => {
  const stage = new Stage();
  let registry: RegistryHandle;
  let model: PackedModel;
  let pool: OpenClient;
  beforeEach(async () => {
    registry = await startRegistry({ auth: { username: 'a', password: 'right' } });
    model = packModel(registry, REPOSITORY, { f: 'x' });
    pool = createClientPool(
      stage.transport({ plainHttpHosts: new Set([registry.address]) }),
      () => undefined,
    );
  });
  afterEach(async () => {
    await stage.end();
    await registry.close();
  });

  const keyOf = (password: string, isShared = false): ClientKey => {
    const credential = { username: 'a', password };
    return { credential, id: toCredentialId(registry.address, credential), isShared };
  };
  const fetchManifest = (client: RegistryClient): Promise<unknown> =>
    client.fetchManifest({ registry: registry.address, repository: REPOSITORY }, model.digest, soon());
  const isRefused = (client: RegistryClient): Promise<void> =>
    assert.rejects(
      fetchManifest(client),
      (error) => error instanceof RegistryError && error.kind === 'unauthorized',
    );

  it('fetches once for all who hold the same credential', async () => {
    await fetchManifest(pool(registry.address, keyOf('right')));
    const before = registry.requests.length;
    await fetchManifest(pool(registry.address, keyOf('right')));
    assert.equal(registry.requests.length, before);
  });

  it('shows nobody else what was fetched, nor keeps a refusal', async () => {
    await isRefused(pool(registry.address, keyOf('wrong')));
    await fetchManifest(pool(registry.address, keyOf('right')));
    await fetchManifest(pool(registry.address, keyOf('right', true)));
    for (const key of [undefined, keyOf('wrong'), keyOf(''), keyOf('wrong', true)])
      await isRefused(pool(registry.address, key));
  });

  it('keeps what is shared apart from what is not, however many credentials there are', async () => {
    await fetchManifest(pool(registry.address, keyOf('right', true)));
    const shared = pool(registry.address, keyOf('right', true));
    for (let index = 0; index <= MAX_CLIENTS; index += 1) pool(registry.address, keyOf(`p${index}`));
    assert.equal(pool(registry.address, keyOf('right', true)), shared);
  });

  it(`keeps the ${MAX_CLIENTS} clients that were used last`, () => {
    const first = pool(registry.address, keyOf('first'));
    const second = pool(registry.address, keyOf('second'));
    for (let index = 2; index < MAX_CLIENTS; index += 1) pool(registry.address, keyOf(`p${index}`));
    assert.equal(pool(registry.address, keyOf('first')), first);
    pool(registry.address, keyOf('one more'));
    assert.equal(pool(registry.address, keyOf('first')), first);
    assert.notEqual(pool(registry.address, keyOf('second')), second);
  });

  it('tells credentials apart by everything in them', () => {
    const base = { username: 'u', password: 'p' };
    const ids = [
      toCredentialId('r', base),
      toCredentialId('s', base),
      toCredentialId('r', { ...base, username: 'v' }),
      toCredentialId('r', { username: 'up', password: '' }),
      toCredentialId('r', { ...base, registryToken: 't' }),
    ];
    assert.equal(new Set(ids).size, ids.length);
    assert.equal(toCredentialId('r', { ...base }), ids[0]);
  });
});

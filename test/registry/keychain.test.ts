// Is a credential that was named for one repository used for that repository alone?
import assert from 'node:assert/strict';
import { createRepositorySource } from '../../src/registry/keychain.ts';

const ACCOUNT = { username: 'reader', password: 'secret' };
const NAME = { registry: 'registry.example.com', repository: 'curated/signatures' };

describe('createRepositorySource()', () => {
  const source = createRepositorySource(NAME, [ACCOUNT]);
  const find = async (name: typeof NAME): Promise<unknown> =>
    (await source.find(name, AbortSignal.timeout(1000))).credentials;

  it('has its credentials for that repository', async () => {
    assert.deepEqual(await find({ ...NAME }), [ACCOUNT]);
  });

  it('has none for any other', async () => {
    for (const other of [
      { ...NAME, repository: 'curated' },
      { ...NAME, repository: 'curated/signatures/deeper' },
      { ...NAME, registry: 'registry.example.com:8443' },
    ])
      assert.deepEqual(await find(other), []);
  });
});

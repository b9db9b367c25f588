// Are a pod's own credentials read once, in order, from its namespace alone?
import assert from 'node:assert/strict';
import type {
  PullSecretReader,
  PullSecretResult,
  SecretNamesResult,
} from '../../src/kubernetes/pull-secret.ts';
import { createPullSecretSource, MAX_PULL_SECRETS } from '../../src/registry/keychain-pull-secrets.ts';
import type { CredentialSource, FoundCredentials } from '../../src/registry/keychain.ts';
import { soon } from './servers.ts';

const NAME = { registry: 'reg.example', repository: 'team/model' };

/** A Secret whose entries have the user names `<key>` of the given registry keys. */
const secretOf = (users: Readonly<Record<string, string>>): PullSecretResult => ({
  ok: true,
  format: 'dockerconfigjson',
  bytes: Buffer.from(
    JSON.stringify({
      auths: Object.fromEntries(
        Object.entries(users).map(([username, key]) => [key, { username, password: 'p' }]),
      ),
      credsStore: 'evil',
      credHelpers: { 'reg.example': 'evil' },
    }),
  ),
});

function stage(
  secrets: Readonly<Record<string, PullSecretResult>>,
  account: SecretNamesResult = { ok: true, names: [] },
) {
  const reads: string[] = [];
  const reader: PullSecretReader = {
    readSecret(namespace, name) {
      reads.push(`${namespace}/${name}`);
      return Promise.resolve(secrets[`${namespace}/${name}`] ?? { ok: false, problem: 'does not exist' });
    },
    readServiceAccount(namespace, name) {
      reads.push(`account ${namespace}/${name}`);
      return Promise.resolve(account);
    },
  };
  const sourceOf = (names: readonly string[], namespace = 'team-a'): CredentialSource =>
    createPullSecretSource(reader, { namespace, serviceAccount: 'robot', secrets: names });
  return { reads, reader, sourceOf };
}
const find = (source: CredentialSource, name = NAME): Promise<FoundCredentials> => source.find(name, soon());
const users = ({ credentials }: FoundCredentials): readonly string[] =>
  credentials.map(({ username }) => username);

describe('createPullSecretSource()', () => {
  it('has the credentials of the pod before those of its service account, each by how closely they match', async () => {
    const { sourceOf } = stage(
      {
        'team-a/one': secretOf({ host: 'reg.example', other: 'other.example' }),
        'team-a/two': secretOf({ path: 'reg.example/team' }),
        'team-a/three': secretOf({ exact: 'reg.example/team/model' }),
      },
      { ok: true, names: ['three', 'one'] },
    );
    const source = sourceOf(['one', 'two']);
    assert.deepEqual(users(await find(source)), ['path', 'host', 'exact']);
    assert.deepEqual(users(await find(source, { registry: 'other.example', repository: 'x' })), ['other']);
    assert.equal(source.isShared, false);
  });

  it('reads nothing before it is asked, each object once, and only of its namespace', async () => {
    const { sourceOf, reads } = stage({}, { ok: true, names: ['two', 'one'] });
    const source = sourceOf(['one', 'one']);
    assert.deepEqual(reads, []);
    await Promise.all([find(source), find(source, { ...NAME, repository: 'other' })]);
    assert.deepEqual(reads, ['account team-a/robot', 'team-a/one', 'team-a/two']);
  });

  it('reads the Secrets alone where there is no service account', async () => {
    const { reader, reads } = stage({ 'system/one': secretOf({ u: 'reg.example' }) });
    const source = createPullSecretSource(reader, { namespace: 'system', secrets: ['one'] });
    assert.deepEqual(users(await find(source)), ['u']);
    assert.deepEqual(reads, ['system/one']);
  });

  it('has nothing for an object without a namespace', async () => {
    const { sourceOf, reads } = stage({});
    assert.deepEqual(users(await find(sourceOf(['one'], ''))), []);
    assert.deepEqual(reads, []);
  });

  it('passes over what cannot be used, and names it', async () => {
    const bad = (bytes: Buffer): PullSecretResult => ({ ok: true, format: 'dockerconfigjson', bytes });
    const { sourceOf } = stage(
      {
        'team-a/good': secretOf({ good: 'reg.example' }),
        'team-a/broken': bad(Buffer.from('{"auths":{"hush"')),
      },
      { ok: false, problem: 'does not exist' },
    );
    const found = await find(sourceOf(['gone', 'broken', 'good']));
    assert.deepEqual(users(found), ['good']);
    assert.deepEqual(found.failures, []);
    assert.deepEqual(
      found.missing.map((text) => text.split(':')[0]),
      [
        'pull secret team-a/gone does not exist',
        'pull secret team-a/broken cannot be used',
        'service account team-a/robot does not exist',
      ],
    );
    assert.doesNotMatch(found.missing.join(), /hush/);
  });

  it(`reads no more than ${MAX_PULL_SECRETS} Secrets, and says so`, async () => {
    const names = Array.from({ length: MAX_PULL_SECRETS }, (_, index) => `s${index}`);
    const secrets = Object.fromEntries(
      names.map((name) => [`team-a/${name}`, secretOf({ [name]: 'reg.example' })]),
    );
    const all = stage(secrets);
    assert.deepEqual((await find(all.sourceOf(names))).missing, []);
    const more = stage(secrets, { ok: true, names: ['further'] });
    assert.deepEqual((await find(more.sourceOf(names))).missing, ['only 16 pull secrets were read']);
    assert.equal(more.reads.length, MAX_PULL_SECRETS + 1);
  });
});

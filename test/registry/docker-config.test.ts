// Are credentials read for exactly the place that the file names?
import assert from 'node:assert/strict';
import {
  DockerConfigError,
  MAX_CONFIG_ENTRIES,
  parseDockerConfig,
  parsePullSecret,
  selectCredentials,
  type DockerConfig,
} from '../../src/registry/docker-config.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const bytesOf = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const parse = (value: unknown): DockerConfig => parseDockerConfig(bytesOf(value));
const U = { username: 'u', password: 'p' };
const entryFor = (key: string): unknown => ({ auths: { [key]: { auth: base64('u:p') } } });
/** The user names that a pull secret with these keys has for a repository; each key is its own user name. */
const usersFor = (
  keys: readonly string[],
  registry: string,
  repository = 'team/model',
): readonly string[] => {
  const auths = Object.fromEntries(keys.map((key) => [key, { username: key, password: 'p' }]));
  const entries = parsePullSecret('dockerconfigjson', bytesOf({ auths }));
  return selectCredentials(entries, { registry, repository }).map(({ username }) => username);
};

describe('parseDockerConfig()', () => {
  it('reads auth, user name with password, and both kinds of tokens', () => {
    const { entries } = parse({
      auths: {
        'a.example': { auth: base64('u:p:with:colons') },
        'b.example:5000': { username: 'u', password: '' },
        'c.example': { auth: '', username: 'u', password: 'p' },
        'd.example': { auth: base64('u:'), identitytoken: 'refresh' },
        'e.example': { registrytoken: 'access' },
      },
    });
    assert.deepEqual(
      entries.map(({ host, credential }) => [host, credential]),
      [
        ['a.example', { username: 'u', password: 'p:with:colons' }],
        ['b.example:5000', { username: 'u', password: '' }],
        ['c.example', { username: 'u', password: 'p' }],
        ['d.example', { username: '<token>', password: 'refresh' }],
        ['e.example', { username: '', password: '', registryToken: 'access' }],
      ],
    );
  });

  it('reads helpers by host, and the store', () => {
    const { helpers, store, entries } = parse({
      credHelpers: { 'https://index.docker.io/v1/': 'hub', 'A.example': 'pass', 'b.example': 5, '': 'x' },
      credsStore: 'desktop',
    });
    assert.deepEqual([...helpers], [['docker.io', 'hub'], ['a.example', 'pass']]); // prettier-ignore
    assert.deepEqual([store, entries], ['desktop', []]);
  });

  const keys: readonly (readonly [string, string, string?])[] = [
    ['https://index.docker.io/v1/', 'docker.io'],
    ['docker.io', 'docker.io'],
    ['http://A.Example/v2/x', 'a.example', 'x'],
    ['a.example:443', 'a.example'],
    ['a.example/', 'a.example'],
    ['a.example:5000/team/models/', 'a.example:5000', 'team/models'],
  ];
  for (const [key, host, path = ''] of keys) {
    it(`takes ${key} for ${host}/${path}`, () =>
      assert.deepEqual(parse(entryFor(key)).entries, [{ host, path, credential: U }]));
  }

  for (const key of [
    '*.example.com',
    'a.example.',
    'ä.example',
    'a b.example',
    '',
    'https://',
    'a..example',
  ]) {
    it(`takes ${JSON.stringify(key)} for nothing`, () => assert.deepEqual(parse(entryFor(key)).entries, []));
  }

  for (const value of [
    {},
    [],
    null,
    'x',
    5,
    { auths: null },
    { auths: [] },
    { auths: { 'a.example': null } },
    { auths: { 'a.example': { auth: 5 } } },
    { auths: { 'a.example': { auth: base64('no colon') } } },
    { auths: { 'a.example': { username: 'u' } } },
    { auths: { 'a.example': { registrytoken: 'a\r\nx-evil: 1' } } },
  ]) {
    it(`finds no credentials in ${JSON.stringify(value)}`, () => assert.deepEqual(parse(value).entries, []));
  }

  it('refuses what is no JSON or says two things, without showing a secret', () => {
    for (const text of [
      '',
      '{',
      '\ufeff{}',
      '{"auths":{"a.example":{"auth":"c2VjcmV0OnNlY3JldA==","auth":"eA=="}}}',
    ])
      assert.throws(
        () => parseDockerConfig(Buffer.from(text)),
        (error) => error instanceof DockerConfigError && !error.message.includes('c2VjcmV0'),
      );
  });

  it(`refuses more than ${MAX_CONFIG_ENTRIES} entries`, () => {
    const auths = (count: number): unknown => ({
      auths: Object.fromEntries(Array.from({ length: count }, (_, index) => [`r${index}.example`, U])),
    });
    assert.equal(parse(auths(MAX_CONFIG_ENTRIES)).entries.length, MAX_CONFIG_ENTRIES);
    assert.throws(() => parse(auths(MAX_CONFIG_ENTRIES + 1)), DockerConfigError);
  });
});

describe('parsePullSecret()', () => {
  it('reads both formats', () => {
    const auths = { 'a.example': U };
    for (const entries of [
      parsePullSecret('dockerconfigjson', bytesOf({ auths })),
      parsePullSecret('dockercfg', bytesOf(auths)),
    ])
      assert.deepEqual(entries, [{ host: 'a.example', path: '', credential: U }]);
    assert.deepEqual(parsePullSecret('dockercfg', bytesOf({ auths })), []);
  });

  it('has nothing of the programs that it names', () => {
    const config = { credsStore: 'evil', credHelpers: { 'a.example': 'evil' }, auths: {} };
    assert.deepEqual(parsePullSecret('dockerconfigjson', bytesOf(config)), []);
  });
});

describe('selectCredentials()', () => {
  it('prefers longer paths, then exact hosts', () => {
    const keys = ['*.a.example', 'r.a.example', 'r.a.example/team', '*.a.example/team/model'];
    assert.deepEqual(usersFor(keys, 'r.a.example'), [
      '*.a.example/team/model',
      'r.a.example/team',
      'r.a.example',
      '*.a.example',
    ]);
  });

  it('matches paths by whole segments', () => {
    const keys = ['a.example/team', 'a.example/team/model/x', 'a.example/tea'];
    assert.deepEqual(usersFor(keys, 'a.example', 'team/model'), ['a.example/team']);
    assert.deepEqual(usersFor(keys, 'a.example', 'team'), ['a.example/team']);
    assert.deepEqual(usersFor(keys, 'a.example', 'team-evil/model'), []);
  });

  it('knows Docker Hub by its names and its official repositories by theirs', () => {
    assert.deepEqual(
      usersFor(['https://index.docker.io/v1/', 'docker.io/library'], 'docker.io', 'library/x'),
      ['docker.io/library', 'https://index.docker.io/v1/'],
    );
  });

  it('gives whole-label patterns to what they match, and nothing else', () => {
    const keys = ['*.models.example:5000'];
    assert.deepEqual(usersFor(keys, 'r.models.example:5000'), keys);
    for (const host of [
      'models.example:5000',
      'a.r.models.example:5000',
      'r.models.example',
      'r.models.example:5001',
      'r.models.example.evil.test:5000',
      'r.evilmodels.example:5000',
    ])
      assert.deepEqual(usersFor(keys, host), [], host);
  });

  for (const key of ['*', '*.example', 'r.*.example', 'r.*', 'reg*.models.example', '*:5000'])
    it(`takes the pattern ${key} for nothing`, () => {
      for (const host of [
        'r.models.example',
        'models.example',
        'example',
        'registry.models.example',
        'r:5000',
      ])
        assert.deepEqual(usersFor([key], host), []);
    });

  for (const host of [
    'registry.example.com.evil.test',
    'evilregistry.example.com',
    'evil-registry.example.com',
    'registry.example.com:5000',
    'registry.example.co',
    'example.com',
  ])
    it(`has nothing of registry.example.com for ${host}`, () =>
      assert.deepEqual(usersFor(['registry.example.com'], host), []));
});

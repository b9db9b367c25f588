// Are credentials read for exactly the host that the file names?
import assert from 'node:assert/strict';
import { DockerConfigError, parseDockerConfig } from '../../src/registry/docker-config.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const parse = (value: unknown): ReturnType<typeof parseDockerConfig> =>
  parseDockerConfig(Buffer.from(JSON.stringify(value)));

describe('parseDockerConfig()', () => {
  it('reads auth, and user name with password', () => {
    const keychain = parse({
      auths: {
        'a.example': { auth: base64('u:p:with:colons') },
        'b.example:5000': { username: 'u', password: '' },
        'c.example': { auth: '', username: 'u', password: 'p' },
      },
    });
    assert.deepEqual(keychain.get('a.example'), { username: 'u', password: 'p:with:colons' });
    assert.deepEqual(keychain.get('b.example:5000'), { username: 'u', password: '' });
    assert.deepEqual(keychain.get('c.example'), { username: 'u', password: 'p' });
  });

  const keys: readonly (readonly [string, string])[] = [
    ['https://index.docker.io/v1/', 'docker.io'],
    ['docker.io', 'docker.io'],
    ['http://A.Example/v2/x', 'a.example'],
    ['a.example:443', 'a.example'],
  ];
  for (const [key, host] of keys) {
    it(`takes ${key} for ${host}`, () =>
      assert.deepEqual([...parse({ auths: { [key]: { auth: base64('u:p') } } }).keys()], [host]));
  }

  it('matches no other host by prefix, suffix or pattern', () => {
    const keychain = parse({
      auths: { 'a.example': { auth: base64('u:p') }, '*.example': { auth: base64('u:p') } },
    });
    assert.deepEqual([...keychain.keys()], ['a.example']);
  });

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
    { credHelpers: { 'a.example': 'evil' } },
  ]) {
    it(`finds no credentials in ${JSON.stringify(value)}`, () => assert.equal(parse(value).size, 0));
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
});

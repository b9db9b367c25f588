// Are the names read that a pod pulls with, and no others?
import assert from 'node:assert/strict';
import { toPullIdentity } from '../../src/model/pull-identity.ts';

describe('toPullIdentity()', () => {
  it('reads the Secrets in order, and the service account', () => {
    const spec = { imagePullSecrets: [{ name: 'b' }, { name: 'a.b-1' }], serviceAccountName: 'robot' };
    assert.deepEqual(toPullIdentity(spec, 'team-a'), {
      namespace: 'team-a',
      serviceAccount: 'robot',
      secrets: ['b', 'a.b-1'],
    });
  });

  for (const spec of [{}, { serviceAccountName: '' }, { serviceAccountName: 5 }, { imagePullSecrets: 'x' }])
    it(`takes the default service account for ${JSON.stringify(spec)}`, () =>
      assert.deepEqual(toPullIdentity(spec, 'team-a'), {
        namespace: 'team-a',
        serviceAccount: 'default',
        secrets: [],
      }));

  for (const name of [
    '',
    '..',
    '.',
    'a/b',
    '../b',
    'A',
    'a?x',
    'a%2fb',
    'a\n',
    'ä',
    '-a',
    'x'.repeat(254),
    5,
    null,
  ])
    it(`passes over the name ${JSON.stringify(name).slice(0, 20)}, which no object can have`, () => {
      const spec = { imagePullSecrets: [{ name }, null, 'a', { name: 'ok' }], serviceAccountName: name };
      assert.deepEqual(toPullIdentity(spec, String(name)), {
        namespace: name === null ? 'null' : name === 5 ? '5' : '',
        serviceAccount: 'default',
        secrets: ['ok'],
      });
    });
});

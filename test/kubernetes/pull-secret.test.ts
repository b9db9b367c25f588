// Are single objects read by name, of the right types, and remembered no longer than seconds?
import assert from 'node:assert/strict';
import type { KubernetesClient } from '../../src/kubernetes/client.ts';
import { KubernetesApiError } from '../../src/kubernetes/errors.ts';
import {
  createFilePullSecretReader,
  createPullSecretReader,
  MAX_PULL_SECRET_BYTES,
  PULL_SECRET_TTL_MS,
  toPullSecret,
} from '../../src/kubernetes/pull-secret.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const SECRET = { type: 'kubernetes.io/dockerconfigjson', data: { '.dockerconfigjson': base64('{}') } };

/** A client that answers by path, and tells what was asked. */
function createClient(
  objects: Readonly<Record<string, unknown>>,
  status = 404,
): KubernetesClient & { paths: string[] } {
  const paths: string[] = [];
  return {
    paths,
    server: 'https://api.example',
    namespace: undefined,
    stream: () => Promise.reject(new Error('nothing is listed')),
    get: async (path) => {
      paths.push(path);
      await Promise.resolve();
      if (path in objects) return objects[path];
      throw new KubernetesApiError({ status, reason: status === 0 ? 'ECONNREFUSED' : 'X', message: 'hush' });
    },
  };
}

describe('toPullSecret()', () => {
  it('reads both types, from data and from what a file writes out', () => {
    const text = (object: unknown): readonly unknown[] => {
      const result = toPullSecret(object);
      return result.ok ? [result.format, result.bytes.toString()] : [result.problem];
    };
    assert.deepEqual(text(SECRET), ['dockerconfigjson', '{}']);
    assert.deepEqual(text({ type: 'kubernetes.io/dockercfg', data: { '.dockercfg': base64('[]') } }), [
      'dockercfg',
      '[]',
    ]);
    assert.deepEqual(text({ ...SECRET, stringData: { '.dockerconfigjson': 'plain' } }), [
      'dockerconfigjson',
      'plain',
    ]);
  });

  it('refuses what is too large', () => {
    const read = (size: number): ReturnType<typeof toPullSecret> =>
      toPullSecret({ ...SECRET, data: { '.dockerconfigjson': base64('x'.repeat(size)) } });
    assert.equal(read(MAX_PULL_SECRET_BYTES).ok, true);
    assert.deepEqual(read(MAX_PULL_SECRET_BYTES + 1), {
      ok: false,
      problem: `is larger than ${MAX_PULL_SECRET_BYTES} bytes`,
    });
  });

  for (const object of [
    null,
    {},
    { data: SECRET.data },
    { ...SECRET, type: 'Opaque' },
    { ...SECRET, type: 'kubernetes.io/dockercfg' },
    { ...SECRET, type: 'kubernetes.io/service-account-token' },
    { ...SECRET, data: {} },
    { ...SECRET, data: { '.dockerconfigjson': 5 } },
  ])
    it(`refuses ${JSON.stringify(object)}`, () => assert.equal(toPullSecret(object).ok, false));
});

describe('createPullSecretReader()', () => {
  const PATH = '/api/v1/namespaces/team-a/secrets/regcred';

  it('reads one Secret by its name, and believes it for seconds', async () => {
    const client = createClient({ [PATH]: SECRET });
    const reader = createPullSecretReader(client);
    await Promise.all([reader.readSecret('team-a', 'regcred'), reader.readSecret('team-a', 'regcred')]);
    assert.equal((await reader.readSecret('team-a', 'regcred')).ok, true);
    assert.deepEqual(client.paths, [PATH]);
    assert.ok(PULL_SECRET_TTL_MS <= 10_000);
  });

  it('gives one namespace nothing of another', async () => {
    const reader = createPullSecretReader(createClient({ [PATH]: SECRET }));
    assert.equal((await reader.readSecret('team-a', 'regcred')).ok, true);
    assert.deepEqual(await reader.readSecret('team-b', 'regcred'), { ok: false, problem: 'does not exist' });
  });

  it('says why there is none, remembers no failure, and shows nothing', async () => {
    for (const [status, problem] of [
      [404, 'does not exist'],
      [403, 'may not be read by the controller'],
      [500, 'could not be read (X)'],
      [0, 'could not be read (ECONNREFUSED)'],
    ] as const) {
      const client = createClient({}, status);
      const reader = createPullSecretReader(client);
      assert.deepEqual(await reader.readSecret('team-a', 'regcred'), { ok: false, problem });
      assert.deepEqual(await reader.readServiceAccount('team-a', 'default'), { ok: false, problem });
      await reader.readSecret('team-a', 'regcred');
      assert.equal(client.paths.length, 3);
    }
  });

  it('reads the names that a service account lists', async () => {
    const path = '/api/v1/namespaces/team-a/serviceaccounts/robot';
    const imagePullSecrets = [{ name: 'one' }, { name: '../x' }, { name: 'two' }];
    const reader = createPullSecretReader(
      createClient({ [path]: { imagePullSecrets, secrets: [{ name: 'x' }] } }),
    );
    assert.deepEqual(await reader.readServiceAccount('team-a', 'robot'), { ok: true, names: ['one', 'two'] });
  });
});

describe('createFilePullSecretReader()', () => {
  it('finds Secrets of files, and no service accounts', async () => {
    const reader = createFilePullSecretReader((namespace, name) =>
      namespace === 'team-a' && name === 'regcred' ? SECRET : undefined,
    );
    assert.equal((await reader.readSecret('team-a', 'regcred')).ok, true);
    assert.equal((await reader.readSecret('team-b', 'regcred')).ok, false);
    assert.deepEqual(await reader.readServiceAccount('team-a', 'default'), { ok: true, names: [] });
  });
});

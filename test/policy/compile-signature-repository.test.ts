// Does an authority's other repository compile to one place with its own credentials, and is every fault named?
import assert from 'node:assert/strict';
import { generateSigningKey } from '../../src/demo/keys.ts';
import { checkObject } from '../../src/policy/check-object.ts';
import { MAX_SIGNATURE_REPOSITORIES } from '../../src/policy/compile-signature-repository.ts';
import { isSigning, type SigningAuthority } from '../../src/signature/authority.ts';
import { toNamedMaterial } from '../../src/signature/material.ts';
import { compile, toContext, type Named } from '../verdict/support.ts';

const KEY = { pem: generateSigningKey('p256').publicKeyPem };
const REPOSITORY = 'registry.example.com/curated/signatures';
const ACCOUNT = { username: 'reader', password: 'secret' };
const toConfig = (...keys: readonly string[]): Record<string, string> => ({
  '.dockerconfigjson': JSON.stringify({ auths: Object.fromEntries(keys.map((key) => [key, ACCOUNT])) }),
});
const NAMED: Named = {
  material: {
    'Secret/system/host': toConfig('registry.example.com', 'other.example.com'),
    'Secret/system/path': toConfig('registry.example.com/curated'),
    'Secret/system/old': { '.dockercfg': JSON.stringify({ 'registry.example.com': ACCOUNT }) },
    'Secret/system/other': toConfig('registry.example.com/curated-not', 'example.com'),
    'Secret/system/broken': { '.dockerconfigjson': '{' },
    'Secret/system/opaque': { password: 'x' },
    'Secret/elsewhere/far': toConfig('registry.example.com'),
    'ConfigMap/system/map': toConfig('registry.example.com'),
  },
};

const toSpec = (signatureRepository: unknown, more: object = { key: KEY }): object => ({
  authorities: [{ name: 'curators', ...more, signatureRepository }],
});
function authorityOf(signatureRepository: object): SigningAuthority {
  const policy = compile(toSpec(signatureRepository), NAMED);
  assert.deepEqual(policy.problems, []);
  const [authority] = policy.authorities;
  assert.ok(authority !== undefined && isSigning(authority));
  return authority;
}
function problemsOf(signatureRepository: unknown, more?: object): string[] {
  const { problems } = compile(toSpec(signatureRepository, more), NAMED);
  return problems.map(({ reason, message }) => `${reason} ${message}`);
}
const naming = (...names: readonly string[]): object => ({
  repository: REPOSITORY,
  pullSecrets: names.map((name) => ({ name })),
});

describe('compileSignatureRepository()', () => {
  it('names a repository as references do, without credentials where none are named', () => {
    assert.deepEqual(authorityOf({ repository: 'Registry.Example.com:443/curated/signatures' }), {
      ...authorityOf({ repository: REPOSITORY }),
      signatureRepository: {
        id: REPOSITORY,
        registry: 'registry.example.com',
        repository: 'curated/signatures',
        credentials: [],
      },
    });
    const { signatureRepository } = authorityOf({ repository: 'index.docker.io/model' });
    assert.equal(signatureRepository?.id, 'docker.io/library/model');
  });

  it('takes from the Secrets what they hold for it, in their order, and names them in the id', () => {
    for (const name of ['host', 'path', 'old']) {
      const { signatureRepository } = authorityOf(naming(name));
      assert.deepEqual(signatureRepository?.credentials, [ACCOUNT]);
      assert.equal(signatureRepository?.id, `${REPOSITORY} system/${name}`);
    }
    const both = authorityOf(naming('other', 'path')).signatureRepository;
    assert.deepEqual([both?.id, both?.credentials.length], [`${REPOSITORY} system/other system/path`, 1]);
  });

  for (const [names, problem] of [
    [['missing'], 'Secret system/missing does not exist'],
    [['far'], 'Secret system/far does not exist'],
    [['map'], 'Secret system/map does not exist'],
    [['host', 'missing'], 'Secret system/missing does not exist'],
    [['opaque'], 'Secret system/opaque has neither .dockerconfigjson nor .dockercfg'],
    [['broken'], 'Secret system/broken cannot be used: '],
    [['other'], `its pull secrets hold nothing for ${REPOSITORY}`],
  ] as const)
    it(`misses credentials where the Secrets are ${names.join(', ')}`, () => {
      const [found, ...others] = problemsOf(naming(...names));
      assert.deepEqual(others, []);
      const begin = `CredentialsUnavailable spec.authorities[0].signatureRepository: ${problem}`;
      assert.equal(found?.slice(0, begin.length), begin);
      assert.doesNotMatch(found ?? '', /secret"|reader/);
    });

  for (const [repository, problem] of [
    ['curated/signatures', 'repository: it names no registry'],
    [`${REPOSITORY}:tag`, 'repository: it must be registry/repository, without tag and digest'],
    [
      `${REPOSITORY}@sha256:${'a'.repeat(64)}`,
      'repository: it must be registry/repository, without tag and digest',
    ],
    ['registry.example.com/UPPER', 'repository: the repository has characters that repositories cannot have'],
    ['user@registry.example.com/x', 'repository: what follows @ is no sha256 or sha512 digest in lower case'],
  ] as const)
    it(`refuses the repository ${repository}`, () => {
      assert.deepEqual(problemsOf({ repository }), [
        `PolicyInvalid spec.authorities[0].signatureRepository: ${problem}`,
      ]);
    });

  it('refuses a static authority that would look somewhere', () => {
    assert.deepEqual(problemsOf({ repository: REPOSITORY }, { static: { action: 'Pass' } }), [
      'PolicyInvalid spec.authorities[0].signatureRepository: a static authority looks for no signatures',
    ]);
  });

  it('refuses a tenant authority that would look somewhere', () => {
    const [problem = '', ...others] = problemsOf({ repository: REPOSITORY }, { tenant: {} });
    assert.match(problem, /^PolicyInvalid spec\.authorities\[0\].*where the namespace's policies look/);
    assert.deepEqual(others, []);
  });

  it('refuses shapes that it does not know', () => {
    for (const wrong of [
      {},
      REPOSITORY,
      { repository: '' },
      { repository: REPOSITORY, pullSecrets: [] },
      { repository: REPOSITORY, pullSecrets: ['host'] },
      { repository: REPOSITORY, tagPrefix: 'x' },
      naming('a', 'b', 'c', 'd', 'e'),
    ])
      assert.match(problemsOf(wrong).join(), /^PolicyInvalid spec\.authorities\[0\]\.signatureRepository/);
  });

  it(`allows ${MAX_SIGNATURE_REPOSITORIES} repositories in a policy, one for many authorities, and no more`, () => {
    const spec = (count: number): object => ({
      authorities: Array.from({ length: count + 1 }, (_, index) => ({
        name: `a${index}`,
        key: KEY,
        signatureRepository: { repository: `${REPOSITORY}-${index % count}` },
      })),
    });
    assert.deepEqual(compile(spec(MAX_SIGNATURE_REPOSITORIES)).problems, []);
    assert.deepEqual(
      compile(spec(MAX_SIGNATURE_REPOSITORIES + 1)).problems.map(({ message }) => message),
      ['spec.authorities: they name more than 8 signature repositories'],
    );
  });

  it('says before a policy is saved what is missing, and refuses what is wrong', () => {
    const check = (signatureRepository: object): [number, number] => {
      const object = { spec: toSpec(signatureRepository) };
      const { faults, missing } = checkObject('ClusterModelPolicy', 'prod', object, {
        ...toContext(NAMED),
        policies: [],
        trustRootSpecs: new Map(),
      });
      return [faults.length, missing.length];
    };
    assert.deepEqual(check(naming('missing')), [0, 1]);
    assert.deepEqual(check({ repository: 'nothing' }), [1, 0]);
    assert.deepEqual(check(naming('host')), [0, 0]);
  });

  it('is no part of what is verified: proofs are shared, and no thread is handed credentials', () => {
    const [here, there] = [authorityOf({ repository: 'a.example.com/x' }), authorityOf(naming('host'))];
    assert.equal(toNamedMaterial(here).id, toNamedMaterial(there).id);
    assert.ok(!('signatureRepository' in toNamedMaterial(there).material));
  });
});

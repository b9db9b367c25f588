// Does the index of policies select what looking at every policy selects, in the same order?
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { CompiledPolicy } from '../../src/policy/compiled.ts';
import { isClaimed, selectByReference, splitBySide } from '../../src/policy/select.ts';
import { compile, toUse } from '../verdict/support.ts';

const AUTHORITIES = [{ name: 'fixed', static: { action: 'Fail' } }];
const GLOBS = [
  'a.test/**',
  'b.test/x/*',
  '*.test/**',
  'docker.io/x',
  'index.docker.io/**',
  '**',
  'A.TEST:443/x/**',
];
const MODELS = [
  undefined,
  ...GLOBS.map((glob) => [{ glob }]),
  ...GLOBS.map((glob) => [{ glob, exclude: ['a.test/x/**'] }]),
  ...GLOBS.map((glob) => [{ glob, sources: ['ContainerImage'] }, { glob: 'c.test/**' }]),
  [{ sources: ['ImageVolume'] }],
];
const POLICIES = MODELS.map((models) => compile({ authorities: AUTHORITIES, ...(models && { models }) }));
const USES = [
  'a.test/x/y',
  'b.test/x/y',
  'c.test/z',
  'd.test/z',
  'docker.io/x',
  'deep.a.test/x/y',
  'a.test:5000/x/y',
].flatMap((name) => (['ImageVolume', 'ContainerImage'] as const).map((source) => toUse(name, source)));

describe('selectByReference()', () => {
  it('selects from many what it selects one by one', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...POLICIES), { maxLength: 12 }), (policies) => {
        for (const use of USES) {
          const alone = policies.filter((policy) => selectByReference([policy], use).length === 1);
          assert.deepEqual(selectByReference(policies, use), alone);
          // Asked again: what is remembered is the same.
          assert.deepEqual(selectByReference(policies, use), alone);
          assert.equal(
            isClaimed(policies, use),
            policies.some((policy) => isClaimed([policy], use)),
          );
        }
      }),
      { numRuns: 200 },
    );
  });

  for (const [glob, name, expected] of [
    ['a.test/**', 'a.test/x', true],
    ['A.TEST:443/**', 'a.test/x', true],
    ['a.test/**', 'b.test/x', false],
    ['index.docker.io/**', 'docker.io/x', true],
    ['*.test/**', 'a.test/x', true],
    ['**', 'a.test/x', true],
  ] as const)
    it(`${expected ? 'selects' : 'leaves'} ${name} by ${glob} beside policies of other registries`, () => {
      const others = compile({ authorities: AUTHORITIES, models: [{ glob: 'other.test/**' }] });
      const policy: CompiledPolicy = compile({ authorities: AUTHORITIES, models: [{ glob }] });
      assert.equal(selectByReference([others, policy], toUse(name)).includes(policy), expected);
    });
});

describe('splitBySide()', () => {
  const cluster = compile({ authorities: AUTHORITIES });
  const own: CompiledPolicy = { ...cluster, name: 'team/own', namespace: 'team' };

  it('tells policies of the cluster from those of the namespace, in their order', () => {
    const other = { ...cluster, name: 'other' };
    assert.deepEqual(splitBySide([own, cluster, other]), { ofCluster: [cluster, other], ofNamespace: [own] });
    assert.deepEqual(splitBySide([own]), { ofCluster: [], ofNamespace: [own] });
  });

  it('leaves a list of the cluster’s alone as it is, so that its index serves', () => {
    const policies = [cluster];
    assert.equal(splitBySide(policies).ofCluster, policies);
    assert.deepEqual(splitBySide(policies).ofNamespace, []);
  });
});

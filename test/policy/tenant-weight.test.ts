// Is everything that a namespace's policy costs counted, wherever it stands and whatever shape it has?
import assert from 'node:assert/strict';
import { weighSpec } from '../../src/policy/tenant-weight.ts';

describe('weighSpec()', () => {
  it('counts authorities, and a glob with each of its exclusions', () => {
    const spec = { authorities: [{}, {}], models: [{ glob: 'a/**', exclude: ['b', 'c'] }, { glob: 'd/**' }] };
    assert.deepEqual(weighSpec(spec), { authorities: 2, globs: 4, ruleChars: 0 });
  });

  const rule = { expression: '12345', messageExpression: '67' };
  for (const [where, toSpec] of [
    ['conditions', (rules: readonly object[]) => ({ matchConditions: rules })],
    ['variables', (rules: readonly object[]) => ({ variables: rules })],
    ['rules', (rules: readonly object[]) => ({ validations: rules })],
    ['rules of attestations', (rules: readonly object[]) => ({ attestations: [{ validations: rules }] })],
  ] as const)
    it(`counts the characters of ${where}`, () => {
      assert.equal(weighSpec(toSpec([rule])).ruleChars, 7);
      assert.equal(weighSpec(toSpec([rule, rule])).ruleChars, 14);
    });

  it('weighs what is no policy, and never throws', () => {
    const nothing = { authorities: 0, globs: 0, ruleChars: 0 };
    for (const spec of [undefined, null, 7, 'x', [], { authorities: 'x', models: {}, validations: 3 }])
      assert.deepEqual(weighSpec(spec), nothing);
    const odd = { models: [null, { exclude: 'x' }], validations: [null, { expression: 7 }, [rule]] };
    assert.deepEqual(weighSpec(odd), { ...nothing, globs: 2 });
  });
});

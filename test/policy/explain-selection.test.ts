// Does each half of selection say which part of a selector decided, for and against?
import assert from 'node:assert/strict';
import { compilePolicy } from '../../src/policy/compile.ts';
import { explainModels, explainNamespace, type SelectionReason } from '../../src/policy/explain-selection.ts';
import type { ModelSource } from '../../src/model/model-reference.ts';
import { compile, toContext, toUse } from '../verdict/support.ts';

const STATIC = [{ name: 'a', static: { action: 'Pass' } }];
const told = ({ selects, reasons }: SelectionReason): string =>
  `${selects ? 'yes' : 'no'}: ${reasons.join('; ')}`;

function aboutNamespace(namespaceSelector: object | undefined, labels: Record<string, string>): string {
  const spec = { authorities: STATIC, ...(namespaceSelector && { namespaceSelector }) };
  return told(explainNamespace(compile(spec), spec, labels));
}

function aboutModel(models: object[] | undefined, reference: string, ...sources: ModelSource[]): string {
  const spec = { authorities: STATIC, ...(models && { models }) };
  const [source = 'ImageVolume', ...otherSources] = sources;
  return told(explainModels(compile(spec), spec, { ...toUse(reference, source), otherSources }));
}

describe('explainNamespace()', () => {
  const team = { matchLabels: { team: 'red', tier: 'gold' } };
  const expression = (operator: string, values?: string[]): object => ({
    matchExpressions: [{ key: 'env', operator, ...(values && { values }) }],
  });
  for (const [selector, labels, expected] of [
    [undefined, {}, 'yes: it is about every namespace'],
    [{}, {}, 'yes: it is about every namespace'],
    [team, { team: 'red', tier: 'gold' }, 'yes: namespaceSelector team=red, tier=gold matches'],
    [team, { team: 'red' }, 'no: namespaceSelector tier=gold does not match'],
    [expression('In', ['a', 'b']), { env: 'b' }, 'yes: namespaceSelector env In (a, b) matches'],
    [expression('In', ['a', 'b']), {}, 'no: namespaceSelector env In (a, b) does not match'],
    [expression('Exists'), { env: '' }, 'yes: namespaceSelector env Exists matches'],
    [expression('Exists'), {}, 'no: namespaceSelector env Exists does not match'],
  ] as const)
    it(`says of ${JSON.stringify(selector ?? 'none')} and ${JSON.stringify(labels)}: ${expected}`, () =>
      assert.equal(aboutNamespace(selector, labels), expected));

  it('says of a ModelPolicy where it stands', () => {
    const spec = { authorities: STATIC };
    const policy = compilePolicy({ name: 'team/own', namespace: 'team', spec }, toContext());
    const labels = { 'kubernetes.io/metadata.name': 'team' };
    assert.equal(told(explainNamespace(policy, spec, labels)), 'yes: it is about namespace team');
    assert.equal(told(explainNamespace(policy, spec, {})), 'no: it is about namespace team');
  });

  it('says of a selector that cannot be read that it is one, where it selects all', () => {
    const spec = { authorities: STATIC, namespaceSelector: expression('Near', ['x']) };
    const policy = { ...compile(spec), matchesNamespace: () => false };
    assert.equal(
      told(explainNamespace(policy, spec, { env: 'x' })),
      'no: namespaceSelector env Near (x) does not match',
    );
    assert.equal(told(explainNamespace(policy, { authorities: STATIC }, {})), 'no: its namespaceSelector');
  });
});

describe('explainModels()', () => {
  const llm = 'registry.example.com/models/llm:1';
  const all = { glob: 'registry.example.com/**' };
  for (const [models, sources, expected] of [
    [undefined, [], 'yes: it lists no models: it is about every model reference'],
    [[all], [], 'yes: models[0] glob "registry.example.com/**" matches'],
    [[{ glob: 'other.test/**' }, all], [], 'yes: models[1] glob "registry.example.com/**" matches'],
    [
      [{ glob: 'other.test/**' }],
      [],
      'no: models[0] glob "other.test/**" does not match "registry.example.com/models/llm"',
    ],
    [
      [{ ...all, exclude: ['other.test/**', '**/x', 'registry.example.com/models/*'] }],
      [],
      'no: models[0] excludes it by "registry.example.com/models/*"',
    ],
    [
      [{ glob: 'other.test/**', exclude: [7] }],
      [],
      'no: models[0] glob "other.test/**" does not match "registry.example.com/models/llm"',
    ],
    [[{ sources: ['URI'] }], [], 'no: models[0] is about sources URI, not ImageVolume'],
    [
      [{ sources: ['URI'] }],
      ['ImageVolume', 'URI'],
      'yes: models[0] and source URI matches every repository',
    ],
    [
      [{ ...all, sources: ['ImageVolume', 'URI'] }],
      [],
      'yes: models[0] glob "registry.example.com/**" and source ImageVolume matches',
    ],
  ] as const)
    it(`says of ${JSON.stringify(models ?? 'none')} and ${sources.join() || 'a volume'}: ${expected}`, () =>
      assert.equal(aboutModel(models && [...models], llm, ...sources), expected));
});

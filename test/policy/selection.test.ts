// Is a policy about the requests that its conditions say, and does one that cannot say it deny?
import assert from 'node:assert/strict';
import type { CompiledPolicy } from '../../src/policy/compiled.ts';
import { DeadlineExceeded } from '../../src/policy/cel/deadline.ts';
import { isEnforcing } from '../../src/policy/compiled.ts';
import { createSelection } from '../../src/policy/selection.ts';
import { toKnownNamespace } from '../../src/policy/store.ts';
import { compile } from '../verdict/support.ts';

const STATIC = [{ name: 'fixed', static: { action: 'Pass' } }];
const compileWith = (...expressions: readonly string[]): CompiledPolicy =>
  compile({
    authorities: STATIC,
    matchConditions: expressions.map((expression, index) => ({ name: `c${index}`, expression })),
  });
const NAMESPACE = toKnownNamespace({ metadata: { labels: { team: 'red' } } }, 'prod');
const select = (policy: CompiledPolicy, operation = 'CREATE'): readonly CompiledPolicy[] =>
  createSelection([policy])(NAMESPACE, { namespace: 'prod', operation });

const FAILING = "namespaceObject.metadata.labels['none'] == 'x'";

describe('createSelection()', () => {
  for (const [expressions, outcome] of [
    [['true'], 'selects'],
    [['false'], 'drops'],
    [['true', 'false'], 'drops'],
    [["namespaceObject.metadata.labels.team == 'red'"], 'selects'],
    [["namespaceObject.metadata.name == 'test'"], 'drops'],
    [["request.namespace == 'prod'", "request.operation == 'CREATE'"], 'selects'],
    [["request.operation == 'UPDATE'"], 'drops'],
    [[FAILING], 'fails'],
    [[FAILING, 'false'], 'drops'],
    [['false', FAILING], 'drops'],
    [['true', FAILING], 'fails'],
  ] as const)
    it(`${outcome} by ${expressions.join(' and ')}`, () => {
      const [policy, ...others] = select(compileWith(...expressions));
      assert.equal(others.length, 0);
      if (outcome === 'drops') return assert.equal(policy, undefined);
      assert.ok(policy);
      assert.equal(isEnforcing(policy), outcome === 'selects');
      assert.deepEqual(
        policy.problems.map(({ reason }) => reason),
        outcome === 'selects' ? [] : ['RuleFailed'],
      );
    });

  it('fails what spends the budget of conditions', () => {
    const range = `[${Array.from({ length: 100 }, (_, n) => n).join()}]`;
    const loop = `${range}.all(a, ${range}.all(b, ${range}.all(c, a + b + c >= 0)))`;
    const [policy] = select(compileWith(loop));
    assert.match(policy?.problems[0]?.message ?? '', /^spec\.matchConditions\[0\] \(c0\): CEL cost budget/);
  });

  it('gives each namespace its own policies where conditions fail', () => {
    const named = (name: string): CompiledPolicy => ({
      ...compileWith(FAILING),
      name,
      matchesNamespace: (labels) => labels['kubernetes.io/metadata.name'] === name,
    });
    const selection = createSelection(['a', 'b'].map(named));
    for (const name of ['a', 'b'])
      assert.deepEqual(
        selection(toKnownNamespace({}, name), { namespace: name, operation: 'CREATE' }).map((policy) => [
          policy.name,
          policy.hasFailedConditions,
        ]),
        [[name, true]],
      );
  });

  it('asks the policies of the cluster and of the namespace itself, each once', () => {
    const cluster = compile({ authorities: STATIC });
    const own = (namespace: string): CompiledPolicy => ({ ...cluster, name: `${namespace}/own`, namespace });
    const selection = createSelection([own('a'), cluster, own('b')]);
    const namesIn = (namespace: string): string[] =>
      selection(toKnownNamespace({}, namespace), { namespace, operation: 'CREATE' }).map(({ name }) => name);
    assert.deepEqual(['a', 'b', 'c', ''].map(namesIn), [
      ['prod', 'a/own'],
      ['prod', 'b/own'],
      ['prod'],
      ['prod'],
    ]);
  });

  it('remembers the operations that are judged, and no others', () => {
    let asked = 0;
    const matchesNamespace = (): boolean => (asked += 1) > 0;
    const selection = createSelection([{ ...compile({ authorities: STATIC }), matchesNamespace }]);
    for (const operation of ['CREATE', 'CREATE', 'UPDATE', 'UPDATE'])
      selection(NAMESPACE, { namespace: 'prod', operation });
    assert.equal(asked, 2);
    for (const operation of ['CONNECT', 'CONNECT']) selection(NAMESPACE, { namespace: 'prod', operation });
    assert.equal(asked, 4);
  });

  describe('when evaluating throws', () => {
    const throwing = (error: Error): readonly CompiledPolicy[] => {
      const [condition] = compileWith('true').matchConditions;
      assert.ok(condition !== undefined);
      const evaluate = (): never => {
        throw error;
      };
      const slow = { ...condition, program: { ...condition.program, evaluate } };
      return createSelection([
        { ...compile({ authorities: STATIC }), matchConditions: [slow] },
        { ...compile({ authorities: STATIC }), name: 'plain' },
      ])(NAMESPACE, { namespace: 'prod', operation: 'CREATE' });
    };

    it('fails every policy with conditions when they take too long, and no other', () =>
      assert.deepEqual(
        throwing(new DeadlineExceeded()).map(({ name, problems }) => [
          name,
          ...problems.map(({ reason, message }) => `${reason} ${message}`),
        ]),
        [['prod', 'RuleFailed the conditions took too long'], ['plain']],
      ));

    it('throws the faults of this program', () =>
      assert.throws(() => throwing(new TypeError('no number')), TypeError));
  });

  it('works a namespace out once for each operation, and shares what is equal', () => {
    const selection = createSelection([compileWith('true'), compileWith("request.operation == 'CREATE'")]);
    const other = toKnownNamespace({}, 'other');
    const at = (namespace: typeof other, operation: string): readonly CompiledPolicy[] =>
      selection(namespace, { namespace: 'x', operation });
    assert.equal(at(NAMESPACE, 'CREATE'), at(NAMESPACE, 'CREATE'));
    assert.equal(at(NAMESPACE, 'CREATE'), at(other, 'CREATE'));
    assert.deepEqual([at(NAMESPACE, 'CREATE').length, at(NAMESPACE, 'UPDATE').length], [2, 1]);
  });
});

// Are conditions and variables what ValidatingAdmissionPolicy means by them, and is each fault of one named?
import assert from 'node:assert/strict';
import { generateSigningKey } from '../../src/demo/keys.ts';
import { createCelBindings, bindAttestation, toReadAttestation } from '../../src/policy/cel/bindings.ts';
import { createCelMeter } from '../../src/policy/cel/meter.ts';
import type { CompiledPolicy } from '../../src/policy/compiled.ts';
import { evaluateRule } from '../../src/verdict/evaluate-rule.ts';
import { input } from './cel/support.ts';
import { compile } from '../verdict/support.ts';

const AUTHORITIES = [{ name: 'red', key: { pem: generateSigningKey('p256').publicKeyPem } }];
const compileWith = (more: object): CompiledPolicy => compile({ authorities: AUTHORITIES, ...more });
const messagesOf = ({ problems }: CompiledPolicy): string[] => problems.map(({ message }) => message);
const named = (expressions: Readonly<Record<string, string>>): object[] =>
  Object.entries(expressions).map(([name, expression]) => ({ name, expression }));

/** What each rule says, in their order. */
function judgeWith(
  variables: Readonly<Record<string, string>>,
  rules: readonly string[],
  meter = createCelMeter(),
): string[] {
  const policy = compileWith({
    variables: named(variables),
    validations: rules.map((expression) => ({ expression })),
  });
  assert.deepEqual(policy.problems, []);
  const bindings = createCelBindings({ ...input, variables: policy.variables.rules });
  return policy.validations.map((rule) => {
    const failure = evaluateRule(rule, bindings, meter);
    return failure === undefined ? 'holds' : `${failure.reason}: ${failure.message}`;
  });
}

describe('compileConditions()', () => {
  for (const expression of [
    'true',
    "namespaceObject.metadata.labels['team'] == 'red'",
    "request.namespace == 'prod' && request.operation == 'CREATE'",
  ])
    it(`reads ${expression}`, () => {
      const { problems, matchConditions } = compileWith({ matchConditions: named({ one: expression }) });
      assert.deepEqual([problems, matchConditions.length], [[], 1]);
    });

  for (const seen of ['request.userInfo', 'request.object', 'request.name', 'object', 'pod', 'model', 'now'])
    it(`does not see ${seen}, which the author or requester chooses`, () => {
      const policy = compileWith({ matchConditions: named({ one: `${seen} == ${seen}` }) });
      assert.match(messagesOf(policy).join('\n'), /^spec\.matchConditions\[0\]\.expression: /);
      assert.deepEqual(policy.matchConditions, []);
    });

  it('takes nothing out of a policy by conditions one of which is broken', () => {
    const policy = compileWith({ matchConditions: named({ no: 'false', broken: 'nothing' }) });
    assert.equal(policy.problems.length, 1);
    assert.deepEqual(policy.matchConditions, []);
  });

  it('keeps good conditions of a policy that is broken elsewhere', () => {
    const policy = compileWith({ matchConditions: named({ no: 'false' }), bogus: 1 });
    assert.deepEqual([policy.problems.length, policy.matchConditions.length], [1, 1]);
  });

  for (const [fault, conditions, message] of [
    ['two of one name', [...named({ a: 'true' }), ...named({ a: 'true' })], /two entries have the same name/],
    ['no conditions', [], /must NOT have fewer than 1 items/],
    ['a number', named({ a: '1' }), /expression must be bool, but is int/],
    ['a missing name', [{ expression: 'true' }], /name is required/],
  ] as const)
    it(`refuses ${fault}`, () =>
      assert.match(messagesOf(compileWith({ matchConditions: conditions })).join('\n'), message));
});

describe('compileVariables()', () => {
  it('lets rules, messages and later variables read them', () => {
    const policy = compileWith({
      variables: named({
        team: "namespaceObject.metadata.labels['team']",
        wanted: "'team ' + variables.team",
      }),
      validations: [{ expression: "variables.wanted == 'team blue'", messageExpression: 'variables.wanted' }],
    });
    const bindings = createCelBindings({ ...input, variables: policy.variables.rules });
    const [rule] = policy.validations;
    assert.ok(rule);
    assert.deepEqual(evaluateRule(rule, bindings, createCelMeter()), {
      reason: 'RuleViolated',
      message: 'team red',
    });
  });

  for (const [expression, rule] of [
    ['1', 'variables.x == 1'],
    ["['a']", "variables.x[0] == 'a'"],
    ["{'a': [1]}", 'variables.x.a.size() == 1'],
    ['model.layers', "variables.x.exists(l, l.class == 'rawFile')"],
    ['signatures[0]', "variables.x.authority == 'release'"],
    ['pod.metadata', "variables.x.labels.team == 'red'"],
    ["timestamp('2026-01-01T00:00:00Z')", 'variables.x == now'],
    ['oldObject', 'variables.x == null'],
    ['null', 'variables.x == null'],
    ['[]', 'variables.x.size() == 0'],
    ['{}', 'variables.x.size() == 0'],
    ["object.?none.orValue('x')", "variables.x == 'x'"],
    ['object.?none', '!variables.x.hasValue()'],
    ['signatures.map(s, s.issuer)', "variables.x.all(i, i.startsWith('https://'))"],
  ] as const)
    it(`holds ${expression}`, () => assert.deepEqual(judgeWith({ x: expression }, [rule]), ['holds']));

  it('is typed where the engine can tell', () => {
    const message = (rule: string, x: string): string =>
      messagesOf(compileWith({ variables: named({ x }), validations: [{ expression: rule }] })).join('\n');
    assert.match(
      message("variables.x + 'a' == 'b'", '1'),
      /spec\.validations\[0\]\.expression: no such overload/,
    );
    assert.match(message("variables.x.isuer == ''", 'signatures[0]'), /No such key: isuer/);
    assert.match(message("variables.y == ''", '1'), /spec\.validations\[0\]\.expression: No such key: y/);
    assert.match(message("variables['x'] == 1", '1'), /select/);
  });

  it('evaluates what nobody reads not at all, and what many read once', () => {
    const heavy = 'object.big.map(a, object.big.map(b, a * b)).size()';
    const spent = (rules: readonly string[]): number => {
      const meter = createCelMeter();
      assert.deepEqual(new Set(judgeWith({ heavy }, rules, meter)), new Set(['holds']));
      return 1_000_000 - meter.remaining;
    };
    const [none, one, two] = [
      ['true'],
      ['variables.heavy == 100'],
      Array(2).fill('variables.heavy == 100'),
    ].map(spent);
    assert.ok(none !== undefined && one !== undefined && two !== undefined);
    assert.ok(none < 10 && one > 1000, `${none}, ${one}`);
    assert.ok(two < one + 10, `${one}, ${two}`);
  });

  it('fails every rule that reads what failed, and no other', () => {
    const rules = [
      'variables.bad == 1',
      'true',
      'variables.worse == 2',
      'variables.?bad.orValue(1) == 1',
      'has(variables.bad)',
    ];
    const failure = 'RuleFailed: variables.bad: no such key at 1:8: none';
    const said = judgeWith({ bad: 'object.none', worse: 'variables.bad + 1' }, rules);
    assert.deepEqual([said[0], said[1]], [failure, 'holds']);
    assert.match(said[2] ?? '', /^RuleFailed: variables\.worse: variables\.bad: no such key/);
    assert.deepEqual(said.slice(3), [failure, failure]);
  });

  it('fails rules whose variable spends the budget', () => {
    const loop =
      'object.big.all(a, object.big.all(b, object.big.all(c, object.big.all(d, a + b + c + d >= 0))))';
    const said = judgeWith({ loop }, ['variables.loop', 'variables.loop || true', 'true']);
    assert.match(said[0] ?? '', /^RuleFailed: CEL cost budget is spent/);
    assert.equal(said[2], 'holds');
  });

  describe('in rules about attestations', () => {
    const demand = (expression: string): object => ({
      name: 'provenance',
      predicateTypes: ['https://slsa.dev/provenance/v1'],
      validations: [{ expression }],
    });
    const compileFor = (expression: string): CompiledPolicy =>
      compileWith({
        variables: named({ builder: "'a' + 'b'", count: 'attestations.size()', later: 'variables.count' }),
        attestations: [demand(expression)],
      });

    it('is read where it reads no attestations', () => {
      const policy = compileFor('predicate.builder == variables.builder');
      assert.deepEqual(policy.problems, []);
      const statement = JSON.stringify({ predicate: { builder: 'ab' } });
      const read = toReadAttestation({
        predicateType: 'https://slsa.dev/provenance/v1',
        hasPredicate: true,
        statement,
        authority: 'red',
        signature: { ...input.signatures[0], format: 'CosignBundle' },
      } as unknown as Parameters<typeof toReadAttestation>[0]);
      const base = createCelBindings({ ...input, variables: policy.variables.attestations });
      const [rule] = policy.attestations[0]?.validations ?? [];
      assert.ok(rule);
      assert.equal(evaluateRule(rule, bindAttestation(base, read), createCelMeter()), undefined);
    });

    for (const name of ['count', 'later'])
      it(`is refused where it reads them, by itself or through another: ${name}`, () => {
        const policy = compileFor(`variables.${name} == 1`);
        assert.match(
          messagesOf(policy).join('\n'),
          /^spec\.attestations\[0\]\.validations\[0\]\.expression: No such key/,
        );
      });
  });

  for (const [fault, variables, message] of [
    ['two of one name', [...named({ a: '1' }), ...named({ a: '2' })], /two entries have the same name/],
    ['one that reads a later one', named({ a: 'variables.b', b: '1' }), /spec\.variables\[0\]\.expression/],
    ['one that reads itself', named({ b: '1', a: 'variables.a' }), /spec\.variables\[1\]\.expression/],
    ['what is no expression', named({ a: '1 +' }), /spec\.variables\[0\]\.expression/],
    ['a name that is no identifier', named({ 'a-b': '1' }), /spec\.variables\[0\]\.name: must match/],
    ['a name of the engine', named({ __a: '1' }), /spec\.variables\[0\]\.name: must match/],
    [
      'what values are told apart by',
      [{ name: 'constructor', expression: '1' }],
      /spec\.variables\[0\]\.name: constructor/,
    ],
    ['no variables', [], /must NOT have fewer than 1 items/],
  ] as const)
    it(`refuses ${fault}`, () => assert.match(messagesOf(compileWith({ variables })).join('\n'), message));

  it('says of two of one name nothing but that, and means the first', () => {
    const variables = [...named({ a: '1' }), ...named({ a: "'text'", b: 'variables.a == 1' })];
    assert.deepEqual(messagesOf(compileWith({ variables })).length, 1);
  });
});

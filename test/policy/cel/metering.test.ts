// Does an operator or call cost what it looks at, in whichever way it is written, and mean what CEL says?
import assert from 'node:assert/strict';
import type { CelEvaluator, CelType } from '../../../src/policy/cel/ast.ts';
import { CHARACTERS_PER_UNIT, DYNAMIC_PATTERN_COST } from '../../../src/policy/cel/limits.ts';
import { createCelMeter } from '../../../src/policy/cel/meter.ts';
import { patchEvaluator } from '../../../src/policy/cel/metering.ts';
import { run, valueOf } from './support.ts';

const UNDEFINED = 'operator is not defined for these types';

function costOf(source: string): number {
  const meter = createCelMeter();
  const before = meter.remaining;
  run(source, 'validation', meter);
  return before - meter.remaining;
}

describe('meterExpression()', () => {
  it('charges the sizes of operands and results in both styles of calls', () => {
    const scanned = 1000 / CHARACTERS_PER_UNIT;
    assert.equal(costOf('size(object.long) > 0') - costOf('size("") > 0') >= scanned, true);
    assert.equal(costOf('object.long.size() > 0'), costOf('size(object.long) > 0'));
    assert.equal(costOf('bytes(object.long).size() > 0') - costOf('size("") > 0') >= 3 * scanned, true);
  });

  it('charges no size that is known', () => {
    assert.ok(costOf('size(object.big) > 0') < 20);
  });

  it('charges the sizes of lists that are looked through', () => {
    assert.ok(costOf('object.big.reverse().size() > 0') > costOf('[1].reverse().size() > 0') + 190);
  });

  it('charges what a pattern costs that is only known when it is matched', () => {
    const more = costOf('"a".matches("b" + "")') - costOf('"a".matches("b")');
    assert.ok(more >= DYNAMIC_PATTERN_COST);
    assert.equal(costOf('matches("a", "b" + "")') - costOf('matches("a", "b")'), more);
  });

  it('charges the size of what is compared', () => {
    for (const operator of ['==', '!=', '<', '>='])
      assert.ok(costOf(`object.long ${operator} object.long`) >= 1000 / CHARACTERS_PER_UNIT, operator);
  });

  it('charges a match by its program only where text and program are large', () => {
    const [small, large] = ['x', '^(x|y{40}|z{40})*$'];
    const costOfMatch = (count: number, pattern: string): number =>
      costOf(`object.long.substring(0, ${count}).matches("${pattern}")`);
    assert.ok(costOfMatch(500, large) - costOfMatch(500, small) < large.length);
    assert.ok(costOfMatch(600, large) > 50 * costOfMatch(600, small));
  });

  for (const [left, right] of [
    ['"1"', '2'],
    ['"a"', '1'],
    ['true', '2'],
    ['"a"', 'b"a"'],
    ['now', '"a"'],
    ['null', '1'],
    ['[1]', '2'],
  ])
    for (const operator of ['<', '<=', '>', '>='])
      it(`puts ${left} ${operator} ${right} in no order`, () => {
        for (const [first, second] of [
          [left, right],
          [right, left],
        ]) {
          const result = run(`dyn(${first}) ${operator} dyn(${second})`);
          assert.ok(!result.ok && result.message.startsWith(UNDEFINED));
        }
      });

  it('orders numbers of any type, and what else has an order', () => {
    for (const source of [
      'dyn(1) < dyn(1.5) && dyn(2u) > dyn(1.5) && dyn(1) <= dyn(1u) && dyn(1u) >= dyn(1.0)',
      'dyn("a") < dyn("b") && dyn("b") >= dyn("b") && dyn(b"a") < dyn(b"b") && dyn(false) < dyn(true)',
      'dyn(now) <= dyn(now) && dyn(duration("1s")) < dyn(duration("2s"))',
    ])
      assert.equal(valueOf(source), true, source);
  });

  for (const source of [
    'object.count.?x.hasValue()',
    'object.count[?0].hasValue()',
    'object.?count[0].hasValue()',
    'object.?count.x.hasValue()',
    'object.?list["a"].hasValue()',
    'object.list[?"a"].hasValue()',
    'object.list.?a.hasValue()',
    'object[?"count"].?x.hasValue()',
  ])
    it(`selects from what has no parts by no ${source}`, () => {
      assert.equal(valueOf(source), 'error');
    });

  it('says where an operator of its own failed', () => {
    const result = run('true && dyn(1) in dyn("abc")');
    assert.deepEqual(!result.ok && result.message, `${UNDEFINED} at 1:9: dyn(1) in dyn("abc")`);
  });

  it('keeps the error that an operator absorbed in vain', () => {
    const result = run('object.absent == 1 || false');
    assert.ok(!result.ok);
    assert.match(result.message, /^no such key at 1:8: absent/);
  });
});

describe('patchEvaluator()', () => {
  const named = (name: string): CelType => ({ kind: 'list', name });
  const evaluator = {
    debugType: (value: unknown) =>
      named(Array.isArray(value) ? 'list' : value instanceof Map ? 'map' : 'int'),
    registry: {
      getListType: ({ name }: CelType) => named(`list<${name}>`),
      getMapType: (key: CelType, { name }: CelType) => named(`map<${key.name}, ${name}>`),
    },
  } as unknown as CelEvaluator;
  patchEvaluator(evaluator);
  const typeOf = (value: unknown): string => evaluator.debugTypeDeep(value).name;

  it('names the type of a value by its first element, three levels deep', () => {
    assert.equal(typeOf(1n), 'int');
    assert.equal(typeOf([1n]), 'list<int>');
    assert.equal(typeOf([[[[[1n]]]]]), 'list<list<list<list>>>');
    assert.equal(typeOf(new Map([[1n, [1n]]])), 'map<int, list<int>>');
    assert.equal(typeOf(new Map([[1n, new Map([[1n, [[1n]]]])]])), 'map<int, map<int, list<list>>>');
  });

  it('names what is empty by itself', () => {
    assert.deepEqual([typeOf([]), typeOf(new Map()), typeOf([new Map()])], ['list', 'map', 'list<map>']);
  });
});

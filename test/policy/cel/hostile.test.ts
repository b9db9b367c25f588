import assert from 'node:assert/strict';
import { createCelBindings } from '../../../src/policy/cel/bindings.ts';
import { MAX_EXPRESSION_COST } from '../../../src/policy/cel/limits.ts';
import { createCelMeter } from '../../../src/policy/cel/meter.ts';
import { engine, input } from './support.ts';

const bindings = createCelBindings({
  ...input,
  object: {
    huge: Array.from({ length: 200_000 }, (_, at) => at),
    some: Array.from({ length: 3000 }, (_, at) => `item-${at}`),
    text: 'ab'.repeat(100_000),
    wide: '😀'.repeat(20_000),
    digits: '9'.repeat(10_000),
    url: `https://e.com/${'%20'.repeat(60_000)}`,
    addresses: ':'.repeat(50_000),
    pattern: `(${'a?'.repeat(400)}){9}`,
    path: '../'.repeat(30_000),
  },
});

type Outcome = 'budget' | 'error' | boolean;

function outcomeOf(source: string): { readonly outcome: Outcome; readonly cost: number } {
  const compiled = engine.compile(source, 'validation');
  assert.ok(compiled.ok, JSON.stringify(compiled));
  const meter = createCelMeter(MAX_EXPRESSION_COST);
  const result = compiled.program.evaluate(bindings, meter);
  const outcome = result.ok ? result.value === true : result.kind;
  return { outcome, cost: MAX_EXPRESSION_COST - meter.remaining };
}

// Expression, outcome.
const TABLE: readonly (readonly [string, Outcome])[] = [
  ['object.huge.all(a, object.huge.all(b, object.huge.all(c, a + b + c >= 0)))', 'budget'],
  ['object.huge.map(x, x).map(x, x).size() > 0', 'budget'],
  ['object.huge.sum() > 0', 'budget'],
  ['object.huge.sort().size() > 0', 'budget'],
  ['object.some.distinct().size() > 0', 'budget'],
  ['object.huge.isSorted()', 'budget'],
  ['object.huge.reverse().size() > 0', 'budget'],
  ['sets.equivalent(object.some, object.some)', 'budget'],
  ['sets.intersects(object.some, ["x"])', false],
  ['lists.range(9223372036854775807).size() > 0', 'budget'],
  ['lists.range(-5).size() == 0', true],
  [`[[1]]${'.map(x, [x, x])'.repeat(30)}.flatten(99).size() > 0`, 'budget'],
  [`[1]${'.map(x, dyn([x, x]))'.repeat(40)}.indexOf(2) < 0`, 'budget'],
  [`"%s".format([[1]${'.map(x, dyn([x, x]))'.repeat(40)}]) == ""`, 'budget'],
  [`sets.contains([1]${'.map(x, dyn([x, x]))'.repeat(40)}, [dyn(1)])`, 'error'],
  [
    'object.some.transformMap(i, v, object.some).size() > 0 && object.some.all(i, v, object.some == object.some)',
    'budget',
  ],
  ['object.text.split("").size() > 0', 'budget'],
  ['object.text.split("a").join(object.text) == ""', 'budget'],
  ['object.text.replace("", object.text) == ""', 'budget'],
  ['object.text.replace("a", object.text) == ""', 'budget'],
  ['object.some.join(object.text) == ""', 'budget'],
  [
    `"${'%s'.repeat(90)}".format([${Array.from({ length: 90 }, () => 'object.text').join()}]) == ""`,
    'budget',
  ],
  ['"%.9999f".format([1.5]) == ""', 'error'],
  ['"%x".format([object.text]) == ""', 'budget'],
  ['strings.quote(object.text) == ""', 'budget'],
  ['object.wide.substring(1, 2) == "😀"', true],
  ['object.huge.all(x, object.wide.substring(1, 2) == "😀")', 'budget'],
  ['object.text.matches("^(ab)+$")', 'budget'],
  ['object.text.matches("[ab]*a[ab]{400}[^ab]")', 'budget'],
  ['object.text.matches("((a*)*)*c")', 'budget'],
  ['"a".matches(object.pattern)', 'budget'],
  ['object.text.find("(a|b)*c") == ""', 'budget'],
  ['object.text.findAll("a").size() > 0', 'budget'],
  ['isQuantity(object.digits)', false],
  ['quantity(object.digits).isInteger()', 'error'],
  ['[quantity("1e128")].all(q, q.add(quantity("1n")).isGreaterThan(q))', true],
  ['isSemver(object.digits + ".0.0")', false],
  ['isSemver(object.digits, true)', false],
  ['isIP(object.addresses)', false],
  ['isCIDR(object.addresses + "/8")', false],
  ['isURL(object.url)', 'budget'],
  ['isURL(object.path)', 'budget'],
  ['int(object.digits) == 1', 'error'],
  ['double(object.digits) == 1.0', 'error'],
  ['timestamp(object.digits) == now', 'error'],
  ['duration(object.digits) == duration("1s")', 'error'],
  ['format.dns1123Subdomain().validate(object.path).hasValue()', 'budget'],
  ['object.some.all(x, format.byte().validate(x + object.digits).hasValue())', 'budget'],
  [`[1]${'.map(x, [x])'.repeat(60)} == [1]${'.map(x, [x])'.repeat(60)}`, true],
  [`optional.of(1)${'.optMap(x, x + 1)'.repeat(60)}.value() == 61`, true],
];

describe('hostile expressions', () => {
  for (const [source, expected] of TABLE) {
    it(`${String(expected)}: ${source.slice(0, 80)}`, () => {
      const { outcome, cost } = outcomeOf(source);
      assert.equal(outcome, expected);
      assert.ok(cost > 0 && cost <= MAX_EXPRESSION_COST);
    });
  }

  const tooMuch: readonly (readonly [string, string])[] = [
    ['nested lists', `${'['.repeat(40)}1${']'.repeat(40)}.size() == 1`],
    ['nested parentheses', `${'('.repeat(5000)}true${')'.repeat(5000)}`],
    ['nested calls', `${'size('.repeat(3000)}"a"${')'.repeat(3000)} == 1`],
    ['nested optional entries', `${'[?'.repeat(2000)}optional.of(1)${']'.repeat(2000)} == []`],
    ['chained selections', `object${'.a'.repeat(5000)} == 1`],
    ['chained negations', `${'!'.repeat(15_000)}true`],
    ['chained signs', `${'-'.repeat(15_000)}1 == 1`],
    ['chained ternaries', `${'true ? true : '.repeat(1000)}true`],
    ['many operands', Array.from({ length: 4000 }, () => 'b').join('+')],
    ['question marks', '?'.repeat(16_000)],
    ['open brackets and marks', '[?'.repeat(8000)],
    ['open strings', '"\\'.repeat(8000)],
    ['a huge pattern', `"a".matches("${'a{9}'.repeat(300)}")`],
    ['a program from a small pattern', '"a".matches("((a{100}){100}){100}")'],
  ];
  for (const [name, source] of tooMuch) {
    it(`are refused when compiled: ${name}`, () => {
      assert.equal(engine.compile(source, 'validation').ok, false);
    });
  }
});

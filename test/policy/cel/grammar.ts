// Which expressions does a rule's author write? Random well-typed ones over a few variables, for two engines to agree on.
// Left out is what @bufbuild/cel is known to do wrong: the empty string as a number, the empty string replaced,
// and large integers compared with doubles.
import fc from 'fast-check';

type Kind = 'bool' | 'int' | 'double' | 'string' | 'ints' | 'strings' | 'time' | 'span' | 'dyn';

/** Types of the variables, in the library's notation. */
export const VARIABLES: Readonly<Record<string, string>> = {
  b: 'bool',
  i: 'int',
  j: 'int',
  d: 'double',
  s: 'string',
  t: 'string',
  l: 'list<int>',
  n: 'list<string>',
  m: 'map<string, string>',
  o: 'map<string, dyn>',
  at: 'google.protobuf.Timestamp',
};

const TEXTS = ['', 'a', 'ab', 'ABC', 'a.b/c', 'é', '10', 'prod', ' x '];
const text = fc.constantFrom(...TEXTS);
const integer = fc.oneof(
  fc.bigInt({ min: -5n, max: 12n }),
  fc.constantFrom(2n ** 63n - 1n, -(2n ** 63n) + 1n, 2n ** 53n + 1n, 1_000_000_007n),
);
const real = fc.constantFrom(0, 0.5, -1.5, 3, 1e15, 0.1, 123456.75);

/** Values of the variables: plain data, JSON-like maps as Map. */
export const bindings = fc.record({
  b: fc.boolean(),
  i: integer,
  j: integer,
  d: real,
  s: text,
  t: text,
  l: fc.array(integer, { maxLength: 4 }),
  n: fc.array(text, { maxLength: 4 }),
  m: fc.dictionary(fc.constantFrom('a', 'b', 'constructor'), text).map((all) => new Map(Object.entries(all))),
  o: fc
    .dictionary(fc.constantFrom('a', 'b', 'c'), fc.oneof(integer, text, fc.boolean(), real))
    .map((all) => new Map<string, unknown>(Object.entries(all))),
  at: fc
    .integer({ min: Date.UTC(1999, 0), max: Date.UTC(2040, 0) })
    .map((time) => new Date(time - (time % 1000))),
});

const quote = (value: string): string => JSON.stringify(value);
const decimal = (value: number): string => (Number.isInteger(value) ? value.toFixed(1) : String(value));

// A template names the kinds of its operands in braces.
const TEMPLATES: Readonly<Record<Kind, readonly string[]>> = {
  bool: [
    '{bool} && {bool}',
    '{bool} || {bool}',
    '!({bool})',
    '({bool} ? {bool} : {bool})',
    '{int} == {int}',
    '{int} < {int}',
    '{int} >= {int}',
    '{double} <= {double}',
    '{double} != {double}',
    '{string} == {string}',
    '{string} < {string}',
    '{string}.contains({string})',
    '{string}.startsWith({string})',
    '{string}.endsWith({string})',
    '{string}.matches("^[a-z]+[./]?")',
    '{int} in {ints}',
    '{string} in {strings}',
    '{string} in m',
    '{string} in o',
    '{ints} == {ints}',
    '{strings} != {strings}',
    '{ints}.all(x, x > {int})',
    '{ints}.exists(x, x % 2 == {int})',
    '{strings}.exists_one(y, y == {string})',
    '{strings}.all(y, y.size() < {int} || y in m)',
    'm.exists(k, m[k] == {string})',
    'o.all(k, o[k] == {dyn})',
    'has(m.a)',
    'has(o.b) && o.b == {dyn}',
    '{dyn} == {dyn}',
    '{dyn} in o.map(k, o[k])',
    '{time} < {time}',
    '{span} > {span}',
    '{time} - {time} == {span}',
  ],
  int: [
    '({int} + {int})',
    '({int} - {int})',
    '({int} * {int})',
    '({int} / {int})',
    '({int} % {int})',
    '(-{int})',
    '({bool} ? {int} : {int})',
    '{string}.size()',
    'size({ints})',
    '{ints}[{int}]',
    '{string}.indexOf({string})',
    'int(string({int}))',
    '{time}.getFullYear()',
    '{time}.getDayOfYear()',
    '{time}.getHours()',
    '{span}.getMinutes()',
    'int({time})',
  ],
  double: ['({double} + {double})', '({double} * {double})', '({double} / {double})', 'double({int} % 1000)'],
  string: [
    '({string} + {string})',
    'm[{string}]',
    'string({int})',
    'string({bool})',
    '{strings}[{int}]',
    '{string}.lowerAscii()',
    '{string}.upperAscii()',
    '{string}.trim()',
    '{string}.replace("a", {string})',
    '{string}.substring({int})',
    '{string}.charAt({int})',
    '{strings}.join({string})',
    '({bool} ? {string} : {string})',
    'string({time})',
    '"%s-%d".format([{string}, {int}])',
  ],
  ints: ['[{int}, {int}]', '({ints} + {ints})', '{ints}.map(x, x + {int})', '{ints}.filter(x, x != {int})'],
  strings: [
    '[{string}, {string}]',
    '{strings}.map(y, y + {string})',
    '{string}.split({string})',
    '{strings}.filter(y, y.startsWith({string}))',
  ],
  time: ['({time} + {span})', '({time} - {span})', 'timestamp("2026-02-28T23:59:59Z")'],
  span: ['duration("1h30m")', 'duration("-90s")', '({time} - {time})', '({span} + {span})'],
  dyn: ['o.a', 'o.b', 'dyn({int})', 'dyn({string})', 'dyn({double})', 'dyn({bool})', 'dyn({ints})'],
};

const LEAVES: Readonly<Record<Kind, fc.Arbitrary<string>>> = {
  bool: fc.constantFrom('b', 'true', 'false'),
  int: fc.oneof(
    fc.constantFrom('i', 'j'),
    integer.map((value) => (value < 0n ? `(${value})` : String(value))),
  ),
  double: fc.oneof(
    fc.constant('d'),
    real.map((value) => `(${decimal(value)})`),
  ),
  string: fc.oneof(fc.constantFrom('s', 't'), text.map(quote)),
  ints: fc.constant('l'),
  strings: fc.constant('n'),
  time: fc.constant('at'),
  span: fc.constant('duration("45m")'),
  dyn: fc.constantFrom('o.a', 'dyn(i)', 'dyn(s)', 'dyn(d)'),
};

function expression(kind: Kind, depth: number): fc.Arbitrary<string> {
  const leaf = LEAVES[kind];
  if (depth === 0) return leaf;
  const made = fc.constantFrom(...TEMPLATES[kind]).chain((template) => fill(template, depth - 1));
  return fc.oneof({ weight: 1, arbitrary: leaf }, { weight: 3, arbitrary: made });
}

function fill(template: string, depth: number): fc.Arbitrary<string> {
  const parts = template.split(/\{(\w+)\}/);
  const operands = parts.map((part, at) =>
    at % 2 === 0 ? fc.constant(part) : expression(part as Kind, depth),
  );
  return fc.tuple(...operands).map((all) => all.join(''));
}

/** Expressions of any kind, at most four levels deep. */
export const expressions = fc
  .constantFrom<Kind>('bool', 'bool', 'bool', 'int', 'double', 'string', 'ints', 'strings')
  .chain((kind) => expression(kind, 4));

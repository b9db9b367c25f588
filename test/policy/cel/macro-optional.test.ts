// Are optMap and optFlatMap applied to optional values only, known when compiling or not?
import assert from 'node:assert/strict';
import { codesOf, run, valueOf } from './support.ts';

const HOLDS: readonly string[] = [
  'optional.of(1).optMap(x, x + 1).value() == 2',
  '!optional.none().optMap(x, x).hasValue()',
  '!optional.none().optMap(x, x + 1).hasValue()',
  '!optional.none().optMap(x, x.a.b).hasValue()',
  'optional.of(1).optFlatMap(x, optional.of(x + 1)).value() == 2',
  '!optional.of(1).optFlatMap(x, optional.none()).hasValue()',
  // Optional when evaluated, of a type that is not known before.
  'dyn(optional.of(1)).optMap(x, x + 1).value() == 2',
  'optional.of(1).optFlatMap(x, dyn(optional.of(x + 1))).value() == 2',
  'optional.of(1).optFlatMap(x, dyn(optional.of(x))).optMap(y, y + 1).value() == 2',
];

const NOT_OPTIONAL: readonly string[] = [
  'dyn(1).optMap(x, x).hasValue()',
  'dyn(1).optFlatMap(x, optional.of(x)).hasValue()',
  'optional.of(1).optFlatMap(x, dyn(x)).hasValue()',
];

const REFUSED: Readonly<Record<string, string>> = {
  '(1).optMap(x, x).hasValue()': 'optional_expected',
  'optional.of(1).optFlatMap(x, x).hasValue()': 'optional_expected',
  'optional.of(1).optMap("x", 1).hasValue()': 'invalid_macro_argument',
  'optional.of(1).optMap(1, 1).hasValue()': 'invalid_macro_argument',
  'optional.of(1).optMap(x.y, 1).hasValue()': 'invalid_macro_argument',
};

describe('optionalMacro()', () => {
  for (const source of HOLDS) {
    it(`holds: ${source}`, () => {
      assert.equal(valueOf(source), true);
    });
  }

  for (const source of NOT_OPTIONAL) {
    it(`fails as not optional: ${source}`, () => {
      const result = run(source);
      assert.ok(!result.ok && result.kind === 'error');
      assert.match(result.message, /^value is not optional/);
    });
  }

  for (const [source, code] of Object.entries(REFUSED)) {
    it(`${code}: ${source}`, () => {
      assert.deepEqual(codesOf(source), [code]);
    });
  }
});

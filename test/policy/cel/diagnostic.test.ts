import assert from 'node:assert/strict';
import { createDiagnostic, toDiagnostic } from '../../../src/policy/cel/diagnostic.ts';
import type { CelScope } from '../../../src/policy/cel/engine.ts';
import { celError } from '../../../src/policy/cel/errors.ts';
import { engine } from './support.ts';

// Expression, code, and the text from the caret on.
const TABLE: readonly (readonly [string, string, string])[] = [
  // Unknown fields of typed variables.
  ['model.frmat == "Image"', 'no_such_key', 'frmat'],
  ['model.reference.registr == ""', 'no_such_key', 'registr'],
  ['model.layers.all(l, l.titel == "")', 'no_such_key', 'titel'],
  ['signatures[0].isuer == ""', 'no_such_key', 'isuer'],
  ['signatures.exists(s, s.certificate.serail == "")', 'no_such_key', 'serail'],
  ['signatures.exists(s, s.logs.exists(l, l.index == 1 && l.origen == ""))', 'no_such_key', 'origen'],
  ['attestations.all(a, a.predicatType == "")', 'no_such_key', 'predicatType'],
  ['model.?frmat.hasValue()', 'no_such_key', 'frmat'],
  ['has(model.frmat)', 'no_such_key', 'frmat'],
  ['has(attestations[0].signature.isuer)', 'no_such_key', 'isuer'],
  // Arguments of another type.
  ['model.format.startsWith(1)', 'no_matching_overload', 'model.format'],
  ['model.size == "1"', 'no_such_overload', 'model.size'],
  ['"a" + 1 == "a1"', 'no_such_overload', '"a"'],
  ['size(1) == 1', 'no_matching_overload', 'size'],
  ['quantity(1).isInteger()', 'no_matching_overload', 'quantity(1)'],
  ['cidr("10.0.0.0/8").containsIP(1)', 'no_matching_overload', 'cidr'],
  ['sets.contains(model.layers, ["a"])', 'no_matching_overload', 'sets'],
  ['signatures.all(s, s.issuer)', 'invalid_condition_type', 'issuer'],
  ['model.format ? true : false', 'invalid_condition_type', 'format'],
  ['model.format && true', 'invalid_logical_operand', 'model.format'],
  ['now < 5', 'no_such_overload', 'now'],
  // has() of what is no field.
  ['has(model)', 'invalid_macro_argument', 'model'],
  ['has(signatures[0])', 'invalid_macro_argument', 'signatures'],
  ['has(model.format.x)', 'cannot_index_type', 'x'],
  ['has("a")', 'invalid_macro_argument', '"a"'],
  // Literals.
  ['model.format.matches("(")', 'invalid_regular_expression', '"("'],
  ['model.format.matches("a(?=b)")', 'invalid_regular_expression', '"a(?=b)"'],
  ['model.format.find("[") == ""', 'invalid_regular_expression', '"["'],
  ['timestamp("2026-02-30T00:00:00Z") < now', 'invalid_timestamp', '"2026-02-30T00:00:00Z"'],
  ['now - duration("1 day") < now', 'invalid_duration', '"1 day"'],
  ['quantity("10Mo").isInteger()', 'invalid_quantity', '"10Mo"'],
  ['semver("v1").major() == 1', 'invalid_semver', '"v1"'],
  ['ip("10.0.0.256").family() == 4', 'invalid_ip', '"10.0.0.256"'],
  ['cidr("10.0.0.0").prefixLength() == 8', 'invalid_cidr', '"10.0.0.0"'],
  ['url("example.com").getHost() == ""', 'invalid_url', '"example.com"'],
  ['b"é" == b"e"', 'invalid_bytes', 'b"'],
  ['99999999999999999999 > 0', 'numeric_overflow', '9999'],
  // Results that are no bool.
  ['model.format', 'invalid_result_type', 'model.format'],
  ['signatures.map(s, s.issuer)', 'invalid_result_type', 'signatures'],
  ['quantity("1")', 'invalid_result_type', 'quantity'],
  // Names.
  ['modle.format == ""', 'unknown_variable', 'modle'],
  ['model.format.lower() == ""', 'unknown_function', 'model.format'],
  ['true &&', 'unexpected_token', ''],
];

describe('diagnostics', () => {
  for (const [source, code, at] of TABLE) {
    it(`${code}: ${source}`, () => {
      const compiled = engine.compile(source, 'validation');
      assert.ok(!compiled.ok);
      const [first] = compiled.diagnostics;
      assert.equal(first?.code, code);
      const [line = '', caret = ''] = (first.caret ?? '').split('\n');
      assert.equal(line, source);
      assert.match(caret, /^ *\^$/);
      assert.equal(source.slice(caret.length - 1, caret.length - 1 + at.length), at);
    });
  }

  it('are given in every scope', () => {
    const scopes: readonly CelScope[] = ['message', 'attestation', 'attestationMessage', 'matchCondition'];
    for (const scope of scopes) {
      const compiled = engine.compile('quantity("10Mo").isInteger() ? "a" : "b"', scope);
      assert.ok(!compiled.ok);
      assert.equal(compiled.diagnostics[0]?.code, 'invalid_quantity', scope);
    }
  });
});

describe('createDiagnostic()', () => {
  it('shows the line of the fault', () => {
    const caretAt = (start: number): string | undefined =>
      createDiagnostic('\nab\ncd', 'code', 'message', { start, end: start + 1 }).caret;
    assert.deepEqual([0, 2, 4, 5].map(caretAt), ['\n^', 'ab\n ^', 'cd\n^', 'cd\n ^']);
  });
});

describe('toDiagnostic()', () => {
  it('takes over the code of an evaluation error', () => {
    const { code, message } = toDiagnostic('', celError('invalid_ip'));
    assert.deepEqual({ code, message }, { code: 'invalid_ip', message: 'not an IP address without zone' });
  });

  it('knows a full stack from other faults, and shows neither', () => {
    const messageOf = (error: unknown): string => toDiagnostic('', error).message;
    assert.deepEqual([new RangeError('stack'), new Error('fault'), 'thrown'].map(messageOf), [
      'expression is nested too deeply',
      ...Array<string>(2).fill('expression cannot be compiled'),
    ]);
    assert.equal(toDiagnostic('', new RangeError('stack')).code, 'compile_error');
  });
});

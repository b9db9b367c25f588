// Do transformations make what they should, and cost what they read?
import assert from 'node:assert/strict';
import { createCelMeter } from '../../../src/policy/cel/meter.ts';
import { codesOf, run, valueOf } from './support.ts';

const HOLDS: readonly string[] = [
  '[1, 2].transformList(i, v, v > 1, i + v) == [3]',
  '{"a": 1, "b": 2}.transformMap(k, v, k != "a", v + 1) == {"b": 3}',
  '["a"].transformMapEntry(i, v, {v: i}) == {"a": 0}',
  '["a"].transformMapEntry(i, v, dyn({v: i})) == {"a": 0}',
];

/** What evaluating an expression costs. */
function costOf(source: string): number {
  const meter = createCelMeter();
  const before = meter.remaining;
  assert.ok(run(source, 'validation', meter).ok);
  return before - meter.remaining;
}

describe('transformMacro()', () => {
  for (const source of HOLDS) {
    it(`holds: ${source}`, () => {
      assert.equal(valueOf(source), true);
    });
  }

  it('wants maps for entries', () => {
    assert.deepEqual(codesOf('[1].transformMapEntry(i, v, v) == {}'), ['invalid_macro_argument']);
  });

  it('refuses keys that are given twice', () => {
    const result = run('["a", "a"].transformMapEntry(i, v, {v: i}) == {}');
    assert.ok(!result.ok && result.kind === 'error');
    assert.match(result.message, /^map key is given twice/);
  });

  it('charges for the filter in each turn', () => {
    const cost = (filter: string, length: number): number =>
      costOf(`lists.range(${length}).transformList(i, v, ${filter}v).size() == ${length}`);
    const perTurn = (filter: string): number => (cost(filter, 30) - cost(filter, 10)) / 20;
    const [without, simple, larger] = [perTurn(''), perTurn('v >= 0, '), perTurn('v >= 0 && v >= 0, ')];
    assert.ok(without < simple && simple < larger, `${without}, ${simple}, ${larger}`);
  });
});

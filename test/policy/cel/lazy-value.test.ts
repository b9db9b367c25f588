// Is a large document the same value when it is converted bit by bit?
import assert from 'node:assert/strict';
import { toLazyValue } from '../../../src/policy/cel/lazy-value.ts';
import { toCelValue } from '../../../src/policy/cel/value.ts';

const JSON_TEXT =
  '{"a": [1, 1.5, null, [true, {"b": {"c": "x"}}]], "__proto__": {"b": 2}, "constructor": {}, "n": 9007199254740993}';

describe('toLazyValue()', () => {
  it('makes the values of toCelValue', () => {
    assert.deepEqual(plain(toLazyValue(JSON.parse(JSON_TEXT))), plain(toCelValue(JSON.parse(JSON_TEXT))));
    for (const scalar of [null, true, 'x', 7, 1.5, 2 ** 60])
      assert.equal(toLazyValue(scalar), toCelValue(scalar));
  });

  it('converts an object when it is first looked into, and once', () => {
    let reads = 0;
    const inner = {
      get deep() {
        reads += 1;
        return { x: 1 };
      },
    };
    const value = toLazyValue({ inner });
    assert.ok(value instanceof Map);
    const first: unknown = value.get('inner');
    assert.ok(first instanceof Map);
    assert.deepEqual([reads, first.size], [0, 1]);
    assert.equal(first.get('deep'), first.get('deep'));
    assert.equal(reads, 1);
    assert.equal(first.size, 1);
  });

  for (const [what, read] of [
    ['get', (map: Map<string, unknown>) => map.get('a')],
    ['has', (map: Map<string, unknown>) => map.has('a')],
    ['size', (map: Map<string, unknown>) => map.size],
    ['keys', (map: Map<string, unknown>) => [...map.keys()]],
    ['values', (map: Map<string, unknown>) => [...map.values()]],
    ['entries', (map: Map<string, unknown>) => [...map.entries()]],
    ['iteration', (map: Map<string, unknown>) => [...map]],
    [
      'forEach',
      (map: Map<string, unknown>) => {
        const seen: unknown[] = [];
        // oxlint-disable-next-line no-array-for-each -- it is what is tested
        map.forEach((value, key) => seen.push(key, value));
        return seen;
      },
    ],
  ] as const)
    it(`looks into an untouched map by ${what}`, () => {
      const value = toLazyValue({ a: 'x', b: 2 });
      assert.ok(value instanceof Map && value.constructor === Map);
      assert.deepEqual(
        read(value as Map<string, unknown>),
        read(
          new Map<string, unknown>([
            ['a', 'x'],
            ['b', 2n],
          ]),
        ),
      );
    });
});

function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (!(value instanceof Map)) return value;
  return [...(value as Map<unknown, unknown>)].map(([key, inner]) => [key, plain(inner)]);
}

import assert from 'node:assert/strict';
import { toHandler } from '../../../src/policy/cel/functions.ts';
import { createCelMeter, runMetered } from '../../../src/policy/cel/meter.ts';
import { run, valueOf } from './support.ts';

describe('CEL functions', () => {
  const truths = [
    '"a1b2".matches("[0-9]") && !"ab".matches("[0-9]") && matches("x-safe", "safe$")',
    '"ABC".matches("(?i)b") && "a".matches("^[[:alpha:]]\\\\z") && "é".matches("^\\\\pL$")',
    '!object.aaa.matches("^(a+)+$")',
    '"a1b2".find("[0-9]") == "1" && "ab".find("[0-9]") == ""',
    '"a1b2".findAll("[0-9]") == ["1", "2"] && "a1b2".findAll("[0-9]", 1) == ["1"]',
    '"\\u212A".lowerAscii() == "\\u212A" && "ÄBC".lowerAscii() == "Äbc" && "äb".upperAscii() == "äB"',
    '" \\ta\\u0085 ".trim() == "a" && "".trim() == ""',
    '"hello".charAt(1) == "e" && "hello".charAt(5) == "" && "😀b".charAt(1) == "b"',
    '"hello".substring(1, 3) == "el" && "hello".substring(3) == "lo" && "😀b".substring(1) == "b"',
    '"hello".indexOf("l") == 2 && "hello".indexOf("l", 3) == 3 && "hello".indexOf("x") == -1 && "😀b".indexOf("b") == 1',
    '"hello".lastIndexOf("l") == 3 && "hello".lastIndexOf("l", 2) == 2 && "😀b".lastIndexOf("b") == 1',
    '"a-b-c".replace("-", "+") == "a+b+c" && "a-b-c".replace("-", "+", 1) == "a+b-c" && "ab".replace("", "_") == "_a_b_"',
    '"ab".replace("a", "$&$1") == "$&$1b" && "ab".replace("x", "y", 0) == "ab"',
    '"a,b".split(",") == ["a", "b"] && "a,b,c".split(",", 2) == ["a", "b,c"] && ["a", "b"].join("-") == "a-b" && ["a"].join() == "a"',
    '[1, 2].sum() == 3 && [1.5].sum() == 1.5 && [duration("1s"), duration("2s")].sum() == duration("3s")',
    '[2, 1].min() == 1 && [2, 1].max() == 2 && ["b", "a"].min() == "a" && object.list.max() == 3',
    '[1, 2].isSorted() && ![2, 1].isSorted() && [now, now].isSorted()',
    '[1, 2, 1].indexOf(1) == 0 && [1, 2, 1].lastIndexOf(1) == 2 && [now].indexOf(now) == 0 && [1].indexOf(5) == -1',
    'timestamp("2026-01-01T00:00:00Z") == now && timestamp("2026-01-01T02:00:00+02:00") == now && timestamp(0) < now',
    'timestamp("2024-02-29T00:00:00.5Z") < now && string(timestamp("2024-02-29T00:00:00.5Z")) == "2024-02-29T00:00:00.5Z"',
    'string(now) == "2026-01-01T00:00:00Z" && int(now) == 1767225600 && timestamp("0001-01-01T00:00:00Z") < now',
    'duration("1h30m") == duration("90m") && duration("-1.5s") == duration("-1500ms") && string(duration("1.5s")) == "1.5s"',
    'duration("-0.5s") + duration("0.2s") == duration("-0.3s") && string(duration("-0.5s")) == "-0.5s" && duration("0") == duration("0s")',
    'now + duration("1h") > now && now - duration("1h") < now && duration("2s") - duration("500ms") == duration("1.5s")',
    'duration("90m").getHours() == 1 && duration("90s").getMinutes() == 1',
    'now.getFullYear() == 2026 && now.getDayOfYear() == 0 && now.getDayOfWeek() == 4 && now.getDate() == 1 && now.getDayOfMonth() == 0',
    'now.getHours("America/New_York") == 19 && now.getFullYear("-01:00") == 2025 && now.getHours("+05:30") == 5',
    'now.getDayOfYear("-01:00") == 364 && now.getMonth("America/New_York") == 11',
    'uint(1) == 1u && int(1u) == 1 && double("-inf") < 0.0 && string(b"abc") == "abc"',
    'size("😀") == 1 && "ab".size() == 2 && size([1]) == 1 && {"a": 1}.size() == 1',
    'optional.of(1).hasValue() && !optional.none().hasValue() && optional.of(1).orValue(2) == 1',
  ];
  for (const source of truths) {
    it(`holds ${source.slice(0, 100)}`, () => {
      assert.deepEqual(run(source), { ok: true, value: true });
    });
  }

  const errors = [
    '"abc".charAt(4) == ""',
    '"abc".substring(2, 1) == ""',
    '"abc".substring(-1) == ""',
    '"abc".indexOf("a", 9) == 0',
    '[9223372036854775807, 1].sum() > 0',
    '[dyn(1), dyn("a")].max() == 1',
    'now.getHours("Nowhere/Land") == 0',
    'timestamp("9999-01-01T00:00:00Z") + duration("2562047h") > now',
    'duration(object.secret) > duration("0")',
    'timestamp(object.secret + "") > now',
    'timestamp(9999999999999) > now',
    'string(b"\\xff") == ""',
    'uint(-1) == 1u',
  ];
  for (const source of errors) {
    it(`fails on ${source}`, () => {
      assert.equal(valueOf(source), 'error');
    });
  }

  it('rejects impossible dates and Go durations without digits', () => {
    for (const text of [
      '2026-02-29T00:00:00Z',
      '2100-02-29T00:00:00Z',
      '2026-01-01T24:00:00Z',
      '2026-13-01T00:00:00Z',
      '2026-01-01',
    ]) {
      assert.equal(valueOf(`timestamp("" + "${text}") < now`), 'error', text);
    }
    for (const text of ['s', '.s', '', '1', '1 h', 'h1', '1h-1m']) {
      assert.equal(valueOf(`duration("" + "${text}") < duration("1s")`), 'error', text);
    }
  });
});

describe('toHandler()', () => {
  const costOf = (price: { readonly cost?: number; readonly costPerCharacter?: number }): number => {
    const meter = createCelMeter();
    const before = meter.remaining;
    const call = toHandler({ signature: '__f(string, int, string): string', run: String, ...price });
    assert.deepEqual(
      runMetered(meter, 0, () => call('abc', 1n, 'de')),
      { within: true, value: 'abc' },
    );
    return before - meter.remaining;
  };

  it('charges the price of a call, and of each character of its texts', () => {
    assert.deepEqual(
      [{}, { cost: 7 }, { costPerCharacter: 2 }, { cost: 7, costPerCharacter: 0.3 }].map(costOf),
      [0, 7, 10, 9],
    );
  });
});

// Does a value match itself alone, and a pattern whole texts?
import assert from 'node:assert/strict';
import { createAllowance, runOn } from '../../src/lib/allowance.ts';
import { compileText, MAX_MATCHED_CHARS } from '../../src/policy/compile-text.ts';
import type { TextMatcher } from '../../src/signature/identity.ts';

function compiled(exact?: string, pattern?: string): readonly [TextMatcher | undefined, readonly string[]] {
  const said: string[] = [];
  const report = (problem: string): void => {
    said.push(problem);
  };
  return [compileText(exact, pattern, report), said];
}

describe('compileText()', () => {
  it('matches the exact value, in which nothing is a pattern', () => {
    const [matcher, said] = compiled('a.c');
    assert.deepEqual(
      ['a.c', 'abc', 'a.cd', ''].map((text) => matcher?.matches(text)),
      [true, false, false, false],
    );
    assert.deepEqual([matcher?.describe, said], ['"a.c"', []]);
  });

  it('matches the empty value, which is one', () => {
    const [matcher] = compiled('');
    assert.deepEqual(
      ['', 'a'].map((text) => matcher?.matches(text)),
      [true, false],
    );
  });

  it('matches whole texts by a pattern', () => {
    const [matcher, said] = compiled(undefined, 'a.c');
    assert.deepEqual(
      ['a.c', 'abc', 'a.cd', ''].map((text) => matcher?.matches(text)),
      [true, true, false, false],
    );
    assert.deepEqual([matcher?.describe, said], ['/a.c/', []]);
  });

  it('tries a pattern on no text that is longer than allowed', () => {
    const [matcher] = compiled(undefined, 'a*');
    assert.deepEqual(
      [MAX_MATCHED_CHARS, MAX_MATCHED_CHARS + 1].map((length) => matcher?.matches('a'.repeat(length))),
      [true, false],
    );
  });

  it('tries no pattern when the time is up', () => {
    const [matcher] = compiled(undefined, 'a');
    const matched = [0, 60_000].map((time) => runOn(createAllowance(time), () => matcher?.matches('a')));
    assert.deepEqual(matched, [false, true]);
  });

  for (const [what, exact, pattern, problem] of [
    ['both', 'a', 'a', /^exactly one/],
    ['neither', undefined, undefined, /^exactly one/],
    ['a broken pattern', undefined, '(', /^the pattern is invalid: /],
  ] as const)
    it(`makes nothing of ${what}, and says so once`, () => {
      const [matcher, said] = compiled(exact, pattern);
      assert.deepEqual([matcher, said.length], [undefined, 1]);
      assert.match(said[0] ?? '', problem);
    });
});

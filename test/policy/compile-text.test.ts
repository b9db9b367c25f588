// Does a value match itself alone, and a pattern whole texts?
import assert from 'node:assert/strict';
import { compileText } from '../../src/policy/compile-text.ts';
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

// Are patterns that match too much told from those that do not?
import assert from 'node:assert/strict';
import { lintPattern } from '../../src/policy/lint-pattern.ts';

const START = /^\.\* at the start/;
const END = /^\.\* at the end/;
const DOT = /^a bare \. in the host/;
const HOST = /^\.\* in the host/;
const ALL = /^it matches everything/;
const BAR = /^\| divides the whole pattern/;

describe('lintPattern()', () => {
  const wide: readonly (readonly [string, ...RegExp[]])[] = [
    ['.*', ALL],
    ['^.+$', ALL],
    ['(?i).*', ALL],
    [String.raw`.*@example\.com`, START],
    [String.raw`.+/acme/models/\.github/workflows/release\.yaml@refs/tags/v1`, START],
    [String.raw`https://github\.com/acme.*`, END],
    [String.raw`https://github\.com/.*`, END],
    [String.raw`https://github\.com/[^/]+/.*`, END],
    [String.raw`https://github\.com/acme/mod.*`, END],
    [String.raw`https://github\.com/\d+/.*`, END],
    ['(https)://a|b', BAR],
    [String.raw`https://token\.actions\.githubusercontent\.com.*`, END],
    [String.raw`jane@example\.com.*`, END],
    [String.raw`https://github.com/acme/models/.*`, DOT],
    [String.raw`[^@]+@example.com`, DOT],
    [String.raw`https://.*\.example\.com/acme/x`, HOST],
    [String.raw`https://.*/acme/x`, HOST],
    [String.raw`https?://gitlab.{1,9}example\.com/acme/x`, HOST],
    [String.raw`https://github\.com/acme/a|https://github\.com/acme/b`, BAR],
    [String.raw`https://github.com/a.*|.*`, BAR, END, DOT],
  ];
  for (const [pattern, ...problems] of wide)
    it(`warns about ${pattern}`, () => {
      const found = lintPattern(pattern);
      assert.equal(found.length, problems.length, found.join('\n'));
      for (const [index, problem] of problems.entries()) assert.match(found[index] ?? '', problem);
    });

  for (const pattern of [
    String.raw`https://github\.com/acme/models/\.github/workflows/release\.yaml@refs/tags/v.*`,
    String.raw`https://github\.com/acme/.*`,
    String.raw`https://github\.com/acme/(a|b)/\.github/workflows/x\.yaml@refs/heads/main`,
    String.raw`https://[a-z]+\.example\.com/acme/[^/]+`,
    String.raw`[^@]+@example\.com`,
    String.raw`\Qhttps://github.com/acme/models\E/.*`,
    'refs/tags/v.*',
    'acme/model-[0-9]{1,3}.?',
    '[.*|]',
    '',
    '(((((',
    '\\',
  ])
    it(`says nothing about ${pattern === '' ? 'the empty pattern' : pattern}`, () =>
      assert.deepEqual(lintPattern(pattern), []));

  it('reads as long a pattern as a policy may hold, whatever is in it', () => {
    for (const part of ['(', '[', '.*', '|', '{', '\\Q', '[[:', '(?P<'])
      assert.ok(lintPattern(part.repeat(1024 / part.length)).length <= 4);
  });
});

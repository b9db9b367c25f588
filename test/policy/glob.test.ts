// Does a glob mean these repositories and no look-alike, in time linear in both?
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { compileGlob } from '../../src/policy/glob.ts';

function matches(glob: string, name: string): boolean {
  const compiled = compileGlob(glob);
  assert.ok(compiled.ok, compiled.ok ? '' : `${glob}: ${compiled.problem}`);
  return compiled.matches(name);
}

// Slow and plain: try every way to spend a star.
function referenceSegment(pattern: string, text: string): boolean {
  if (pattern === '') return text === '';
  if (pattern.startsWith('*'))
    return (
      referenceSegment(pattern.slice(1), text) || (text !== '' && referenceSegment(pattern, text.slice(1)))
    );
  return text.startsWith(pattern.slice(0, 1)) && referenceSegment(pattern.slice(1), text.slice(1));
}

function referenceSegments(pattern: readonly string[], parts: readonly string[]): boolean {
  const [head, ...rest] = pattern;
  if (head === undefined) return parts.length === 0;
  if (head === '**') {
    if (rest.length === 0) return parts.length > 0;
    return referenceSegments(rest, parts) || (parts.length > 0 && referenceSegments(pattern, parts.slice(1)));
  }
  return (
    parts[0] !== undefined && referenceSegment(head, parts[0]) && referenceSegments(rest, parts.slice(1))
  );
}

describe('compileGlob', () => {
  const table: [string, string, boolean][] = [
    ['**', 'anything.test/at/all', true],
    ['docker.io/nginx', 'docker.io/library/nginx', true],
    ['docker.io/*', 'docker.io/library/nginx', false],
    ['ghcr.io/org/*', 'ghcr.io/org/model', true],
    ['ghcr.io/org/*', 'ghcr.io/org/team/model', false],
    ['ghcr.io/org/*', 'ghcr.io/org-evil/model', false],
    ['ghcr.io/org*', 'ghcr.io/org-evil', true],
    ['ghcr.io/org*', 'ghcr.io/org/model', false],
    ['ghcr.io/org/**', 'ghcr.io/org', false],
    ['ghcr.io/org/**', 'ghcr.io/org/a', true],
    ['ghcr.io/org/**', 'ghcr.io/org/a/b/c', true],
    ['ghcr.io/org/**', 'ghcr.io/org-evil/a', false],
    ['ghcr.io/org/**', 'ghcr.io.evil.test/org/a', false],
    ['ghcr.io/org/**', 'evil.test/ghcr.io/org/a', false],
    ['ghcr.io/org/**', 'notghcr.io/org/a', false],
    ['ghcr.io/**', 'ghcr.io:5000/org/a', false],
    ['ghcr.io:443/**', 'ghcr.io/org/a', true],
    ['GHCR.io/**', 'ghcr.io/org/a', true],
    ['index.docker.io/**', 'docker.io/library/a', true],
    ['ghcr.io/**/model', 'ghcr.io/model', true],
    ['ghcr.io/**/model', 'ghcr.io/a/b/model', true],
    ['ghcr.io/**/model', 'ghcr.io/a/b/model-evil', false],
    ['ghcr.io/a/**/b/*', 'ghcr.io/a/x/y/b/c', true],
    ['ghcr.io/a/**/b/*', 'ghcr.io/a/b', false],
    ['ghcr.io/a.b', 'ghcr.io/axb', false],
    ['*.example.com/**', 'a.example.com/m', true],
    ['*.example.com/**', 'a.b.example.com/m', false],
    ['*.example.com/**', 'example.com/m', false],
    ['*.example.com/**', '.example.com/m', false],
    ['*.example.com/**', 'a.example.com.evil.test/m', false],
    ['*.example.com/**', 'aexample.com/m', false],
    ['*.example.com/**', 'a.example.com:5000/m', false],
    ['*.example.com:5000/**', 'a.example.com:5000/m', true],
    ['localhost:5000/**', 'localhost:5000/m', true],
    ['localhost/**', 'localhost/m', true],
    ['docker.io/nginx', 'docker.io/library/nginx', true],
    ['docker.io/org/model', 'docker.io/org/model', true],
    ['docker.io/org/model', 'docker.io/library/org/model', false],
    ['[::1]:5000/m', '[::1]:5000/m', true],
  ];
  for (const [glob, name, expected] of table)
    it(`${expected ? 'matches' : 'does not match'} ${name} with ${glob}`, () => {
      assert.equal(matches(glob, name), expected);
    });

  for (const glob of [
    '',
    '*',
    '***',
    'ghcr.io',
    'ghcr.io/',
    '/org/a',
    'org/model',
    '**/model',
    '*/model',
    '*ghcr.io/a',
    'gh*.io/a',
    'a.*.com/m',
    '*.*.com/m',
    '*./m',
    '**.example.com/m',
    'ghcr.io/a**',
    'ghcr.io/**a',
    'ghcr.io/a//b',
    'ghcr.io/a/',
    'ghcr.io/../b%2f',
    'ghcr.io/A',
    'ghcr.io/a:tag',
    'ghcr.io/a@sha256:x',
    'ghcr.io/a?',
    'ghcr.io/[ab]',
    'ghcr.io/{a,b}',
    'ghcr.io/a b',
    ' ghcr.io/a',
    'https://ghcr.io/a',
    'user@ghcr.io/a',
    'ghcr.io:0/a',
    'ghcr.io:99999/a',
    'ghcr.io./a',
    `ghcr.io/${'a/'.repeat(65)}a`,
  ])
    it(`refuses ${JSON.stringify(glob.slice(0, 40))}`, () => {
      assert.equal(compileGlob(glob).ok, false);
    });

  it('agrees with a slow and plain matcher', () => {
    const segment = fc
      .string({ unit: fc.constantFrom('a', 'b', '*', '-'), minLength: 1, maxLength: 5 })
      .filter((text) => !text.includes('**'));
    const pattern = fc.array(fc.oneof(segment, fc.constant('**')), { minLength: 1, maxLength: 5 });
    const name = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', '-'), minLength: 1, maxLength: 5 }), {
      minLength: 1,
      maxLength: 6,
    });
    fc.assert(
      fc.property(pattern, name, (segments, parts) => {
        const expected = referenceSegments(segments, parts);
        assert.equal(matches(`r.test/${segments.join('/')}`, `r.test/${parts.join('/')}`), expected);
      }),
      { numRuns: 3000 },
    );
  });

  it('stays fast for hostile patterns', () => {
    for (const glob of [
      `r.test/${'*a'.repeat(250)}b`,
      `r.test/${'**/'.repeat(60)}b`,
      `r.test/${'*a*/'.repeat(60)}**`,
    ])
      for (const name of [`r.test/${'a'.repeat(255)}`, `r.test/${'a/'.repeat(127)}a`]) matches(glob, name);
  });
});

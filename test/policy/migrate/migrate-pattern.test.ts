// Do translated patterns and CUE policies mean what the old ones mean?
import assert from 'node:assert/strict';
import { migrateCue } from '../../../src/policy/migrate/migrate-cue.ts';
import { migratePattern } from '../../../src/policy/migrate/migrate-pattern.ts';

describe('migratePattern()', () => {
  const texts = ['', 'a', 'ab', 'xa', 'xab', 'abx', 'b', 'xb', '.', 'a$', 'a.*', 'xaby'];
  for (const written of [
    'a',
    '^a',
    'a$',
    '^a$',
    '.*a',
    'a.*',
    '.*a.*',
    '^a|b$',
    'a|b',
    '(?i)A',
    'a\\$',
    'a\\.*',
    '^',
    '$',
    '.*',
    '^.*b$',
  ])
    it(`matches as a whole what ${written} finds`, () => {
      const ours = new RegExp(
        `^(?:${migratePattern(written)
          .pattern.replace('(?i)', '(?i:')
          .replace(/^(.*\(\?i:.*)$/, '$1)')})$`,
      );
      const theirs = new RegExp(written.replace(/^\(\?i\)(.*)$/, '(?i:$1)'));
      assert.deepEqual(
        texts.filter((text) => ours.test(text)),
        texts.filter((text) => theirs.test(text)),
        String(ours),
      );
    });

  it('leaves alone what is about the whole text', () => {
    assert.deepEqual(migratePattern('^https://x/.*$'), { pattern: 'https://x/.*', isOpen: false });
    assert.deepEqual(migratePattern('.*x.*'), { pattern: '.*x.*', isOpen: false });
    assert.deepEqual(migratePattern('x'), { pattern: '.*x.*', isOpen: true });
  });
});

describe('migrateCue()', () => {
  const roots = { predicate: 'predicate', typemeta: 'object' };

  it('translates fields with literals', () => {
    assert.equal(migrateCue('predicate: Data: "x"', roots), 'predicate.Data == "x"');
    assert.equal(
      migrateCue(
        '// why\npredicate: {\n  a: { b: true }\n  in: "y", c: false\n}\ntypemeta: kind: "Pod"\n',
        roots,
      ),
      'predicate.a.b == true && predicate["in"] == "y" && predicate.c == false && object.kind == "Pod"',
    );
  });

  it('translates nothing that says more', () => {
    for (const source of [
      '',
      'predicate: {}',
      'predicate: x: string',
      'predicate: x: >1',
      'predicate: x: 1',
      'predicate: x: "a" | "b"',
      'predicate: x: "a" & y',
      'predicate: x?: "a"',
      'predicate: x: "\\(y)"',
      'predicate: "x-y": "a"',
      'predicate: x: ["a"]',
      'import "time"\npredicate: x: "a"',
      'other: x: "a"',
      'constructor: x: "a"',
      '#predicate: x: "a"',
      'predicate: { x: "a"',
      'predicate: x: "a" }',
      'predicate: x:',
      'predicate',
      'if true { predicate: x: "a" }',
    ])
      assert.equal(migrateCue(source, roots), undefined, source);
  });
});

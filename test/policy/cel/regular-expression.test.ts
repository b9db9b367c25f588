import assert from 'node:assert/strict';
import fc from 'fast-check';
import { compileRegularExpression } from '../../../src/policy/cel/regular-expression.ts';
import { estimateProgramSize } from '../../../src/policy/cel/regular-expression-size.ts';

describe('compileRegularExpression', () => {
  it('matches whole strings and finds parts', () => {
    const compiled = compileRegularExpression('a|ab');
    assert.ok(compiled.ok);
    assert.deepEqual(
      [compiled.matches('ab'), compiled.matches('abc'), compiled.find('xab')],
      [true, false, true],
    );
  });

  it('does not let a line break end the string', () => {
    const compiled = compileRegularExpression('refs/tags/v.*');
    assert.ok(compiled.ok);
    assert.ok(!compiled.matches('refs/tags/v1\nevil') && !compiled.matches('refs/tags/v1\n'));
  });

  it('refuses what is not RE2', () => {
    for (const pattern of ['(?=a)', '(?!a)', '(?<=a)b', '(a)\\1', '(', '[', 'a{1001}', '*']) {
      assert.ok(!compileRegularExpression(pattern).ok, pattern);
    }
  });

  it('refuses long patterns and large programs quickly', () => {
    const large = [
      'a'.repeat(1025),
      '\\pL{1000}'.repeat(113),
      `(${'abcde'.repeat(190)}){1000}`,
      '(\\Q[(\\E(abcdefghij){500}){2}',
      '[]a](abcdefghij){500}',
    ];
    for (const pattern of large) {
      const compiled = compileRegularExpression(pattern);
      assert.ok(!compiled.ok && compiled.message.length < 300, pattern.slice(0, 30));
    }
  });

  it('stays usable past the size of its cache', () => {
    for (let i = 0; i < 1500; i += 1) assert.ok(compileRegularExpression(`^a${i}$`).ok);
    const compiled = compileRegularExpression('^a0$');
    assert.ok(compiled.ok && compiled.matches('a0'));
  });

  it('never throws', () => {
    const part = fc.constantFrom(
      '(',
      ')',
      '[',
      ']',
      '{2}',
      '{',
      '}',
      '\\Q',
      '\\E',
      '\\',
      '*',
      '?',
      '|',
      'a',
      '^',
      '[:alpha:]',
      '\\p{L}',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(part).map((parts) => parts.join('')),
        ),
        (pattern) => {
          const compiled = compileRegularExpression(pattern);
          assert.equal(typeof compiled.ok, 'boolean');
          if (compiled.ok) compiled.matches(pattern);
        },
      ),
      { numRuns: 1000 },
    );
  });
});

describe('estimateProgramSize', () => {
  it('is not far below the size of the compiled program', () => {
    const part = fc.constantFrom(
      '(',
      ')',
      '[^a]',
      '[]]',
      '{3}',
      '{2,5}',
      '\\Qab(\\E',
      '\\]',
      '*',
      '?',
      '|',
      'a',
      'bc',
      '[[:alpha:]x]',
      '\\p{L}',
      '\\x{41}',
      '(?:',
      '(?i)',
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 30 }), (parts) => {
        const pattern = parts.join('');
        const compiled = compileRegularExpression(pattern);
        if (compiled.ok) assert.ok(compiled.programSize <= 3 * estimateProgramSize(pattern) + 20, pattern);
      }),
      { numRuns: 3000 },
    );
  });
});

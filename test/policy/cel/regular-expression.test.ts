import assert from 'node:assert/strict';
import fc from 'fast-check';
import { countWork } from '../../../src/lib/counted-work.ts';
import { MAX_CACHED_PATTERNS, MAX_PROGRAM_SIZE } from '../../../src/policy/cel/limits.ts';
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

  it('says what is wrong with a pattern', () => {
    const compiled = compileRegularExpression('a{1001}');
    assert.ok(!compiled.ok);
    assert.equal(compiled.message, 'regular expression refused: invalid repeat count: `{1001}`');
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

  it('refuses a program that is larger than was estimated', () => {
    const pattern = 'a{0,1000}b{0,1000}c{0,1000}';
    assert.ok(estimateProgramSize(pattern) < MAX_PROGRAM_SIZE);
    const compiled = compileRegularExpression(pattern);
    assert.ok(!compiled.ok && compiled.message.includes('larger than'));
  });

  it('counts patterns as work, known ones too, and none that are too long', () => {
    const within = (max: number, pattern: string) => countWork(max, () => compileRegularExpression(pattern));
    const size = estimateProgramSize('counted');
    for (let turn = 0; turn < 2; turn += 1) {
      const counted = within(size, 'counted');
      assert.deepEqual([counted.value.ok, counted.size], [true, size]);
    }
    const { value } = within(size - 1, 'counted');
    assert.ok(!value.ok && value.message.endsWith('too large together'));
    const long = within(0, 'a'.repeat(1025));
    assert.ok(!long.value.ok && long.value.message.includes('longer than'));
    assert.deepEqual([long.size, long.isExceeded], [0, false]);
  });

  it('remembers what is used, and not without end', () => {
    // Patterns that no test has used before, however often this one runs.
    const unused = process.hrtime.bigint();
    const [kept, left] = [`^kept${unused}$`, `^left${unused}$`].map(compileRegularExpression);
    const long = 'b'.repeat(1025);
    assert.notEqual(compileRegularExpression(long), compileRegularExpression(long));
    for (let i = 0; i < MAX_CACHED_PATTERNS; i += 1) {
      compileRegularExpression(`^c${unused}-${i}$`);
      assert.equal(compileRegularExpression(`^kept${unused}$`), kept);
    }
    assert.notEqual(compileRegularExpression(`^left${unused}$`), left);
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

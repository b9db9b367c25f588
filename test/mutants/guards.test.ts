// Does the scanner find the guards of a source, and only change what it was told to?
import assert from 'node:assert/strict';
import { toMutableSource } from './guards.ts';

const SOURCE = `
function judge(a: number, b: readonly string[]): string {
  if (a < 0 && !b.includes(')')) throw new Error(\`a \${a} || b\`);
  requireSomething(a, { b });
  const found = b.find((text) => text === 'x' || /[&|)]/.test(text)) ?? 'none';
  if (a > 9) {
    throw new Error('a && b');
  }
  return a === 0 ? 'zero' : found;
}
`;

describe('toMutableSource()', () => {
  const { source, mutants } = toMutableSource(SOURCE);

  it('finds conditions, operands, throws, checking calls and choices', () => {
    assert.deepEqual(
      mutants.map(({ line, change, text }) => `${line} ${change} ${text}`),
      [
        "3 never a < 0 && !b.includes(')')",
        "3 negated a < 0 && !b.includes(')')",
        '3 dropped a < 0',
        "3 dropped !b.includes(')')",
        '4 removed requireSomething(a, { b });',
        "5 dropped text === 'x'",
        '5 dropped /[&|)]/.test(text)',
        '6 never a > 9',
        '6 negated a > 9',
        "7 removed throw new Error('a && b');",
        '9 negated a === 0',
      ],
    );
  });

  it('numbers them from 1, in their order', () => {
    assert.deepEqual(
      mutants.map(({ id }) => id),
      mutants.map((_, index) => index + 1),
    );
  });

  type Judge = (a: number, b: readonly string[]) => unknown;
  let load: (requireSomething: () => void) => Judge;

  before(async () => {
    const module = `export const load = (requireSomething) => { ${source}; return judge; };`;
    const loaded = (await import(`data:text/javascript,${encodeURIComponent(module)}`)) as {
      load: typeof load;
    };
    ({ load } = loaded);
  });

  // The result and how often the checking call was made, or the message of what was thrown.
  const run = (mutant: number, a: number, b: readonly string[]): unknown => {
    let calls = 0;
    const judge = load(() => {
      calls += 1;
    });
    const scope = globalThis as { __isMutant?: (id: number) => boolean };
    scope.__isMutant = (id) => id === mutant;
    try {
      return [judge(a, b), calls];
    } catch (error) {
      return error instanceof Error ? error.message : undefined;
    } finally {
      delete scope.__isMutant;
    }
  };

  it('changes nothing while no mutant is on', () => {
    assert.deepEqual(run(0, 1, ['x']), ['x', 1]);
    assert.deepEqual(run(0, 0, []), ['zero', 1]);
    assert.equal(run(0, -1, []), 'a -1 || b');
    assert.equal(run(0, 10, []), 'a && b');
  });

  it('takes out and turns round what each mutant says', () => {
    assert.deepEqual(run(1, -1, []), ['none', 1]);
    assert.equal(run(2, 1, []), 'a 1 || b');
    assert.equal(run(3, 1, []), 'a 1 || b');
    assert.equal(run(4, -1, [')']), 'a -1 || b');
    assert.deepEqual(run(5, 1, []), ['none', 0]);
    assert.deepEqual(run(6, 1, ['x']), ['none', 1]);
    assert.deepEqual(run(7, 1, ['|']), ['none', 1]);
    assert.deepEqual(run(8, 10, []), ['none', 1]);
    assert.equal(run(9, 1, []), 'a && b');
    assert.deepEqual(run(10, 10, []), ['none', 1]);
    assert.deepEqual(run(11, 0, []), ['none', 1]);
  });
});

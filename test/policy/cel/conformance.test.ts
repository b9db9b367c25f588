import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { answer, expectation, SIMPLE_TESTS } from './conformance.ts';

interface Deviation {
  readonly reason: string;
  readonly tests: Readonly<Record<string, readonly string[]>>;
}

const read = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');
const deviations = JSON.parse(read('test/fixtures/cel-spec/deviations.json')) as readonly Deviation[];
const page = read('docs/cel.md').replaceAll(/ +/g, ' ');

describe('conformance with cel-spec', () => {
  for (const [file, tests] of Object.entries(SIMPLE_TESTS.files)) {
    it(`deviates in ${file} exactly where docs/cel.md says`, () => {
      const expected = deviations.flatMap((deviation) => deviation.tests[file] ?? []);
      const found = tests.filter((test) => answer(test) !== expectation(test)).map(({ name }) => name);
      assert.deepEqual(found.sort(), [...expected].sort());
      const row = `| ${file} | ${tests.length - found.length} | ${found.length} |`;
      assert.ok(page.includes(row), `docs/cel.md lacks the row ${row}`);
    });
  }

  it('gives every deviation its reason, which docs/cel.md repeats', () => {
    for (const { reason, tests } of deviations) {
      const counts = Object.entries(tests).map(([file, names]) => `${file} ${names.length}`);
      assert.ok(page.includes(`| ${reason} | ${counts.join(', ')} |`), reason);
    }
  });
});

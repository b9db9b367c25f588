// Are the reasons what the documents say? README table, catalogue and tests hold each other, both ways.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DENIAL_REASONS, REASONS } from '../../src/reason.ts';
import { readDocument, readSourceFiles, ROOT } from './source-files.ts';

const readme = readDocument('README.md');
const rows = new Map(
  [...readme.matchAll(/^\| `([A-Z][A-Za-z]+)` \| ([a-z ]+) \| (\d{3}) \|/gm)].map(
    ([, reason = '', actor = '', code = '']) => [reason, { actor, code: Number(code) }],
  ),
);

describe('REASONS', () => {
  it('is the table of the README, row by row', () => {
    assert.deepEqual(
      Object.fromEntries(rows),
      Object.fromEntries(
        Object.entries(REASONS).map(([reason, { actor, code }]) => [reason, { actor, code }]),
      ),
    );
  });

  it('has no reason that the source never gives', () => {
    const source = readSourceFiles()
      .filter(({ path }) => path !== 'reason.ts')
      .map(({ text }) => text)
      .join('\n');
    assert.deepEqual(
      DENIAL_REASONS.filter((reason) => !source.includes(`'${reason}'`)),
      [],
    );
  });

  it('has no reason that no test expects', () => {
    const tests = globSync('test/**/*.test.ts', { cwd: ROOT })
      .filter((name) => !name.includes('meta'))
      .map((name) => readFileSync(join(ROOT, name), 'utf8'))
      .join('\n');
    assert.deepEqual(
      DENIAL_REASONS.filter((reason) => !tests.includes(reason)),
      [],
    );
  });
});

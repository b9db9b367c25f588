// Can the shell read our scripts? Those that need a container engine are run by hand: here only their syntax is checked.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { ROOT } from '../meta/source-files.ts';

describe('scripts', () => {
  for (const file of globSync('e2e/*.sh', { cwd: ROOT }))
    it(`${file} is read by bash to its end`, () => {
      const { status, stderr } = spawnSync('bash', ['-n', file], { cwd: ROOT, encoding: 'utf8' });
      assert.deepEqual([status, stderr], [0, '']);
    });
});

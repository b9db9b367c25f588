// Is every mutant that is explained still one of its source, and explained once?
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { EQUIVALENT, type Equivalent } from './equivalent.ts';
import { toMutableSource } from './guards.ts';

const SOURCES = path.resolve(import.meta.dirname, '../../src');

describe('EQUIVALENT', () => {
  const toKey = ({ file, change, text }: Omit<Equivalent, 'why'>): string => `${file} ${change} ${text}`;

  it('lists mutants of the sources, each once', () => {
    const listed = EQUIVALENT.map(toKey);
    const files = [...new Set(EQUIVALENT.map(({ file }) => file))];
    const known = files.flatMap((file) =>
      toMutableSource(readFileSync(path.join(SOURCES, file), 'utf8')).mutants.map((mutant) =>
        toKey({ file, ...mutant }),
      ),
    );
    assert.deepEqual(
      listed.filter((key, index) => !known.includes(key) || listed.indexOf(key) !== index),
      [],
    );
  });
});

import assert from 'node:assert/strict';
import type { CelEngine } from '../../../src/policy/cel/engine.ts';
import { celSelfTest } from '../../../src/policy/cel/self-test.ts';
import { engine } from './support.ts';

describe('celSelfTest', () => {
  it('is content with our engine', () => {
    assert.equal(celSelfTest(engine), undefined);
  });

  it('names what fails', () => {
    const permissive: Pick<CelEngine, 'compile'> = {
      compile: (source) => ({ ok: true, program: { source, evaluate: () => ({ ok: true, value: true }) } }),
    };
    assert.match(celSelfTest(permissive) ?? '', /look-ahead/);
  });

  it('reports an engine that throws', () => {
    const broken: Pick<CelEngine, 'compile'> = {
      compile: () => {
        throw new Error('broken');
      },
    };
    assert.match(celSelfTest(broken) ?? '', /exception/);
  });
});

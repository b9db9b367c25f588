// Is only an evaluation error taken for a text that does not parse?
import assert from 'node:assert/strict';
import { celError } from '../../../src/policy/cel/errors.ts';
import { succeeds } from '../../../src/policy/cel/succeeds.ts';

describe('succeeds()', () => {
  it('tells a call that ends from one that fails to evaluate', () => {
    const fail = (): never => {
      throw celError('invalid_url');
    };
    assert.deepEqual([succeeds(() => undefined), succeeds(fail)], [true, false]);
  });

  it('lets every other error pass', () => {
    const fault = new Error('fault of the program');
    const fail = (): never => {
      throw fault;
    };
    assert.throws(() => succeeds(fail), fault);
  });
});

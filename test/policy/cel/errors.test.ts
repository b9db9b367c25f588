// Is a failure told in fixed words, whatever was thrown?
import assert from 'node:assert/strict';
import { celError, describeFailure, VariableError } from '../../../src/policy/cel/errors.ts';

describe('describeFailure()', () => {
  it('tells nothing of what it does not know', () => {
    for (const error of [new TypeError('hunter2'), new Error('hunter2'), 'hunter2', null])
      assert.equal(describeFailure(error, 'a'), 'evaluation failed');
    assert.equal(
      describeFailure(new RangeError('hunter2'), 'a'),
      'expression is too deep or its values too large',
    );
  });

  it('tells the text of a code, and which variable failed', () => {
    assert.equal(describeFailure(celError('no_such_key'), 'a'), 'no such key');
    assert.equal(describeFailure(new VariableError('a', 'no such key'), 'b'), 'variables.a: no such key');
  });
});

// Is a failure told in fixed words, whatever was thrown?
import assert from 'node:assert/strict';
import type { CelNode } from '../../../src/policy/cel/ast.ts';
import { celError, describeFailure, locate, VariableError } from '../../../src/policy/cel/errors.ts';

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

describe('locate()', () => {
  const node = { start: 2, end: 3 } as unknown as CelNode;
  const failWith = (failure: Error) => (): never => {
    throw failure;
  };

  it('adds the place to an evaluation error, and passes all others on', () => {
    assert.throws(
      () => locate(node, failWith(celError('no_such_key'))),
      (error) => describeFailure(error, 'a.b') === 'no such key at 1:3: b',
    );
    for (const failure of [new RangeError('deep'), new VariableError('a', 'b')])
      assert.throws(
        () => locate(node, failWith(failure)),
        (error) => error === failure,
      );
  });
});

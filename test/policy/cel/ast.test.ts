// Is a node told from what else stands among the operands of one?
import assert from 'node:assert/strict';
import { isNode } from '../../../src/policy/cel/ast.ts';

const setMeta = (): never => assert.fail('nothing is set');

describe('isNode()', () => {
  it('knows a node by its operator and by what can be set on it', () => {
    assert.equal(isNode({ op: 'value', args: 1n, setMeta }), true);
    assert.equal(isNode({ args: 1n, setMeta }), false);
    assert.equal(isNode({ op: 'value', args: 1n }), false);
  });

  it('takes no name, number or nothing for a node', () => {
    for (const value of ['op', 1n, undefined, null]) assert.equal(isNode(value), false);
  });
});

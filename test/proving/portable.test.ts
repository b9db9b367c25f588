// Does everything that crosses arrive as it was, with its own bytes and nobody else's?
import assert from 'node:assert/strict';
import { generateSigningKey } from '../../src/demo/keys.ts';
import { revive, toPortable } from '../../src/proving/portable.ts';

describe('toPortable() and revive()', () => {
  it('keep everything that evidence and facts are made of', () => {
    const { publicKey } = generateSigningKey('p256');
    const value = {
      bytes: Buffer.from('abc'),
      at: new Date(0),
      key: publicKey,
      sets: new Set(['a']),
      maps: new Map([['a', Buffer.from('b')]]),
      list: [null, undefined, 1, 2n, true, 'x'],
      odd: JSON.parse('{"__proto__":{"a":1},"constructor":2}') as object,
    };
    const back = revive(structuredClone({ ...(toPortable({ ...value, key: 0 }) as object) })) as typeof value;
    assert.deepEqual({ ...back, key: publicKey }, value);
    assert.ok(Buffer.isBuffer(back.bytes));
    assert.ok(Object.hasOwn(back.odd, '__proto__'));
    assert.equal((toPortable(value) as typeof value).key, publicKey);
  });

  it('leave the pool behind', () => {
    const pooled = Buffer.from('abc');
    const portable = toPortable({ pooled }) as { pooled: Uint8Array };
    assert.equal(portable.pooled.buffer.byteLength, 3);
  });
});

// Do owners take turns, and does nobody get so much that others get nothing?
import assert from 'node:assert/strict';
import { createFairQueue, hasRoom, type FairQueue } from '../../src/lib/fair-queue.ts';

function fill(queue: FairQueue<string>, ...items: readonly string[]): void {
  for (const item of items) assert.ok(queue.push(item[0] ?? '', item), item);
}

function drain(queue: FairQueue<string>): readonly (string | undefined)[] {
  return Array.from({ length: queue.length + 1 }, () => queue.shift());
}

describe('createFairQueue()', () => {
  it('is first in, first out for one owner', () => {
    const queue = createFairQueue<string>(100);
    fill(queue, 'a1', 'a2', 'a3');
    assert.deepEqual(drain(queue), ['a1', 'a2', 'a3', undefined]);
  });

  it('serves owners in turns, whoever came first and with however much', () => {
    const queue = createFairQueue<string>(100);
    fill(queue, 'a1', 'a2', 'a3', 'b1', 'c1', 'c2');
    assert.deepEqual(drain(queue), ['a1', 'b1', 'c1', 'a2', 'c2', 'a3', undefined]);
  });

  it('lets nobody come back sooner by coming back', () => {
    const queue = createFairQueue<string>(100);
    fill(queue, 'a1', 'b1', 'b2');
    assert.equal(queue.shift(), 'a1');
    fill(queue, 'a2');
    assert.deepEqual(drain(queue), ['b1', 'a2', 'b2', undefined]);
  });

  it('has room for half from one owner, and for those who come then', () => {
    const queue = createFairQueue<string>(8);
    const push = (owner: string, count: number): number =>
      Array.from({ length: count }, () => queue.push(owner, owner)).filter(Boolean).length;
    assert.deepEqual([push('a', 8), push('b', 8), push('c', 8), push('d', 8), push('e', 8)], [4, 2, 1, 1, 0]);
    assert.equal(queue.length, 8);
  });

  it('has room again for what was taken out', () => {
    const queue = createFairQueue<string>(2);
    fill(queue, 'a1');
    assert.equal(queue.push('a', 'a2'), false);
    assert.equal(queue.shift(), 'a1');
    fill(queue, 'a2');
    assert.deepEqual(queue.clear(), ['a2']);
    fill(queue, 'a3');
    assert.deepEqual([queue.length, ...drain(queue)], [1, 'a3', undefined]);
  });

  it('removes what stands first of each owner', () => {
    const queue = createFairQueue<string>(100);
    fill(queue, 'a1', 'a2', 'a3', 'b2', 'b1', 'c1');
    assert.deepEqual(
      queue.removeFirst((item) => item.endsWith('1')),
      ['a1', 'c1'],
    );
    assert.equal(queue.length, 4);
    assert.deepEqual(drain(queue), ['a2', 'b2', 'a3', 'b1', undefined]);
  });
});

describe('hasRoom()', () => {
  it('never gives more than is left', () => {
    assert.deepEqual(
      [hasRoom(0, 0, 1), hasRoom(0, 1, 1), hasRoom(4, 4, 8), hasRoom(3, 4, 8), hasRoom(0, 7, 8)],
      [true, false, false, true, true],
    );
  });
});

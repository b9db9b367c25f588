// Is work done at once while there is little, and in turns where there is much?
import assert from 'node:assert/strict';
import { createFairTurns } from '../../src/lib/fair-turns.ts';

describe('createFairTurns()', () => {
  let clock = 0;
  const done: string[] = [];
  const turns = createFairTurns(() => clock);
  const take = (name: string, milliseconds: number): Promise<string> =>
    turns.take(name[0] ?? '', () => {
      clock += milliseconds;
      done.push(name);
      return name;
    });

  beforeEach(async () => {
    await new Promise((resolve) => setImmediate(resolve));
    done.length = 0;
  });

  it('does at once what is little', async () => {
    const all = [take('a1', 1), take('a2', 1), take('b1', 1)];
    assert.deepEqual(done, ['a1', 'a2', 'b1']);
    assert.deepEqual(await Promise.all(all), ['a1', 'a2', 'b1']);
  });

  it('lets owners take turns with what is more, and all else get on between', async () => {
    const all = ['a1', 'a2', 'a3', 'a4', 'b1', 'b2', 'c1'].map((name) => take(name, 5));
    assert.deepEqual(done, ['a1']);
    await new Promise((resolve) => setImmediate(resolve));
    assert.ok(done.length < all.length, done.join());
    assert.deepEqual(await Promise.all(all), ['a1', 'a2', 'a3', 'a4', 'b1', 'b2', 'c1']);
    assert.deepEqual(done, ['a1', 'a2', 'b1', 'c1', 'a3', 'b2', 'a4']);
  });

  it('does nothing before what waits already', async () => {
    const first = [take('a1', 5), take('a2', 1)];
    const late = take('b1', 1);
    assert.deepEqual(done, ['a1']);
    await Promise.all([...first, late]);
    assert.deepEqual(done, ['a1', 'a2', 'b1']);
  });

  it('passes errors on, and goes on', async () => {
    const fail = (): never => {
      clock += 5;
      throw new Error('own');
    };
    const failing = [turns.take('a', fail), turns.take('a', fail)];
    const next = take('b1', 1);
    for (const one of failing) await assert.rejects(one, /own/);
    assert.equal(await next, 'b1');
  });
});

// Is everything loaded once, kept within bounds, and never remembered when it failed?
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { createCache } from '../../src/lib/cache.ts';

interface Value {
  readonly text: string;
}

describe('createCache()', () => {
  it('loads once for a thousand concurrent callers, and tells the observer', async () => {
    const seen = { hit: 0, miss: 0, joined: 0 };
    const cache = createCache<Value>({ maxWeight: 10, observe: (result) => (seen[result] += 1) });
    let loads = 0;
    let release: (value: Value) => void = () => undefined;
    const load = (): Promise<Value> => {
      loads += 1;
      return new Promise((resolve) => (release = resolve));
    };
    const callers = Array.from({ length: 1000 }, () => cache.fetch('k', load));
    release({ text: 'v' });
    const values = await Promise.all(callers);
    assert.equal(new Set(values).size, 1);
    assert.equal(await cache.fetch('k', load), values[0]);
    assert.equal(loads, 1);
    assert.deepEqual(seen, { hit: 1, miss: 1, joined: 999 });
  });

  it('rejects every waiter of a failed load, and loads again afterwards', async () => {
    const cache = createCache<Value>({ maxWeight: 10 });
    let loads = 0;
    const load = (): Promise<Value> => {
      loads += 1;
      return loads === 1 ? Promise.reject(new Error('down')) : Promise.resolve({ text: 'up' });
    };
    const outcomes = await Promise.allSettled([cache.fetch('k', load), cache.fetch('k', load)]);
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['rejected', 'rejected'],
    );
    assert.equal(cache.peek('k'), undefined);
    assert.deepEqual(await cache.fetch('k', load), { text: 'up' });
    assert.equal(loads, 2);
  });

  it('is not blocked by a load that throws instead of rejecting', async () => {
    const cache = createCache<Value>({ maxWeight: 10 });
    assert.throws(() =>
      cache.fetch('k', () => {
        throw new Error('early');
      }),
    );
    assert.deepEqual(await cache.fetch('k', () => Promise.resolve({ text: 'v' })), { text: 'v' });
  });

  it('keeps keys apart, also those of Object.prototype', async () => {
    const cache = createCache<Value>({ maxWeight: 10 });
    await cache.fetch('__proto__', () => Promise.resolve({ text: 'p' }));
    assert.equal(cache.peek('constructor'), undefined);
    assert.deepEqual(cache.peek('__proto__'), { text: 'p' });
  });

  it('forgets the oldest when the weight is reached, and never keeps what is heavier than all', async () => {
    const cache = createCache<Value>({ maxWeight: 10, weigh: ({ text }) => text.length });
    const put = (key: string, length: number): Promise<Value> =>
      cache.fetch(key, () => Promise.resolve({ text: 'x'.repeat(length) }));
    await put('a', 6);
    await put('b', 6);
    assert.equal(cache.peek('a'), undefined);
    assert.notEqual(cache.peek('b'), undefined);
    assert.equal((await put('huge', 11)).text.length, 11);
    assert.equal(cache.peek('huge'), undefined);
  });

  it('counts a weightless value as one', async () => {
    const cache = createCache<Value>({ maxWeight: 3, weigh: () => 0 });
    for (const key of ['a', 'b', 'c', 'd']) await cache.fetch(key, () => Promise.resolve({ text: '' }));
    assert.equal(cache.peek('a'), undefined);
    assert.notEqual(cache.peek('d'), undefined);
  });

  it('forgets after its lifetime and on demand', async () => {
    const cache = createCache<Value>({ maxWeight: 10, ttlMs: 5 });
    await cache.fetch('old', () => Promise.resolve({ text: '' }));
    await sleep(20);
    assert.equal(cache.peek('old'), undefined);
    const lasting = createCache<Value>({ maxWeight: 10 });
    await lasting.fetch('k', () => Promise.resolve({ text: '' }));
    lasting.drop('k');
    assert.equal(lasting.peek('k'), undefined);
  });
});

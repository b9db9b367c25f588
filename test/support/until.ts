// How does a test wait for something that happens elsewhere? It asks until it is so, and gives up loudly.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

const TRIES = 2000;

/** Waits until a condition holds, asking every 5 ms for at least 10 s. */
export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await condition()); tries += 1) {
    assert.ok(tries < TRIES, `${what}: not within 10 s`);
    await sleep(5);
  }
}

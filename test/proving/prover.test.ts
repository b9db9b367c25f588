// Does a proof ask for everything, in order, and no more at once than its share?
import assert from 'node:assert/strict';
import { DeadlineError } from '../../src/lib/deadline.ts';
import type { Executor } from '../../src/proving/executor.ts';
import { createProver } from '../../src/proving/prover.ts';
import { generateSigningKey } from '../../src/demo/keys.ts';
import { signBundleWithKey } from '../../src/demo/sign-with-key.ts';
import { keyAuthority, STATEMENT } from '../signature/support.ts';
import { toEvidence } from '../verdict/support.ts';
import { answer, KEY } from './support.ts';

const SILENT = { lookedUp: () => undefined, disagreed: () => undefined };
const QUESTION = { authorities: [keyAuthority(KEY.publicKeyPem)], wanted: [] };

function toBundles(count: number): readonly object[] {
  return Array.from({ length: count }, (_, n) =>
    signBundleWithKey(STATEMENT, n === count - 1 ? KEY : generateSigningKey('p256')),
  );
}

describe('createProver()', () => {
  it('finds the one good signature behind many bad ones, a few at a time', async () => {
    let waiting = 0;
    let most = 0;
    const executor: Executor = {
      async run(job, options) {
        most = Math.max(most, (waiting += 1));
        await new Promise((resolve) => setImmediate(resolve));
        waiting -= 1;
        return answer(job, options);
      },
      close: () => Promise.resolve(),
    };
    const evidence = toEvidence(toBundles(64));
    const proof = await createProver(executor, SILENT).prove(evidence, QUESTION, new Date(), {
      namespace: '',
      signal: AbortSignal.timeout(20_000),
    });
    assert.equal(proof.candidateCount, 64);
    assert.equal(proof.authorities[0]?.signatures.length, 1);
    assert.equal(most, 8);
  });

  it('shares out what one request may have waiting among all of its models and policies', async () => {
    let waiting = 0;
    let most = 0;
    const executor: Executor = {
      async run(job, options) {
        most = Math.max(most, (waiting += 1));
        await new Promise((resolve) => setImmediate(resolve));
        waiting -= 1;
        return answer(job, options);
      },
      close: () => Promise.resolve(),
    };
    const prover = createProver(executor, SILENT);
    const asker = { namespace: '', signal: AbortSignal.timeout(20_000) };
    const proofs = await Promise.all(
      Array.from({ length: 6 }, () => prover.prove(toEvidence(toBundles(12)), QUESTION, new Date(), asker)),
    );
    assert.deepEqual(
      proofs.map(({ authorities }) => authorities[0]?.signatures.length),
      [1, 1, 1, 1, 1, 1],
    );
    assert.equal(most, 8);
  });

  it('starts nothing more once the request is over', async () => {
    const controller = new AbortController();
    let asked = 0;
    const executor: Executor = {
      run(job, options) {
        asked += 1;
        if (asked === 10) controller.abort();
        return Promise.resolve(answer(job, options));
      },
      close: () => Promise.resolve(),
    };
    const proof = createProver(executor, SILENT).prove(toEvidence(toBundles(64)), QUESTION, new Date(), {
      namespace: '',
      signal: controller.signal,
    });
    await assert.rejects(proof, DeadlineError);
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.ok(asked < 20, String(asked));
  });
});

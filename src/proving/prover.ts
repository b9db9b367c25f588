// What is proven about this evidence, within the time of this request? Puts plan, executor and memory together.
import { setImmediate } from 'node:timers/promises';
import { waitWithin } from '../lib/deadline.ts';
import type { Evidence } from '../evidence/evidence.ts';
import { planProof, type Proof, type ProofQuestion } from '../verdict/prove.ts';
import type { Executor } from './executor.ts';
import { createFactsCache, type FactsObserver, type SecondOpinionMode } from './facts-cache.ts';

/** Steps between which other requests get their turn: matching identities is the caller's thread's work. */
const STEPS_AT_A_STRETCH = 8;

/** Proves evidence for one policy. */
export interface Prover {
  /** @throws DeadlineError when the signal fires first, OverloadedError when too much is waiting */
  prove(evidence: Evidence, question: ProofQuestion, now: Date, signal: AbortSignal): Promise<Proof>;
}

/** Creates a prover. @param mode when @sigstore/verify is asked about new evidence */
export function createProver(
  executor: Executor,
  observer: FactsObserver,
  mode: SecondOpinionMode = 'before',
): Prover {
  const run = createFactsCache(executor, mode, observer);
  return {
    async prove(evidence, question, now, signal) {
      const plan = planProof(evidence, question);
      let step = plan.next();
      for (let count = 1; step.done !== true; count += 1) {
        const outcomes = Promise.all(step.value.map((job) => run(job, now)));
        step = plan.next(await waitWithin(outcomes, signal));
        if (count % STEPS_AT_A_STRETCH === 0) await setImmediate();
      }
      return step.value;
    },
  };
}

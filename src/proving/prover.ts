// What is proven about this evidence, within the time of this request? Puts plan, executor and memory together.
import { setImmediate } from 'node:timers/promises';
import { waitWithin } from '../lib/deadline.ts';
import type { Evidence } from '../evidence/evidence.ts';
import type { Authority } from '../signature/authority.ts';
import { planProof, type Proof } from '../verdict/prove.ts';
import type { Executor } from './executor.ts';
import { createFactsCache, type FactsObserver, type SecondOpinionMode } from './facts-cache.ts';

/** Steps between which other requests get their turn: matching identities is the caller's thread's work. */
const STEPS_AT_A_STRETCH = 8;

/** Proves evidence for one policy's authorities. */
export interface Prover {
  /** @throws DeadlineError when the signal fires first, OverloadedError when too much is waiting */
  prove(
    evidence: Evidence,
    authorities: readonly Authority[],
    now: Date,
    signal: AbortSignal,
  ): Promise<Proof>;
}

/** Creates a prover. @param mode when @sigstore/verify is asked about new evidence */
export function createProver(
  executor: Executor,
  observer: FactsObserver,
  mode: SecondOpinionMode = 'before',
): Prover {
  const run = createFactsCache(executor, mode, observer);
  return {
    async prove(evidence, authorities, now, signal) {
      const plan = planProof(evidence, authorities);
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

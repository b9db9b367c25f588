// What is proven about this evidence, within the time of this request? Puts plan, executor and memory together.
import { setImmediate } from 'node:timers/promises';
import { runOn } from '../lib/allowance.ts';
import { DeadlineError, waitWithin } from '../lib/deadline.ts';
import { createTurns, type TakeTurn } from '../lib/turns.ts';
import type { Evidence } from '../evidence/evidence.ts';
import type { ItemOutcome } from '../verdict/prove-item.ts';
import { planProof, type Proof, type ProofJob, type ProofQuestion } from '../verdict/prove.ts';
import type { Executor } from './executor.ts';
import { createFactsCache, type FactsObserver, type SecondOpinionMode } from './facts-cache.ts';

/** Steps between which other requests get their turn: matching identities is the caller's thread's work. */
const STEPS_AT_A_STRETCH = 8;

/** Jobs of one request that wait at once: pods full of models full of signatures must not stand before everybody else's. */
const JOBS_AT_ONCE = 8;

/** Who waits for a proof. */
export interface Asker {
  /** Namespaces take turns at the threads. */
  readonly namespace: string;
  /** Of the request: all of its proofs share what it may have waiting. */
  readonly signal: AbortSignal;
}

/** Proves evidence for one policy. */
export interface Prover {
  /**
   * @throws DeadlineError when the asker's signal fires first, OverloadedError when too much is waiting
   */
  prove(evidence: Evidence, question: ProofQuestion, now: Date, asker: Asker): Promise<Proof>;
}

/** Creates a prover. @param mode when @sigstore/verify is asked about new evidence */
export function createProver(
  executor: Executor,
  observer: FactsObserver,
  mode: SecondOpinionMode = 'before',
): Prover {
  const run = createFactsCache(executor, mode, observer);
  const turnsOf = new WeakMap<AbortSignal, TakeTurn>();
  return {
    async prove(evidence, question, now, { namespace, signal }) {
      const takeTurn = turnsOf.get(signal) ?? createTurns(JOBS_AT_ONCE);
      turnsOf.set(signal, takeTurn);
      const { allowance } = question;
      const plan = planProof(evidence, question);
      const advance = (...outcomes: [] | [readonly ItemOutcome[]]): ReturnType<typeof plan.next> =>
        allowance === undefined ? plan.next(...outcomes) : runOn(allowance, () => plan.next(...outcomes));
      let step = advance();
      for (let count = 1; step.done !== true; count += 1) {
        const outcomes = answerAll(
          step.value,
          (job) => takeTurn(() => (signal.aborted ? Promise.reject(tooLate()) : run(job, now, namespace))),
          signal,
        );
        step = advance(await waitWithin(outcomes, signal));
        if (count % STEPS_AT_A_STRETCH === 0) await setImmediate();
      }
      return step.value;
    },
  };
}

const tooLate = (): DeadlineError => new DeadlineError('deadline exceeded');

// In the order of the jobs. What the request no longer waits for is not started.
async function answerAll(
  jobs: readonly ProofJob[],
  answer: (job: ProofJob) => Promise<ItemOutcome>,
  signal: AbortSignal,
): Promise<readonly ItemOutcome[]> {
  const outcomes: ItemOutcome[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    for (let index = next; index < jobs.length && !signal.aborted; index = next) {
      next += 1;
      const job = jobs[index];
      if (job !== undefined) outcomes[index] = await answer(job);
    }
  };
  await Promise.all(Array.from({ length: Math.min(JOBS_AT_ONCE, jobs.length) }, work));
  return outcomes;
}

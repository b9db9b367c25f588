// Who does the cryptography? The one interface between deciding and proving, and the executor that does it on the
// caller's own thread, for commands and tests.
import { setImmediate } from 'node:timers/promises';
import type { VerifyOptions } from '../signature/facts.ts';
import { proveItemInSteps, type ItemOutcome } from '../verdict/prove-item.ts';
import type { ProofJob } from '../verdict/prove.ts';

/** Longest time on the event loop at a stretch, in milliseconds; a single signature is never interrupted. */
const MAX_STRETCH_MS = 10;

/** Answers jobs. */
export interface Executor {
  /**
   * What a job's item proves; rejects only for faults of this program and with {@link OverloadedError}.
   * @param owner whose job it is: owners take turns
   */
  run(job: ProofJob, options: VerifyOptions, owner: string): Promise<ItemOutcome>;
  close(): Promise<void>;
}

/** More is waiting to be proven than will be proven in time. */
export class OverloadedError extends Error {
  override readonly name = 'OverloadedError';
}

/** Creates an executor without threads: one job after the other, with room for others between them. */
export function createInlineExecutor(): Executor {
  let since = performance.now();
  const giveWay = async (): Promise<void> => {
    if (performance.now() - since < MAX_STRETCH_MS) return;
    await setImmediate();
    since = performance.now();
  };
  const prove = async (job: ProofJob, options: VerifyOptions): Promise<ItemOutcome> => {
    const steps = proveItemInSteps({ ...job, material: job.material.material }, options);
    for (;;) {
      await giveWay();
      const step = steps.next();
      if (step.done === true) return step.value;
    }
  };
  let last: Promise<unknown> = Promise.resolve();
  return {
    run(job, options) {
      const answer = last.then(() => prove(job, options));
      last = answer.catch(() => undefined);
      return answer;
    },
    close: () => Promise.resolve(),
  };
}

// Who verifies for this process? Threads for the server, the command's own thread otherwise; both by the same options.
import type { OptionValues } from '../config.ts';
import { createInlineExecutor, type Executor } from '../proving/executor.ts';
import type { SecondOpinionMode } from '../proving/facts-cache.ts';
import { createProver, type Prover } from '../proving/prover.ts';
import { selfTest } from '../proving/self-test.ts';
import { createThreadExecutor } from '../proving/thread-executor.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { textOf, UsageError } from './arguments.ts';
import { toErrorMessage } from '../lib/text.ts';

/** A prover with what ends it. */
export interface ProverAccess {
  readonly prover: Prover;
  close(): Promise<void>;
}

/** Starts what the server proves with, each thread's self-test included. @throws UsageError when one fails */
export async function startProver(
  values: OptionValues,
  metrics: Metrics,
  logger: Logger,
): Promise<ProverAccess> {
  const executor = await startExecutor(Number(textOf(values, 'verify-threads')), metrics);
  const observer = {
    lookedUp: (result: string) => metrics.observeCache('facts', result),
    disagreed(evidence: string, message: string) {
      metrics.observeDisagreement();
      logger.error({ evidence, message }, 'the second opinion disagrees: please report this evidence');
    },
  };
  return {
    prover: createProver(executor, observer, textOf(values, 'second-opinion') as SecondOpinionMode),
    close: () => executor.close(),
  };
}

async function startExecutor(threads: number, metrics: Metrics): Promise<Executor> {
  try {
    if (threads > 0)
      return await createThreadExecutor(threads, {
        restarted: () => metrics.observeProofThreadRestart(),
        waiting: (count) => metrics.setProofsWaiting(count),
      });
  } catch (error) {
    throw new UsageError(`signatures cannot be verified: ${toErrorMessage(error)}`);
  }
  const problem = selfTest();
  if (problem !== undefined) throw new UsageError(`signatures cannot be verified: ${problem}`);
  return createInlineExecutor();
}

/** A prover for one command, on its own thread. */
export function createCommandProver(values: OptionValues): Prover {
  return createProver(
    createInlineExecutor(),
    { lookedUp: () => undefined, disagreed: () => undefined },
    textOf(values, 'second-opinion') as SecondOpinionMode,
  );
}

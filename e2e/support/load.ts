// What do many clients of the API server see at once? Pods with a signed and with an unsigned model, asked about in turn
// without being made, counted by what came back. An unsigned one that is admitted is the one thing that must not happen.
import { setTimeout as sleep } from 'node:timers/promises';
import { createKubernetesClient } from '../../src/kubernetes/client.ts';
import { KubernetesApiError } from '../../src/kubernetes/errors.ts';
import { pod } from './manifests.ts';
import { waitFor } from './processes.ts';

const CLIENTS = 6;
const REQUEST_BOUND_MS = 30_000;
/** Longest time in which more answers have to come. */
const PROGRESS_BOUND_MS = 60_000;

/** What came back so far. */
export interface LoadCounts {
  readonly admitted: number;
  /** Denied with the reason for which they should be. */
  readonly denied: number;
  /** No verdict: what the API server said instead, or a verdict that blames something else than the model. */
  readonly failures: readonly string[];
  /** Unsigned models that were admitted. */
  readonly wrong: number;
}

export interface LoadOptions {
  readonly kubeconfig: string;
  readonly namespace: string;
  /** References of models. */
  readonly signed: string;
  readonly unsigned: string;
}

export interface Load {
  readonly counts: () => LoadCounts;
  /** Returns after that many more verdicts. @throws Error when they do not come within a minute */
  readonly pass: (verdicts: number) => Promise<void>;
  readonly stop: () => Promise<LoadCounts>;
}

/** Starts six clients, each on a connection of its own for every request. */
export function startLoad({ kubeconfig, namespace, signed, unsigned }: LoadOptions): Load {
  const client = createKubernetesClient({ kubeconfig });
  const end = new AbortController();
  const failures: string[] = [];
  const counts = { admitted: 0, denied: 0, wrong: 0 };
  const path = `/api/v1/namespaces/${namespace}/pods?dryRun=All`;
  const ask = async (reference: string): Promise<string | undefined> => {
    try {
      const body = pod('load', namespace, reference);
      await client.write({ method: 'POST', path, body }, AbortSignal.timeout(REQUEST_BOUND_MS));
      return undefined;
    } catch (error) {
      return error instanceof KubernetesApiError ? error.message : String(error);
    }
  };
  const askBoth = async (): Promise<void> => {
    const refusal = await ask(signed);
    if (refusal === undefined) counts.admitted += 1;
    else failures.push(`signed: ${refusal}`);
    const denial = await ask(unsigned);
    if (denial === undefined) counts.wrong += 1;
    else if (denial.includes('SignatureMissing')) counts.denied += 1;
    else failures.push(`unsigned: ${denial}`);
  };
  const clients = Array.from({ length: CLIENTS }, async () => {
    while (!end.signal.aborted) {
      await askBoth();
      await sleep(5);
    }
  });
  const read = (): LoadCounts => ({ ...counts, failures: [...failures] });
  return {
    counts: read,
    pass: (verdicts) => {
      const target = counts.admitted + counts.denied + verdicts;
      return waitFor(
        `${verdicts} more verdicts`,
        () => Promise.resolve(counts.admitted + counts.denied >= target),
        { boundMs: PROGRESS_BOUND_MS },
      );
    },
    stop: async () => {
      end.abort();
      await Promise.all(clients);
      return read();
    },
  };
}

/** One line about it, for people. */
export function toLine({ admitted, denied, failures, wrong }: LoadCounts): string {
  return `${admitted} admitted, ${denied} denied, ${failures.length} failed, ${wrong} wrongly admitted`;
}

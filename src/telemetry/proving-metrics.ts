// How is the proving going? Metrics of the threads that verify and of the second opinion.
import { Counter, Gauge, type Registry } from 'prom-client';

/** What the proving side reports. */
export interface ProvingMetrics {
  observeProofThreadRestart(): void;
  setProofsWaiting(count: number): void;
  observeDisagreement(): void;
}

/** Registers the metrics of proving. */
export function createProvingMetrics(registers: Registry[]): ProvingMetrics {
  const restarts = new Counter({
    name: 'model_policy_proof_thread_restarts_total',
    help: 'Verifying threads that ended and were replaced: evidence took too long or too much memory.',
    registers,
  });
  const waiting = new Gauge({
    name: 'model_policy_proofs_waiting',
    help: 'Signatures waiting for a verifying thread.',
    registers,
  });
  const disagreements = new Counter({
    name: 'model_policy_second_opinion_disagreements_total',
    help: 'Evidence that our own verification accepts and the second opinion refuses; denied, and logged with its digest.',
    registers,
  });
  return {
    observeProofThreadRestart: () => restarts.inc(),
    setProofsWaiting: (count) => waiting.set(count),
    observeDisagreement: () => disagreements.inc(),
  };
}

// Which signatures were proven for which policy? Proves each digest once per policy, however often the pod names it,
// and gives way to other requests between signatures.
import { setImmediate } from 'node:timers/promises';
import { DeadlineError } from '../lib/deadline.ts';
import type { Evidence } from '../evidence/evidence.ts';
import type { CompiledPolicy } from '../policy/compiled.ts';
import { toWanted } from '../verdict/prove-attestations.ts';
import { proveInSteps, type Proof } from '../verdict/prove.ts';

/** Longest time on the event loop at a stretch, in milliseconds; a single signature is never interrupted. */
const MAX_STRETCH_MS = 10;

/** What is proven: evidence and policy. */
export interface ProofWanted {
  readonly evidence: Evidence;
  readonly policy: CompiledPolicy;
}

/** Proofs by evidence and policy. */
export type Proofs = ReadonlyMap<Evidence, ReadonlyMap<CompiledPolicy, Proof>>;

/** Proves everything wanted. @throws DeadlineError when the signal fires first */
export async function proveAll(
  wanted: readonly ProofWanted[],
  now: Date,
  signal: AbortSignal,
): Promise<Proofs> {
  const proofs = new Map<Evidence, Map<CompiledPolicy, Proof>>();
  const giveWay = createPacer(signal);
  for (const { evidence, policy } of wanted) {
    const known = proofs.get(evidence) ?? new Map<CompiledPolicy, Proof>();
    proofs.set(evidence, known);
    if (known.has(policy)) continue;
    const steps = proveInSteps(evidence, policy.authorities, now, toWanted(policy));
    let step = steps.next();
    while (step.done !== true) {
      await giveWay();
      step = steps.next();
    }
    known.set(policy, step.value);
  }
  return proofs;
}

function createPacer(signal: AbortSignal): () => Promise<void> {
  let since = performance.now();
  return async () => {
    if (performance.now() - since < MAX_STRETCH_MS) return;
    await setImmediate();
    if (signal.aborted) throw new DeadlineError('deadline exceeded');
    since = performance.now();
  };
}

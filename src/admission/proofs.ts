// Which signatures were proven for which policy? Asks for each digest once per policy, however often the pod names it.
import type { Evidence } from '../evidence/evidence.ts';
import { createAllowance } from '../lib/allowance.ts';
import { isOfCluster, type CompiledPolicy } from '../policy/compiled.ts';
import type { Asker, Prover } from '../proving/prover.ts';
import { toWanted } from '../verdict/prove-attestations.ts';
import type { Proof } from '../verdict/prove.ts';

/** Processor time in which signers are compared with what a namespace's own policies allow, in one request, in milliseconds. */
export const TENANT_PROVING_MS = 100;

/** What is proven: evidence and policy. */
export interface ProofWanted {
  readonly evidence: Evidence;
  readonly policy: CompiledPolicy;
}

/** Proofs by evidence and policy. */
export type Proofs = ReadonlyMap<Evidence, ReadonlyMap<CompiledPolicy, Proof>>;

/**
 * Proves everything wanted.
 * @throws DeadlineError when the asker's signal fires first, OverloadedError when too much is waiting
 */
export async function proveAll(
  prover: Prover,
  wanted: readonly ProofWanted[],
  now: Date,
  asker: Asker,
): Promise<Proofs> {
  const proofs = new Map<Evidence, Map<CompiledPolicy, Proof | undefined>>();
  const pending: Promise<void>[] = [];
  const ofNamespace = createAllowance(TENANT_PROVING_MS);
  for (const { evidence, policy } of wanted) {
    const known = proofs.get(evidence) ?? new Map<CompiledPolicy, Proof | undefined>();
    proofs.set(evidence, known);
    if (known.has(policy)) continue;
    known.set(policy, undefined);
    const question = {
      authorities: policy.authorities,
      wanted: toWanted(policy),
      ...(!isOfCluster(policy) && { allowance: ofNamespace }),
    };
    const proving = prover.prove(evidence, question, now, asker);
    pending.push(proving.then((proof) => void known.set(policy, proof)));
  }
  await Promise.all(pending);
  return proofs as Proofs;
}

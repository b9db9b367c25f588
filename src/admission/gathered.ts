// What is known about each model of a request? Evidence for every distinct digest, gathered once and in parallel,
// however often the pod names it.
import type { Evidence, EvidenceProblem } from '../evidence/evidence.ts';
import { gatherEvidence, gatherWithAttestations, resolveTag } from '../evidence/gather.ts';
import type { ModelReference } from '../model/model-reference.ts';
import { toCanonicalName } from '../model/reference.ts';
import type { RegistryClient } from '../registry/client.ts';

/** Evidence for a use, or why there is none. `digest` is known as soon as a tag was resolved. */
export interface GatheredUse {
  readonly digest: string | undefined;
  readonly evidence: Evidence | undefined;
  readonly problem: EvidenceProblem | undefined;
}

/**
 * Gathers evidence for uses, deduplicated by repository and digest or tag.
 * @param wantsAttestations whether some policy demands attestations of a use
 */
export async function gatherAll(
  client: RegistryClient,
  uses: readonly ModelReference[],
  signal: AbortSignal,
  wantsAttestations: (use: ModelReference) => boolean = () => false,
): Promise<ReadonlyMap<ModelReference, GatheredUse>> {
  const wanted = new Set(uses.filter(wantsAttestations).map(toKey));
  const pending = new Map<string, Promise<GatheredUse>>();
  const entries = uses.map(async (use): Promise<[ModelReference, GatheredUse]> => {
    const key = toKey(use);
    const gather = wanted.has(key) ? gatherWithAttestations : gatherEvidence;
    const known = pending.get(key) ?? gatherUse(client, use, signal, gather);
    pending.set(key, known);
    return [use, await known];
  });
  return new Map(await Promise.all(entries));
}

function toKey({ reference }: ModelReference): string {
  return `${toCanonicalName(reference)} ${reference.digest ?? reference.tag ?? ''}`;
}

async function gatherUse(
  client: RegistryClient,
  { reference }: ModelReference,
  signal: AbortSignal,
  gather: typeof gatherEvidence,
): Promise<GatheredUse> {
  let { digest } = reference;
  if (digest === undefined) {
    const resolved = await resolveTag(client, reference, reference.tag ?? 'latest', signal);
    if (!resolved.ok) return { digest: undefined, evidence: undefined, problem: resolved.problem };
    digest = resolved.digest;
  }
  const result = await gather(client, reference, digest, signal);
  return result.ok
    ? { digest, evidence: result.evidence, problem: undefined }
    : { digest, evidence: undefined, problem: result.problem };
}

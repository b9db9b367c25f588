// What is known about each model of a request? Evidence for every distinct digest, gathered once and in parallel,
// however often the pod names it.
import type { Evidence, EvidenceProblem } from '../evidence/evidence.ts';
import { gatherWished, resolveTag } from '../evidence/gather.ts';
import type { EvidenceWish } from '../evidence/signature-repository.ts';
import type { ModelReference } from '../model/model-reference.ts';
import { toCanonicalName } from '../model/reference.ts';
import type { RegistryClient } from '../registry/client.ts';
import { mergeWishes } from './wishes.ts';

/** Evidence for a use, or why there is none. `digest` is known as soon as a tag was resolved. */
export interface GatheredUse {
  readonly digest: string | undefined;
  readonly evidence: Evidence | undefined;
  readonly problem: EvidenceProblem | undefined;
}

const OWN_SIGNATURES: EvidenceWish = { wantsOwn: true, wantsAttestations: false, elsewhere: [] };

/**
 * Gathers evidence for uses, deduplicated by repository and digest or tag.
 * @param toWish where the policies of a use look; undefined: for signatures beside the model
 */
export async function gatherAll(
  client: RegistryClient,
  uses: readonly ModelReference[],
  signal: AbortSignal,
  toWish: (use: ModelReference) => EvidenceWish | undefined = () => undefined,
): Promise<ReadonlyMap<ModelReference, GatheredUse>> {
  const wanted = Map.groupBy(uses, toKey);
  const pending = new Map<string, Promise<GatheredUse>>();
  const entries = uses.map(async (use): Promise<[ModelReference, GatheredUse]> => {
    const key = toKey(use);
    const wish = mergeWishes((wanted.get(key) ?? []).map((same) => toWish(same) ?? OWN_SIGNATURES));
    const known = pending.get(key) ?? gatherUse(client, use, signal, wish);
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
  wish: EvidenceWish,
): Promise<GatheredUse> {
  let { digest } = reference;
  if (digest === undefined) {
    const resolved = await resolveTag(client, reference, reference.tag ?? 'latest', signal);
    if (!resolved.ok) return { digest: undefined, evidence: undefined, problem: resolved.problem };
    digest = resolved.digest;
  }
  const result = await gatherWished({ client, name: reference, digest, signal }, wish);
  return result.ok
    ? { digest, evidence: result.evidence, problem: undefined }
    : { digest, evidence: undefined, problem: result.problem };
}

// With whose credentials is evidence fetched? The cluster's policies with all that the controller has, a namespace's own
// with what its pod has: apart, so that neither reads with the other's.
import type { ModelReference } from '../model/model-reference.ts';
import type { PullIdentity } from '../model/pull-identity.ts';
import type { CompiledPolicy } from '../policy/compiled.ts';
import type { RegistryClient } from '../registry/client.ts';
import { gatherAll, type GatheredUse } from './gathered.ts';
import { needsAttestations, needsEvidence, type SelectedUse } from './judge-uses.ts';

/** On whose behalf something is done: the cluster's, or one namespace's. */
export type Side = 'Cluster' | 'Namespace';

/** Opens the client for one request: the pod's own credentials, and for the cluster's policies the controller's too. */
export type OpenRegistryClient = (identity: PullIdentity, side: Side) => RegistryClient;

/** What was gathered of a use for a policy; undefined when the policy needs nothing of it. */
export type FindGathered = (use: ModelReference, policy: CompiledPolicy) => GatheredUse | undefined;

/** The side that a policy is on. */
export function toSide({ namespace }: CompiledPolicy): Side {
  return namespace === undefined ? 'Cluster' : 'Namespace';
}

/** Gathers evidence for every use that a policy needs it of, once for each side. */
export async function gatherForPolicies(
  selected: readonly SelectedUse[],
  open: OpenRegistryClient,
  identity: PullIdentity,
  signal: AbortSignal,
): Promise<FindGathered> {
  async function gatherFor(side: Side): Promise<ReadonlyMap<ModelReference, GatheredUse>> {
    const wanted = selected
      .map(({ use, policies }) => ({ use, policies: policies.filter((policy) => toSide(policy) === side) }))
      .filter((one) => one.policies.some((policy) => needsEvidence(one, policy)));
    if (wanted.length === 0) return new Map();
    const attested = new Set(wanted.filter(needsAttestations).map(({ use }) => use));
    const uses = wanted.map(({ use }) => use);
    return gatherAll(open(identity, side), uses, signal, (use) => attested.has(use));
  }
  const [cluster, namespace] = await Promise.all([gatherFor('Cluster'), gatherFor('Namespace')]);
  return (use, policy) => (toSide(policy) === 'Cluster' ? cluster : namespace).get(use);
}

// With whose credentials is evidence fetched? The cluster's policies with all that the controller has, a namespace's own
// with what its pod has: apart, so that neither reads with the other's.
import type { ModelReference } from '../model/model-reference.ts';
import { createLookups } from '../evidence/lookups.ts';
import type { SignatureRepository } from '../evidence/signature-repository.ts';
import type { PullIdentity } from '../model/pull-identity.ts';
import type { CompiledPolicy } from '../policy/compiled.ts';
import type { RegistryClient } from '../registry/client.ts';
import { gatherAll, type GatheredUse } from './gathered.ts';
import { needsEvidence, toUseWish, type SelectedUse } from './judge-uses.ts';
import { openOnce } from './wishes.ts';

/** On whose behalf something is done: the cluster's, or one namespace's. */
export type Side = 'Cluster' | 'Namespace';

/** Opens the client for one request: the pod's own credentials, and for the cluster's policies the controller's too. */
export type OpenRegistryClient = (identity: PullIdentity, side: Side) => RegistryClient;

/** Opens the client of a signature repository: for a namespace's policies, with the namespace's own named Secrets only. */
export type OpenSignatureClient = (repository: SignatureRepository, side: Side) => RegistryClient;

/** How both sides reach registries. */
export interface OpenClients {
  readonly openClient: OpenRegistryClient;
  readonly openSignatureClient: OpenSignatureClient;
}

/** What was gathered of a use for a policy; undefined when the policy needs nothing of it. */
export type FindGathered = (use: ModelReference, policy: CompiledPolicy) => GatheredUse | undefined;

/** The side that a policy is on. */
export function toSide({ namespace }: CompiledPolicy): Side {
  return namespace === undefined ? 'Cluster' : 'Namespace';
}

/** Gathers evidence for every use that a policy needs it of, once for each side. */
export async function gatherForPolicies(
  selected: readonly SelectedUse[],
  { openClient, openSignatureClient }: OpenClients,
  identity: PullIdentity,
  signal: AbortSignal,
): Promise<FindGathered> {
  async function gatherFor(side: Side): Promise<ReadonlyMap<ModelReference, GatheredUse>> {
    const wanted = selected
      .map(({ use, policies }) => ({ use, policies: policies.filter((policy) => toSide(policy) === side) }))
      .filter((one) => one.policies.some((policy) => needsEvidence(one, policy)));
    if (wanted.length === 0) return new Map();
    const share = createLookups();
    const open = openOnce((repository) => share(openSignatureClient(repository, side)));
    const wishes = new Map(wanted.map((entry) => [entry.use, toUseWish(entry, open)]));
    const uses = wanted.map(({ use }) => use);
    return gatherAll(share(openClient(identity, side)), uses, signal, (use) => wishes.get(use));
  }
  const [cluster, namespace] = await Promise.all([gatherFor('Cluster'), gatherFor('Namespace')]);
  return (use, policy) => (toSide(policy) === 'Cluster' ? cluster : namespace).get(use);
}

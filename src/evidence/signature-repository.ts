// Where else may signatures of a model be? A repository that an authority names in place of the model's own, with what
// it is read with. Finding what is there belongs to gather.ts, naming it to the policy.
import type { RegistryClient } from '../registry/client.ts';
import type { Credential } from '../registry/docker-config.ts';
import type { RepositoryName } from '../registry/resource.ts';

/** Another repository in which signatures and attestations are looked for. */
export interface SignatureRepository extends RepositoryName {
  /** Equal only where repository and Secrets are; it names Secrets, and holds nothing of them. */
  readonly id: string;
  /** What the policy's pull secrets hold for this very repository. */
  readonly credentials: readonly Credential[];
}

/** One other repository to look in, with the client that may read it. */
export interface ElsewhereWish {
  readonly repository: SignatureRepository;
  readonly client: RegistryClient;
  readonly wantsAttestations: boolean;
}

/** In which repositories what about a digest is looked for. */
export interface EvidenceWish {
  /** False: nobody takes signatures from the model's own repository, and it is not asked for any. */
  readonly wantsOwn: boolean;
  /** Of the model's own repository. */
  readonly wantsAttestations: boolean;
  /** Each repository once. */
  readonly elsewhere: readonly ElsewhereWish[];
}

/** `registry/repository`, for messages and records. */
export function toRepositoryText({ registry, repository }: RepositoryName): string {
  return `${registry}/${repository}`;
}

// Where must signatures of a use be looked for? What the authorities of all its policies name, each repository once.
import type { EvidenceWish, SignatureRepository } from '../evidence/signature-repository.ts';
import type { CompiledPolicy } from '../policy/compiled.ts';
import type { RegistryClient } from '../registry/client.ts';
import { isSigning } from '../signature/authority.ts';

/** Opens the client of a signature repository for one side of a request. */
export type OpenRepository = (repository: SignatureRepository) => RegistryClient;

/** Opens each repository once: a client learns which credentials are let in. */
export function openOnce(open: OpenRepository): OpenRepository {
  const clients = new Map<string, RegistryClient>();
  return (repository) => {
    const client = clients.get(repository.id) ?? open(repository);
    clients.set(repository.id, client);
    return client;
  };
}

/** The wish of policies that need evidence. */
export function toWish(policies: readonly CompiledPolicy[], open: OpenRepository): EvidenceWish {
  return mergeWishes(
    policies.flatMap(({ authorities, attestations }) =>
      authorities.flatMap((authority): readonly EvidenceWish[] => {
        if (!isSigning(authority)) return [];
        const { signatureRepository: repository } = authority;
        const wantsAttestations = attestations.length > 0;
        if (repository === undefined) return [{ wantsOwn: true, wantsAttestations, elsewhere: [] }];
        const there = { repository, client: open(repository), wantsAttestations };
        return [{ wantsOwn: false, wantsAttestations: false, elsewhere: [there] }];
      }),
    ),
  );
}

/** What several policies, or several uses of one digest, wish together. */
export function mergeWishes(wishes: readonly EvidenceWish[]): EvidenceWish {
  const elsewhere = Map.groupBy(
    wishes.flatMap((wish) => wish.elsewhere),
    ({ repository }) => repository.id,
  );
  return {
    wantsOwn: wishes.some(({ wantsOwn }) => wantsOwn),
    wantsAttestations: wishes.some(({ wantsAttestations }) => wantsAttestations),
    elsewhere: [...elsewhere.values()].flatMap(([first, ...others]) =>
      first === undefined
        ? []
        : [{ ...first, wantsAttestations: [first, ...others].some((one) => one.wantsAttestations) }],
    ),
  };
}

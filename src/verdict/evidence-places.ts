// Which evidence is shown to which authority? Each sees what its own repository holds and nothing else: what lies beside
// a model is no evidence for an authority that looks elsewhere.
import type { Evidence, EvidenceProblem, FoundEvidence } from '../evidence/evidence.ts';
import { toRepositoryText } from '../evidence/signature-repository.ts';
import { findSignatureLayer } from '../model/signature-layer.ts';
import type { SigningAuthority } from '../signature/authority.ts';
import { toItems, type EvidenceItem } from './prove-item.ts';

/** What one repository holds, and the authorities that look there. */
export interface EvidencePlace {
  readonly found: FoundEvidence;
  readonly signers: readonly SigningAuthority[];
  /** `registry/repository`; undefined: the model's own. */
  readonly repository: string | undefined;
}

/** An item, and the authorities that are asked about it. */
export interface ShownItem {
  readonly item: EvidenceItem;
  readonly signers: readonly SigningAuthority[];
}

/** The places where these authorities look, the model's own first. @throws Error for one that was not looked into */
export function toPlaces(evidence: Evidence, signers: readonly SigningAuthority[]): readonly EvidencePlace[] {
  const groups = Map.groupBy(signers, ({ signatureRepository }) => signatureRepository?.id);
  const own = groups.get(undefined);
  const elsewhere = [...groups.values()].flatMap((group): readonly EvidencePlace[] => {
    const repository = group[0]?.signatureRepository;
    if (repository === undefined) return [];
    const found = evidence.elsewhere?.get(repository.id);
    if (found === undefined) throw new Error('a signature repository was not looked into');
    return [{ found, signers: group, repository: toRepositoryText(repository) }];
  });
  return own === undefined
    ? elsewhere
    : [{ found: evidence, signers: own, repository: undefined }, ...elsewhere];
}

/** The items of places, each with whom it is shown; the layer `model.sig` is left out. */
export function toShownItems(places: readonly EvidencePlace[]): readonly ShownItem[] {
  return places.flatMap(({ found, signers }) =>
    toItems(found)
      .filter((item) => !isLayer(item))
      .map((item) => ({ item, signers })),
  );
}

/** The layer `model.sig`, where it was read. */
export function toLayerItems(evidence: Evidence): readonly EvidenceItem[] {
  return toItems(evidence).filter(isLayer);
}

/** What went wrong at the places, and with the layer that says which files of the model are to be signed. */
export function toPlaceProblems(
  evidence: Evidence,
  places: readonly EvidencePlace[],
): readonly EvidenceProblem[] {
  const { manifest, problems } = evidence;
  const looksBeside = places.some(({ repository }) => repository === undefined);
  const hasLayer = manifest.kind === 'manifest' && findSignatureLayer(manifest) !== undefined;
  const isLayerLost = hasLayer && toLayerItems(evidence).length === 0;
  return [...(!looksBeside && isLayerLost ? problems : []), ...places.flatMap(({ found }) => found.problems)];
}

/** Names the places in a proof, where one of them is not the model's own repository. */
export function toLookedIn(places: readonly EvidencePlace[]): { readonly lookedIn?: readonly string[] } {
  if (places.every(({ repository }) => repository === undefined)) return {};
  return { lookedIn: places.map(({ repository = "the model's repository" }) => repository) };
}

/** The end of a message that something is not there: where it was looked for. */
export function describeLooked({ lookedIn }: { readonly lookedIn?: readonly string[] }): string {
  return lookedIn === undefined ? '' : ` (looked in ${lookedIn.join(', ')})`;
}

function isLayer({ found }: EvidenceItem): boolean {
  return found.place === 'layer';
}

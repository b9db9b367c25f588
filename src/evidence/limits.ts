// How much of what was found is read? One bound for all places together, so that no place hides the signatures of
// another, nobody hides a signature behind large ones, and neither signatures nor attestations crowd out the others.
// What is left out is said.
import type { Descriptor } from '../model/manifest.ts';
import { announcesAttestation } from '../model/predicate-type.ts';
import type { ReferrersList } from '../registry/referrers.ts';
import type { LocatedSignature } from './discover.ts';
import {
  MAX_ATTESTATION_BYTES,
  MAX_ATTESTATIONS_BYTES,
  MAX_BUNDLE_BYTES,
  MAX_BUNDLES_BYTES,
  MAX_CANDIDATES,
  MAX_PAYLOAD_BYTES,
  type EvidenceProblem,
} from './evidence.ts';

const MAX_BYTES: Readonly<Record<LocatedSignature['kind'], number>> = {
  bundle: MAX_BUNDLE_BYTES,
  simpleSigning: MAX_PAYLOAD_BYTES,
  attestation: MAX_ATTESTATION_BYTES,
  envelope: MAX_ATTESTATION_BYTES,
};

/** Largest blob of one signature or attestation, in bytes. */
export function maxBytesOf({ kind }: LocatedSignature): number {
  return MAX_BYTES[kind];
}

/** Bytes to share: those of signatures and those of attestations, of which neither may use the other's. */
export interface ByteBudget {
  readonly signatures: number;
  readonly attestations: number;
}

/** The bytes that one digest may have. */
export const WHOLE_BUDGET: ByteBudget = {
  signatures: MAX_BUNDLES_BYTES,
  attestations: MAX_ATTESTATIONS_BYTES,
};

/**
 * Chooses which referrers to look at, by what the listing says they are. That is a hint: who lies about a referrer
 * hides nothing but others of the kind that it claims to be.
 * @param wantsAttestations false: attestations come after all signatures
 */
export function chooseReferrers(
  { descriptors, isTruncated }: ReferrersList,
  wantsAttestations: boolean,
): { readonly descriptors: readonly Descriptor[]; readonly problems: readonly EvidenceProblem[] } {
  const isAttestation = ({ annotations }: Descriptor): boolean => announcesAttestation(annotations);
  const kinds = [
    descriptors.filter((descriptor) => !isAttestation(descriptor)),
    descriptors.filter(isAttestation),
  ];
  const chosen = (wantsAttestations ? takeTurns(kinds) : kinds.flat()).slice(0, MAX_CANDIDATES);
  const isWhole = !isTruncated && chosen.length === descriptors.length;
  return {
    descriptors: chosen,
    problems: isWhole ? [] : [surplus(`it has more than ${MAX_CANDIDATES} referrers, the rest was not read`)],
  };
}

/**
 * Chooses what to read.
 * @param places what each place holds; places take turns, so that none crowds out another
 * @param budget of all together: a child of an index shares it with the others
 */
export function withinLimits(
  places: readonly (readonly LocatedSignature[])[],
  budget: ByteBudget = WHOLE_BUDGET,
): {
  readonly kept: readonly LocatedSignature[];
  readonly problems: readonly EvidenceProblem[];
} {
  const distinct = places.map(withoutCopies);
  const signatures = takeTurns(distinct.map((place) => place.filter((one) => !isAttestation(one))));
  const attestations = takeTurns(distinct.map((place) => place.filter(isAttestation)));
  const found = takeTurns([signatures, attestations]);
  const counted = found.slice(0, MAX_CANDIDATES);
  const problems: EvidenceProblem[] = [];
  if (found.length > counted.length) {
    const what = attestations.length > 0 ? 'signatures and attestations' : 'signatures';
    problems.push(surplus(`it has more than ${MAX_CANDIDATES} ${what}, the rest was not read`));
  }
  const keep = (what: string, kind: readonly LocatedSignature[], maxBytes: number): typeof kind => {
    const kept = withinBudget(kind, maxBytes);
    if (kept.length < kind.length)
      problems.push(
        surplus(
          `its ${what} are larger than ${maxBytes} bytes together, ${kind.length - kept.length} were not read`,
        ),
      );
    return kept;
  };
  const kept = [
    ...keep(
      'signatures',
      counted.filter((one) => !isAttestation(one)),
      budget.signatures,
    ),
    ...keep('attestations', counted.filter(isAttestation), budget.attestations),
  ];
  return { kept, problems };
}

function isAttestation({ kind }: LocatedSignature): boolean {
  return kind === 'attestation' || kind === 'envelope';
}

function surplus(message: string): EvidenceProblem {
  return { reason: 'TooManySignatures', message };
}

// One payload with other annotations is another signature; with the same ones it is a copy.
function withoutCopies(signatures: readonly LocatedSignature[]): readonly LocatedSignature[] {
  const seen = new Set<string>();
  return signatures.filter(({ place, referrer, layer: { digest, size, annotations } }) => {
    const id = JSON.stringify([
      place === 'referrer' || place === 'layer' ? referrer : '',
      digest,
      size,
      Object.entries(annotations),
    ]);
    return !seen.has(id) && seen.add(id).size > 0;
  });
}

function takeTurns<T>(lists: readonly (readonly T[])[]): readonly T[] {
  const longest = Math.max(0, ...lists.map(({ length }) => length));
  return Array.from({ length: longest }, (_, turn) =>
    lists.flatMap((list) => list.slice(turn, turn + 1)),
  ).flat();
}

// Smallest first; a blob over its own cap is refused by itself.
function withinBudget(
  signatures: readonly LocatedSignature[],
  maxBytes: number,
): readonly LocatedSignature[] {
  let left = maxBytes;
  return signatures
    .map((signature) => ({ signature, weight: weigh(signature.layer) }))
    .toSorted((a, b) => a.weight - b.weight)
    .filter(({ signature, weight }) => signature.layer.size > maxBytesOf(signature) || (left -= weight) >= 0)
    .map(({ signature }) => signature);
}

function weigh({ size, annotations }: Descriptor): number {
  return Object.values(annotations).reduce((sum, text) => sum + text.length, size);
}

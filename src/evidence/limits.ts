// How much of what was found is read? One bound for all places together, so that no place hides the signatures of
// another and nobody hides a signature behind large ones. What is left out is said.
import type { Descriptor } from '../model/manifest.ts';
import type { LocatedSignature } from './discover.ts';
import {
  MAX_BUNDLE_BYTES,
  MAX_BUNDLES_BYTES,
  MAX_CANDIDATES,
  MAX_PAYLOAD_BYTES,
  type EvidenceProblem,
} from './evidence.ts';

/** Largest blob of one signature, in bytes. */
export function maxBytesOf({ kind }: LocatedSignature): number {
  return kind === 'bundle' ? MAX_BUNDLE_BYTES : MAX_PAYLOAD_BYTES;
}

/**
 * Chooses what to read.
 * @param places what each place holds; places take turns, so that none crowds out another
 * @param maxBytes of all signatures together: a child of an index shares them with the others
 */
export function withinLimits(
  places: readonly (readonly LocatedSignature[])[],
  maxBytes: number = MAX_BUNDLES_BYTES,
): {
  readonly kept: readonly LocatedSignature[];
  readonly problems: readonly EvidenceProblem[];
} {
  const found = takeTurns(places.map(withoutCopies));
  const counted = found.slice(0, MAX_CANDIDATES);
  const kept = withinBudget(counted, maxBytes);
  const problems: EvidenceProblem[] = [];
  if (found.length > counted.length)
    problems.push(surplus(`it has more than ${MAX_CANDIDATES} signatures, the rest was not read`));
  if (counted.length > kept.length)
    problems.push(
      surplus(
        `its signatures are larger than ${maxBytes} bytes together, ${counted.length - kept.length} were not read`,
      ),
    );
  return { kept, problems };
}

function surplus(message: string): EvidenceProblem {
  return { reason: 'TooManySignatures', message };
}

// One payload with other annotations is another signature; with the same ones it is a copy.
function withoutCopies(signatures: readonly LocatedSignature[]): readonly LocatedSignature[] {
  const seen = new Set<string>();
  return signatures.filter(({ place, referrer, layer: { digest, size, annotations } }) => {
    const id = JSON.stringify([place === 'tag' ? '' : referrer, digest, size, Object.entries(annotations)]);
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

// Can `minAuthorities` be reached at all? Counts how many authorities distinct signers can satisfy at once, at best: a
// matching of authorities to signers, as judging does it, but over everybody whom the policy allows.
import type { Authority } from '../signature/authority.ts';
import type { AuthoritySpec } from './types.ts';

/** The most authorities that can be satisfied by distinct signers; patterns stand for any number of them. */
export function countReachable(specs: readonly AuthoritySpec[], compiled: readonly Authority[]): number {
  const known = new Map(compiled.map((authority) => [authority.name, authority]));
  const signers = specs.map((spec) => toSigners(spec, known.get(spec.name)));
  const named = signers.filter((set) => set !== 'Any');
  const takenBy = new Map<string, number>();
  const matched = named.filter((_, index) => place(index, { named, takenBy, tried: new Set() }));
  return signers.length - named.length + matched.length;
}

function toSigners(spec: AuthoritySpec, compiled: Authority | undefined): readonly string[] | 'Any' {
  if (compiled?.kind === 'key') return compiled.keys.map(({ fingerprint }) => `key ${fingerprint}`);
  if (spec.keyless === undefined) return 'Any';
  const { identities, trustRootRef } = spec.keyless;
  const exact = identities.flatMap(({ issuer, subject }) =>
    issuer === undefined || subject === undefined
      ? []
      : [JSON.stringify([trustRootRef.name, issuer, subject])],
  );
  return exact.length < identities.length ? 'Any' : exact;
}

interface Matching {
  readonly named: readonly (readonly string[])[];
  readonly takenBy: Map<string, number>;
  readonly tried: Set<string>;
}

// One augmenting path; at most 32 authorities deep.
function place(index: number, matching: Matching): boolean {
  const { named, takenBy, tried } = matching;
  for (const signer of named[index] ?? []) {
    if (tried.has(signer)) continue;
    tried.add(signer);
    const holder = takenBy.get(signer);
    if (holder !== undefined && !place(holder, matching)) continue;
    takenBy.set(signer, index);
    return true;
  }
  return false;
}

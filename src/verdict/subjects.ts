// Which manifests must a policy admit, and what was proven for each? A manifest alone, or every child of an index: a
// signature on the index binds all its children by their digests, and counts for each beside the child's own.
import type { Evidence } from '../evidence/evidence.ts';
import type { ImageManifest } from '../model/manifest.ts';
import type { Finding } from '../reason.ts';
import type { SigningAuthority } from '../signature/authority.ts';
import { revocationsOf } from '../signature/revoked.ts';
import { findRevocation } from '../trust/revocation.ts';
import type { AttestationProof } from './prove-attestations.ts';
import type { Proof } from './prove.ts';

/** One manifest with everything that is proven for it. */
export interface JudgedSubject {
  readonly manifest: ImageManifest;
  readonly proof: Proof;
  /** The child's digest; undefined when the reference names the manifest itself. */
  readonly child: string | undefined;
}

/** The subjects of evidence; none for an index without children. */
export function toSubjects(evidence: Evidence, proof: Proof): readonly JudgedSubject[] {
  const { manifest, children = [] } = evidence;
  if (manifest.kind === 'manifest') return [{ manifest, proof, child: undefined }];
  return children.flatMap((child, index) => {
    const own = proof.children?.[index];
    if (own === undefined || child.manifest.kind !== 'manifest')
      throw new Error('a child of an index was judged without proof');
    const digests = [evidence.digest, child.digest];
    return [{ manifest: child.manifest, proof: merge(proof, own, digests), child: child.digest }];
  });
}

function merge(index: Proof, child: Proof, digests: readonly string[]): Proof {
  return {
    ...child,
    authorities: child.authorities.map(({ authority, signatures, failures }) => {
      const above = index.authorities.find((entry) => entry.authority === authority);
      // A signature on the one was not asked whether the other is revoked.
      const revocation = findRevoked(authority, digests);
      if (revocation !== undefined) return { authority, signatures: [], failures: [revocation] };
      return {
        authority,
        signatures: [...(above?.signatures ?? []), ...signatures],
        failures: [...(above?.failures ?? []), ...failures],
      };
    }),
    problems: [...index.problems, ...child.problems],
    candidateCount: index.candidateCount + child.candidateCount,
    ...mergeAttestations(index, child, digests),
  };
}

// As signatures: what is attested of the index is attested of all that it binds.
function mergeAttestations(
  { attestations: above }: Proof,
  { attestations: own, authorities }: Proof,
  digests: readonly string[],
): Pick<Proof, 'attestations'> {
  if (own === undefined) return {};
  const revoked = new Map(
    authorities.flatMap(({ authority }) => {
      const revocation = findRevoked(authority, digests);
      return revocation === undefined ? [] : [[authority.name, revocation] as const];
    }),
  );
  const both = <K extends Exclude<keyof AttestationProof, 'lookedIn'>>(
    kind: K,
  ): AttestationProof[K][number][] => [...(above?.[kind] ?? []), ...own[kind]];
  const proven = both('proven');
  const refused = proven.flatMap(({ predicateType, authority }) => {
    const revocation = revoked.get(authority);
    return revocation === undefined ? [] : [{ ...revocation, predicateType, authority }];
  });
  return {
    attestations: {
      ...own,
      proven: proven.filter(({ authority }) => !revoked.has(authority)),
      failures: [...both('failures'), ...refused],
      found: [...new Set(both('found'))],
      problems: both('problems'),
    },
  };
}

function findRevoked(authority: SigningAuthority, artifactDigests: readonly string[]): Finding | undefined {
  const revoked = revocationsOf(authority);
  return revoked && findRevocation({ spkis: [], certificateSerials: [], artifactDigests }, revoked);
}

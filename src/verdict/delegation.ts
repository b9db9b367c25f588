// What do a namespace's own policies prove to the cluster's? The signers behind a `tenant` authority: those of every
// ModelPolicy that enforces, asks for signatures and is about the model, once all of these pass. Pure.
import { isSigning, type TenantAuthority } from '../signature/authority.ts';
import type { PolicyResult } from './judge.ts';
import type { AuthorityProof } from './prove.ts';
import type { SignerProof } from './signers.ts';

/** What satisfied a policy about one manifest. */
export interface SatisfiedSubject {
  /** Digest that the reference names. */
  readonly digest: string;
  /** The child's digest; undefined when the reference names the manifest itself. */
  readonly child: string | undefined;
  readonly proofs: readonly AuthorityProof[];
  /** Who vouches for its attestations, of a policy that demands nothing but those. */
  readonly attested: readonly SignerProof[];
}

/** The signers for one manifest, or in one clause why there are none. */
export type Delegated =
  | ({ readonly ok: true } & Pick<SatisfiedSubject, 'proofs' | 'attested'>)
  | { readonly ok: false; readonly problem: string };

/** What the ModelPolicies that are about a use came to: by manifest. */
export type Delegation = (digest: string, child: string | undefined) => Delegated;

/** Joins the results of a namespace's policies about one use. @param results of all that select it, in any mode */
export function toDelegation(results: readonly PolicyResult[]): Delegation {
  const refuse = (problem: string): Delegation => {
    const refused = { ok: false, problem } as const;
    return () => refused;
  };
  const signing = results.filter(
    ({ policy }) => policy.actions.has('Deny') && policy.authorities.some(isSigning),
  );
  // What only warns or audits denies nothing, here neither.
  const failing = signing.find(({ findings }) => findings.length > 0);
  if (failing !== undefined) return refuse(`ModelPolicy ${failing.policy.name} does not pass`);
  if (signing.length === 0)
    return refuse('no ModelPolicy of the namespace with action Deny and a signer selects this model');
  return (digest, child) => {
    const found = signing.flatMap(
      ({ satisfied }) =>
        satisfied.find((subject) => subject.digest === digest && subject.child === child) ?? [],
    );
    // A tag can move between two readings of it.
    if (found.length < signing.length)
      return { ok: false, problem: "the namespace's policies judged another manifest than the cluster's" };
    return {
      ok: true,
      proofs: found.flatMap(({ proofs }) => proofs),
      attested: found.flatMap(({ attested }) => attested),
    };
  };
}

/** Those behind an authority: who signed in one of its formats, and who attested where nobody needed to sign. */
export function toDelegatedSigners(
  { signatureFormats }: TenantAuthority,
  { proofs, attested }: Extract<Delegated, { ok: true }>,
): { readonly proofs: readonly AuthorityProof[]; readonly signers: readonly SignerProof[] } {
  const counted = proofs.map((proof) => ({
    ...proof,
    signatures: proof.signatures.filter(({ format }) => signatureFormats.has(format)),
  }));
  return { proofs: counted, signers: [...counted, ...attested] };
}

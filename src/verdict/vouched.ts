// Who stands behind each authority of a policy about one manifest? Its own proof, or what the namespace's policies came
// to; how many that satisfies is judge.ts's to say. Pure.
import type { EvidenceProblem } from '../evidence/evidence.ts';
import type { CompiledPolicy } from '../policy/compiled.ts';
import { toDelegatedSigners, type Delegated, type SatisfiedSubject } from './delegation.ts';
import type { SatisfyingAttestation } from './judge.ts';
import type { AuthorityProof } from './prove.ts';
import { toSigners, type SignerProof } from './signers.ts';
import type { JudgedSubject } from './subjects.ts';

/** What stands behind one authority of a policy: its own proof, or those of the namespace's policies. */
export interface Vouched {
  readonly name: string;
  readonly proofs: readonly AuthorityProof[];
  readonly signers: readonly SignerProof[];
  readonly failures: readonly EvidenceProblem[];
}

/** A manifest with who stands behind each authority. */
export type VouchedSubject = JudgedSubject & { readonly vouched: readonly Vouched[] };

/** Everyone behind the authorities of a policy, in their order but those of the namespace last. */
export function toVouched(
  { authorities }: CompiledPolicy,
  { proof }: JudgedSubject,
  delegated: Delegated,
): readonly Vouched[] {
  const own = proof.authorities.map((entry): Vouched => {
    const { name } = entry.authority;
    return { name, proofs: [entry], signers: [entry], failures: entry.failures };
  });
  const tenants = authorities.flatMap((authority): Vouched[] => {
    if (authority.kind !== 'tenant') return [];
    const { name } = authority;
    if (delegated.ok) return [{ name, failures: [], ...toDelegatedSigners(authority, delegated) }];
    const failure = { reason: 'AuthoritiesNotSatisfied', message: delegated.problem } as const;
    return [{ name, proofs: [], signers: [], failures: [failure] }];
  });
  return [...own, ...tenants];
}

/** What a policy that passes says to those that delegate to it. */
export function toSatisfied(
  { minAuthorities }: CompiledPolicy,
  digest: string,
  { child, proof }: JudgedSubject,
  attestations: readonly SatisfyingAttestation[],
): SatisfiedSubject {
  // Who attests is a signer only where the policy asks for attestations alone.
  const signatures = minAuthorities > 0 ? [] : attestations.map(({ signature }) => signature);
  const attested = proof.authorities.map(({ authority }) => ({
    authority,
    signatures: signatures.filter((signature) => signature.authority === authority.name),
  }));
  return { digest, child, proofs: proof.authorities, attested };
}

/** Names of signers by authority. One signer is one signer, whether the namespace names it or the cluster. */
export function toVouchingSigners(vouched: readonly Vouched[]): readonly (readonly string[])[] {
  const names = toSigners(vouched.flatMap(({ signers }) => signers));
  let next = 0;
  return vouched.map(({ signers }) => names.slice(next, (next += signers.length)).flat());
}

// Who are the signers behind these signatures? One identifier for each, so that nobody counts twice: not by signing
// again, not with a new certificate for the same identity, not with a second name on the same key.
import type { SigningAuthority } from '../signature/authority.ts';
import type { SignatureFacts } from '../signature/facts.ts';

/** What a signer is known by. */
export type SignerFacts = Pick<SignatureFacts, 'keyFingerprint' | 'issuer' | 'subject' | 'trustAnchor'>;

/** An authority with who satisfied it. */
export interface SignerProof {
  readonly authority: SigningAuthority;
  readonly signatures: readonly SignerFacts[];
}

/** For each authority the identifiers of the signers that satisfy it. */
export function toSigners(proofs: readonly SignerProof[]): readonly (readonly string[])[] {
  const names = proofs.map((proof) => proof.signatures.map((facts) => toNames(proof, facts)));
  const find = unite(names.flat());
  return names.map((signers) => signers.map(([name = '']) => find(name)));
}

/** Everything that a signer is known by. */
function toNames({ authority }: SignerProof, facts: SignerFacts): readonly string[] {
  const key = `key ${facts.keyFingerprint}`;
  if (authority.kind === 'key') return [key];
  // The identity signs, mostly with a key of the moment; but a CA certifies a managed key as well (`cosign sign --key
  // --issue-certificate`), and then one signature is both.
  if (authority.kind === 'keyless')
    return [key, JSON.stringify([authority.trustRoot, facts.issuer, facts.subject])];
  // Long-lived: whoever has the key signs, and so does whoever is named.
  return [key, JSON.stringify(['certificate', facts.trustAnchor, facts.issuer, facts.subject])];
}

// Names that ever stood together are one signer's (disjoint sets, by path to a representative).
function unite(signers: readonly (readonly string[])[]): (name: string) => string {
  const parents = new Map<string, string>();
  const find = (name: string): string => {
    let current = name;
    for (let next = parents.get(current); next !== undefined; next = parents.get(current)) current = next;
    return current;
  };
  for (const [first = '', ...others] of signers)
    for (const other of others) {
      const [left, right] = [find(first), find(other)];
      if (left !== right) parents.set(right, left);
    }
  return find;
}

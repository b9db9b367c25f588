// Does one signer get one identifier, however it appears?
import assert from 'node:assert/strict';
import type { SigningAuthority } from '../../src/signature/authority.ts';
import type { SignatureFacts } from '../../src/signature/facts.ts';
import { countDistinctAuthorities } from '../../src/verdict/match-authorities.ts';
import type { AuthorityProof } from '../../src/verdict/prove.ts';
import { toSigners } from '../../src/verdict/signers.ts';

type Signer = Partial<SignatureFacts>;

const proof = (kind: SigningAuthority['kind'], ...signers: readonly Signer[]): AuthorityProof =>
  proofUnder('r', kind, ...signers);

function proofUnder(
  trustRoot: string,
  kind: SigningAuthority['kind'],
  ...signers: readonly Signer[]
): AuthorityProof {
  const authority = { kind, name: 'a', trustRoot } as unknown as SigningAuthority;
  return { authority, failures: [], signatures: signers as readonly SignatureFacts[] };
}

const signer = (keyFingerprint: string, subject: string, trustAnchor = 'root'): Signer => ({
  keyFingerprint,
  subject,
  issuer: 'CN=ca',
  trustAnchor,
});

describe('toSigners()', () => {
  const cases: readonly (readonly [string, readonly AuthorityProof[], number])[] = [
    ['two certificates', [proof('certificate', signer('1', 'a')), proof('certificate', signer('2', 'b'))], 2],
    [
      'one certificate with two names',
      [proof('certificate', signer('1', 'a')), proof('certificate', signer('1', 'b'))],
      1,
    ],
    [
      'one name with a new key',
      [proof('certificate', signer('1', 'a')), proof('certificate', signer('2', 'a'))],
      1,
    ],
    [
      'one name under another root',
      [proof('certificate', signer('1', 'a')), proof('certificate', signer('2', 'a', 'other'))],
      2,
    ],
    [
      'a key with and without its certificate',
      [proof('certificate', signer('1', 'a')), proof('key', signer('1', ''))],
      1,
    ],
    [
      'names and keys that lead to one another',
      [
        proof('certificate', signer('1', 'a'), signer('1', 'b')),
        proof('certificate', signer('2', 'b')),
        proof('key', signer('2', '')),
      ],
      1,
    ],
    [
      'keyless signers by identity',
      [proof('keyless', signer('1', 'a')), proof('keyless', signer('2', 'a'))],
      1,
    ],
    [
      'one identity under two TrustRoots, which may certify different people by it',
      [proof('keyless', signer('1', 'a')), proofUnder('other', 'keyless', signer('2', 'a'))],
      2,
    ],
    ['keyless signers and keys', [proof('keyless', signer('1', 'a')), proof('key', signer('2', ''))], 2],
    ['a key and its identity', [proof('keyless', signer('1', 'a')), proof('key', signer('1', ''))], 1],
    [
      'an identity that signed with its key once and without it again',
      [proof('keyless', signer('1', 'a'), signer('2', 'a')), proof('key', signer('1', ''))],
      1,
    ],
  ];
  for (const [what, proofs, expected] of cases)
    it(`counts ${what} as ${expected}`, () =>
      assert.equal(countDistinctAuthorities(toSigners(proofs)), expected));
});

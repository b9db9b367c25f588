// Is every attestation that counts kept, each statement once for each signer and authority, and is trouble told?
import assert from 'node:assert/strict';
import { generateSigningKey } from '../../src/demo/keys.ts';
import type { AttestationSignature } from '../../src/signature/attestation.ts';
import { isSigning, type SigningAuthority } from '../../src/signature/authority.ts';
import { SignatureError } from '../../src/signature/error.ts';
import { toAttestationProof, type AttestationProof } from '../../src/verdict/prove-attestations.ts';
import { toItems, toRefusal, type ItemOutcome } from '../../src/verdict/prove-item.ts';
import { compile, toEvidence } from './support.ts';

const SLSA = 'https://slsa.dev/provenance/v1';
const policy = compile({
  authorities: ['red', 'blue'].map((name) => ({
    name,
    key: { pem: generateSigningKey('p256').publicKeyPem },
  })),
});
const SIGNERS: readonly SigningAuthority[] = policy.authorities.filter(isSigning);
const SIGNATURE = {
  format: 'CosignBundle',
  keyFingerprint: 'k',
  issuer: 'i',
  subject: 's',
} as AttestationSignature;

/** A proven attestation by this signer, of this statement. */
const outcome = (signer: Partial<AttestationSignature> = {}, statement = '{}'): ItemOutcome => ({
  kind: 'attestation',
  predicateType: SLSA,
  result: {
    attestation: {
      validity: { start: new Date(0), end: new Date(1) },
      facts: { predicateType: SLSA, signature: { ...SIGNATURE, ...signer }, statement, hasPredicate: true },
    },
  },
});
/** What items prove, each with its outcomes for red and blue. */
function proofOf(items: readonly (readonly (ItemOutcome | undefined)[])[]): AttestationProof {
  const [item] = toItems(toEvidence([{}]));
  assert.ok(item !== undefined);
  return toAttestationProof(
    items.map((outcomes) => ({ item, outcomes })),
    SIGNERS,
    [],
  );
}
const provenBy = (...items: readonly (readonly (ItemOutcome | undefined)[])[]): string[] =>
  proofOf(items).proven.map(({ authority }) => authority);

describe('toAttestationProof()', () => {
  it('counts one statement by one signer once for each authority', () => {
    assert.deepEqual(provenBy([outcome()], [outcome()]), ['red']);
    assert.deepEqual(provenBy([outcome(), outcome()], [outcome(), outcome()]), ['red', 'blue']);
    assert.deepEqual(provenBy([undefined, outcome()]), ['blue']);
  });

  for (const [what, other] of [
    ['another statement', outcome({}, '{"a":1}')],
    ['another key', outcome({ keyFingerprint: 'other' })],
    ['another issuer', outcome({ issuer: 'other' })],
    ['another subject', outcome({ subject: 'other' })],
  ] as const)
    it(`counts ${what} as another one`, () =>
      assert.deepEqual(provenBy([outcome()], [other]), ['red', 'red']));

  it('tells each refusal once for each authority, and the types of all that claims to attest', () => {
    const problem = { reason: 'SignerNotTrusted' as const, message: 'nobody' };
    const refused: ItemOutcome = { kind: 'attestation', predicateType: SLSA, result: { problem } };
    const unasked: ItemOutcome = { kind: 'attestation', predicateType: 'other' };
    const proof = proofOf([[refused, refused], [refused], [unasked], [{ kind: 'nothing' }]]);
    assert.deepEqual(proof.failures, [
      { ...problem, predicateType: SLSA, authority: 'red' },
      { ...problem, predicateType: SLSA, authority: 'blue' },
    ]);
    assert.deepEqual([proof.proven, proof.found], [[], [SLSA, 'other']]);
  });
});

describe('toRefusal()', () => {
  it('makes data of what a signature lacks, and throws the faults of this program', () => {
    const problem = { reason: 'SignerNotTrusted', message: 'nobody' };
    assert.deepEqual(toRefusal(new SignatureError('SignerNotTrusted', 'nobody')), { problem });
    assert.throws(() => toRefusal(new TypeError('no number')), TypeError);
  });
});

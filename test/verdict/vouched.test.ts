// Who stands behind each authority: the policy's own signers, the namespace's, and attesters where nobody needs to sign?
import assert from 'node:assert/strict';
import { generateSigningKey } from '../../src/demo/keys.ts';
import { signBundleWithKey } from '../../src/demo/sign-with-key.ts';
import type { AttestationSignature } from '../../src/signature/attestation.ts';
import { isSigning } from '../../src/signature/authority.ts';
import { toDelegation, type Delegation } from '../../src/verdict/delegation.ts';
import { judge, type PolicyResult } from '../../src/verdict/judge.ts';
import { prove } from '../../src/verdict/prove.ts';
import { toSubjects } from '../../src/verdict/subjects.ts';
import { toSatisfied } from '../../src/verdict/vouched.ts';
import { DIGEST, STATEMENT } from '../signature/support.ts';
import { compile, toEvidence, toRuleContext, USE } from './support.ts';

const KEY = generateSigningKey('p256');
const TENANT = { name: 'theirs', tenant: {} };
const OWN = { name: 'own', key: { pem: KEY.publicKeyPem } };
const EVIDENCE = toEvidence([signBundleWithKey(STATEMENT, KEY)]);

function resultOf(spec: object, delegation?: Delegation): PolicyResult {
  const policy = compile(spec);
  assert.deepEqual(policy.problems, []);
  const proof = prove(EVIDENCE, policy.authorities, new Date());
  return judge(
    policy,
    { use: USE, evidence: EVIDENCE, proof, ...(delegation && { delegation }) },
    toRuleContext(),
  );
}
const findingsOf = (spec: object, delegation?: Delegation): string[] =>
  resultOf(spec, delegation).findings.map(({ reason, authority }) => `${reason} ${authority ?? ''}`);

describe('toVouched()', () => {
  const theirs = toDelegation([resultOf({ authorities: [OWN] })]);

  it('puts the namespace’s signers behind a tenant authority', () => {
    assert.deepEqual(findingsOf({ authorities: [TENANT] }, theirs), []);
    const { signatures, subjects } = resultOf({ authorities: [TENANT] }, theirs);
    assert.deepEqual(
      signatures.map(({ authority }) => authority),
      ['theirs'],
    );
    assert.deepEqual(
      subjects[0]?.vouched.map(({ name, failures }) => [name, failures]),
      [['theirs', []]],
    );
  });

  it('says of a tenant authority why nobody stands behind it', () => {
    assert.deepEqual(findingsOf({ authorities: [TENANT] }), ['AuthoritiesNotSatisfied theirs']);
    assert.match(
      resultOf({ authorities: [TENANT] }).findings[0]?.message ?? '',
      /no ModelPolicy of the namespace with action Deny and a signer selects this model/,
    );
  });

  it('counts signers of the namespace in the formats of the tenant authority alone', () => {
    const other = { ...TENANT, signatureFormats: ['ModelSigning'] };
    assert.equal(resultOf({ authorities: [other] }, theirs).findings.length, 1);
  });

  it('counts one signer once, whether the namespace names it or the cluster', () => {
    assert.deepEqual(findingsOf({ authorities: [TENANT, OWN], minAuthorities: 2 }, theirs), [
      'AuthoritiesNotSatisfied ',
    ]);
    assert.deepEqual(findingsOf({ authorities: [TENANT, OWN] }), []);
  });
});

describe('toSatisfied()', () => {
  const attestation = {
    name: 'provenance',
    predicateType: 'https://slsa.dev/provenance/v1',
    signature: { keyFingerprint: 'k', authority: 'own' } as AttestationSignature & { authority: string },
  };
  const attestedOf = (minAuthorities: number): unknown => {
    const policy = { ...compile({ authorities: [OWN] }), minAuthorities };
    const [subject] = toSubjects(EVIDENCE, prove(EVIDENCE, policy.authorities.filter(isSigning), new Date()));
    assert.ok(subject !== undefined);
    const elsewhere = { ...attestation.signature, authority: 'other' };
    const { attested } = toSatisfied(policy, DIGEST, subject, [
      attestation,
      { ...attestation, signature: elsewhere },
    ]);
    return attested.map(({ authority, signatures }) => [authority.name, signatures]);
  };

  it('hands on who attests where the policy asks for nothing else, by authority', () =>
    assert.deepEqual(attestedOf(0), [['own', [attestation.signature]]]));

  it('hands on no attester where somebody must sign', () => assert.deepEqual(attestedOf(1), [['own', []]]));
});

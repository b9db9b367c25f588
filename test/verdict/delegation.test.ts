// Do exactly the right signers of a namespace's policies stand behind a tenant authority?
import assert from 'node:assert/strict';
import { generateSigningKey } from '../../src/demo/keys.ts';
import type { CompiledPolicy } from '../../src/policy/compiled.ts';
import { isSigning, type SigningAuthority } from '../../src/signature/authority.ts';
import type { SignatureFacts, SignatureFormat } from '../../src/signature/facts.ts';
import {
  toDelegatedSigners,
  toDelegation,
  type Delegated,
  type SatisfiedSubject,
} from '../../src/verdict/delegation.ts';
import { createFinding } from '../../src/verdict/finding-message.ts';
import type { PolicyResult } from '../../src/verdict/judge.ts';
import { DIGEST, OTHER_DIGEST } from '../signature/support.ts';
import { compile, USE } from './support.ts';

const AUTHORITIES = [{ name: 'own', key: { pem: generateSigningKey('p256').publicKeyPem } }];
const policyOf = (more: object = {}): CompiledPolicy => ({
  ...compile({ authorities: AUTHORITIES, ...more }),
  name: 'team/own',
  namespace: 'team',
});

function subjectOf(policy: CompiledPolicy, more: Partial<SatisfiedSubject> = {}): SatisfiedSubject {
  const [authority] = policy.authorities.filter(isSigning) as [SigningAuthority];
  const signature = { format: 'CosignBundle', keyFingerprint: 'k' } as SignatureFacts;
  const proofs = [{ authority, signatures: [signature], failures: [] }];
  return { digest: DIGEST, child: undefined, proofs, attested: [], ...more };
}

function resultOf(policy = policyOf(), more: Partial<PolicyResult> = {}): PolicyResult {
  const satisfied = policy.authorities.some(isSigning) ? [subjectOf(policy)] : [];
  return {
    policy,
    use: USE,
    findings: [],
    signatures: [],
    attestations: [],
    satisfied,
    subjects: [],
    rules: [],
    ...more,
  };
}

const failing = { findings: [createFinding('SignatureMissing', 'none')], satisfied: [] };
const STATIC = { authorities: [{ name: 'no', static: { action: 'Fail' } }] };
const AUDIT = { validationActions: ['Audit'] };

describe('toDelegation()', () => {
  for (const [what, results, expected] of [
    ['no policy', [], /no ModelPolicy/],
    ['one that passes', [resultOf()], undefined],
    ['one that fails', [resultOf(policyOf(), failing)], /team\/own does not pass/],
    ['one that passes and only audits', [resultOf(policyOf(AUDIT))], /no ModelPolicy/],
    [
      'one that passes beside one that audits a failure',
      [resultOf(), resultOf(policyOf(AUDIT), failing)],
      undefined,
    ],
    ['one that passes beside one that fails', [resultOf(), resultOf(policyOf(), failing)], /does not pass/],
    ['one without signers', [resultOf(policyOf(STATIC))], /no ModelPolicy/],
    ['one without signers beside one with', [resultOf(policyOf(STATIC)), resultOf()], undefined],
    [
      'one that judged another digest',
      [resultOf(policyOf(), { satisfied: [subjectOf(policyOf(), { digest: OTHER_DIGEST })] })],
      /another manifest/,
    ],
    [
      'one that judged a child of an index',
      [resultOf(policyOf(), { satisfied: [subjectOf(policyOf(), { child: OTHER_DIGEST })] })],
      /another manifest/,
    ],
  ] as const)
    it(`${expected === undefined ? 'stands on' : 'does not stand on'} ${what}`, () => {
      const delegated = toDelegation(results)(DIGEST, undefined);
      assert.equal(delegated.ok, expected === undefined);
      if (!delegated.ok) assert.match(delegated.problem, expected ?? /^$/);
    });
});

describe('toDelegatedSigners()', () => {
  const signed = (...formats: SignatureFormat[]): Extract<Delegated, { ok: true }> => {
    const [authority] = policyOf().authorities.filter(isSigning) as [SigningAuthority];
    const signatures = formats.map((format) => ({ format, keyFingerprint: format }) as SignatureFacts);
    return { ok: true, proofs: [{ authority, signatures, failures: [] }], attested: [] };
  };
  const countOf = (
    delegated: Extract<Delegated, { ok: true }>,
    listed?: readonly SignatureFormat[],
  ): number => {
    const signatureFormats = new Set<SignatureFormat>(listed ?? ['CosignBundle', 'CosignSimpleSigning']);
    const tenant = { kind: 'tenant', name: 'teams', signatureFormats } as const;
    return toDelegatedSigners(tenant, delegated).signers.flatMap(({ signatures }) => signatures).length;
  };

  it('counts the formats that the cluster lists, whatever the namespace does', () => {
    assert.equal(countOf(signed('ModelSigning')), 0);
    assert.equal(countOf(signed('ModelSigning', 'CosignBundle')), 1);
    assert.equal(countOf(signed('ModelSigning'), ['ModelSigning']), 1);
  });

  it('counts who attested where that is all that is asked', () => {
    const [authority] = policyOf().authorities.filter(isSigning) as [SigningAuthority];
    const attested = [{ authority, signatures: [{ keyFingerprint: 'k', issuer: '', subject: '' }] }];
    assert.equal(countOf({ ...signed(), attested }), 1);
  });
});

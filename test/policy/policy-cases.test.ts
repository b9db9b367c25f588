// Are the objects that cannot be saved refused in the words that the tables give, and the others not?
import assert from 'node:assert/strict';
import { createPolicyCheck } from '../../src/cli/policy-check.ts';
import type { CheckPolicy } from '../../src/admission/validate-policy.ts';
import { createCelEngine } from '../../src/policy/cel/engine.ts';
import { createPolicyStore } from '../../src/policy/store.ts';
import type { TrustStore } from '../../src/trust/trust-store.ts';
import { ACCEPTED_OBJECTS } from '../support/accepted-policies.ts';
import { REFUSED_OBJECTS } from '../support/refused-policies.ts';
import { offlineTrust } from '../support/trust.ts';

describe('checkObject()', () => {
  let trust: TrustStore;
  let check: CheckPolicy;
  before(() => {
    trust = offlineTrust();
    const store = createPolicyStore(createCelEngine(), 'model-policy-system', trust);
    store.update({
      policies: [{ name: 'prod', spec: { authorities: [{ name: 'a', static: { action: 'Fail' } }] } }],
      trustRoots: new Map([['good', { sigstorePublicGood: {} }]]),
      material: new Map(),
      namespaces: new Map(),
      unlistedNamespaces: 'Exist',
    });
    check = createPolicyCheck(store, () => new Date('2026-11-21T12:00:00Z'));
  });
  after(() => trust.stop());
  // As it arrives: without what JSON does not have.
  const toObject = (spec: object): unknown => JSON.parse(JSON.stringify({ spec }));

  it('looks up what a ModelPolicy names in its own namespace', () => {
    const key = { secretKeyRef: { name: 'keys', key: 'pem' } };
    const object = { metadata: { namespace: 'team' }, spec: { authorities: [{ name: 'own', key }] } };
    const { faults, warnings } = check('ModelPolicy', 'case', object);
    assert.deepEqual(faults, []);
    assert.match(warnings.join('\n'), /^spec\.authorities\[0\]\.key: Secret team\/keys does not exist/);
  });

  it('does for a ModelPolicy no more work than a namespace may cause, whatever for the cluster', () => {
    const validations = [1, 2, 3, 4, 5].map((n) => ({ expression: `"a".matches("b{99${n}}") || true` }));
    const spec = { authorities: [{ name: 'a', static: { action: 'Fail' } }], validations };
    const object = { metadata: { namespace: 'team' }, spec };
    assert.deepEqual(check('ClusterModelPolicy', 'case', object).faults, []);
    const [fault, ...more] = check('ModelPolicy', 'case', object).faults;
    assert.deepEqual([fault?.field, more], ['spec.validations[4].expression', []]);
    assert.match(fault?.message ?? '', /too large together/);
  });

  for (const { name, kind, spec, says } of REFUSED_OBJECTS)
    it(`refuses ${name}`, () => {
      const { faults } = check(kind, 'case', toObject(spec));
      assert.equal(faults.map(({ field, message }) => `${field}: ${message}`).join('\n'), says);
    });

  for (const { name, kind, spec, warnings } of ACCEPTED_OBJECTS)
    it(`accepts ${name}`, () => {
      const answer = check(kind, 'case', toObject(spec));
      assert.deepEqual(answer.faults, []);
      assert.equal(answer.warnings.length, warnings.length, answer.warnings.join('\n'));
      for (const [index, pattern] of warnings.entries()) assert.match(answer.warnings[index] ?? '', pattern);
    });
});

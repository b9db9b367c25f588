// Is every piece of evidence shown to those who look where it is, and to nobody else?
import assert from 'node:assert/strict';
import { generateSigningKey } from '../../src/demo/keys.ts';
import { signBundleWithKey } from '../../src/demo/sign-with-key.ts';
import type { Evidence, FoundEvidence } from '../../src/evidence/evidence.ts';
import { isSigning } from '../../src/signature/authority.ts';
import { describeLooked, toLookedIn, toPlaces } from '../../src/verdict/evidence-places.ts';
import { prove, type Proof } from '../../src/verdict/prove.ts';
import { STATEMENT, toBytes, toManifest } from '../signature/support.ts';
import { compile, toEvidence } from './support.ts';

const KEY = generateSigningKey('p256');
const [HERE, THERE] = ['registry.example.com/a/signatures', 'registry.example.com/b/signatures'];
const policy = compile({
  authorities: [
    { name: 'own', key: { pem: KEY.publicKeyPem } },
    { name: 'here', key: { pem: KEY.publicKeyPem }, signatureRepository: { repository: HERE } },
    { name: 'again', key: { pem: KEY.publicKeyPem }, signatureRepository: { repository: HERE } },
    { name: 'there', key: { pem: KEY.publicKeyPem }, signatureRepository: { repository: THERE } },
  ],
});
const NOTHING: FoundEvidence = { bundles: [], simpleSignatures: [], problems: [] };
const trouble = (message: string): FoundEvidence['problems'] => [{ reason: 'RegistryUnavailable', message }];

function found(repository: string): FoundEvidence {
  const bytes = toBytes(signBundleWithKey(STATEMENT, KEY));
  const bundle = { place: 'referrer' as const, referrer: `sha256:${'1'.repeat(64)}`, bytes, repository };
  return { ...NOTHING, bundles: [bundle] };
}
const elsewhere = (here: FoundEvidence, there: FoundEvidence): Evidence => ({
  ...toEvidence([]),
  elsewhere: new Map([
    [HERE, here],
    [THERE, there],
  ]),
});
const toSatisfied = ({ authorities }: Proof): unknown[] =>
  authorities.flatMap(({ authority, signatures }) =>
    signatures.map(({ repository }) => [authority.name, repository]),
  );

describe('toPlaces()', () => {
  it('shows a signature to whoever looks where it is, and says where that was', () => {
    const now = new Date();
    const proofOf = (evidence: Evidence): Proof => prove(evidence, policy.authorities, now);
    assert.deepEqual(toSatisfied(proofOf(elsewhere(found(HERE), NOTHING))), [
      ['here', HERE],
      ['again', HERE],
    ]);
    assert.deepEqual(toSatisfied(proofOf(elsewhere(NOTHING, found(THERE)))), [['there', THERE]]);
    const beside = toEvidence([signBundleWithKey(STATEMENT, KEY)]);
    const whole = { ...beside, elsewhere: elsewhere(NOTHING, NOTHING).elsewhere ?? new Map() };
    assert.deepEqual(toSatisfied(proofOf(whole)), [['own', undefined]]);
  });

  it('counts candidates and problems of the places that are looked in, and of no others', () => {
    const signers = policy.authorities.filter(({ name }) => name === 'here');
    const beside = toEvidence([signBundleWithKey(STATEMENT, KEY)], { problems: trouble('own') });
    const evidence: Evidence = {
      ...beside,
      elsewhere: new Map([
        [HERE, { ...NOTHING, problems: trouble('here') }],
        [THERE, { ...found(THERE), problems: trouble('there') }],
      ]),
    };
    const { candidateCount, problems, lookedIn } = prove(evidence, signers, new Date());
    assert.deepEqual([candidateCount, problems, lookedIn], [0, trouble('here'), [HERE]]);
  });

  describe('with a layer model.sig', () => {
    const layer = {
      mediaType: 'application/octet-stream',
      digest: `sha256:${'2'.repeat(64)}`,
      size: 2,
      annotations: { 'org.opencontainers.image.title': 'model.sig' },
    };
    const evidence: Evidence = {
      ...elsewhere(NOTHING, NOTHING),
      manifest: toManifest([layer]),
      problems: trouble('layer'),
    };
    const problemsOf = (asked: Evidence, ...names: string[]): Proof['problems'] => {
      const signers = policy.authorities.filter(({ name }) => names.includes(name));
      return prove(asked, signers, new Date()).problems;
    };

    it('tells those who look elsewhere that it could not be read', () =>
      assert.deepEqual(problemsOf(evidence, 'here'), trouble('layer')));

    it('tells it once where somebody looks beside it', () =>
      assert.deepEqual(problemsOf(evidence, 'own', 'here'), trouble('layer')));

    it('tells those who look elsewhere nothing where it was read', () => {
      const read = { place: 'layer' as const, referrer: layer.digest, bytes: toBytes({}) };
      const problems = problemsOf({ ...evidence, bundles: [read] }, 'here');
      assert.ok(!problems.some(({ message }) => message === 'layer'));
    });
  });

  it('is a fault, and no absence, where a place was not looked into', () => {
    const signers = policy.authorities.filter(isSigning);
    assert.throws(() => toPlaces(toEvidence([]), signers), /was not looked into/);
  });

  it('names the places only where one is elsewhere', () => {
    const signers = policy.authorities.filter(isSigning);
    const looked = toLookedIn(toPlaces(elsewhere(NOTHING, NOTHING), signers));
    assert.equal(describeLooked(looked), ` (looked in the model's repository, ${HERE}, ${THERE})`);
    assert.equal(describeLooked(toLookedIn(toPlaces(toEvidence([]), signers.slice(0, 1)))), '');
  });
});

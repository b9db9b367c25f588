// What else must be there? The flows of policy-controller about attestations: how many, of which content, at which place.
import { attachAttestations, attestKeyless } from '../../src/demo/attestation.ts';
import { createSigstore } from '../../src/demo/sigstore.ts';
import { attestationStatement } from '../../src/demo/statement.ts';
import { policyFor } from '../support/manifests.ts';
import { expectAdmitted, expectDenied, line, unsignedLine } from '../support/verdicts.ts';
import { rejectedLine, unattestedLine } from './attested.ts';
import { ALICE, aliceAuthority, BOB, by, keyAuthority, pinnedRoot, type Sign, type Story } from './story.ts';

const EVALUATION = 'https://models.test/evaluation/v1';
const SCAN = 'https://cosign.sigstore.dev/attestation/vuln/v1';
const EVALUATED = { name: 'evaluation', type: EVALUATION };
const SCANNED = { name: 'scan', type: SCAN };

export function describeEvidence(get: () => Story): void {
  const asAlice: Sign = (statement) => get().sigstore.signKeyless(statement, ALICE);

  it('flow 13: attestations: demands two signatures and two attestations, and names what is not there', async () => {
    const story = get();
    await story.enforce(
      policyFor('flow-13', 'flow-13', {
        authorities: [keyAuthority('team', story.team), aliceAuthority('private')],
        minAuthorities: 2,
        attestations: [
          { name: 'evaluation', predicateTypes: [EVALUATION], authorities: ['team'] },
          { name: 'scan', predicateTypes: [SCAN], authorities: ['alice'] },
        ],
      }),
    );
    const unsigned = await story.model('flow-13/unsigned');
    const one = await story.model('flow-13/one', by(story.team));
    const signed = await story.model('flow-13/signed', by(story.team), asAlice);
    const half = await story.model('flow-13/half', by(story.team), asAlice);
    await story.attest(half, EVALUATION, { score: 1 }, by(story.team));
    const whole = await story.model('flow-13/whole', by(story.team), asAlice);
    await story.attest(whole, EVALUATION, { score: 1 }, by(story.team));
    await story.attest(whole, SCAN, { scanner: 'x' }, asAlice);
    expectDenied(await story.judge('flow-13', unsigned), unsignedLine(unsigned.reference, 'flow-13'));
    expectDenied(
      await story.judge('flow-13', one),
      line(
        'AuthoritiesNotSatisfied',
        one.reference,
        'policy flow-13: 1 of 2 required authorities are satisfied by distinct signers; collect the missing signatures, or lower minAuthorities',
      ),
      line(
        'SignerNotTrusted',
        one.reference,
        'policy flow-13 authority alice: it is signed with a key where the authority names identities; sign with a key or identity that the policy names',
      ),
    );
    expectDenied(
      await story.judge('flow-13', signed),
      unattestedLine(signed.reference, 'flow-13', EVALUATED),
      unattestedLine(signed.reference, 'flow-13', SCANNED),
    );
    expectDenied(
      await story.judge('flow-13', half),
      unattestedLine(half.reference, 'flow-13', { ...SCANNED, found: `"${EVALUATION}"` }),
    );
    expectAdmitted(await story.judge('flow-13', whole));
  });

  it('flow 14: attestations: rejects what a rule does not hold for, in the words of the rule', async () => {
    const story = get();
    const validations = [
      { expression: 'predicate.score >= 0.8', messageExpression: "'scored ' + string(predicate.score)" },
    ];
    await story.enforce(
      policyFor('flow-14', 'flow-14', {
        authorities: [keyAuthority('team', story.team)],
        minAuthorities: 0,
        attestations: [
          { name: 'evaluation', predicateTypes: [EVALUATION], authorities: ['team'], validations },
        ],
      }),
    );
    const poor = await story.model('flow-14/poor');
    await story.attest(poor, EVALUATION, { score: 0.5 }, by(story.team));
    const other = await story.model('flow-14/other');
    await story.attest(other, EVALUATION, { result: 1 }, by(story.team));
    const foreign = await story.model('flow-14/foreign');
    await story.attest(foreign, EVALUATION, { score: 0.9 }, by(story.stranger));
    const good = await story.model('flow-14/good');
    await story.attest(good, EVALUATION, { score: 0.9 }, by(story.team));
    const rule = 'evaluation by team: spec.attestations[0].validations[0]';
    expectDenied(
      await story.judge('flow-14', poor),
      rejectedLine(poor.reference, 'flow-14 authority team', `${rule}: scored 0.5`),
    );
    expectDenied(
      await story.judge('flow-14', other),
      rejectedLine(other.reference, 'flow-14 authority team', `${rule}: no such key at 1:11: score`),
    );
    expectDenied(
      await story.judge('flow-14', foreign),
      rejectedLine(
        foreign.reference,
        'flow-14 authority team',
        `evaluation of type "${EVALUATION}": SignerNotTrusted: none of the authority’s keys signed it`,
      ),
    );
    expectAdmitted(await story.judge('flow-14', good));
  });

  it('flow 15: OCI 1.1: finds attestations at referrers, and under the tag of cosign 2', async () => {
    const story = get();
    // The log that cosign 2 writes to.
    const old = await createSigstore({ rekor: 'v1' });
    await story.enforce(
      pinnedRoot('rekor-1', old.trustedRootJson()),
      policyFor('flow-15', 'flow-15', {
        authorities: [aliceAuthority('rekor-1')],
        minAuthorities: 0,
        attestations: [{ name: 'scan', predicateTypes: [SCAN], authorities: ['alice'] }],
      }),
    );
    const none = await story.model('flow-15/none');
    const atReferrer = await story.model('flow-15/referrer');
    await story.attest(atReferrer, SCAN, { scanner: 'x' }, (it) => old.signKeyless(it, ALICE));
    const atTag = await story.model('flow-15/tag');
    const byBob = await story.model('flow-15/bob');
    for (const [model, identity] of [
      [atTag, ALICE],
      [byBob, BOB],
    ] as const) {
      const statement = attestationStatement(model.digest, SCAN, { scanner: 'x' });
      attachAttestations(story.registry, model, [
        attestKeyless(old, statement, identity, { omitTimestamp: false }),
      ]);
    }
    expectDenied(await story.judge('flow-15', none), unattestedLine(none.reference, 'flow-15', SCANNED));
    expectAdmitted(await story.judge('flow-15', atReferrer));
    expectAdmitted(await story.judge('flow-15', atTag));
    expectDenied(
      await story.judge('flow-15', byBob),
      rejectedLine(
        byBob.reference,
        'flow-15 authority alice',
        `scan of type "${SCAN}": IdentityMismatch: it is signed by "bob@models.test" of issuer "https://idp.models.test", which authority "alice" does not name`,
      ),
    );
  });

  it('flow 18: source: takes signature and attestation from the repository that is named, and from no other', async () => {
    const story = get();
    const policy = (name: string): object => ({
      authorities: [
        {
          ...keyAuthority('team', story.team),
          signatureRepository: { repository: `${story.registry.address}/flow-18/${name}` },
        },
      ],
      attestations: [{ name: 'evaluation', predicateTypes: [EVALUATION], authorities: ['team'] }],
    });
    await story.enforce(
      policyFor('flow-18-right', 'flow-18-right', policy('right')),
      policyFor('flow-18-wrong', 'flow-18-wrong', policy('wrong')),
    );
    const model = await story.model('flow-18/model');
    const right = { ...model, repository: 'flow-18/right' };
    const wrong = { ...model, repository: 'flow-18/wrong' };
    for (const place of [right, wrong]) await story.sign(place, by(story.team));
    for (const place of [right, model]) await story.attest(place, EVALUATION, {}, by(story.team));
    expectAdmitted(await story.judge('flow-18-right', model));
    expectDenied(
      await story.judge('flow-18-wrong', model),
      unattestedLine(model.reference, 'flow-18-wrong', {
        ...EVALUATED,
        place: `${story.registry.address}/flow-18/wrong`,
      }),
    );
  });
}

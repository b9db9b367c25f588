// Who counts as a signer? The flows of policy-controller about keys, identities, static answers, hashes and places.
import assert from 'node:assert/strict';
import { generateSigningKey } from '../../src/demo/keys.ts';
import { signBundleWithKey } from '../../src/demo/sign-with-key.ts';
import { job, pod, policyFor } from '../support/manifests.ts';
import { expectAdmitted, expectDenied, line, unsignedLine } from '../support/verdicts.ts';
import { ALICE, aliceAuthority, BOB, by, keyAuthority, pinnedRoot, type Story } from './story.ts';

const TRUST_KEY = 'sign with a key or identity that the policy names';

export function describeSigners(get: () => Story): void {
  it('flow 4: keyless: makes a Job and its pod when signed, warns and makes no pod when not', async () => {
    const story = get();
    await story.enforce(policyFor('flow-4', 'flow-4', { authorities: [aliceAuthority('private')] }));
    const signed = await story.model('flow-4/signed', (it) => story.sigstore.signKeyless(it, ALICE));
    const unsigned = await story.model('flow-4/unsigned');
    expectAdmitted(await story.apply(job('signed', 'flow-4', signed.reference)), 'job.batch/signed');
    expectAdmitted(
      await story.apply(job('unsigned', 'flow-4', unsigned.reference)),
      'job.batch/unsigned',
      unsignedLine(unsigned.reference, 'flow-4', 'spec.template.spec.volumes[0].image.reference'),
    );
    const about = (name: string): readonly string[] => [
      'get',
      'events',
      '--namespace=flow-4',
      `--field-selector=involvedObject.name=${name}`,
      '--output=jsonpath={.items[*].reason} {.items[0].message}',
    ];
    await story.within('a pod', async () =>
      (await story.succeed(...about('signed'))).startsWith('SuccessfulCreate'),
    );
    await story.within('a failure', async () => (await story.succeed(...about('unsigned'))).trim() !== '');
    assert.equal(
      await story.succeed(...about('unsigned')),
      `FailedCreate Error creating: admission webhook "validate.modelpolicy.dev" denied the request: ${unsignedLine(unsigned.reference, 'flow-4')}`,
    );
  });

  it('flow 5: static: one policy that fails denies whatever others pass, and admits once it is gone', async () => {
    const story = get();
    const answer = (action: string): object => ({ authorities: [{ name: 'static', static: { action } }] });
    const model = await story.model('flow-5/unsigned');
    const denied = line(
      'StaticDeny',
      model.reference,
      'policy flow-5-fail authority static: denied by policy; use another model: this one is denied by name',
    );
    await story.enforce(policyFor('flow-5-fail', 'flow-5', answer('Fail')));
    expectDenied(await story.judge('flow-5', model), denied);
    await story.enforce(policyFor('flow-5-pass', 'flow-5', answer('Pass')));
    expectDenied(await story.judge('flow-5', model), denied);
    await story.succeed('delete', 'cmp', 'flow-5-fail');
    await story.within('the deletion to count', async () => (await story.judge('flow-5', model)).code === 0);
    expectAdmitted(await story.judge('flow-5', model));
  });

  it('flow 6: identities: admits the one that is named, and says who else it was', async () => {
    const story = get();
    await story.enforce(policyFor('flow-6', 'flow-6', { authorities: [aliceAuthority('private')] }));
    const named = await story.model('flow-6/alice', (it) => story.sigstore.signKeyless(it, ALICE));
    const other = await story.model('flow-6/bob', (it) => story.sigstore.signKeyless(it, BOB));
    expectAdmitted(await story.judge('flow-6', named));
    expectDenied(
      await story.judge('flow-6', other),
      line(
        'IdentityMismatch',
        other.reference,
        'policy flow-6 authority alice: it is signed by "bob@models.test" of issuer "https://idp.models.test", which authority "alice" does not name; sign with an identity that the policy names',
      ),
    );
  });

  it('flow 7: key: admits what the key signed, or an identity beside it, also without a certificate log', async () => {
    const story = get();
    await story.enforce(
      pinnedRoot('without-sct', story.sigstore.trustedRootJson(), {
        requirements: { certificateTimestamps: 0 },
      }),
      policyFor('flow-7', 'flow-7', { authorities: [keyAuthority('team', story.team)] }),
      policyFor('flow-7-or', 'flow-7-or', {
        authorities: [keyAuthority('team', story.team), aliceAuthority('private')],
      }),
      policyFor('flow-7-sct', 'flow-7-sct', { authorities: [aliceAuthority('without-sct')] }),
    );
    const unsigned = await story.model('flow-7/unsigned');
    const signed = await story.model('flow-7/signed', by(story.team));
    const foreign = await story.model('flow-7/foreign', by(story.stranger));
    const unlogged = await story.model('flow-7/unlogged', (it) =>
      story.sigstore.signKeyless(it, ALICE, { certificate: { omitSct: true } }),
    );
    expectDenied(await story.judge('flow-7', unsigned), unsignedLine(unsigned.reference, 'flow-7'));
    expectAdmitted(await story.judge('flow-7', signed));
    expectDenied(
      await story.judge('flow-7', foreign),
      line(
        'SignerNotTrusted',
        foreign.reference,
        `policy flow-7 authority team: none of the authority’s keys signed it; ${TRUST_KEY}`,
      ),
    );
    expectAdmitted(await story.judge('flow-7-or', signed));
    expectDenied(
      await story.judge('flow-7-or', unlogged),
      line(
        'CertificateInvalid',
        unlogged.reference,
        'policy flow-7-or authority alice: the signing certificate was seen by 0 certificate logs of the trust root, 1 are required; sign with a certificate from a CA that the trust root knows',
      ),
      line(
        'SignerNotTrusted',
        unlogged.reference,
        `policy flow-7-or authority team: it is signed with a certificate where the authority names keys; ${TRUST_KEY}`,
      ),
    );
    expectAdmitted(await story.judge('flow-7-sct', unlogged));
  });

  it('flow 9: remote source: counts a signature of another repository only where the authority says so', async () => {
    const story = get();
    const look = (name: string): object => ({
      authorities: [
        {
          ...keyAuthority('team', story.team),
          signatureRepository: { repository: `${story.registry.address}/flow-9/${name}` },
        },
      ],
    });
    await story.enforce(
      policyFor('flow-9', 'flow-9', { authorities: [keyAuthority('team', story.team)] }),
      policyFor('flow-9-right', 'flow-9-right', look('signatures')),
      policyFor('flow-9-wrong', 'flow-9-wrong', look('elsewhere')),
    );
    const model = await story.model('flow-9/model');
    await story.sign({ ...model, repository: 'flow-9/signatures' }, by(story.team));
    expectDenied(await story.judge('flow-9', model), unsignedLine(model.reference, 'flow-9'));
    expectAdmitted(await story.judge('flow-9-right', model));
    expectDenied(
      await story.judge('flow-9-wrong', model),
      line(
        'SignatureMissing',
        model.reference,
        `policy flow-9-wrong: no signature is attached to this digest (looked in ${story.registry.address}/flow-9/elsewhere); sign the digest, for example with cosign sign`,
      ),
    );
  });

  it('flow 10: match labels: takes no labelled pod out, but a rule may ask more of it', async () => {
    const story = get();
    await story.enforce(
      policyFor('flow-10', 'flow-10', {
        authorities: [keyAuthority('team', story.team), keyAuthority('release', story.release)],
        validations: [
          {
            expression:
              "object.metadata.?labels.?tier.orValue('') != 'critical' || signatures.exists(s, s.authority == 'release')",
            message: 'critical pods need the release key',
          },
        ],
      }),
    );
    const byTeam = await story.model('flow-10/team', by(story.team));
    const byRelease = await story.model('flow-10/release', by(story.release));
    const foreign = await story.model('flow-10/foreign', by(story.stranger));
    const labelled = (reference: string): ReturnType<Story['ask']> => {
      const metadata = { name: 'question', namespace: 'flow-10', labels: { tier: 'critical' } };
      return story.ask({ ...pod('question', 'flow-10', reference), metadata });
    };
    const violated = 'policy flow-10: spec.validations[0]: critical pods need the release key';
    expectDenied(
      await labelled(byTeam.reference),
      line('RuleViolated', byTeam.reference, `${violated}; use a model that satisfies the rule`),
    );
    expectAdmitted(await story.judge('flow-10', byTeam));
    expectAdmitted(await labelled(byRelease.reference));
    const nobody = ['release', 'team'].map((name) =>
      line(
        'SignerNotTrusted',
        foreign.reference,
        `policy flow-10 authority ${name}: none of the authority’s keys signed it; ${TRUST_KEY}`,
      ),
    );
    expectDenied(await story.judge('flow-10', foreign), ...nobody);
    expectDenied(await labelled(foreign.reference), ...nobody);
  });

  it('flow 11: sha512: is the hash of P-521, and of no key that has another one', async () => {
    const story = get();
    const large = generateSigningKey('p521');
    await story.enforce(
      policyFor('flow-11', 'flow-11', {
        authorities: [keyAuthority('large', large), keyAuthority('team', story.team)],
      }),
    );
    const sha512 = { hash: 'sha512' } as const;
    const right = await story.model('flow-11/p521', (it) => signBundleWithKey(it, large, sha512));
    const wrong = await story.model('flow-11/p256', (it) => signBundleWithKey(it, story.team, sha512));
    expectAdmitted(await story.judge('flow-11', right));
    expectDenied(
      await story.judge('flow-11', wrong),
      line(
        'SignatureInvalid',
        wrong.reference,
        'policy flow-11 authority team: it names a trusted key, but that key did not sign it; sign the digest again',
      ),
      line(
        'SignerNotTrusted',
        wrong.reference,
        `policy flow-11 authority large: none of the authority’s keys signed it; ${TRUST_KEY}`,
      ),
    );
  });
}

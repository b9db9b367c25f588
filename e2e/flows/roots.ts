// Under whose trust? The flows of policy-controller about trust roots, their sources, logs and timestamps.
import assert from 'node:assert/strict';
import { createSigstore } from '../../src/demo/sigstore.ts';
import { encodeTrustedRoot } from '../../src/demo/trusted-root.ts';
import type { TestMirror } from '../../test/trust/tuf-mirror.ts';
import { TestRepository } from '../../test/trust/tuf-repository.ts';
import { type Manifest, policyFor, policyObject } from '../support/manifests.ts';
import { expectAdmitted, expectDenied, line, toDenial } from '../support/verdicts.ts';
import { rejectedLine, unattestedLine } from './attested.ts';
import { ALICE, aliceAuthority, by, pinnedRoot, type Story } from './story.ts';

const EVALUATION = 'https://models.test/evaluation/v1';
const EVALUATED = { name: 'evaluation', type: EVALUATION };
/** Of one attestation by Alice. */
const attestedUnder = (trustRoot: string): object => ({
  authorities: [aliceAuthority(trustRoot)],
  minAuthorities: 0,
  attestations: [{ name: 'evaluation', predicateTypes: [EVALUATION], authorities: ['alice'] }],
});

function unloggedLine(reference: string, policy: string, trustRoot: string): string {
  const why = `TransparencyLogInvalid: it has entries of 0 logs that TrustRoot "${trustRoot}" knows, 1 are required`;
  return rejectedLine(reference, `${policy} authority alice`, `evaluation of type "${EVALUATION}": ${why}`);
}

/** What is not stamped by an authority of this root. */
function unstampedLine(reference: string, policy: string, trustRoot: string): string {
  return line(
    'TimestampInvalid',
    reference,
    `policy ${policy} authority team: it has times of 0 authorities that TrustRoot "${trustRoot}" knows, 1 are required; sign again with a valid timestamp; check the clocks`,
  );
}

export function describeRoots(get: () => Story, getMirror: () => TestMirror): void {
  it('flow 3: trustroot: counts what a pinned root holds, and says where it comes from', async () => {
    const status = '--output=jsonpath={.status.source} {.status.counts}';
    assert.equal(
      await get().succeed('get', 'mtr', 'private', status),
      'pinned {"certificateAuthorities":1,"certificateLogs":1,"timestampAuthorities":1,"transparencyLogs":1}',
    );
  });

  it('flow 26: trustroot: asks for an attestation under keys of one’s own, first there and later in the ConfigMap', async () => {
    const story = get();
    const own = await createSigstore();
    const holding = (json: string): object => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'own-root', namespace: 'model-policy-system' },
      data: { 'trusted_root.json': json },
    });
    await story.applied({ ...holding(story.sigstore.trustedRootJson()) });
    const configMapKeyRef = { name: 'own-root', key: 'trusted_root.json' };
    await story.enforce(
      policyObject('TrustRoot', 'own', { trustedRoot: { configMapKeyRef } }),
      policyFor('flow-26', 'flow-26', attestedUnder('own')),
    );
    const none = await story.model('flow-26/none');
    const model = await story.model('flow-26/model');
    await story.attest(model, EVALUATION, {}, (it) => own.signKeyless(it, ALICE));
    expectDenied(await story.judge('flow-26', none), unattestedLine(none.reference, 'flow-26', EVALUATED));
    expectDenied(await story.judge('flow-26', model), unloggedLine(model.reference, 'flow-26', 'own'));
    await story.applied({ ...holding(own.trustedRootJson()) });
    await story.within('the other root', async () => (await story.judge('flow-26', model)).code === 0);
    expectAdmitted(await story.judge('flow-26', model));
    expectDenied(await story.judge('flow-26', none), unattestedLine(none.reference, 'flow-26', EVALUATED));
  });

  it('flow 27: trustroot: follows a TUF mirror, and trusts nobody while it has nothing', async () => {
    const story = get();
    const mirror = getMirror();
    const repository = new TestRepository(Buffer.from(story.sigstore.trustedRootJson()));
    mirror.files = repository.files;
    const at = (url: string): Manifest =>
      policyObject('TrustRoot', 'remote', {
        tuf: { mirror: url, root: { json: repository.root.toString() } },
      });
    const none = await story.model('flow-27/none');
    const model = await story.model('flow-27/model');
    await story.attest(model, EVALUATION, {}, (it) => story.sigstore.signKeyless(it, ALICE));
    await story.applied(
      at(`${mirror.url}/nowhere`),
      policyFor('flow-27', 'flow-27', attestedUnder('remote')),
    );
    await story.succeed('wait', '--for=condition=Ready=false', 'trustroot/remote', '--timeout=20s');
    const host = new URL(mirror.url).host;
    const { code, stderr } = await story.judge('flow-27', model);
    assert.equal(code, 1);
    assert.equal(
      stderr,
      toDenial(
        [
          line(
            'TrustRootUnavailable',
            model.reference,
            `policy flow-27: spec.authorities[0].keyless.trustRootRef: TrustRoot "remote" is not usable: it has no root yet: the refresh failed: "${host}/nowhere/timestamp.json" answered 404; provide the TrustRoot that the policy names; check its mirror`,
          ),
        ],
        'ServiceUnavailable',
      ),
    );
    await story.enforce(at(mirror.url));
    await story.within('the root', async () => (await story.judge('flow-27', model)).code === 0);
    expectAdmitted(await story.judge('flow-27', model));
    expectDenied(await story.judge('flow-27', none), unattestedLine(none.reference, 'flow-27', EVALUATED));
  });

  it('flow 28: trustroot: believes no identity without an entry of the log that it names', async () => {
    const story = get();
    await story.enforce(policyFor('flow-28', 'flow-28', attestedUnder('private')));
    const none = await story.model('flow-28/none');
    const unlogged = await story.model('flow-28/unlogged');
    await story.attest(unlogged, EVALUATION, {}, (it) =>
      story.sigstore.signKeyless(it, ALICE, { omitLogEntry: true }),
    );
    const logged = await story.model('flow-28/logged');
    await story.attest(logged, EVALUATION, {}, (it) => story.sigstore.signKeyless(it, ALICE));
    expectDenied(await story.judge('flow-28', none), unattestedLine(none.reference, 'flow-28', EVALUATED));
    expectDenied(
      await story.judge('flow-28', unlogged),
      unloggedLine(unlogged.reference, 'flow-28', 'private'),
    );
    expectAdmitted(await story.judge('flow-28', logged));
  });

  it('flow 29: timestamps: admits a key with a timestamp of the root’s authority, and of no other', async () => {
    const story = get();
    const { timestampAuthority } = await createSigstore();
    const withOtherAuthority = encodeTrustedRoot({
      certificateAuthorities: [],
      ctLogs: [],
      logs: [],
      timestampAuthorities: [timestampAuthority],
    });
    const pem = story.team.publicKeyPem.toString();
    const stampedUnder = (name: string): object => ({
      authorities: [{ name: 'team', key: { pem, trustRootRef: { name }, minTimestamps: 1 } }],
    });
    await story.enforce(
      pinnedRoot('other-timestamps', withOtherAuthority),
      policyFor('flow-29', 'flow-29', stampedUnder('private')),
      policyFor('flow-29-other', 'flow-29-other', stampedUnder('other-timestamps')),
    );
    const stamped = await story.model('flow-29/stamped', (it) => story.sigstore.signLogged(it, story.team));
    const plain = await story.model('flow-29/plain', by(story.team));
    expectAdmitted(await story.judge('flow-29', stamped));
    expectDenied(
      await story.judge('flow-29-other', stamped),
      unstampedLine(stamped.reference, 'flow-29-other', 'other-timestamps'),
    );
    expectDenied(await story.judge('flow-29', plain), unstampedLine(plain.reference, 'flow-29', 'private'));
  });
}

// What does a change do, and from when on? The lives of policies, trust roots, keys and exceptions on one installation: edited,
// deleted, made invalid, rotated, used up; with the seconds until each change counts, and what kubectl shows of it.
import assert from 'node:assert/strict';
import { createSigstore } from '../src/demo/sigstore.ts';
import {
  ALICE,
  aliceAuthority,
  by,
  createStory,
  keyAuthority,
  pinnedRoot,
  type Story,
} from './flows/story.ts';
import { install, type Installation, SYSTEM } from './support/installation.ts';
import type { KubectlResult } from './support/kubectl.ts';
import { type Manifest, policyFor, policyObject, webhookAt } from './support/manifests.ts';
import {
  expectAdmitted,
  expectDenied,
  line,
  toDenial,
  unmatchedLine,
  unsignedLine,
} from './support/verdicts.ts';

const NAMESPACES = ['edited', 'deleted', 'invalid', 'root', 'excepted', 'key'];
/** The leader looks at the time every 15 s. */
const CONDITION_BOUND_MS = 45_000;
/** Enough to be seen while it counts, on a busy machine. */
const EXCEPTION_MS = 8000;
const SIGN = 'sign with a key or identity that the policy names';

describe('a cluster in which policies change', () => {
  let installation: Installation | undefined;
  let story: Story;

  before(async () => {
    installation = await install({ namespaces: NAMESPACES, args: ['--offline'] });
    story = await createStory(installation);
  });

  afterEach(function () {
    if (this.currentTest?.state === 'failed') console.error(installation?.service.log().slice(-3000));
  });

  after(() => installation?.stop());

  /** Waits until a question has another answer, and says after how many seconds it had. */
  const until = async (
    what: string,
    ask: () => Promise<KubectlResult>,
    isIts: (it: KubectlResult) => boolean,
  ): Promise<void> => {
    const startedMs = performance.now();
    await story.within(what, async () => isIts(await ask()));
    console.info(`      ${what}: after ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
  };
  /** A denial that passes by itself or by the operator's hand. */
  const expectUnavailable = ({ code, stdout, stderr }: KubectlResult, said: string): void =>
    assert.deepEqual(
      { code, stdout, stderr },
      { code: 1, stdout: '', stderr: toDenial([said], 'ServiceUnavailable') },
    );
  const isDenied = ({ code }: KubectlResult): boolean => code === 1;
  const isAdmitted = ({ code }: KubectlResult): boolean => code === 0;
  const foreignLine = (reference: string, who: string): string =>
    line('SignerNotTrusted', reference, `policy ${who}: none of the authority’s keys signed it; ${SIGN}`);
  const conditionOf = (object: string, type: string): Promise<string> =>
    story.succeed(
      'get',
      object,
      `--output=jsonpath={.status.conditions[?(@.type=="${type}")]['status','reason','message']}`,
    );
  /** Waits until a condition is written, and asserts all that it says. */
  const expectCondition = async (object: string, type: string, says: string): Promise<void> => {
    const status = says.split(' ')[0] ?? '';
    const isWritten = async (): Promise<boolean> => (await conditionOf(object, type)).startsWith(status);
    await story.within('a condition', isWritten, CONDITION_BOUND_MS);
    assert.equal(await conditionOf(object, type), says);
  };
  const eventsOf = (name: string): Promise<string> =>
    story.succeed(
      'get',
      'events',
      '--namespace=default',
      `--field-selector=involvedObject.name=${name}`,
      '--output=jsonpath={range .items[*]}{.type} {.reason} {.involvedObject.kind}: {.message}{"\\n"}{end}',
    );

  it('follows an edit from strict to looser and back', async () => {
    const strict = policyFor('edited', 'edited', { authorities: [keyAuthority('release', story.release)] });
    const looser = policyFor('edited', 'edited', {
      authorities: [keyAuthority('release', story.release), keyAuthority('team', story.team)],
    });
    await story.enforce(strict);
    const model = await story.model('edited/model', by(story.team));
    const ask = (): Promise<KubectlResult> => story.judge('edited', model);
    const denied = foreignLine(model.reference, 'edited authority release');
    expectDenied(await ask(), denied);
    await story.applied(looser);
    await until('the looser policy counts', ask, isAdmitted);
    expectAdmitted(await ask());
    await story.applied(strict);
    await until('the stricter policy counts', ask, isDenied);
    expectDenied(await ask(), denied);
    const generations = '--output=jsonpath={.metadata.generation} {.status.observedGeneration}';
    await story.within(
      'a status',
      async () => (await story.succeed('get', 'cmp/edited', generations)) === '3 3',
    );
  });

  it('denies for want of a policy once it is deleted', async () => {
    await story.enforce(policyFor('deleted', 'deleted', { authorities: [keyAuthority('team', story.team)] }));
    const model = await story.model('deleted/model', by(story.team));
    const ask = (): Promise<KubectlResult> => story.judge('deleted', model);
    expectAdmitted(await ask());
    assert.equal(
      await story.succeed('delete', 'cmp', 'deleted'),
      'clustermodelpolicy.modelpolicy.dev "deleted" deleted\n',
    );
    await until('the deletion counts', ask, isDenied);
    expectDenied(await ask(), unmatchedLine(model.reference, 'deleted'));
  });

  it('keeps a policy in force when a broken edit is refused, and denies when one got in while nobody asked', async () => {
    const authorities = [keyAuthority('team', story.team)];
    const good = policyFor('invalid', 'invalid', { authorities });
    const broken = policyFor('invalid', 'invalid', {
      authorities,
      validations: [{ expression: 'model.sice > 0' }],
    });
    const fault = 'spec.validations[0].expression: No such key: sice\nmodel.sice > 0\n      ^';
    await story.enforce(good);
    const model = await story.model('invalid/model', by(story.team));
    const ask = (): Promise<KubectlResult> => story.judge('invalid', model);
    const { code, stderr } = await story.apply(broken);
    assert.equal(code, 1);
    // Before that kubectl prints the whole patch.
    const refusal = `for: "STDIN": error when patching "STDIN": admission webhook "policy.modelpolicy.dev" denied the request: ${fault}\n`;
    assert.ok(stderr.endsWith(refusal), stderr);
    expectAdmitted(await ask());
    const registration = webhookAt(story.service.url, story.service.ca);
    await story.succeed('delete', 'validatingwebhookconfiguration', 'model-policy-controller');
    await story.within('nobody to ask', async () => (await story.apply(broken)).code === 0);
    await story.succeed('wait', '--for=condition=Compiled=false', 'cmp/invalid', '--timeout=20s');
    await story.applied(registration);
    await story.within('the registration', async () => isDenied(await ask()));
    await expectCondition('cmp/invalid', 'Ready', `False PolicyInvalid denies what it selects: ${fault}`);
    await expectCondition('cmp/invalid', 'Compiled', `False PolicyInvalid ${fault}`);
    await story.within('an event', async () => (await eventsOf('invalid')) !== '');
    assert.equal(
      await eventsOf('invalid'),
      `Warning PolicyInvalid ClusterModelPolicy: denies what it selects: ${fault}\n`,
    );
    const onOneLine = fault.replace(/\n *\^$/u, '').replace('\n', ' | ');
    expectDenied(
      await ask(),
      line('PolicyInvalid', model.reference, `policy invalid: ${onOneLine}; correct the policy`),
    );
    await story.applied(good);
    await until('the mended policy counts', ask, isAdmitted);
    expectAdmitted(await ask());
    await expectCondition('cmp/invalid', 'Ready', 'True Ready the policy is in force');
  });

  it('trusts the other deployment once a trust root is rotated, and nobody whom it revokes', async () => {
    const other = await createSigstore();
    await story.enforce(
      pinnedRoot('rotated', story.sigstore.trustedRootJson()),
      policyFor('root', 'root', { authorities: [aliceAuthority('rotated')] }),
    );
    const before = await story.model('root/before', (it) => story.sigstore.signKeyless(it, ALICE));
    const after = await story.model('root/after', (it) => other.signKeyless(it, ALICE));
    const unloggedLine = (reference: string): string =>
      line(
        'TransparencyLogInvalid',
        reference,
        'policy root authority alice: it has entries of 0 logs that TrustRoot "rotated" knows, 1 are required; sign again with a transparency log entry that the trust root knows',
      );
    expectAdmitted(await story.judge('root', before));
    expectDenied(await story.judge('root', after), unloggedLine(after.reference));
    await story.applied(pinnedRoot('rotated', other.trustedRootJson()));
    await until('the new root counts', () => story.judge('root', after), isAdmitted);
    expectAdmitted(await story.judge('root', after));
    expectDenied(await story.judge('root', before), unloggedLine(before.reference));
    await story.applied(
      pinnedRoot('rotated', other.trustedRootJson(), {
        revoked: [{ artifactDigest: after.digest, reason: 'trained on stolen data' }],
      }),
    );
    await until('the revocation counts', () => story.judge('root', after), isDenied);
    expectDenied(
      await story.judge('root', after),
      line(
        'Revoked',
        after.reference,
        `policy root authority alice: its artifact "${after.digest}" is revoked: "trained on stolen data"; use an artifact and a signer that are not revoked`,
      ),
    );
    await story.succeed('delete', 'trustroot', 'rotated');
    await until(
      'the deletion counts',
      () => story.judge('root', after),
      ({ stderr }) => stderr.includes('TrustRootUnavailable'),
    );
    const why = 'spec.authorities[0].keyless.trustRootRef: TrustRoot "rotated" does not exist';
    expectUnavailable(
      await story.judge('root', after),
      line(
        'TrustRootUnavailable',
        after.reference,
        `policy root: ${why}; provide the TrustRoot that the policy names; check its mirror`,
      ),
    );
    await expectCondition('cmp/root', 'TrustRootsReady', `False TrustRootUnavailable ${why}`);
  });

  it('follows a key that is rotated in its Secret', async () => {
    const secret = (...keys: readonly { publicKeyPem: string | Buffer }[]): Manifest => ({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'rotated', namespace: SYSTEM },
      stringData: { 'cosign.pub': keys.map((key) => key.publicKeyPem.toString()).join('') },
    });
    const secretKeyRef = { name: 'rotated', key: 'cosign.pub' };
    await story.applied(secret(story.team));
    await story.enforce(policyFor('key', 'key', { authorities: [{ name: 'team', key: { secretKeyRef } }] }));
    const old = await story.model('key/old', by(story.team));
    const fresh = await story.model('key/fresh', by(story.release));
    expectAdmitted(await story.judge('key', old));
    expectDenied(await story.judge('key', fresh), foreignLine(fresh.reference, 'key authority team'));
    await story.applied(secret(story.team, story.release));
    await until('the new key counts beside the old one', () => story.judge('key', fresh), isAdmitted);
    expectAdmitted(await story.judge('key', old));
    await story.applied(secret(story.release));
    await until('the old key counts no more', () => story.judge('key', old), isDenied);
    expectDenied(await story.judge('key', old), foreignLine(old.reference, 'key authority team'));
    expectAdmitted(await story.judge('key', fresh));
    await story.succeed('delete', 'secret', 'rotated', `--namespace=${SYSTEM}`);
    await until('the deletion counts', () => story.judge('key', fresh), isDenied);
    const why = `spec.authorities[0].key: Secret ${SYSTEM}/rotated does not exist`;
    expectUnavailable(
      await story.judge('key', fresh),
      line(
        'CredentialsUnavailable',
        fresh.reference,
        `policy key: ${why}; provide the Secret or ConfigMap that the policy names`,
      ),
    );
    await expectCondition('cmp/key', 'KeysReady', `False CredentialsUnavailable ${why}`);
  });

  it('warns instead of denying while an exception counts, and denies again once it ended', async () => {
    await story.enforce(
      policyFor('excepted', 'excepted', { authorities: [keyAuthority('team', story.team)] }),
    );
    const model = await story.model('excepted/model');
    const ask = (): Promise<KubectlResult> => story.judge('excepted', model);
    const said = unsignedLine(model.reference, 'excepted');
    expectDenied(await ask(), said);
    const expiresAt = new Date(Date.now() + EXCEPTION_MS).toISOString().replace(/\.\d+Z$/u, 'Z');
    const exception = policyObject('ModelPolicyException', 'for-now', {
      policies: ['excepted'],
      namespaces: ['excepted'],
      models: [model.reference],
      reason: 'the vendor signs tomorrow',
      requestedBy: 'jane@acme.test',
      expiresAt,
    });
    assert.deepEqual(await story.apply(exception), {
      code: 0,
      stdout: 'modelpolicyexception.modelpolicy.dev/for-now created\n',
      stderr:
        'Warning: spec.expiresAt: it ends within the hour, too soon for most roll-outs; make another one if that is not meant\n',
    });
    await until('the exception counts', ask, isAdmitted);
    expectAdmitted(
      await ask(),
      'pod/question',
      `admitted by ModelPolicyException for-now until ${expiresAt}, "the vendor signs tomorrow": ${said}`,
    );
    await expectCondition('mpe/for-now', 'Active', `True Active it counts until ${expiresAt}`);
    await until('its end counts', ask, isDenied);
    expectDenied(await ask(), said);
    await expectCondition('mpe/for-now', 'Active', `False Expired it ended at ${expiresAt}`);
    await story.within('an event', async () => (await eventsOf('for-now')) !== '');
    assert.equal(
      await eventsOf('for-now'),
      `Normal Expired ModelPolicyException: it ended at ${expiresAt}\n`,
    );
  });
});

// What of an object counts, and when is it asked about? The flows of policy-controller about keys in objects, ephemeral
// containers, scaling, and rules over what was sent.
import assert from 'node:assert/strict';
import { cronJob, deployment, type Manifest, pod, policyFor } from '../support/manifests.ts';
import { expectAdmitted, expectDenied, line, toDenial, unsignedLine } from '../support/verdicts.ts';
import { by, keyAuthority, type Story } from './story.ts';

const SYSTEM = 'model-policy-system';
/** The controller of ReplicaSets tries again with a growing delay, and what is not there is remembered for some seconds. */
const SCALE_BOUND_MS = 60_000;

export function describeObjects(get: () => Story): void {
  const foreignLine = (reference: string, policy: string): string =>
    line(
      'SignerNotTrusted',
      reference,
      `policy ${policy} authority team: none of the authority’s keys signed it; sign with a key or identity that the policy names`,
    );
  const violatedLine = (reference: string, flow: string, message: string, field?: string): string =>
    line(
      'RuleViolated',
      reference,
      `policy ${flow}: spec.validations[0]: ${message}; use a model that satisfies the rule`,
      field,
    );

  it('flow 8: key from a Secret: denies what another key signed, though another policy passes', async () => {
    const story = get();
    await story.applied({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'flow-8', namespace: SYSTEM },
      stringData: { 'cosign.pub': story.team.publicKeyPem.toString() },
    });
    const secretKeyRef = { name: 'flow-8', key: 'cosign.pub' };
    await story.enforce(
      policyFor('flow-8-any', 'flow-8', { authorities: [keyAuthority('stranger', story.stranger)] }),
      policyFor('flow-8', 'flow-8', { authorities: [{ name: 'team', key: { secretKeyRef } }] }),
    );
    const foreign = await story.model('flow-8/foreign', by(story.stranger));
    const both = await story.model('flow-8/both', by(story.stranger), by(story.team));
    expectDenied(await story.judge('flow-8', foreign), foreignLine(foreign.reference, 'flow-8'));
    expectAdmitted(await story.judge('flow-8', both));
  });

  it('flow 12: ephemeral: denies kubectl debug with an unsigned image, and admits a signed one', async () => {
    const story = get();
    const models = [{ glob: `${story.registry.address}/flow-12/**` }];
    await story.enforce(
      policyFor('flow-12', 'flow-12', { models, authorities: [keyAuthority('team', story.team)] }),
    );
    const unsigned = await story.model('flow-12/unsigned');
    const signed = await story.model('flow-12/signed', by(story.team));
    expectAdmitted(await story.apply(pod('app', 'flow-12')), 'pod/app');
    const debug = (image: string): ReturnType<Story['kubectl']> =>
      story.kubectl([
        'debug',
        'app',
        '--namespace=flow-12',
        '--profile=general',
        '--attach=false',
        '--container=tool',
        `--image=${image}`,
      ]);
    const denied = await debug(unsigned.reference);
    const said = unsignedLine(unsigned.reference, 'flow-12', 'spec.ephemeralContainers[0].image');
    assert.deepEqual(denied, { code: 1, stdout: '', stderr: toDenial([said], 'Forbidden', '') });
    assert.deepEqual(await debug(signed.reference), { code: 0, stdout: '', stderr: '' });
    const images = '--output=jsonpath={.spec.ephemeralContainers[*].image}';
    assert.equal(await story.succeed('get', 'pod', 'app', '--namespace=flow-12', images), signed.reference);
  });

  it('flow 16: scaling: makes no further pod of an unsigned model, always fewer, and more once it is signed', async () => {
    const story = get();
    const pass = { authorities: [{ name: 'static', static: { action: 'Pass' } }] };
    await story.enforce(policyFor('flow-16', 'flow-16', pass));
    const model = await story.model('flow-16/model');
    expectAdmitted(
      await story.apply(deployment('serving', 'flow-16', model.reference)),
      'deployment.apps/serving',
    );
    const pods = async (): Promise<number> =>
      (await story.succeed('get', 'pods', '--namespace=flow-16', '--output=name')).split('\n').length - 1;
    const scale = async (replicas: number): Promise<void> => {
      const said = await story.kubectl([
        'scale',
        'deployment/serving',
        '--namespace=flow-16',
        `--replicas=${replicas}`,
      ]);
      assert.deepEqual(said, { code: 0, stdout: 'deployment.apps/serving scaled\n', stderr: '' });
    };
    await story.within('a pod', async () => (await pods()) === 1);
    await story.enforce(policyFor('flow-16', 'flow-16', { authorities: [keyAuthority('team', story.team)] }));
    await story.within('the policy', async () => (await story.judge('flow-16', model)).code === 1);
    await scale(2);
    const failures = [
      'get',
      'events',
      '--namespace=flow-16',
      '--field-selector=reason=FailedCreate',
      '--output=jsonpath={.items[0].message}',
    ];
    await story.within('a failure', async () => (await story.succeed(...failures)) !== '');
    assert.equal(
      await story.succeed(...failures),
      `Error creating: admission webhook "validate.modelpolicy.dev" denied the request: ${unsignedLine(model.reference, 'flow-16')}`,
    );
    assert.equal(await pods(), 1);
    await scale(0);
    await story.within('no pod', async () => (await pods()) === 0);
    await story.sign(model, by(story.team));
    await scale(2);
    await story.within('two pods', async () => (await pods()) === 2, SCALE_BOUND_MS);
  });

  it('flow 20: ConfigMap: follows an edit of the ConfigMap that a policy names', async () => {
    const story = get();
    const holding = (key: { publicKeyPem: string | Buffer }): Manifest => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'flow-20', namespace: SYSTEM },
      data: { 'cosign.pub': key.publicKeyPem.toString() },
    });
    await story.applied(holding(story.stranger));
    const configMapKeyRef = { name: 'flow-20', key: 'cosign.pub' };
    await story.enforce(
      policyFor('flow-20', 'flow-20', { authorities: [{ name: 'team', key: { configMapKeyRef } }] }),
    );
    const model = await story.model('flow-20/model', by(story.team));
    expectDenied(await story.judge('flow-20', model), foreignLine(model.reference, 'flow-20'));
    await story.applied(holding(story.team));
    await story.within('the key', async () => (await story.judge('flow-20', model)).code === 0);
    expectAdmitted(await story.judge('flow-20', model));
  });

  it('flow 22: spec: admits only under the service account that a rule names', async () => {
    const story = get();
    const validations = [
      { expression: "object.spec.serviceAccountName == 'runner'", message: 'runs as runner' },
    ];
    await story.enforce(
      policyFor('flow-22', 'flow-22', { authorities: [keyAuthority('team', story.team)], validations }),
    );
    await story.succeed('create', 'serviceaccount', 'runner', '--namespace=flow-22');
    const model = await story.model('flow-22/model', by(story.team));
    const plain = pod('question', 'flow-22', model.reference);
    const spec = { ...(plain['spec'] as object), serviceAccountName: 'runner' };
    expectDenied(await story.ask(plain), violatedLine(model.reference, 'flow-22', 'runs as runner'));
    expectAdmitted(await story.ask({ ...plain, spec }));
  });

  it('flow 23: objectmeta: admits only with the label that a rule asks for', async () => {
    const story = get();
    const validations = [
      { expression: "object.metadata.?labels.?owner.orValue('') != ''", message: 'has an owner' },
    ];
    await story.enforce(
      policyFor('flow-23', 'flow-23', { authorities: [keyAuthority('team', story.team)], validations }),
    );
    const model = await story.model('flow-23/model', by(story.team));
    const plain = pod('question', 'flow-23', model.reference);
    const metadata = { ...(plain['metadata'] as object), labels: { owner: 'team-a' } };
    expectDenied(await story.ask(plain), violatedLine(model.reference, 'flow-23', 'has an owner'));
    expectAdmitted(await story.ask({ ...plain, metadata }));
  });

  it('flow 24: typemeta: sees of which kind the object is', async () => {
    const story = get();
    const validations = [
      { expression: "object.kind == 'Pod'", messageExpression: "'no ' + object.kind + ' here'" },
    ];
    await story.enforce(
      policyFor('flow-24', 'flow-24', { authorities: [keyAuthority('team', story.team)], validations }),
    );
    const model = await story.model('flow-24/model', by(story.team));
    const field = 'spec.jobTemplate.spec.template.spec.volumes[0].image.reference';
    expectAdmitted(await story.judge('flow-24', model));
    expectAdmitted(
      await story.ask(cronJob('nightly', 'flow-24', model.reference)),
      'cronjob.batch/nightly',
      violatedLine(model.reference, 'flow-24', 'no CronJob here', field),
    );
  });
}

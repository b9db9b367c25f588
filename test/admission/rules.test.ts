// Which pod does a rule see where an object makes several?
import assert from 'node:assert/strict';
import { pushSigned, startController, teamPolicy, type Controller } from '../support/controller.ts';
import { expectAllowed, expectDenied } from '../support/expect.ts';
import { PLAIN_CONTAINER, reviewOf, toVolumes } from '../support/review.ts';

describe('toRuleContexts()', () => {
  let controller: Controller;
  let signed: string;
  before(async () => {
    controller = await startController({ decisions: { workloads: 'Deny' } });
    signed = pushSigned(controller.registry).reference;
  });
  after(() => controller.stop());

  const demand = (expression: string): void =>
    controller.setPolicies({ team: teamPolicy(controller.registry, { validations: [{ expression }] }) });
  const review = (group: string, kind: string, spec: object): Record<string, unknown> =>
    reviewOf({ kind, metadata: {}, spec }, { kind: { group, version: 'v1', kind } });
  const pod = (role: string): object => ({
    metadata: { labels: { role } },
    spec: { serviceAccountName: role, containers: [PLAIN_CONTAINER], volumes: toVolumes([signed]) },
  });
  const VIOLATED = { code: 403, reasons: ['RuleViolated'] } as const;

  it('is the one that names the model: leader or worker', async () => {
    const leaderWorkerTemplate = { leaderTemplate: pod('leader'), workerTemplate: pod('worker') };
    const lws = (): object => review('leaderworkerset.x-k8s.io', 'LeaderWorkerSet', { leaderWorkerTemplate });
    demand("pod.metadata.labels.role in ['leader', 'worker']");
    await expectAllowed(controller, lws());
    demand("pod.metadata.labels.role == 'leader'");
    const { causes } = await expectDenied(controller, lws(), VIOLATED);
    assert.deepEqual(
      causes.map(({ field }) => field),
      ['spec.leaderWorkerTemplate.workerTemplate.spec.volumes[0].image.reference'],
    );
  });

  it('is the innermost: a worker inside of its predictor', async () => {
    const spec = (serviceAccountName: string): object => ({
      serviceAccountName,
      volumes: toVolumes([signed]),
    });
    const predictor = { ...spec('head'), workerSpec: spec('worker') };
    demand("pod.spec.serviceAccountName == 'head'");
    const isvc = review('serving.kserve.io', 'InferenceService', { predictor });
    const { causes } = await expectDenied(controller, isvc, VIOLATED);
    assert.deepEqual(
      causes.map(({ field }) => field),
      ['spec.predictor.workerSpec.volumes[0].image.reference'],
    );
  });

  it('is an empty one where the object makes none yet', async () => {
    demand('!has(pod.spec.containers) && !has(pod.metadata.labels)');
    const spec = { model: { uri: `oci://${signed}` } };
    await expectAllowed(controller, review('serving.kserve.io', 'LLMInferenceService', spec));
  });

  it('is the pod itself', async () => {
    demand("pod.metadata.labels.role == 'app'");
    await expectAllowed(controller, reviewOf({ kind: 'Pod', ...pod('app') }));
    await expectDenied(controller, reviewOf({ kind: 'Pod', ...pod('other') }), VIOLATED);
  });
});

// Do metrics count what happened, and stay small whatever is asked? Decisions of the real path.
import assert from 'node:assert/strict';
import { Registry } from 'prom-client';
import { createMetrics, MAX_NAMESPACE_LABELS } from '../../src/telemetry/metrics.ts';
import {
  pushModel,
  pushSigned,
  startController,
  teamPolicy,
  type Controller,
} from '../support/controller.ts';
import { sumOf } from '../support/expect.ts';
import { argumentPod, imagePod, podOf, reviewOf, volumePod, workloadReview } from '../support/review.ts';

describe('createMetrics()', () => {
  let controller: Controller;

  beforeEach(async () => {
    controller = await startController();
  });
  afterEach(() => controller.stop());

  it('counts requests by operation and verdict', async () => {
    const { reference } = pushSigned(controller.registry);
    await controller.ask(reviewOf(volumePod(reference)));
    await controller.ask(reviewOf(volumePod(pushModel(controller.registry).reference)));
    await controller.ask(reviewOf(null, { operation: 'DELETE' }));
    const metrics = await controller.metrics();
    const count = (operation: string, verdict: string): number =>
      sumOf(metrics, 'model_policy_requests_total', { operation, verdict });
    assert.deepEqual(
      [count('CREATE', 'allowed'), count('CREATE', 'denied'), count('DELETE', 'exempt')],
      [1, 1, 1],
    );
    assert.equal(sumOf(metrics, 'model_policy_stage_duration_seconds_count', { stage: 'total' }), 3);
  });

  it('counts a reason once a request, however often it was found', async () => {
    const { reference } = pushModel(controller.registry);
    await controller.ask(reviewOf(volumePod(reference, reference, reference)));
    assert.equal(
      sumOf(await controller.metrics(), 'model_policy_decisions_total', { reason: 'SignatureMissing' }),
      1,
    );
  });

  it('counts what would have been denied in every mode', async () => {
    controller.setPolicies({
      a: teamPolicy(controller.registry, { validationActions: ['Audit'] }),
      b: teamPolicy(controller.registry),
    });
    await controller.ask(workloadReview('Deployment', [pushModel(controller.registry).reference]));
    const metrics = await controller.metrics();
    for (const [policy, action] of [
      ['a', 'Audit'],
      ['b', 'Deny'],
    ] as const)
      assert.equal(
        sumOf(metrics, 'model_policy_decisions_total', { policy, action, reason: 'SignatureMissing' }),
        1,
      );
  });

  it('has no label that a pod, a registry or a requester can make grow', async () => {
    const marks = ['zz-mark-1', 'zz-mark-2'];
    const digest = 'd'.repeat(64);
    const reference = `${controller.registry.address}/${marks[0]}/m@sha256:${digest}`;
    controller.registry.setFault(() => ({
      status: 499,
      headers: { 'x-mark': marks[0] ?? '' },
      body: marks[0] ?? '',
    }));
    const fields = { name: marks[0], userInfo: { username: marks[1] }, subResource: marks[0] };
    for (const pod of [
      volumePod(reference, marks[0], ''),
      imagePod(reference),
      argumentPod(`oci://${reference}`),
      podOf({}, { labels: { [marks[0] ?? '']: marks[1] } }),
    ])
      await controller.ask(reviewOf(pod, fields));
    await controller.ask(reviewOf({}, { kind: { group: '', version: marks[0], kind: marks[1] } }));
    const metrics = await controller.metrics();
    for (const foreign of [...marks, digest, controller.registry.address, 'sha256', '@', '127.0.0.1'])
      assert.ok(!metrics.includes(foreign), `${foreign} is in the metrics`);
    assert.equal(sumOf(metrics, 'model_policy_registry_requests_total', { status: '499' }) > 0, true);
  });

  it(`gives ${MAX_NAMESPACE_LABELS} namespaces a series, and the others one together`, async () => {
    const registry = new Registry();
    const metrics = createMetrics(registry, { version: '0', node: '0' });
    await controller.ask(reviewOf(volumePod(pushModel(controller.registry).reference)));
    const decision = {
      verdict: { allowed: false, findings: [], warned: [], audited: [] },
      acted: [
        { finding: { reason: 'SignatureMissing', message: 'x', policy: 'p' }, actions: new Set(['Deny']) },
      ],
      uses: [],
      policies: ['p'],
      exceptions: [],
      notices: [],
      exemption: undefined,
      durationsMs: { total: 1 },
    } as const;
    for (let index = 0; index < MAX_NAMESPACE_LABELS + 300; index += 1)
      metrics.observeDecision(decision as unknown as Parameters<typeof metrics.observeDecision>[0], {
        namespace: `n-${index}`,
        operation: 'CREATE',
      });
    const series = (await registry.metrics())
      .split('\n')
      .filter((line) => line.startsWith('model_policy_decisions_total{'));
    assert.equal(series.length, MAX_NAMESPACE_LABELS + 1);
    assert.equal(sumOf(series.join('\n'), 'model_policy_decisions_total', { namespace: '(other)' }), 300);
  });

  it('tells policies, build and requests in flight', async () => {
    const registry = new Registry();
    const metrics = createMetrics(registry, { version: '1.2.3', node: 'v26' });
    metrics.setPolicies('ClusterModelPolicy', 3, 1);
    metrics.setPolicies('ModelPolicy', 5, 7);
    metrics.setInFlight(2);
    metrics.observeCache('bytes', 'hit');
    const text = await registry.metrics();
    assert.match(text, /^model_policy_policies\{state="valid"\} 3$/m);
    assert.match(text, /^model_policy_policies\{state="invalid"\} 1$/m);
    assert.match(text, /^model_policy_namespaced_policies\{state="valid"\} 5$/m);
    assert.match(text, /^model_policy_namespaced_policies\{state="invalid"\} 7$/m);
    assert.match(text, /^model_policy_requests_in_flight 2$/m);
    assert.match(text, /^model_policy_build_info\{version="1\.2\.3",node="v26"\} 1$/m);
    assert.match(text, /^model_policy_cache_lookups_total\{cache="bytes",result="hit"\} 1$/m);
    assert.match(text, /^process_cpu_seconds_total /m);
  });
});

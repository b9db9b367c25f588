// Is every request judged by the rules, conditions and namespace of now, whatever was proven before (fault 36), and does a
// namespace that opts out, is not known or cannot be read deny (39, 40)? Does a verdict belong to who got it (34)?
import assert from 'node:assert/strict';
import { startRegistry, type RegistryHandle } from '../../src/demo/registry.ts';
import { createFilePullSecretReader } from '../../src/kubernetes/pull-secret.ts';
import {
  pushSigned,
  requestsOf,
  startController,
  teamPolicy,
  type Controller,
  type ControllerOptions,
} from '../support/controller.ts';
import { expectAllowed, expectDenied } from '../support/expect.ts';
import { podOf, reviewOf, toVolumes, volumePod } from '../support/review.ts';

const DENIED = { code: 403, reasons: ['NoMatchingPolicy'] } as const;

describe('policy language', () => {
  let registry: RegistryHandle;
  let controller: Controller | undefined;

  before(async () => {
    registry = await startRegistry();
  });
  after(async () => registry.close());
  afterEach(async () => {
    await controller?.stop();
    controller = undefined;
  });
  async function start(options: ControllerOptions): Promise<Controller> {
    controller = await startController({ registry, ...options });
    return controller;
  }

  it('36: judges what is cached by the variables of each request', async () => {
    const model = pushSigned(registry);
    const spec = {
      variables: [{ name: 'team', expression: "namespaceObject.metadata.labels['team']" }],
      validations: [{ expression: "pod.metadata.labels['team'] == variables.team" }],
    };
    const running = await start({
      policies: { team: teamPolicy(registry, spec) },
      namespaces: { red: { team: 'red' }, blue: { team: 'blue' }, none: {} },
    });
    const review = (namespace: string): object =>
      reviewOf(podOf({ volumes: toVolumes([model.reference]) }, { labels: { team: 'red' } }), { namespace });
    await expectAllowed(running, review('red'));
    const before = requestsOf(registry, model).length;
    await expectDenied(running, review('blue'), { code: 403, reasons: ['RuleViolated'] });
    await expectDenied(running, review('none'), { code: 403, reasons: ['RuleFailed'] });
    await expectAllowed(running, review('red'));
    assert.equal(requestsOf(registry, model).length, before);
  });

  it('36: judges what is cached by conditions and policies of now', async () => {
    const model = pushSigned(registry);
    const running = await start({});
    const review = (): object => reviewOf(volumePod(model.reference));
    await expectAllowed(running, review());
    const conditions = [{ name: 'no', expression: "request.namespace != 'default'" }];
    running.setPolicies({ team: teamPolicy(registry, { matchConditions: conditions }) });
    await expectDenied(running, review(), DENIED);
    running.setPolicies({ team: teamPolicy(registry, { validations: [{ expression: 'false' }] }) });
    await expectDenied(running, review(), { code: 403, reasons: ['RuleViolated'] });
    running.setPolicies({ team: teamPolicy(registry) });
    await expectAllowed(running, review());
  });

  for (const [what, selection] of [
    ['a selector', { namespaceSelector: { matchLabels: { tier: 'prod' } } }],
    [
      'a condition',
      {
        matchConditions: [
          { name: 'prod', expression: "namespaceObject.metadata.?labels['tier'].orValue('') == 'prod'" },
        ],
      },
    ],
  ] as const)
    it(`39: denies and counts a namespace that took the label away from ${what}`, async () => {
      const model = pushSigned(registry);
      const running = await start({
        policies: { team: teamPolicy(registry, selection) },
        namespaces: {
          prod: { tier: 'prod' },
          out: { tier: 'sandbox', 'kubernetes.io/metadata.name': 'prod' },
        },
      });
      await expectAllowed(running, reviewOf(volumePod(model.reference), { namespace: 'prod' }));
      await expectDenied(running, reviewOf(volumePod(model.reference), { namespace: 'out' }), DENIED);
    });

  it('40: denies in a namespace that nobody knows, that is gone, or that cannot be read', async () => {
    const model = pushSigned(registry);
    const review = (): object => reviewOf(volumePod(model.reference), { namespace: 'new' });
    const unknown = { code: 503, reasons: ['PoliciesNotSynced'] } as const;
    const first = await start({ namespaces: {} });
    await expectDenied(first, review(), unknown);
    await first.stop();
    const gone = { readNamespace: () => Promise.resolve(undefined) };
    const second = await start({ namespaces: {}, dependencies: gone });
    await expectDenied(second, review(), unknown);
    await second.stop();
    const broken = { readNamespace: () => Promise.reject(new Error('no route')) };
    const third = await start({ namespaces: {}, dependencies: broken });
    await expectDenied(third, review(), { code: 500, reasons: ['InternalError'] });
  });

  it("34: gives no namespace what another one's pull secret opened for its ModelPolicy", async () => {
    const account = { username: 'a', password: 'pa55' };
    const closed = await startRegistry({ auth: account });
    try {
      const model = pushSigned(closed);
      const auth = Buffer.from(`${account.username}:${account.password}`).toString('base64');
      const config = Buffer.from(JSON.stringify({ auths: { [closed.address]: { auth } } })).toString(
        'base64',
      );
      const secret = { type: 'kubernetes.io/dockerconfigjson', data: { '.dockerconfigjson': config } };
      const pullSecrets = createFilePullSecretReader((namespace, name) =>
        namespace === 'team-a' && name === 'regcred' ? secret : undefined,
      );
      const any = { authorities: [{ name: 'ok', static: { action: 'Pass' } }] };
      const running = await start({
        registry: closed,
        policies: { any },
        modelPolicies: { 'team-a/own': teamPolicy(closed), 'team-b/own': teamPolicy(closed) },
        pullSecrets,
      });
      const pod = podOf({ volumes: toVolumes([model.reference]), imagePullSecrets: [{ name: 'regcred' }] });
      await expectAllowed(running, reviewOf(pod, { namespace: 'team-a' }));
      const { message } = await expectDenied(running, reviewOf(pod, { namespace: 'team-b' }), {
        code: 503,
        reasons: ['RegistryUnauthorized'],
      });
      assert.match(message, /policy team-b\/own/);
    } finally {
      await closed.close();
    }
  });
});

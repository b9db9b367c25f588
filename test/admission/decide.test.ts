// Is the decision right, and said right? Policies, registries in every mood, actions and bounds, through real HTTPS.
import assert from 'node:assert/strict';
import { attachBundle } from '../../src/demo/artifacts.ts';
import { generateSigningKey } from '../../src/demo/keys.ts';
import { startRegistry, type RegistryHandle } from '../../src/demo/registry.ts';
import { signBundleWithKey } from '../../src/demo/sign-with-key.ts';
import { cosignSignStatement } from '../../src/demo/statement.ts';
import { MAX_REFERENCES } from '../../src/admission/uses.ts';
import { MAX_MESSAGE_BYTES } from '../../src/admission/response.ts';
import {
  pushModel,
  pushSigned,
  requestsOf,
  startController,
  TEAM_KEY,
  teamPolicy,
  type Controller,
  type ControllerOptions,
} from '../support/controller.ts';
import { expectAllowed, expectDenied, recordOf, sumOf } from '../support/expect.ts';
import {
  argumentPod,
  imagePod,
  PLAIN_CONTAINER,
  podOf,
  reviewOf,
  toVolumes,
  volumePod,
  workloadReview,
} from '../support/review.ts';

const SECOND_KEY = generateSigningKey('p384');

describe('decide()', () => {
  let registry: RegistryHandle;
  const running: Controller[] = [];

  before(async () => {
    registry = await startRegistry();
  });
  after(() => registry.close());
  afterEach(async () => {
    registry.setFault(undefined);
    await Promise.all(running.splice(0).map((controller) => controller.stop()));
  });

  async function start(options: ControllerOptions = {}): Promise<Controller> {
    const controller = await startController({ registry, ...options });
    running.push(controller);
    return controller;
  }

  const signedBySecond = (): string => pushSigned(registry, undefined, SECOND_KEY).reference;
  const second = (overrides: object = {}): Record<string, unknown> =>
    teamPolicy(registry, {
      authorities: [{ name: 'second', key: { pem: SECOND_KEY.publicKeyPem } }],
      ...overrides,
    });

  describe('on what the models are', () => {
    it('admits a pod without a model, asking nobody', async () => {
      const before = registry.requests.length;
      const { annotations, warnings } = await expectAllowed(await start(), reviewOf(podOf({})));
      assert.deepEqual([annotations['modelpolicy.dev/policies'], warnings], [undefined, []]);
      assert.equal(registry.requests.length, before);
    });

    it('admits a signed model and says which digest and policy', async () => {
      const controller = await start();
      const model = pushSigned(registry);
      const answer = await expectAllowed(controller, reviewOf(volumePod(model.reference)));
      assert.equal(answer.annotations['modelpolicy.dev/digests'], model.digest);
      assert.equal(answer.annotations['modelpolicy.dev/policies'], 'team');
      assert.deepEqual(recordOf(controller, answer).references[0]?.digest, model.digest);
      assert.equal(
        sumOf(await controller.metrics(), 'model_policy_decisions_total', {
          reason: 'Passed',
          policy: 'team',
        }),
        1,
      );
    });

    it('names the field and the policy of every cause', async () => {
      const answer = await expectDenied(
        await start(),
        reviewOf(volumePod(pushSigned(registry).reference, pushModel(registry).reference)),
        {
          code: 403,
          reasons: ['SignatureMissing'],
        },
      );
      assert.equal(answer.causes.length, 1);
      assert.equal(answer.causes[0]?.field, 'spec.volumes[1].image.reference');
      assert.match(
        answer.message,
        /^SignatureMissing: 127\.0\.0\.1.*spec\.volumes\[1\].* policy team: .*; sign the digest/,
      );
    });

    it('judges every place a model can stand in', async () => {
      const controller = await start();
      const bad = pushModel(registry).reference;
      const container = (fields: object): object => ({ ...PLAIN_CONTAINER, ...fields });
      const pods: readonly object[] = [
        volumePod(bad),
        imagePod(bad),
        argumentPod(`--model=oci://${bad}`),
        podOf({ initContainers: [container({ image: bad })] }),
        podOf({ initContainers: [container({ image: bad, restartPolicy: 'Always' })] }),
        podOf({ ephemeralContainers: [container({ image: bad })] }),
        podOf({ containers: [container({ command: ['serve', `kit://${bad}`] })] }),
        podOf({ containers: [container({ env: [{ name: 'MODEL', value: `modelpack://${bad}` }] })] }),
        podOf({ containers: [container({ env: [{ name: 'M', value: bad }], args: ['oci://$(M)'] })] }),
      ];
      for (const pod of pods)
        await expectDenied(controller, reviewOf(pod), { code: 403, reasons: ['SignatureMissing'] });
    });

    it('takes container images for models only where a policy claims them', async () => {
      const bad = pushModel(registry).reference;
      const elsewhere = await start({
        policies: { other: teamPolicy(registry, { models: [{ glob: `${registry.address}/other/**` }] }) },
      });
      await expectAllowed(elsewhere, reviewOf(imagePod(bad)));
      const unnamed = await start({ policies: { all: teamPolicy(registry, { models: undefined }) } });
      await expectAllowed(unnamed, reviewOf(imagePod(bad)));
      const listed = await start({
        policies: { all: teamPolicy(registry, { models: [{ sources: ['ContainerImage'] }] }) },
      });
      await expectDenied(listed, reviewOf(imagePod(bad)), { code: 403, reasons: ['SignatureMissing'] });
      const volumesOnly = await start({
        policies: {
          all: teamPolicy(registry, {
            models: [{ glob: `${registry.address}/**`, sources: ['ImageVolume'] }],
          }),
        },
      });
      await expectAllowed(volumesOnly, reviewOf(imagePod(bad)));
    });

    it('reads every spelling of one registry as one', async () => {
      const controller = await start({
        policies: {
          hub: teamPolicy(registry, {
            digest: 'Resolve',
            models: [{ glob: 'registry.example.test/**' }, { glob: 'docker.io/acme/**' }],
            authorities: [{ name: 'no', static: { action: 'Fail' } }],
          }),
        },
      });
      const images = [
        'Registry.EXAMPLE.test/m',
        'registry.example.test:443/m:v1',
        'acme/m',
        'index.docker.io/acme/m',
        'docker.io/acme/m:latest',
      ];
      for (const image of images)
        await expectDenied(controller, reviewOf(imagePod(image)), { code: 403, reasons: ['StaticDeny'] });
      await expectAllowed(
        controller,
        reviewOf(
          imagePod('registry.example.test.evil.test/m', 'registry.example.test:8443/m', 'evil/acme/m'),
        ),
      );
    });

    it('denies image volumes whose reference cannot be read', async () => {
      const controller = await start();
      const references = [
        '',
        ' ',
        'model',
        undefined,
        null,
        7,
        {},
        [],
        `${registry.address}/a@sha256:00`,
        `${registry.address}/A`,
        `user@${registry.address}/a`,
        `${registry.address}/a%2e`,
        `${registry.address}/a\n`,
        `${registry.address}/../a`,
      ];
      for (const reference of references)
        await expectDenied(controller, reviewOf(volumePod(reference)), {
          code: 403,
          reasons: ['ReferenceInvalid'],
        });
      for (const image of [{}, [], 'x', 7, true, false])
        await expectDenied(controller, reviewOf(podOf({ volumes: [{ name: 'm', image }] })), {
          code: 403,
          reasons: ['ReferenceInvalid'],
        });
    });

    it('denies model URIs that hang on what is not in the pod', async () => {
      const env = [{ name: 'M', valueFrom: { configMapKeyRef: { name: 'c', key: 'k' } } }];
      const pod = podOf({ containers: [{ ...PLAIN_CONTAINER, env, args: ['oci://$(M)'] }] });
      await expectDenied(await start(), reviewOf(pod), { code: 403, reasons: ['UnresolvableReference'] });
      await expectDenied(await start({ policies: {} }), reviewOf(pod), {
        code: 403,
        reasons: ['UnresolvableReference'],
      });
    });

    it('survives specs whose parts have the wrong types', async () => {
      const controller = await start();
      const specs: readonly object[] = [
        { containers: null, volumes: null },
        { containers: {}, volumes: {} },
        { containers: 'x', initContainers: 7, ephemeralContainers: true, volumes: 'y' },
        { containers: [null, 1, 'x', [], {}], volumes: [null, 1, 'x', [], {}] },
        { containers: [{ image: 7, env: 'x', args: {}, command: 7, lifecycle: [], livenessProbe: 'x' }] },
        {
          containers: [
            {
              env: [null, 7, { name: 7, value: 7 }, { name: '__proto__', value: 'x' }],
              args: [null, '$(__proto__)', '$(constructor)'],
            },
          ],
        },
      ];
      for (const spec of specs) assert.equal((await controller.ask(reviewOf(podOf(spec)))).allowed, true);
    });
  });

  describe('on references', () => {
    it('fetches a model once that stands in eight containers', async () => {
      const controller = await start();
      const model = pushSigned(registry);
      await expectAllowed(
        controller,
        reviewOf(imagePod(...Array.from({ length: 8 }, () => model.reference))),
      );
      const paths = requestsOf(registry, model).map(({ path }) => path);
      assert.equal(paths.length, new Set(paths).size);
      assert.equal(paths.filter((path) => path.endsWith(`/manifests/${model.digest}`)).length, 1);
      assert.equal(paths.filter((path) => path.includes('/referrers/')).length, 1);
      assert.equal(paths.filter((path) => path.endsWith('.sig')).length, 1);
      assert.equal(paths.length, 5, paths.join('\n'));
    });

    it(`denies more than ${MAX_REFERENCES} distinct references, asking nobody`, async () => {
      const controller = await start();
      const { reference } = pushSigned(registry);
      const many = (count: number): string[] =>
        Array.from({ length: count }, (_, index) => `${registry.address}/many/m${index}:v1`);
      const before = registry.requests.length;
      await expectDenied(controller, reviewOf(volumePod(...many(65))), {
        code: 403,
        reasons: ['TooManyReferences'],
      });
      await expectDenied(
        controller,
        reviewOf(
          podOf({ volumes: toVolumes(many(64)), containers: [{ ...PLAIN_CONTAINER, image: reference }] }),
        ),
        {
          code: 403,
          reasons: ['TooManyReferences'],
        },
      );
      assert.equal(registry.requests.length, before);
      await expectDenied(controller, reviewOf(volumePod(...many(64))), {
        code: 403,
        reasons: ['DigestRequired'],
      });
      await expectAllowed(controller, reviewOf(volumePod(...Array.from({ length: 100 }, () => reference))));
    });

    it('warns about a workload of more references instead of denying it', async () => {
      const many = Array.from({ length: 65 }, (_, index) => `${registry.address}/many/m${index}:v1`);
      const { warnings } = await expectAllowed(await start(), workloadReview('Deployment', many));
      assert.match(warnings.join(), /^TooManyReferences:/);
    });

    it('wants a digest by default, without asking the registry', async () => {
      const model = pushSigned(registry, 'v1');
      const tagged = `${registry.address}/${model.repository}:v1`;
      await expectDenied(await start(), reviewOf(volumePod(tagged)), {
        code: 403,
        reasons: ['DigestRequired'],
      });
      assert.deepEqual(requestsOf(registry, model), []);
    });

    it('resolves a tag where the policy says so, and says that it can move', async () => {
      const model = pushSigned(registry, 'v1');
      const tagged = `${registry.address}/${model.repository}:v1`;
      const controller = await start({ policies: { team: teamPolicy(registry, { digest: 'Resolve' }) } });
      const { warnings, annotations } = await expectAllowed(controller, reviewOf(volumePod(tagged)));
      assert.deepEqual(warnings, [
        `${tagged} (spec.volumes[0].image.reference) was verified as ${model.digest}; its tag can move before it is pulled`,
      ]);
      assert.equal(annotations['modelpolicy.dev/digests'], model.digest);
      assert.deepEqual(
        (await expectAllowed(controller, reviewOf(volumePod(`${tagged}@${model.digest}`)))).warnings,
        [],
      );
    });

    it('lets the stricter of two policies decide about tags', async () => {
      const model = pushSigned(registry, 'v1');
      const controller = await start({
        policies: { a: teamPolicy(registry, { digest: 'Resolve' }), b: teamPolicy(registry) },
      });
      await expectDenied(controller, reviewOf(volumePod(`${registry.address}/${model.repository}:v1`)), {
        code: 403,
        reasons: ['DigestRequired'],
      });
    });

    it('resolves one tag once, whatever the registry says next', async () => {
      const good = pushSigned(registry, 'v1');
      const tagged = `${registry.address}/${good.repository}:v1`;
      const controller = await start({ policies: { team: teamPolicy(registry, { digest: 'Resolve' }) } });
      let lookUps = 0;
      registry.setFault(({ path }) => {
        if (path.endsWith('/manifests/v1')) lookUps += 1;
        return undefined;
      });
      await expectAllowed(
        controller,
        reviewOf(podOf({ volumes: toVolumes([tagged, tagged]), containers: [{ name: 'c', image: tagged }] })),
      );
      assert.equal(lookUps, 1);
    });
  });

  describe('on what no enforcing policy selects', () => {
    const pod = (): object => volumePod(pushModel(registry).reference);
    const claims = { code: 403, reasons: ['NoMatchingPolicy'] } as const;

    it('denies by default', async () => {
      await expectDenied(await start({ policies: {} }), reviewOf(pod()), claims);
    });

    it('warns or admits where the operator said so', async () => {
      const warns = await expectAllowed(
        await start({ policies: {}, decisions: { noMatchPolicy: 'Warn' } }),
        reviewOf(pod()),
      );
      assert.match(warns.warnings.join(), /^NoMatchingPolicy: /);
      assert.equal(warns.annotations['modelpolicy.dev/reasons'], 'NoMatchingPolicy');
      const allows = await expectAllowed(
        await start({ policies: {}, decisions: { noMatchPolicy: 'Allow' } }),
        reviewOf(pod()),
      );
      assert.deepEqual(allows.warnings, []);
      assert.equal(allows.annotations['modelpolicy.dev/reasons'], 'NoMatchingPolicy');
    });

    it('does not take a policy that audits or warns for one that enforces', async () => {
      for (const action of ['Audit', 'Warn']) {
        const policies = { team: teamPolicy(registry, { validationActions: [action] }) };
        await expectDenied(
          await start({ policies }),
          reviewOf(volumePod(pushSigned(registry).reference)),
          claims,
        );
        // Claiming images to audit them must not begin to deny them.
        await expectAllowed(await start({ policies }), reviewOf(imagePod(pushModel(registry).reference)));
      }
    });

    it('does not take a policy of another namespace for one of this', async () => {
      const policies = {
        prod: teamPolicy(registry, {
          namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'prod' } },
        }),
      };
      await expectDenied(
        await start({ policies }),
        reviewOf(volumePod(pushSigned(registry).reference)),
        claims,
      );
      await expectAllowed(
        await start({ policies }),
        reviewOf(volumePod(pushSigned(registry).reference), { namespace: 'prod' }),
      );
    });

    it('denies unreadable references by the same rule', async () => {
      await expectDenied(await start({ policies: {} }), reviewOf(volumePod('')), {
        code: 403,
        reasons: ['ReferenceInvalid'],
      });
      await expectAllowed(
        await start({ policies: {}, decisions: { noMatchPolicy: 'Allow' } }),
        reviewOf(volumePod('')),
      );
      await expectDenied(await start({ decisions: { noMatchPolicy: 'Allow' } }), reviewOf(volumePod('')), {
        code: 403,
        reasons: ['ReferenceInvalid'],
      });
    });
  });

  describe('on several policies', () => {
    it('wants all of them satisfied', async () => {
      const controller = await start({ policies: { first: teamPolicy(registry), second: second() } });
      await expectDenied(controller, reviewOf(volumePod(pushSigned(registry).reference)), {
        code: 403,
        reasons: ['SignerNotTrusted'],
      });
      await expectDenied(controller, reviewOf(volumePod(signedBySecond())), {
        code: 403,
        reasons: ['SignerNotTrusted'],
      });
      const both = pushSigned(registry);
      attachBundle(registry, both, signBundleWithKey(cosignSignStatement(both.digest), SECOND_KEY));
      const { annotations } = await expectAllowed(controller, reviewOf(volumePod(both.reference)));
      assert.equal(annotations['modelpolicy.dev/policies'], 'first,second');
    });

    it('denies by a broken policy what a good one admits, and nothing else', async () => {
      const broken = {
        models: [{ glob: `${registry.address}/team/**` }],
        authorities: [{ name: 'x', key: { pem: 'no key' } }],
      };
      const controller = await start({ policies: { good: teamPolicy(registry), broken } });
      await expectDenied(controller, reviewOf(volumePod(pushSigned(registry).reference)), {
        code: 403,
        reasons: ['PolicyInvalid'],
      });
      const elsewhere = await start({
        policies: {
          good: teamPolicy(registry),
          broken: { ...broken, models: [{ glob: 'elsewhere.test/**' }] },
        },
      });
      await expectAllowed(elsewhere, reviewOf(volumePod(pushSigned(registry).reference)));
    });

    it('warns by a policy that warns, and says so', async () => {
      const controller = await start({
        policies: { first: teamPolicy(registry), trial: second({ validationActions: ['Warn', 'Audit'] }) },
      });
      const { warnings, annotations } = await expectAllowed(
        controller,
        reviewOf(volumePod(pushSigned(registry).reference)),
      );
      assert.match(warnings.join('\n'), /^SignerNotTrusted: .* policy trial authority second/);
      assert.equal(annotations['modelpolicy.dev/reasons'], 'SignerNotTrusted');
      const metrics = await controller.metrics();
      for (const action of ['Warn', 'Audit'])
        assert.equal(
          sumOf(metrics, 'model_policy_decisions_total', {
            policy: 'trial',
            action,
            reason: 'SignerNotTrusted',
          }),
          1,
        );
    });

    it('audits by a policy that audits, silently', async () => {
      const controller = await start({
        policies: { first: teamPolicy(registry), trial: second({ validationActions: ['Audit'] }) },
      });
      const answer = await expectAllowed(controller, reviewOf(volumePod(pushSigned(registry).reference)));
      assert.deepEqual(answer.warnings, []);
      assert.equal(answer.annotations['modelpolicy.dev/reasons'], 'SignerNotTrusted');
      assert.deepEqual(recordOf(controller, answer).findings[0]?.actions, ['Audit']);
    });

    it('judges the same in every mode, also when the registry is down', async () => {
      const controller = await start({
        policies: { trial: teamPolicy(registry, { validationActions: ['Warn'] }) },
        decisions: { noMatchPolicy: 'Allow' },
      });
      registry.setFault(() => ({ reset: true }));
      const { warnings } = await expectAllowed(
        controller,
        reviewOf(volumePod(pushSigned(registry).reference)),
      );
      assert.match(warnings.join('\n'), /RegistryUnavailable: /);
    });
  });

  describe('on workloads', () => {
    const kinds = ['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'Job', 'CronJob'] as const;

    for (const kind of kinds) {
      it(`warns about a ${kind} whose pods will be denied`, async () => {
        const controller = await start();
        const { warnings } = await expectAllowed(
          controller,
          workloadReview(kind, [pushModel(registry).reference]),
        );
        const path = kind === 'CronJob' ? 'spec.jobTemplate.spec.template.spec' : 'spec.template.spec';
        assert.ok(warnings.join().includes(`(${path}.volumes[0].image.reference)`), warnings.join());
        assert.deepEqual(
          (await expectAllowed(controller, workloadReview(kind, [pushSigned(registry).reference]))).warnings,
          [],
        );
      });
    }

    it('denies it where the operator said so', async () => {
      const controller = await start({ decisions: { workloads: 'Deny' } });
      await expectDenied(controller, workloadReview('Deployment', [pushModel(registry).reference]), {
        code: 403,
        reasons: ['SignatureMissing'],
      });
    });

    it('asks nobody where the operator switched it off, and still judges pods', async () => {
      const controller = await start({ decisions: { workloads: 'Off' } });
      const model = pushModel(registry);
      await expectAllowed(controller, workloadReview('Deployment', [model.reference]), 'exempt-kind');
      assert.deepEqual(requestsOf(registry, model), []);
      await expectDenied(controller, reviewOf(volumePod(model.reference)), {
        code: 403,
        reasons: ['SignatureMissing'],
      });
    });

    it('refuses one without a pod template', async () => {
      const review = workloadReview('Deployment', [], {
        object: { kind: 'Deployment', spec: { template: [] } },
      });
      await expectDenied(await start(), review, { code: 400, reasons: ['RequestMalformed'] });
    });
  });

  describe('on the registry', () => {
    const faults: readonly (readonly [string, object, 403 | 503, string])[] = [
      ['401', { status: 401 }, 503, 'RegistryUnauthorized'],
      ['403', { status: 403 }, 503, 'RegistryUnauthorized'],
      ['404', { status: 404 }, 403, 'ArtifactNotFound'],
      ['429', { status: 429 }, 503, 'RegistryThrottled'],
      ['429 for hours', { status: 429, headers: { 'retry-after': '7200' } }, 503, 'RegistryThrottled'],
      ['500', { status: 500 }, 503, 'RegistryUnavailable'],
      ['503', { status: 503 }, 503, 'RegistryUnavailable'],
      [
        'a redirect to nowhere',
        { status: 302, headers: { location: 'https://[' } },
        503,
        'RegistryUnavailable',
      ],
      ['a reset', { reset: true }, 503, 'RegistryUnavailable'],
      ['other bytes', { body: '{"schemaVersion":2}' }, 503, 'DigestMismatch'],
    ];
    for (const [what, fault, code, reason] of faults) {
      it(`says ${reason} when it answers ${what}`, async () => {
        const controller = await start();
        const model = pushSigned(registry);
        registry.setFault(({ path }) => (path.includes('/manifests/') ? fault : undefined));
        await expectDenied(controller, reviewOf(volumePod(model.reference)), { code, reasons: [reason] });
        registry.setFault(undefined);
        // A failure is never remembered.
        await expectAllowed(controller, reviewOf(volumePod(model.reference)));
      });
    }

    it('does not believe a digest header that the bytes contradict', async () => {
      const controller = await start();
      const [model, other] = [pushSigned(registry), pushSigned(registry)];
      registry.setFault(({ path }) =>
        path.includes('/manifests/') ? { headers: { 'docker-content-digest': other.digest } } : undefined,
      );
      await expectDenied(controller, reviewOf(volumePod(model.reference)), {
        code: 503,
        reasons: ['DigestMismatch'],
      });
    });

    it('says RegistryUnavailable when nobody listens', async () => {
      const gone = await startRegistry();
      const { reference } = pushSigned(gone);
      const controller = await startController({ registry: gone });
      running.push(controller);
      await gone.close();
      await expectDenied(controller, reviewOf(volumePod(reference)), {
        code: 503,
        reasons: ['RegistryUnavailable'],
      });
    });

    it('refuses addresses that nobody configured', async () => {
      const controller = await start({ policies: { all: teamPolicy(registry, { models: undefined }) } });
      const digest = `sha256:${'0'.repeat(64)}`;
      for (const host of ['169.254.169.254', '127.0.0.1:1', 'localhost:1', '[::1]:1', '[::ffff:127.0.0.1]:1'])
        await expectDenied(controller, reviewOf(volumePod(`${host}/m@${digest}`)), {
          code: 503,
          reasons: ['RegistryUnavailable'],
        });
    });

    it('weighs what is permanent more than what is transient', async () => {
      const controller = await start();
      const [down, unsigned] = [pushSigned(registry), pushModel(registry)];
      registry.setFault(({ path }) => (path.includes(`/${down.repository}/`) ? { status: 500 } : undefined));
      await expectDenied(controller, reviewOf(volumePod(down.reference, unsigned.reference)), {
        code: 403,
        reasons: ['RegistryUnavailable', 'SignatureMissing'],
      });
      await expectDenied(controller, reviewOf(volumePod(down.reference)), {
        code: 503,
        reasons: ['RegistryUnavailable'],
      });
    });

    it('does not call a signature missing that could not be listed', async () => {
      const controller = await start();
      const model = pushSigned(registry);
      registry.setFault(({ path }) => (path.includes('/referrers/') ? { status: 500 } : undefined));
      await expectDenied(controller, reviewOf(volumePod(model.reference)), {
        code: 503,
        reasons: ['RegistryUnavailable'],
      });
    });
  });

  describe('on namespaces and policies that are not known', () => {
    it('waits for the policies', async () => {
      const controller = await start({ isSynced: false });
      const pod = volumePod(pushSigned(registry).reference);
      await expectDenied(controller, reviewOf(pod), { code: 503, reasons: ['PoliciesNotSynced'] });
      // Without policies nobody knows which images are models.
      await expectDenied(controller, reviewOf(podOf({})), { code: 503, reasons: ['PoliciesNotSynced'] });
      await expectAllowed(controller, reviewOf(null, { operation: 'DELETE' }), 'exempt-operation');
      controller.setPolicies({ team: teamPolicy(registry) });
      await expectAllowed(controller, reviewOf(pod));
    });

    it('denies in a namespace that does not exist', async () => {
      const controller = await start({ namespaces: { default: {} } });
      await expectAllowed(controller, reviewOf(volumePod(pushSigned(registry).reference)));
      for (const namespace of ['elsewhere', '', undefined, '__proto__'])
        await expectDenied(controller, reviewOf(volumePod(pushSigned(registry).reference), { namespace }), {
          code: 503,
          reasons: ['PoliciesNotSynced'],
        });
    });

    it('reads a namespace once, live, that the watch has not seen', async () => {
      const asked: string[] = [];
      const controller = await start({
        namespaces: { default: {} },
        policies: { prod: teamPolicy(registry, { namespaceSelector: { matchLabels: { tier: 'prod' } } }) },
        dependencies: {
          readNamespace: (name) => {
            asked.push(name);
            return Promise.resolve(name === 'fresh' ? { labels: { tier: 'prod' }, object: {} } : undefined);
          },
        },
      });
      await expectAllowed(
        controller,
        reviewOf(volumePod(pushSigned(registry).reference), { namespace: 'fresh' }),
      );
      await expectDenied(
        controller,
        reviewOf(volumePod(pushSigned(registry).reference), { namespace: 'gone' }),
        { code: 503, reasons: ['PoliciesNotSynced'] },
      );
      await expectDenied(controller, reviewOf(volumePod(pushSigned(registry).reference)), {
        code: 403,
        reasons: ['NoMatchingPolicy'],
      });
      assert.deepEqual(asked, ['fresh', 'gone']);
    });
  });

  describe('on rules', () => {
    it('shows a rule the pod, the request and the namespace', async () => {
      const expression =
        "pod.metadata.name == 'pod' && request.userInfo.username == 'jane' && request.operation == 'CREATE' && object.kind == 'Pod' && oldObject == null && namespaceObject.metadata.name == 'default' && signatures[0].authority == 'team'";
      const controller = await start({
        policies: { team: teamPolicy(registry, { validations: [{ expression }] }) },
      });
      await expectAllowed(controller, reviewOf(volumePod(pushSigned(registry).reference)));
    });

    it('says RuleViolated and RuleFailed', async () => {
      const model = pushSigned(registry);
      const rule = (expression: string): Promise<Controller> =>
        start({
          policies: { team: teamPolicy(registry, { validations: [{ expression, message: 'not so' }] }) },
        });
      const violated = await expectDenied(await rule('false'), reviewOf(volumePod(model.reference)), {
        code: 403,
        reasons: ['RuleViolated'],
      });
      assert.match(violated.message, /not so/);
      await expectDenied(await rule("object.spec.nothing == 'x'"), reviewOf(volumePod(model.reference)), {
        code: 403,
        reasons: ['RuleFailed'],
      });
    });

    it('keeps what a rule says about a pod on one line', async () => {
      const validations = [
        { expression: 'false', messageExpression: "'said: ' + pod.metadata.annotations['note']" },
      ];
      const controller = await start({ policies: { team: teamPolicy(registry, { validations }) } });
      const pod = podOf(
        { volumes: toVolumes([pushSigned(registry).reference]) },
        { annotations: { note: '\u001b[2Jadmitted\r\u202e\u0000' } },
      );
      const { message } = await expectDenied(controller, reviewOf(pod), {
        code: 403,
        reasons: ['RuleViolated'],
      });
      // oxlint-disable-next-line no-control-regex -- control characters are what must not come through
      assert.doesNotMatch(message, /[\u0000-\u001f\u007f\u202e]/);
    });

    it('ends rules that take too long, and only those', async () => {
      const expression = 'lists.range(1000).all(a, lists.range(1000).all(b, a + b >= 0))';
      const nested =
        '[1,2,3,4,5,6,7,8,9,10].all(a, [1,2,3,4,5,6,7,8,9,10].all(b, [1,2,3,4,5,6,7,8,9,10].all(c, [1,2,3,4,5,6,7,8,9,10].all(d, [1,2,3,4,5,6,7,8,9,10].all(e, [1,2,3,4,5,6,7,8,9,10].all(f, a+b+c+d+e+f > 0))))))';
      for (const source of [expression, nested]) {
        const controller = await start({
          policies: { team: teamPolicy(registry, { validations: [{ expression: source }] }) },
        });
        const answer = await controller.ask(reviewOf(volumePod(pushSigned(registry).reference)));
        assert.equal(answer.allowed, false);
        assert.ok(['RuleFailed', 'PolicyInvalid'].includes(answer.reasons[0] ?? ''), answer.message);
      }
    });
  });

  describe('on bounds', () => {
    it('keeps findings, message, warnings and annotations within theirs', async () => {
      const names = Array.from({ length: 60 }, (_, index) => `policy-${index}-${'x'.repeat(200)}`);
      const policies = Object.fromEntries(names.map((name) => [name, teamPolicy(registry)]));
      const controller = await start({ policies });
      const models = Array.from({ length: 40 }, () => pushModel(registry).reference);
      const answer = await expectDenied(controller, reviewOf(volumePod(...models)), {
        code: 403,
        reasons: ['SignatureMissing'],
      });
      assert.equal(answer.causes.length, 32);
      assert.ok(Buffer.byteLength(answer.message) <= MAX_MESSAGE_BYTES);
      for (const { field } of answer.causes) {
        assert.ok(answer.causes.filter((cause) => cause.field === field).length <= 8);
      }
      for (const { message } of answer.causes) assert.ok(Buffer.byteLength(message) <= 1024);
      const warned = await expectAllowed(controller, workloadReview('Deployment', models));
      assert.equal(warned.warnings.length, 32);
      for (const warning of warned.warnings) assert.ok(Buffer.byteLength(warning) <= 1024);
    });

    it('says the same about the same request, whatever the order of answers', async () => {
      const controller = await start({ policies: { a: teamPolicy(registry), b: second() } });
      const review = reviewOf(
        volumePod(pushModel(registry).reference, pushSigned(registry).reference, signedBySecond()),
      );
      const first = await controller.ask(review);
      for (let index = 0; index < 5; index += 1) assert.deepEqual(await controller.ask(review), first);
    });

    it('refuses a pod that names models in very many places, readable or not', async () => {
      const controller = await start();
      const { reference } = pushSigned(registry);
      for (const uri of ['oci://', `oci://${reference}`]) {
        const pod = podOf({
          containers: [{ ...PLAIN_CONTAINER, args: Array.from({ length: 50_000 }, () => uri) }],
        });
        await expectDenied(controller, reviewOf(pod), { code: 403, reasons: ['TooManyReferences'] });
      }
    });

    it('keeps the record of a pod with many findings small', async () => {
      const controller = await start();
      const { reference } = pushSigned(registry);
      for (const uri of ['oci://', `oci://${reference}`]) {
        const args = Array.from({ length: 1000 }, () => uri);
        const answer = await controller.ask(reviewOf(podOf({ containers: [{ ...PLAIN_CONTAINER, args }] })));
        assert.equal(answer.allowed, uri !== 'oci://');
        const record = JSON.stringify(recordOf(controller, answer));
        assert.ok(record.length < 256 * 1024);
        assert.match(record, /"omitted":872/);
      }
    });
  });

  it('never admits by a signature of another key, another digest or nobody', async () => {
    const controller = await start();
    const stranger = pushSigned(registry, undefined, SECOND_KEY);
    await expectDenied(controller, reviewOf(volumePod(stranger.reference)), {
      code: 403,
      reasons: ['SignerNotTrusted'],
    });
    const copied = pushModel(registry);
    attachBundle(
      registry,
      copied,
      signBundleWithKey(cosignSignStatement(pushModel(registry).digest), TEAM_KEY),
    );
    await expectDenied(controller, reviewOf(volumePod(copied.reference)), {
      code: 403,
      reasons: ['SubjectMismatch'],
    });
    const empty = pushModel(registry);
    attachBundle(registry, empty, {});
    const answer = await controller.ask(reviewOf(volumePod(empty.reference)));
    assert.equal(answer.allowed, false);
  });
});

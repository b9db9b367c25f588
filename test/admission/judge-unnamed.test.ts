// What happens to models that no reference names, and to pods without any? The whole path, policy by policy.
import assert from 'node:assert/strict';
import {
  pushModel,
  pushSigned,
  startController,
  teamPolicy,
  type Controller,
  type Policies,
} from '../support/controller.ts';
import type { DecisionOptions } from '../../src/admission/decide.ts';
import { startRegistry, type RegistryHandle } from '../../src/demo/registry.ts';
import { expectAllowed, expectDenied, recordOf } from '../support/expect.ts';
import { imagePod, PLAIN_CONTAINER, podOf, reviewOf, updateOf, volumePod } from '../support/review.ts';

const initializer = (source: string): Record<string, unknown> =>
  podOf({
    initContainers: [
      { name: 'storage-initializer', image: 'registry.example.test/i:1', args: [source, '/mnt'] },
    ],
  });
const hub = (): object => reviewOf(initializer('hf://org/model'));
const dynamic = (): object =>
  reviewOf(podOf({ volumes: [{ name: 'm', csi: { driver: 'model.csi.modelpack.org' } }] }));
const DENIED = { code: 403, reasons: ['UnverifiableSource'] } as const;

describe('judgeUnnamed()', () => {
  let registry: RegistryHandle;
  let controller: Controller | undefined;
  before(async () => {
    registry = await startRegistry();
  });
  after(() => registry.close());
  afterEach(() => controller?.stop());

  async function start(
    policies: Policies,
    decisions: Partial<DecisionOptions> = {},
    namespaces?: Readonly<Record<string, Readonly<Record<string, string>>>>,
  ): Promise<Controller> {
    const more = namespaces === undefined ? {} : { namespaces };
    controller = await startController({ registry, policies, decisions, ...more });
    return controller;
  }
  const team = (overrides: object = {}): Record<string, unknown> => teamPolicy(registry, overrides);

  it('denies by default, whatever the glob', async () => {
    const tool = await start({ team: team({ models: [{ glob: 'other.test/**' }] }) });
    const { message, causes } = await expectDenied(tool, hub(), DENIED);
    assert.match(
      message,
      /policy team: spec\.initContainers\[0\]\.args\[0\] takes its model from "hf:\/\/org\/model"/,
    );
    assert.equal(causes[0]?.field, 'spec.initContainers[0].args[0]');
    await expectDenied(tool, dynamic(), { code: 403, reasons: ['DynamicModelVolume'] });
  });

  it('warns where the policy says so', async () => {
    const tool = await start({ team: team({ unverifiableSources: 'Warn' }) });
    const { warnings } = await expectAllowed(tool, hub());
    assert.match(warnings.join(), /UnverifiableSource/);
  });

  it('only records where the policy allows it', async () => {
    const tool = await start({ team: team({ unverifiableSources: 'Allow' }) });
    const answer = await expectAllowed(tool, dynamic());
    assert.deepEqual(answer.warnings, []);
    assert.equal(answer.annotations['modelpolicy.dev/reasons'], 'DynamicModelVolume');
    assert.deepEqual(
      recordOf(tool, answer).findings.map(({ reason, actions }) => [reason, actions]),
      [['DynamicModelVolume', ['Audit']]],
    );
  });

  it('lets the strictest of several policies win', async () => {
    const tool = await start({
      allows: team({ unverifiableSources: 'Allow' }),
      denies: team({ unverifiableSources: 'Deny' }),
      warns: team({ unverifiableSources: 'Warn' }),
    });
    const { causes } = await expectDenied(tool, hub(), DENIED);
    assert.equal(causes.length, 1);
    tool.setPolicies({
      allows: team({ unverifiableSources: 'Allow' }),
      warns: team({ unverifiableSources: 'Warn' }),
    });
    const { warnings } = await expectAllowed(tool, hub());
    assert.equal(warnings.length, 1);
  });

  it('never does more than the actions of the policy', async () => {
    const tool = await start(
      { audits: team({ validationActions: ['Audit'] }), warns: team({ validationActions: ['Warn'] }) },
      { noMatchPolicy: 'Allow' },
    );
    const { warnings } = await expectAllowed(tool, hub());
    assert.equal(warnings.length, 1);
  });

  it('is about the sources that a policy lists', async () => {
    const tool = await start(
      { team: team({ models: [{ sources: ['KServeStorageInitializer'] }] }) },
      { noMatchPolicy: 'Allow' },
    );
    await expectDenied(tool, hub(), DENIED);
    await expectAllowed(tool, dynamic());
    tool.setPolicies({ team: team({ models: [{ sources: ['CSI'], glob: 'other.test/**' }] }) });
    await expectAllowed(tool, hub());
    await expectDenied(tool, dynamic(), { code: 403, reasons: ['DynamicModelVolume'] });
  });

  it('is about the namespaces that a policy selects', async () => {
    const selector = { namespaceSelector: { matchLabels: { tier: 'prod' } } };
    const tool = await start(
      { team: team(selector) },
      { noMatchPolicy: 'Allow' },
      { default: {}, prod: { tier: 'prod' } },
    );
    await expectAllowed(tool, hub());
    await expectDenied(tool, reviewOf(initializer('s3://b/m'), { namespace: 'prod' }), DENIED);
  });

  for (const policies of ['none', 'one that only audits', 'one about other sources'])
    it(`asks the no-match policy where there is ${policies}`, async () => {
      const byName: Readonly<Record<string, Policies>> = {
        none: {},
        'one that only audits': { team: team({ validationActions: ['Audit'] }) },
        'one about other sources': { team: team({ models: [{ sources: ['ImageVolume'] }] }) },
      };
      const given = byName[policies] ?? {};
      await expectDenied(await start(given), hub(), DENIED);
      await controller?.stop();
      const { warnings } = await expectAllowed(await start(given, { noMatchPolicy: 'Warn' }), hub());
      assert.match(warnings.join(), /UnverifiableSource/);
      await controller?.stop();
      assert.deepEqual(
        (await expectAllowed(await start(given, { noMatchPolicy: 'Allow' }), hub())).warnings,
        [],
      );
    });

  it('does not excuse a reference that cannot be read', async () => {
    const tool = await start({ team: team({ unverifiableSources: 'Allow' }) });
    await expectDenied(tool, reviewOf(volumePod('no registry')), {
      code: 403,
      reasons: ['ReferenceInvalid'],
    });
  });

  it('asks for no enforcing policy about an image that cannot be read and that a policy only audits', async () => {
    const tool = await start({ team: team({ validationActions: ['Audit'] }) });
    const answer = await expectAllowed(tool, reviewOf(imagePod('registry.example/UPPER')));
    assert.equal(answer.annotations['modelpolicy.dev/reasons'], 'ReferenceInvalid');
    tool.setPolicies({ team: team() });
    await expectDenied(tool, reviewOf(imagePod('registry.example/UPPER')), {
      code: 403,
      reasons: ['ReferenceInvalid'],
    });
  });

  it('believes no leniency of a policy that cannot be evaluated', async () => {
    const broken = { authorities: [{ name: 'gone', key: { secretKeyRef: { name: 'gone', key: 'k' } } }] };
    const tool = await start({ team: team({ unverifiableSources: 'Allow', ...broken }) });
    await expectDenied(tool, hub(), DENIED);
    tool.setPolicies({ team: team({ unverifiableSources: 'allow' }) });
    await expectDenied(tool, hub(), DENIED);
  });

  it('judges the reference beside a puller that does not check its digest', async () => {
    const [signed, unsigned] = [pushSigned(registry), pushModel(registry)];
    const tool = await start({ team: team({ unverifiableSources: 'Warn' }) });
    const { warnings } = await expectAllowed(tool, reviewOf(initializer(`oci://${signed.reference}`)));
    assert.match(warnings.join(), /DigestNotEnforced/);
    await expectDenied(tool, reviewOf(initializer(`oci://${unsigned.reference}`)), {
      code: 403,
      reasons: ['SignatureMissing'],
    });
  });

  it('knows the drivers and StorageClasses that the operator named', async () => {
    const pod = reviewOf(
      podOf({
        volumes: [
          { name: 'a', csi: { driver: 'csi.models.example' } },
          { name: 'b', ephemeral: { volumeClaimTemplate: { spec: { storageClassName: 'models' } } } },
        ],
      }),
    );
    await expectAllowed(await start({ team: team() }), pod);
    await controller?.stop();
    const decisions = { modelCsiDrivers: ['csi.models.example'], modelStorageClasses: ['models'] };
    const { causes } = await expectDenied(await start({ team: team() }, decisions), pod, {
      code: 403,
      reasons: ['DynamicModelVolume'],
    });
    assert.equal(causes.length, 2);
  });
});

describe('judgeMissing()', () => {
  let registry: RegistryHandle;
  let controller: Controller;
  before(async () => {
    registry = await startRegistry();
    controller = await startController({
      registry,
      policies: { team: teamPolicy(registry, { requireModel: true, unverifiableSources: 'Allow' }) },
    });
  });
  after(async () => {
    await controller.stop();
    await registry.close();
  });
  const MISSING = { code: 403, reasons: ['ModelReferenceMissing'] } as const;

  it('denies a pod that names no model', async () => {
    const { causes } = await expectDenied(controller, reviewOf(podOf({})), MISSING);
    assert.equal(causes[0]?.field, 'spec');
  });

  it('denies a pod whose model cannot be checked, although that alone is allowed', async () => {
    await expectDenied(controller, hub(), MISSING);
  });

  it('admits a pod with a model, also where the model is an image', async () => {
    const { reference } = pushSigned(registry);
    await expectAllowed(controller, reviewOf(volumePod(reference)));
    await expectAllowed(controller, reviewOf(imagePod(reference)));
  });

  it('does not wait for pods that were admitted before', async () => {
    const pod = podOf({});
    await expectAllowed(
      controller,
      updateOf(pod, { ...pod, metadata: { labels: { a: 'b' } } }),
      'exempt-unchanged',
    );
  });

  it('denies an update that takes the only model away', async () => {
    const { reference } = pushSigned(registry);
    await expectDenied(controller, updateOf(imagePod(reference), imagePod('busybox')), MISSING);
  });

  it('warns about workloads, and does what the actions say', async () => {
    const kind = { group: 'apps', version: 'v1', kind: 'Deployment' };
    const deployment = { spec: { template: { spec: { containers: [PLAIN_CONTAINER] } } } };
    const { warnings } = await expectAllowed(controller, reviewOf(deployment, { kind }));
    assert.match(warnings.join(), /ModelReferenceMissing/);
    const audits = await startController({
      registry,
      policies: { team: teamPolicy(registry, { requireModel: true, validationActions: ['Audit'] }) },
    });
    try {
      assert.deepEqual((await expectAllowed(audits, reviewOf(podOf({})))).warnings, []);
    } finally {
      await audits.stop();
    }
  });

  it('is not asked for where no policy requires a model', async () => {
    const plain = await startController({ registry });
    try {
      await expectAllowed(plain, reviewOf(podOf({})));
    } finally {
      await plain.stop();
    }
  });
});

// Does every way into a cluster lead past the check? Attacks on what pods and workloads say, each as a review over HTTPS
// with decision, reason and metric asserted. Numbers are those of the list of faults.
import assert from 'node:assert/strict';
import {
  pushModel,
  pushSigned,
  startController,
  teamPolicy,
  type Controller,
} from '../support/controller.ts';
import { expectAllowed, expectDenied } from '../support/expect.ts';
import { PLAIN_CONTAINER, podOf, reviewOf, toVolumes, updateOf } from '../support/review.ts';

const KSERVE = 'serving.kserve.io';
const LWS = 'leaderworkerset.x-k8s.io';

const csi = (driver: string, key: string, reference: string): object => ({
  volumes: [{ name: 'm', csi: { driver, volumeAttributes: { [key]: reference } } }],
});
const init = (name: string, fields: object): object => ({
  initContainers: [{ name, image: 'registry.example.test/tool:1', ...fields }],
});
const resource = (group: string, kind: string, spec: object): Record<string, unknown> =>
  reviewOf(
    { apiVersion: `${group}/v1`, kind, metadata: { name: 'workload' }, spec },
    { kind: { group, version: 'v1', kind } },
  );

/** A place with what names a model there; `lenient`: its puller does not check the digest. */
interface Location {
  readonly field: string;
  readonly spec: (reference: string) => object;
  readonly lenient?: boolean;
}

const LOCATIONS: Readonly<Record<string, Location>> = {
  'an image volume': {
    field: 'spec.volumes[0].image.reference',
    spec: (reference) => ({ volumes: toVolumes([reference]) }),
  },
  'the image of a container': {
    field: 'spec.containers[0].image',
    spec: (image) => ({ containers: [{ name: 'a', image }] }),
  },
  'the image of an init container': {
    field: 'spec.initContainers[0].image',
    spec: (image) => ({ initContainers: [{ name: 'a', image }] }),
  },
  'the image of a sidecar': {
    field: 'spec.initContainers[0].image',
    spec: (image) => ({ initContainers: [{ name: 'a', image, restartPolicy: 'Always' }] }),
  },
  'a ModelCar': {
    field: 'spec.initContainers[0].image',
    spec: (image) => ({ initContainers: [{ name: 'modelcar-init', image }] }),
  },
  "KServe's storage initializer": {
    field: 'spec.initContainers[0].args[0]',
    spec: (reference) => init('storage-initializer', { args: [`oci://${reference}`, '/mnt/models'] }),
    lenient: true,
  },
  'a ModelPack CSI volume': {
    field: 'spec.volumes[0].csi.volumeAttributes[model.csi.modelpack.org/reference]',
    spec: (reference) => csi('model.csi.modelpack.org', 'model.csi.modelpack.org/reference', reference),
    lenient: true,
  },
  'an image CSI volume': {
    field: 'spec.volumes[0].csi.volumeAttributes[image]',
    spec: (reference) => csi('container-image.csi.k8s.io', 'image', reference),
  },
  'the variable of KitOps': {
    field: 'spec.initContainers[0].env[0].value',
    spec: (value) => init('kitops-init', { env: [{ name: 'MODELKIT_REF', value }] }),
  },
  'the download of KAITO': {
    field: 'spec.initContainers[0].command[2]',
    spec: (reference) =>
      init('model-weights-downloader', { command: ['oras', 'pull', reference, '-o', '/w'] }),
  },
  'an argument': {
    field: 'spec.containers[0].args[0]',
    spec: (reference) => ({ containers: [{ ...PLAIN_CONTAINER, args: [`--model=oci://${reference}`] }] }),
  },
  'a command': {
    field: 'spec.containers[0].command[1]',
    spec: (reference) => ({ containers: [{ ...PLAIN_CONTAINER, command: ['serve', `kit://${reference}`] }] }),
  },
  'a variable': {
    field: 'spec.containers[0].env[0].value',
    spec: (reference) => ({
      containers: [{ ...PLAIN_CONTAINER, env: [{ name: 'M', value: `modelpack://${reference}` }] }],
    }),
  },
};

const WORKLOADS: Readonly<Record<string, (reference: string) => Record<string, unknown>>> = {
  'the leader of a LeaderWorkerSet': (reference) =>
    resource(LWS, 'LeaderWorkerSet', {
      leaderWorkerTemplate: {
        leaderTemplate: { spec: { volumes: toVolumes([reference]) } },
        workerTemplate: { spec: { containers: [PLAIN_CONTAINER] } },
      },
    }),
  'the workers of a LeaderWorkerSet': (reference) =>
    resource(LWS, 'LeaderWorkerSet', {
      leaderWorkerTemplate: { workerTemplate: { spec: { volumes: toVolumes([reference]) } } },
    }),
  'an InferenceService': (reference) =>
    resource(KSERVE, 'InferenceService', { predictor: { model: { storageUri: `oci://${reference}` } } }),
  'an LLMInferenceService': (reference) =>
    resource(KSERVE, 'LLMInferenceService', { model: { uri: `oci+native://${reference}` } }),
};

describe('faults of the workload surface', () => {
  let controller: Controller;
  let strict: Controller;
  let signed: string;
  let unsigned: string;

  before(async () => {
    controller = await startController();
    const { registry } = controller;
    strict = await startController({ registry, decisions: { workloads: 'Deny' } });
    signed = pushSigned(registry).reference;
    unsigned = pushModel(registry).reference;
  });
  after(async () => {
    await strict.stop();
    await controller.stop();
  });
  afterEach(() => controller.registry.setFault(undefined));

  for (const [where, { field, spec, lenient = false }] of Object.entries(LOCATIONS)) {
    it(`46: a model in ${where} is judged`, async () => {
      const more = lenient ? ['DigestNotEnforced'] : [];
      const denial = { code: 403, reasons: ['SignatureMissing', ...more] } as const;
      const { causes } = await expectDenied(controller, reviewOf(podOf(spec(unsigned))), denial);
      assert.deepEqual([...new Set(causes.map((cause) => cause.field))], [field]);
      if (lenient)
        await expectDenied(controller, reviewOf(podOf(spec(signed))), { code: 403, reasons: more });
      else await expectAllowed(controller, reviewOf(podOf(spec(signed))));
    });
  }

  it('46: a model in an ephemeral container is judged', async () => {
    const debug = (image: string): object => podOf({ ephemeralContainers: [{ name: 'debug', image }] });
    const subResource = 'ephemeralcontainers';
    const update = (image: string): object => updateOf(podOf({}), debug(image), { subResource });
    const { causes } = await expectDenied(controller, update(unsigned), {
      code: 403,
      reasons: ['SignatureMissing'],
    });
    assert.equal(causes[0]?.field, 'spec.ephemeralContainers[0].image');
    await expectAllowed(controller, update(signed));
  });

  for (const [where, toReview] of Object.entries(WORKLOADS)) {
    it(`46: a model in ${where} is judged`, async () => {
      await expectDenied(strict, toReview(unsigned), { code: 403, reasons: ['SignatureMissing'] });
      await expectAllowed(strict, toReview(signed));
      const { warnings } = await expectAllowed(controller, toReview(unsigned));
      assert.match(warnings.join('\n'), /SignatureMissing/);
    });
  }

  describe('of updates', () => {
    const pod = (metadata: object, more: object = {}): Record<string, unknown> => ({
      ...podOf(
        {
          volumes: toVolumes([unsigned]),
          containers: [{ name: 'modelcar', image: unsigned, ...more }],
          ephemeralContainers: [{ name: 'debug', image: unsigned }],
          ...init('storage-initializer', { args: ['hf://org/model', '/mnt/models'] }),
        },
        metadata,
      ),
    });
    const changes: Readonly<Record<string, () => Record<string, unknown>>> = {
      labels: () => updateOf(pod({}), pod({ labels: { a: 'b' } })),
      'an annotation that calls it verified': () =>
        updateOf(pod({}), pod({ annotations: { 'modelpolicy.dev/verified': 'true' } })),
      finalizers: () => updateOf(pod({ finalizers: ['a/b'] }), pod({})),
      'its deletion': () => updateOf(pod({}), pod({ deletionTimestamp: '2026-11-21T00:00:00Z' })),
      'its resources': () =>
        updateOf(pod({}), pod({}, { resources: { limits: { cpu: '2' } } }), { subResource: 'resize' }),
    };
    for (const [what, toReview] of Object.entries(changes))
      it(`47: a change of ${what} waits for no registry`, async () => {
        controller.registry.setFault(() => ({ hang: true }));
        const before = controller.registry.requests.length;
        await expectAllowed(controller, toReview(), 'exempt-unchanged');
        assert.equal(controller.registry.requests.length, before);
      });

    it('47: a change of the status waits for no registry', async () => {
      controller.registry.setFault(() => ({ hang: true }));
      const status = { phase: 'Failed' };
      await expectAllowed(
        controller,
        updateOf(pod({}), { ...pod({}), status }, { subResource: 'status' }),
        'exempt-status',
      );
    });

    const lists = ['containers', 'initContainers', 'ephemeralContainers'] as const;
    for (const list of lists)
      for (const subResource of [undefined, 'ephemeralcontainers', 'resize'])
        it(`47: a changed image in ${list} is verified, by ${subResource ?? 'an update of the pod'}`, async () => {
          const of = (image: string): object =>
            podOf({ [list]: [{ name: 'a', image }], volumes: toVolumes([signed]) });
          const fields = subResource === undefined ? {} : { subResource };
          await expectDenied(controller, updateOf(of(signed), of(unsigned), fields), {
            code: 403,
            reasons: ['SignatureMissing'],
          });
        });

    it('47: a changed model of a pod that is being deleted is verified', async () => {
      const deleted = (reference: string): object =>
        podOf({ volumes: toVolumes([reference]) }, { deletionTimestamp: '2026-11-21T00:00:00Z' });
      await expectDenied(controller, updateOf(deleted(signed), deleted(unsigned)), {
        code: 403,
        reasons: ['SignatureMissing'],
      });
    });

    it('47: a pod that is created with a deletion timestamp is verified', async () => {
      const deleted = podOf(
        { volumes: toVolumes([unsigned]) },
        { deletionTimestamp: '2026-11-21T00:00:00Z', finalizers: ['a/b'] },
      );
      await expectDenied(controller, reviewOf(deleted), { code: 403, reasons: ['SignatureMissing'] });
    });

    it('47: a source that cannot be checked is seen to change behind what a message shows', async () => {
      const of = (tail: string): object =>
        podOf(init('storage-initializer', { args: [`s3://bucket/${'x'.repeat(400)}${tail}`, '/mnt'] }));
      await expectAllowed(controller, updateOf(of('a'), of('a')), 'exempt-unchanged');
      await expectDenied(controller, updateOf(of('a'), of('b')), {
        code: 403,
        reasons: ['UnverifiableSource'],
      });
    });
  });

  it('fault 48: a template that is changed after its admission is judged as the pod that it makes', async () => {
    const template = { metadata: {}, spec: { containers: [PLAIN_CONTAINER], volumes: toVolumes([signed]) } };
    await expectAllowed(strict, resource('apps', 'Deployment', { template }));
    const mutated = podOf({ volumes: toVolumes([unsigned]) }, { ownerReferences: [{ kind: 'ReplicaSet' }] });
    await expectDenied(strict, reviewOf(mutated), { code: 403, reasons: ['SignatureMissing'] });
  });

  it('fault 49: what a kind that is not read makes is judged as a pod', async () => {
    const group = 'ray.io';
    const spec = { headGroupSpec: { template: { spec: { volumes: toVolumes([unsigned]) } } } };
    await expectAllowed(strict, resource(group, 'RayCluster', spec), 'exempt-kind');
    const head = podOf({ volumes: toVolumes([unsigned]) }, { labels: { 'ray.io/node-type': 'head' } });
    await expectDenied(strict, reviewOf(head), { code: 403, reasons: ['SignatureMissing'] });
  });

  it('fault 49: a change of scale is nobody’s model, and each pod that it makes is judged', async () => {
    const kind = { group: 'autoscaling', version: 'v1', kind: 'Scale' };
    const scale = {
      kind: 'Scale',
      apiVersion: 'autoscaling/v1',
      metadata: { name: 'a' },
      spec: { replicas: 9 },
    };
    const fields = { kind, operation: 'UPDATE', subResource: 'scale', oldObject: scale };
    await expectAllowed(strict, reviewOf(scale, fields), 'exempt-kind');
    const made = podOf({ volumes: toVolumes([unsigned]) }, { ownerReferences: [{ kind: 'ReplicaSet' }] });
    await expectDenied(strict, reviewOf(made), { code: 403, reasons: ['SignatureMissing'] });
  });

  it('fault 50: annotations and labels that call a pod verified or exempt change nothing', async () => {
    const forged = {
      'modelpolicy.dev/verified': 'true',
      'modelpolicy.dev/verdict': 'allowed',
      'modelpolicy.dev/skip': 'true',
      'policy.sigstore.dev/include': 'false',
      'internal.serving.kserve.io/storage-initializer-sourceuri': `oci://${signed}`,
    };
    for (const metadata of [{ annotations: forged }, { labels: forged }])
      await expectDenied(controller, reviewOf(podOf({ volumes: toVolumes([unsigned]) }, metadata)), {
        code: 403,
        reasons: ['SignatureMissing'],
      });
  });

  describe('of names that a pod gives itself', () => {
    let narrow: Controller;
    afterEach(() => narrow.stop());

    // Nothing but the listed sources is anybody's business here, so that a use which leaves them is admitted.
    async function startNarrow(sources: readonly string[]): Promise<void> {
      const { registry } = controller;
      narrow = await startController({
        registry,
        decisions: { noMatchPolicy: 'Allow' },
        policies: { narrow: teamPolicy(registry, { models: [{ sources }] }) },
      });
    }
    const denial = { code: 403, reasons: ['SignatureMissing'] } as const;

    it('46: the name modelcar takes no image out of a policy for container images', async () => {
      await startNarrow(['ContainerImage']);
      for (const name of ['app', 'modelcar', 'modelcar-init', 'modelcar-7'])
        await expectDenied(narrow, reviewOf(podOf({ containers: [{ name, image: unsigned }] })), denial);
    });

    it('46: a ModelCar is a model whatever the globs say, another image is not', async () => {
      const { registry } = controller;
      narrow = await startController({
        registry,
        policies: { narrow: teamPolicy(registry, { models: [{ glob: 'other.test/**' }] }) },
      });
      const of = (name: string): object => reviewOf(podOf({ containers: [{ name, image: signed }] }));
      await expectDenied(narrow, of('modelcar'), { code: 403, reasons: ['NoMatchingPolicy'] });
      await expectAllowed(narrow, of('app'));
    });

    it('46: another name than modelcar takes an image out of a policy for ModelCars alone', async () => {
      await startNarrow(['KServeModelCar']);
      const of = (name: string): object => reviewOf(podOf({ containers: [{ name, image: unsigned }] }));
      await expectDenied(narrow, of('modelcar'), denial);
      await expectAllowed(narrow, of('model-car'));
    });

    it('46: another name than modelcar helps nobody where container images are listed as well', async () => {
      await startNarrow(['KServeModelCar', 'ContainerImage']);
      await expectDenied(
        narrow,
        reviewOf(podOf({ containers: [{ name: 'model-car', image: unsigned }] })),
        denial,
      );
    });

    it('46: the name storage-initializer takes no URI out of a policy for URIs', async () => {
      await startNarrow(['URI']);
      for (const name of ['tool', 'storage-initializer'])
        await expectDenied(
          narrow,
          reviewOf(podOf(init(name, { args: [`oci://${unsigned}`, '/mnt/models'] }))),
          denial,
        );
    });
  });

  it('47: an update in two steps, first a label and then the image, ends at the image', async () => {
    const of = (image: string, metadata: object): object =>
      podOf({ containers: [{ name: 'modelcar', image }] }, metadata);
    const labels = { 'modelpolicy.dev/exempt': 'true' };
    await expectAllowed(controller, updateOf(of(signed, {}), of(signed, { labels })), 'exempt-unchanged');
    await expectDenied(controller, updateOf(of(signed, { labels }), of(unsigned, { labels })), {
      code: 403,
      reasons: ['SignatureMissing'],
    });
  });

  it('46: dryRun has the same answer', async () => {
    const of = (reference: string): object =>
      reviewOf(podOf({ volumes: toVolumes([reference]) }), { dryRun: true });
    await expectDenied(controller, of(unsigned), { code: 403, reasons: ['SignatureMissing'] });
    await expectAllowed(controller, of(signed));
  });
});

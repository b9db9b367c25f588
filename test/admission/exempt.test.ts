// Which requests are admitted without being judged? The closed list, and everything that looks like it but is not.
import assert from 'node:assert/strict';
import { findExemption, isUnchanged } from '../../src/admission/exempt.ts';
import { findScope } from '../../src/admission/scope.ts';
import type { AdmissionRequest } from '../../src/admission/review.ts';
import {
  pushModel,
  pushSigned,
  startController,
  teamPolicy,
  type Controller,
} from '../support/controller.ts';
import { expectAllowed, expectDenied } from '../support/expect.ts';
import {
  argumentPod,
  imagePod,
  PLAIN_CONTAINER,
  podOf,
  reviewOf,
  toVolumes,
  updateOf,
  volumePod,
  workloadReview,
} from '../support/review.ts';

const DENIED = { code: 403, reasons: ['SignatureMissing'] } as const;

describe('findExemption()', () => {
  const request = (fields: object): AdmissionRequest =>
    reviewOf(podOf({}), { ...fields })['request'] as AdmissionRequest;

  it('exempts what removes and what connects', () => {
    assert.equal(findExemption(request({ operation: 'DELETE' })), 'operation');
    assert.equal(findExemption(request({ operation: 'CONNECT', subResource: 'exec' })), 'operation');
  });

  it('exempts the status', () => {
    assert.equal(findExemption(request({ operation: 'UPDATE', subResource: 'status' })), 'status');
  });

  it('exempts no other subresource, nor a status by another spelling', () => {
    for (const subResource of [
      'ephemeralcontainers',
      'resize',
      'binding',
      'Status',
      'status/',
      'status\0',
      '',
    ])
      assert.equal(findExemption(request({ operation: 'UPDATE', subResource })), undefined);
  });
});

describe('findScope()', () => {
  let controller: Controller;
  let signed: string;
  let unsigned: string;

  before(async () => {
    controller = await startController();
    signed = pushSigned(controller.registry).reference;
    unsigned = pushModel(controller.registry).reference;
  });
  after(() => controller.stop());
  afterEach(() => controller.registry.setFault(undefined));

  it('admits the deletion of an unverified pod', async () => {
    await expectAllowed(
      controller,
      reviewOf(null, { operation: 'DELETE', oldObject: volumePod(unsigned) }),
      'exempt-operation',
    );
  });

  it('admits a connection to a pod', async () => {
    const options = { kind: 'PodExecOptions', apiVersion: 'v1' };
    await expectAllowed(
      controller,
      reviewOf(options, { operation: 'CONNECT', subResource: 'exec' }),
      'exempt-operation',
    );
  });

  it('admits a status update', async () => {
    const pod = volumePod(unsigned);
    await expectAllowed(
      controller,
      updateOf(pod, { ...pod, status: { phase: 'Running' } }, { subResource: 'status' }),
      'exempt-status',
    );
  });

  it('admits kinds that make no pods', async () => {
    const kinds = [
      ['', 'ConfigMap'],
      ['', 'Binding'],
      ['policy', 'Eviction'],
      ['autoscaling', 'Scale'],
      ['apps', 'ControllerRevision'],
    ];
    for (const [group, kind] of kinds)
      await expectAllowed(
        controller,
        reviewOf({ kind }, { kind: { group, version: 'v1', kind } }),
        'exempt-kind',
      );
  });

  it('knows kinds by group and name, not by name alone', async () => {
    await expectAllowed(
      controller,
      reviewOf(volumePod(unsigned), { kind: { group: 'apps', version: 'v1', kind: 'Pod' } }),
      'exempt-kind',
    );
    await expectAllowed(
      controller,
      reviewOf(volumePod(unsigned), { kind: { group: 'batch', version: 'v1', kind: 'Deployment' } }),
      'exempt-kind',
    );
    await expectAllowed(
      controller,
      reviewOf(volumePod(unsigned), { kind: { group: '', version: 'v1', kind: 'constructor' } }),
      'exempt-kind',
    );
  });

  it('judges a Pod of any version', async () => {
    await expectDenied(
      controller,
      reviewOf(volumePod(unsigned), { kind: { group: '', version: 'v2beta1', kind: 'Pod' } }),
      DENIED,
    );
  });

  it('goes by the kind of the request, not by what the object says of itself', async () => {
    await expectDenied(
      controller,
      reviewOf({ ...volumePod(unsigned), kind: 'ConfigMap', apiVersion: 'v1' }),
      DENIED,
    );
    const deployment = { group: 'apps', version: 'v1', kind: 'Deployment' };
    await expectDenied(controller, reviewOf(volumePod(unsigned), { kind: deployment }), {
      code: 400,
      reasons: ['RequestMalformed'],
    });
  });

  it('goes by the namespace of the request, not by what the object says of itself', async () => {
    const strict = await startController({
      registry: controller.registry,
      policies: {
        prod: teamPolicy(controller.registry, { namespaceSelector: { matchLabels: { tier: 'prod' } } }),
      },
      namespaces: { prod: { tier: 'prod' }, sandbox: {} },
      decisions: { noMatchPolicy: 'Allow' },
    });
    try {
      const pod = podOf(
        { volumes: toVolumes([unsigned]) },
        { namespace: 'sandbox', labels: { tier: 'sandbox' } },
      );
      await expectDenied(strict, reviewOf(pod, { namespace: 'prod' }), DENIED);
      await expectAllowed(strict, reviewOf(pod, { namespace: 'sandbox' }));
    } finally {
      await strict.stop();
    }
  });

  describe('of an update', () => {
    // None of these may wait for a registry.
    beforeEach(() => controller.registry.setFault(() => ({ hang: true })));

    const changes: readonly (readonly [string, Record<string, unknown>])[] = [
      ['labels', { metadata: { labels: { a: 'b' } } }],
      ['finalizers', { metadata: { finalizers: ['example.test/x'] } }],
      ['the deletion timestamp', { metadata: { deletionTimestamp: '2026-11-21T00:00:00Z' } }],
      ['forged annotations', { metadata: { annotations: { 'modelpolicy.dev/verdict': 'allowed' } } }],
    ];
    for (const [what, change] of changes) {
      it(`exempts a change of ${what} of an unverified pod`, async () => {
        const pod = volumePod(unsigned);
        const before = controller.registry.requests.length;
        await expectAllowed(controller, updateOf(pod, { ...pod, ...change }), 'exempt-unchanged');
        assert.equal(controller.registry.requests.length, before);
      });
    }

    it('exempts an unchanged pod that is being deleted', async () => {
      const pod = {
        ...volumePod(unsigned),
        metadata: { deletionTimestamp: '2026-11-21T00:00:00Z', finalizers: ['a/b'] },
      };
      await expectAllowed(
        controller,
        updateOf(pod, { ...pod, metadata: { deletionTimestamp: '2026-11-21T00:00:00Z' } }),
        'exempt-unchanged',
      );
    });

    it('exempts a resize', async () => {
      const sized = (cpu: string): object =>
        podOf({
          volumes: toVolumes([unsigned]),
          containers: [{ ...PLAIN_CONTAINER, resources: { limits: { cpu } } }],
        });
      await expectAllowed(
        controller,
        updateOf(sized('1'), sized('2'), { subResource: 'resize' }),
        'exempt-unchanged',
      );
    });

    it('exempts a debug container whose image nobody claims', async () => {
      const pod = volumePod(unsigned);
      const debugged = podOf({
        volumes: toVolumes([unsigned]),
        ephemeralContainers: [{ name: 'debug', image: 'busybox' }],
      });
      await expectAllowed(
        controller,
        updateOf(pod, debugged, { subResource: 'ephemeralcontainers' }),
        'exempt-unchanged',
      );
    });

    it('exempts a scaled Deployment', async () => {
      const review = workloadReview('Deployment', [unsigned]);
      const { object } = review['request'] as { object: { spec: object } };
      const scaled = { ...object, spec: { ...object.spec, replicas: 3 } };
      await expectAllowed(
        controller,
        workloadReview('Deployment', [unsigned], { operation: 'UPDATE', oldObject: object, object: scaled }),
        'exempt-unchanged',
      );
    });
  });

  describe('of an update that changes a model', () => {
    const pod = (spec: object): Record<string, unknown> => podOf({ volumes: toVolumes([signed]), ...spec });

    it('judges another image volume', async () => {
      await expectDenied(controller, updateOf(volumePod(signed), volumePod(unsigned)), DENIED);
    });

    it('judges an added image volume', async () => {
      await expectDenied(controller, updateOf(volumePod(signed), volumePod(signed, unsigned)), DENIED);
    });

    it('judges the same volumes in another order, and admits them on their merits', async () => {
      const other = pushSigned(controller.registry).reference;
      await expectAllowed(controller, updateOf(volumePod(signed, other), volumePod(other, signed)));
      await expectDenied(
        controller,
        updateOf(volumePod(signed, unsigned), volumePod(unsigned, signed)),
        DENIED,
      );
    });

    it('judges a claimed image in place of an unclaimed one', async () => {
      await expectDenied(controller, updateOf(imagePod('busybox'), imagePod(unsigned)), DENIED);
    });

    it('judges another claimed image', async () => {
      await expectDenied(controller, updateOf(imagePod(signed), imagePod(unsigned)), DENIED);
    });

    it('judges a debug container with a claimed image', async () => {
      const debugged = pod({ ephemeralContainers: [{ name: 'debug', image: unsigned }] });
      await expectDenied(
        controller,
        updateOf(pod({}), debugged, { subResource: 'ephemeralcontainers' }),
        DENIED,
      );
    });

    it('judges a debug container with a model in its arguments', async () => {
      const debugged = pod({
        ephemeralContainers: [{ name: 'debug', image: 'busybox', args: [`oci://${unsigned}`] }],
      });
      await expectDenied(
        controller,
        updateOf(pod({}), debugged, { subResource: 'ephemeralcontainers' }),
        DENIED,
      );
    });

    it('judges a model that moves from one container to another', async () => {
      const at = (index: number): object =>
        podOf({
          containers: [0, 1].map((n) => ({ name: `c${n}`, image: n === index ? unsigned : 'busybox' })),
        });
      await expectDenied(controller, updateOf(at(0), at(1)), DENIED);
    });

    it('judges another tag under the same digest, another digest under the same tag', async () => {
      const [name = '', digest = ''] = unsigned.split('@');
      await expectDenied(
        controller,
        updateOf(volumePod(unsigned), volumePod(`${name}:v2@${digest}`)),
        DENIED,
      );
      const other = pushModel(controller.registry);
      await expectDenied(
        controller,
        updateOf(volumePod(`${name}:v2@${digest}`), volumePod(`${name}:v2@${other.digest}`)),
        {
          code: 403,
          reasons: ['ArtifactNotFound'],
        },
      );
    });

    it('judges changed models of a pod that is being deleted', async () => {
      const deleted = (reference: string): object => ({
        ...volumePod(reference),
        metadata: { deletionTimestamp: '2026-11-21T00:00:00Z' },
      });
      await expectDenied(controller, updateOf(deleted(signed), deleted(unsigned)), DENIED);
    });

    it('judges a pod that was created while it was deleted', async () => {
      await expectDenied(
        controller,
        reviewOf({ ...volumePod(unsigned), metadata: { deletionTimestamp: '2026-11-21T00:00:00Z' } }),
        DENIED,
      );
    });
  });

  describe('of an update without a readable old object', () => {
    const olds: readonly (readonly [string, unknown])[] = [
      ['none', undefined],
      ['null', null],
      ['an array', []],
      ['a string', 'Pod'],
      ['an object without a spec', { kind: 'Pod' }],
      ['a spec that is an array', { spec: [] }],
    ];
    for (const [what, oldObject] of olds) {
      it(`judges as if it were new: ${what}`, async () => {
        await expectDenied(controller, updateOf(oldObject, volumePod(unsigned)), DENIED);
        await expectAllowed(controller, updateOf(oldObject, volumePod(signed)));
      });
    }
  });

  it('does not let a creation pass for an unchanged update', async () => {
    await expectDenied(controller, reviewOf(volumePod(unsigned), { oldObject: volumePod(unsigned) }), DENIED);
  });
});

describe('isUnchanged()', () => {
  it('compares findings too', () => {
    const withFinding = (written: string): Parameters<typeof isUnchanged>[0] => ({
      references: [],
      images: [],
      findings: [
        {
          reason: 'ReferenceInvalid',
          message: 'cut short',
          written,
          field: 'spec.volumes[0].image.reference',
          sources: ['ImageVolume'],
        },
      ],
      unreadableImages: [],
    });
    assert.equal(isUnchanged(withFinding('a'), withFinding('a')), true);
    assert.equal(isUnchanged(withFinding('a'), withFinding('b')), false);
  });

  it('takes a model out of a container for a change', () => {
    const options = { workloads: 'Warn', shortNames: 'Deny' } as const;
    const [before, after] = [argumentPod('oci://a.test/b'), argumentPod()].map((pod) =>
      findScope(reviewOf(pod)['request'] as AdmissionRequest, options),
    );
    assert.ok(before?.kind === 'judged' && after?.kind === 'judged');
    assert.equal(isUnchanged(before.extraction, after.extraction), false);
  });
});

// Does the record say what an auditor needs, and nothing that is secret or endless?
import assert from 'node:assert/strict';
import { MAX_RECORDED } from '../../src/telemetry/decision-record.ts';
import {
  pushModel,
  pushSigned,
  startController,
  teamPolicy,
  type Controller,
} from '../support/controller.ts';
import { argumentPod, podOf, reviewOf, toVolumes, volumePod } from '../support/review.ts';

describe('toDecisionRecord()', () => {
  let controller: Controller;

  beforeEach(async () => {
    controller = await startController();
  });
  afterEach(() => controller.stop());

  it('says who asked for what, what was found, and by which signature', async () => {
    const model = pushSigned(controller.registry);
    const unsigned = pushModel(controller.registry);
    const before = Date.now();
    const { uid } = await controller.ask(
      reviewOf(volumePod(model.reference, unsigned.reference), { dryRun: true }),
    );
    const record = JSON.parse(JSON.stringify(controller.records[0])) as Record<string, unknown> & {
      time: string;
      references: [{ signatures: [{ keyFingerprint: string }] }];
      findings: [{ message: string }];
      durationsMs: object;
    };
    const { time, durationsMs } = record;
    assert.ok(Date.parse(time) >= before - 1 && Date.parse(time) <= Date.now());
    assert.deepEqual(Object.keys(durationsMs), ['extract', 'select', 'gather', 'prove', 'judge', 'total']);
    const [{ signatures }] = record.references;
    const common = { source: 'ImageVolume', format: 'ORAS' };
    assert.deepEqual(record, {
      time,
      uid,
      operation: 'CREATE',
      dryRun: true,
      object: { kind: 'Pod', namespace: 'default', name: 'pod' },
      user: 'jane',
      verdict: 'denied',
      exceptions: [],
      exemption: null,
      references: [
        {
          reference: model.reference,
          digest: model.digest,
          fieldPath: 'spec.volumes[0].image.reference',
          ...common,
          signatures: [
            {
              authority: 'team',
              format: 'CosignBundle',
              issuer: '',
              subject: '',
              keyFingerprint: signatures[0].keyFingerprint,
              signedAt: null,
              logs: [],
            },
          ],
        },
        {
          reference: unsigned.reference,
          digest: unsigned.digest,
          fieldPath: 'spec.volumes[1].image.reference',
          ...common,
          signatures: [],
        },
      ],
      policies: ['team'],
      findings: [
        {
          reason: 'SignatureMissing',
          message: record.findings[0].message,
          field: 'spec.volumes[1].image.reference',
          policy: 'team',
          actions: ['Deny'],
        },
      ],
      durationsMs,
    });
  });

  it('names a signature once that satisfied two policies', async () => {
    controller.setPolicies({ a: teamPolicy(controller.registry), b: teamPolicy(controller.registry) });
    await controller.ask(reviewOf(volumePod(pushSigned(controller.registry).reference)));
    const [reference] = controller.records[0]?.references ?? [];
    assert.equal((reference as unknown as { signatures: unknown[] }).signatures.length, 1);
  });

  it('never holds the object', async () => {
    const metadata = { annotations: { secret: 'zz-secret' }, labels: { l: 'zz-secret' } };
    const env = [{ name: 'PASSWORD', value: 'zz-secret' }];
    const pod = podOf(
      {
        volumes: toVolumes([pushSigned(controller.registry).reference]),
        containers: [{ name: 'c', image: 'i', env, args: ['zz-secret'] }],
      },
      metadata,
    );
    await controller.ask(reviewOf(pod));
    assert.ok(!JSON.stringify(controller.records).includes('zz-secret'));
  });

  it('bounds what others wrote', async () => {
    await controller.ask(reviewOf(podOf({}), { userInfo: { username: 'u'.repeat(100_000) } }));
    assert.equal(Buffer.byteLength(controller.records[0]?.user ?? ''), 512);
  });

  it(`holds ${MAX_RECORDED} references and findings, and counts the rest`, async () => {
    const uris = Array.from({ length: MAX_RECORDED + 10 }, () => 'oci://');
    await controller.ask(reviewOf(argumentPod(...uris)));
    const [record] = controller.records;
    assert.equal(record?.findings.length, MAX_RECORDED);
    assert.equal((record as unknown as { omitted: number }).omitted, 10);
  });

  it('says of a malformed request what could be read', async () => {
    const { uid } = await controller.ask(reviewOf(podOf({}), { operation: 'PATCH' }));
    const [record] = controller.records;
    assert.deepEqual(
      [record?.uid, record?.operation, record?.verdict, record?.findings[0]?.reason],
      [uid, '', 'denied', 'RequestMalformed'],
    );
  });
});

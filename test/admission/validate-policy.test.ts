// Is a policy object refused for what is wrong with it, at its place, and for nothing else?
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { createPolicyHandler } from '../../src/admission/validate-policy.ts';
import { createSigstore } from '../../src/demo/sigstore.ts';
import { createFairTurns } from '../../src/lib/fair-turns.ts';
import { startController, TEAM_KEY, type Answer, type Controller } from '../support/controller.ts';
import { reviewOf, type RequestFields } from '../support/review.ts';

const GOOD = {
  models: [{ glob: 'registry.example.com/models/**' }],
  authorities: [{ name: 'team', key: { pem: TEAM_KEY.publicKeyPem } }],
};

describe('POST /validate-policy', () => {
  let controller: Controller;
  before(async () => {
    controller = await startController();
  });
  after(() => controller.stop());

  const objectOf = (kind: string, spec: unknown, metadata: object = {}): object => ({
    apiVersion: 'modelpolicy.dev/v1alpha1',
    kind,
    metadata: { name: 'prod', ...metadata },
    spec,
  });
  const ask = (kind: string, spec: unknown, fields: RequestFields = {}): Promise<Answer> =>
    controller.askPolicy(
      reviewOf(objectOf(kind, spec), {
        kind: { group: 'modelpolicy.dev', version: 'v1alpha1', kind },
        name: 'prod',
        namespace: '',
        ...fields,
      }),
    );
  async function refused(kind: string, spec: unknown, message: RegExp): Promise<Answer> {
    const answer = await ask(kind, spec);
    assert.deepEqual([answer.allowed, answer.code, answer.reasons], [false, 403, ['PolicyInvalid']]);
    assert.match(answer.message, message);
    return answer;
  }

  it('admits a policy that compiles, without a word', async () => {
    const answer = await ask('ClusterModelPolicy', GOOD);
    assert.deepEqual([answer.allowed, answer.warnings], [true, []]);
  });

  it('refuses an expression with its field, its fault and a caret', async () => {
    const answer = await refused(
      'ClusterModelPolicy',
      { ...GOOD, validations: [{ expression: 'model.layers.all(l, l.tittle == 1)' }] },
      /^spec\.validations\[0\]\.expression: [^\n]*tittle[^\n]*\nmodel\.layers\.all\(l, l\.tittle == 1\)\n +\^/,
    );
    assert.equal(answer.causes[0]?.field, 'spec.validations[0].expression');
  });

  it('names every fault', async () => {
    const answer = await refused(
      'ClusterModelPolicy',
      {
        models: [{ glob: 'models/**' }],
        authorities: [
          { name: 'a', key: { pem: 'no key' } },
          { name: 'a', static: { action: 'Pass' } },
        ],
      },
      /^spec\.models\[0\]\.glob: it must begin with a registry host/,
    );
    assert.deepEqual(answer.causes.map(({ field = '' }) => field).toSorted(), [
      'spec.authorities',
      'spec.authorities',
      'spec.authorities[0].key',
      'spec.models[0].glob',
    ]);
  });

  it('refuses a field that does not exist', async () => {
    await refused('ClusterModelPolicy', { ...GOOD, minAuthoritys: 1 }, /unknown field "minAuthoritys"/);
    await refused('ClusterModelPolicy', undefined, /must be object/);
  });

  it('admits what names something that is not there yet, and says what happens until then', async () => {
    const answer = await ask('ClusterModelPolicy', {
      authorities: [
        { name: 'a', key: { secretKeyRef: { name: 'signer', key: 'cosign.pub' } } },
        {
          name: 'b',
          keyless: { identities: [{ issuer: 'https://i', subject: 's' }], trustRootRef: { name: 'none' } },
        },
      ],
    });
    assert.equal(answer.allowed, true);
    assert.deepEqual(
      answer.warnings.map((warning) => warning.split(';')[1]),
      [
        ' until it is there, nothing that this selects passes',
        ' until it is there, nothing that this selects passes',
      ],
    );
    assert.match(answer.warnings.join('\n'), /Secret model-policy-system\/signer does not exist/);
    assert.match(answer.warnings.join('\n'), /TrustRoot "none" does not exist/);
  });

  it('admits what is probably not meant, and says what and how to mend it', async () => {
    const answer = await ask('ClusterModelPolicy', {
      ...GOOD,
      models: [{ glob: '**' }],
      validations: [{ expression: "!signatures.exists(s, s.subject == 'x')" }],
    });
    assert.deepEqual([answer.allowed, answer.warnings.length], [true, 2]);
    assert.match(answer.warnings[0] ?? '', /^spec\.models\[0\]\.glob: \*\* is every repository/);
    assert.match(
      answer.warnings[1] ?? '',
      /^spec\.validations\[0\]\.expression: .*withholds evidence; demand/,
    );
  });

  it('gives no advice on what is refused', async () => {
    const answer = await refused(
      'ClusterModelPolicy',
      { ...GOOD, models: [{ glob: '**' }, { glob: '' }] },
      /./,
    );
    assert.deepEqual(answer.warnings, []);
  });

  it('checks TrustRoots, a pinned document included', async () => {
    const sigstore = await createSigstore();
    assert.equal(
      (await ask('TrustRoot', { trustedRoot: { json: sigstore.trustedRootJson() } })).allowed,
      true,
    );
    assert.equal((await ask('TrustRoot', { sigstorePublicGood: {} })).allowed, true);
    await refused('TrustRoot', { trustedRoot: { json: '{}' } }, /^spec\.trustedRoot: mediaType/);
    await refused('TrustRoot', { github: {}, sigstorePublicGood: {} }, /exactly one of/);
    const missing = await ask('TrustRoot', { trustedRoot: { configMapKeyRef: { name: 'x', key: 'y' } } });
    assert.equal(missing.allowed, true);
    assert.match(
      missing.warnings[0] ?? '',
      /^spec\.trustedRoot: ConfigMap model-policy-system\/x does not exist/,
    );
  });

  it('checks ModelPolicyExceptions', async () => {
    await refused('ModelPolicyException', { policies: ['*'] }, /spec/);
  });

  it('never holds up deletion, status, or a change of metadata alone', async () => {
    const bad = { authorities: 'none' };
    const oldObject = objectOf('ClusterModelPolicy', bad);
    for (const fields of [
      { operation: 'DELETE', object: null, oldObject },
      { operation: 'UPDATE', subResource: 'status', oldObject },
      { operation: 'UPDATE', oldObject: objectOf('ClusterModelPolicy', bad, { labels: { a: 'b' } }) },
    ])
      assert.equal((await ask('ClusterModelPolicy', bad, fields)).allowed, true, fields.operation);
    assert.equal(
      (
        await ask('ClusterModelPolicy', bad, {
          operation: 'UPDATE',
          oldObject: objectOf('ClusterModelPolicy', GOOD),
        })
      ).allowed,
      false,
    );
  });

  it('has no opinion on other kinds, and refuses versions that it does not know', async () => {
    const other = reviewOf({ apiVersion: 'v1', kind: 'Pod' }, { name: 'p' });
    assert.equal((await controller.askPolicy(other)).allowed, true);
    const newer = reviewOf(
      { apiVersion: 'modelpolicy.dev/v2', kind: 'ClusterModelPolicy', metadata: { name: 'x' }, spec: {} },
      { kind: { group: 'modelpolicy.dev', version: 'v2', kind: 'ClusterModelPolicy' } },
    );
    const answer = await controller.askPolicy(newer);
    assert.equal(answer.allowed, false);
    assert.match(answer.message, /^apiVersion: "modelpolicy\.dev\/v2" is not served here/);
  });

  it('answers what is no review as /validate does', async () => {
    const { status } = await controller.post('{}', { path: '/validate-policy' });
    assert.equal(status, 400);
    const { status: bounded, text } = await controller.post(
      JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request: { uid: 'u' } }),
      { path: '/validate-policy' },
    );
    assert.equal(bounded, 200);
    assert.match(text, /"allowed":false/);
  });
});

describe('createPolicyHandler()', () => {
  const toReview = (namespace: string): Buffer => {
    const object = { apiVersion: 'modelpolicy.dev/v1alpha1', kind: 'ModelPolicy', metadata: {}, spec: {} };
    const kind = { group: 'modelpolicy.dev', version: 'v1alpha1', kind: 'ModelPolicy' };
    return Buffer.from(JSON.stringify(reviewOf(object, { kind, namespace })));
  };

  it('lets a namespace that asks again and again wait behind itself only', async () => {
    let clock = 0;
    const order: string[] = [];
    const handle = createPolicyHandler(
      () => {
        // As dear as a ModelPolicy may be.
        clock += 30;
        return { faults: [], warnings: [] };
      },
      createFairTurns(() => clock),
    );
    const ask = async (namespace: string): Promise<void> => {
      await handle(toReview(namespace), 5000);
      order.push(namespace);
    };
    await Promise.all([...Array.from({ length: 50 }, () => ask('flood')), ask('quiet')]);
    assert.equal(order.length, 51);
    assert.ok(order.indexOf('quiet') < 4, `answer ${order.indexOf('quiet')}`);
  });

  it('checks nothing whose time is up, and says so', async () => {
    const handle = createPolicyHandler(() => assert.fail('it was checked'), {
      take: async (_owner, work) => {
        await sleep(20);
        return work();
      },
    });
    const { response } = (await handle(toReview('flood'), 1)).body as { response: Record<string, unknown> };
    assert.equal(response['allowed'], true);
    assert.deepEqual(response['warnings'], [
      'this was not checked: the time for it is up, because many are being checked',
    ]);
  });
});

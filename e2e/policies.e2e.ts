// Who refuses a policy that cannot work, and in which words? The tables of the unit tests against a real API server with
// the CRDs and the registration that are shipped; and what kubectl shows of our kinds.
import assert from 'node:assert/strict';
import type { Schema } from '../src/policy/schema.ts';
import { ACCEPTED_OBJECTS } from '../test/support/accepted-policies.ts';
import { REFUSED_OBJECTS } from '../test/support/refused-policies.ts';
import { type ControlPlane, startControlPlane } from './support/control-plane.ts';
import type { KubectlResult } from './support/kubectl.ts';
import { CRD_DIRECTORY, type Manifest, toDocuments, webhookAt } from './support/manifests.ts';
import { waitFor } from './support/processes.ts';
import { type Service, startService } from './support/service.ts';

/** Long enough for a busy machine. */
const EFFECT_BOUND_MS = 15_000;
const WEBHOOK = 'admission webhook "policy.modelpolicy.dev" denied the request: ';

interface OpenApi {
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

describe('policies in a cluster', () => {
  let cluster: ControlPlane | undefined;
  let service: Service | undefined;

  const kubectl = async (args: readonly string[], stdin?: string): Promise<KubectlResult> => {
    assert.ok(cluster);
    return cluster.kubectl(args, stdin);
  };
  const toManifest = (kind: string, name: string, spec: object): Manifest => ({
    apiVersion: 'modelpolicy.dev/v1alpha1',
    kind,
    metadata: { name },
    spec,
  });
  const apply = (manifest: Manifest, ...flags: readonly string[]): Promise<KubectlResult> =>
    kubectl(['apply', ...flags, '--filename', '-'], toDocuments(manifest));
  const FAIL = { authorities: [{ name: 'a', static: { action: 'Fail' } }] };

  before(async () => {
    cluster = await startControlPlane();
    succeeded(await kubectl(['apply', '--filename', CRD_DIRECTORY]));
    succeeded(await kubectl(['wait', '--for=condition=established', 'crd', '--all', '--timeout=30s']));
    succeeded(await apply(toManifest('ClusterModelPolicy', 'prod', FAIL)));
    succeeded(await apply(toManifest('TrustRoot', 'good', { sigstorePublicGood: {} })));
    const { kubeconfig, directory } = cluster;
    service = await startService({ kubeconfig, directory, plainHttp: [], args: ['--offline'] });
    succeeded(await apply(webhookAt(service.url, service.ca)));
    const broken = toManifest('ClusterModelPolicy', 'question', { ...FAIL, models: [{ glob: 'm' }] });
    const isAsked = async (): Promise<boolean> =>
      (await apply(broken, '--dry-run=server')).stderr.includes(WEBHOOK);
    await waitFor('the webhook in force', isAsked, { boundMs: EFFECT_BOUND_MS });
  });

  afterEach(function () {
    if (this.currentTest?.state === 'failed' && service) console.error(service.log().slice(-1000));
  });

  after(async () => {
    await service?.stop();
    await cluster?.stop();
  });

  for (const { name, kind, spec, says, schema } of REFUSED_OBJECTS) {
    it(`refuses ${name} by the ${schema === undefined ? 'webhook' : 'schema'}`, async () => {
      const { code, stderr } = await apply(toManifest(kind, 'case', spec), '--dry-run=server');
      assert.equal(code, 1, stderr);
      const expected = schema ?? `${WEBHOOK}${says}`;
      assert.ok(stderr.includes(expected), `${stderr}\ninstead of\n${expected}`);
      assert.equal(stderr.includes(WEBHOOK), schema === undefined, stderr);
    });
  }

  for (const { name, kind, spec, warnings } of ACCEPTED_OBJECTS) {
    it(`accepts ${name}`, async () => {
      const { stderr } = succeeded(await apply(toManifest(kind, 'case', spec), '--dry-run=server'));
      const told = stderr.split('\n').filter((line) => line.startsWith('Warning: '));
      assert.equal(told.length, warnings.length, stderr);
      for (const [index, pattern] of warnings.entries()) {
        assert.match(told[index]?.slice('Warning: '.length) ?? '', pattern);
      }
    });
  }

  it('lets nobody change an exception', async () => {
    const spec = {
      policies: ['prod'],
      namespaces: ['a'],
      models: [`a.test/m@sha256:${'0'.repeat(64)}`],
      reason: 'x',
      requestedBy: 'x',
      expiresAt: '2999-01-01T00:00:00Z',
    };
    succeeded(await apply(toManifest('ModelPolicyException', 'fixed', spec)));
    const { code, stderr } = await apply(
      toManifest('ModelPolicyException', 'fixed', { ...spec, namespaces: ['a', 'b'] }),
    );
    assert.equal(code, 1);
    assert.ok(stderr.includes('an exception cannot be changed: make another one'), stderr);
    succeeded(await kubectl(['delete', 'mpe', 'fixed']));
  });

  it('never keeps a policy that does not compile from being relabelled or deleted', async () => {
    succeeded(await kubectl(['delete', 'validatingwebhookconfiguration', '--all']));
    const broken = toManifest('ClusterModelPolicy', 'broken', { ...FAIL, models: [{ glob: 'm' }] });
    await waitFor('the webhook gone', async () => (await apply(broken)).code === 0, {
      boundMs: EFFECT_BOUND_MS,
    });
    assert.ok(service);
    succeeded(await apply(webhookAt(service.url, service.ca)));
    const other = toManifest('ClusterModelPolicy', 'other', { ...FAIL, models: [{ glob: 'm' }] });
    const isAsked = async (): Promise<boolean> =>
      (await apply(other, '--dry-run=server')).stderr.includes(WEBHOOK);
    await waitFor('the webhook in force', isAsked, { boundMs: EFFECT_BOUND_MS });
    succeeded(await kubectl(['label', 'cmp', 'broken', 'seen=yes']));
    succeeded(await kubectl(['delete', 'cmp', 'broken']));
  });

  it('shows columns, and in them what the controller writes', async () => {
    const header = async (kind: string): Promise<string> =>
      succeeded(await kubectl(['get', kind]))
        .stdout.split('\n')[0]
        ?.replaceAll(/ +/g, ' ')
        .trim() ?? '';
    assert.equal(await header('cmp'), 'NAME ACTIONS READY REASON AGE');
    assert.equal(await header('mtr'), 'NAME SOURCE EXPIRES READY');
    const condition = {
      type: 'Ready',
      status: 'False',
      reason: 'KeysMissing',
      message: 'Secret signer does not exist',
      lastTransitionTime: '2026-11-21T12:00:00Z',
    };
    const patch = (object: string, status: object): Promise<KubectlResult> =>
      kubectl([
        'patch',
        ...object.split('/'),
        '--subresource=status',
        '--type=merge',
        '--patch',
        JSON.stringify({ status }),
      ]);
    succeeded(await patch('cmp/prod', { observedGeneration: 1, conditions: [condition] }));
    const root = { source: 'shipped', expires: '2027-01-01T00:00:00Z', conditions: [condition] };
    succeeded(await patch('mtr/good', root));
    assert.match(
      (await kubectl(['get', 'cmp', 'prod'])).stdout,
      /^prod +\["Deny"\] +False +KeysMissing +\S+$/m,
    );
    assert.match(
      (await kubectl(['get', 'mtr', 'good'])).stdout,
      /^good +shipped +2027-01-01T00:00:00Z +False$/m,
    );
    const wrong = await patch('cmp/prod', { conditions: [{ ...condition, status: 'Maybe' }] });
    assert.equal(wrong.code, 1, wrong.stdout);
  });

  it('explains every field', async () => {
    const raw = succeeded(await kubectl(['get', '--raw', '/openapi/v3/apis/modelpolicy.dev/v1alpha1']));
    const { schemas } = (JSON.parse(raw.stdout) as OpenApi).components;
    const silent: string[] = [];
    const walk = (schema: Schema, path: string): void => {
      for (const [name, child] of Object.entries(schema.properties ?? {})) {
        if ((child.description ?? '') === '') silent.push(`${path}.${name}`);
        walk(child, `${path}.${name}`);
      }
      if (schema.items !== undefined) walk(schema.items, `${path}[]`);
    };
    for (const kind of ['ClusterModelPolicy', 'TrustRoot', 'ModelPolicyException']) {
      const { spec, status } = schemas[`dev.modelpolicy.v1alpha1.${kind}`]?.properties ?? {};
      assert.ok(spec !== undefined && status !== undefined, kind);
      walk(spec, `${kind}.spec`);
      walk(status, `${kind}.status`);
    }
    assert.deepEqual(silent, []);
    const field = 'clustermodelpolicy.spec.authorities';
    const tree = succeeded(await kubectl(['explain', field, '--recursive'])).stdout;
    assert.match(tree, /Parties whose signatures count\./);
    for (const name of ['keyless', 'subjectRegExp', 'claims', 'minTimestamps', 'roots', 'static']) {
      assert.match(tree, new RegExp(`^ +${name}\t`, 'm'));
    }
    const leaf = succeeded(await kubectl(['explain', `${field}.keyless.identities.subjectRegExp`])).stdout;
    assert.match(leaf, /as a whole-string RE2 pattern/);
  });
});

function succeeded(result: KubectlResult): KubectlResult {
  assert.equal(result.code, 0, result.stderr + result.stdout);
  return result;
}

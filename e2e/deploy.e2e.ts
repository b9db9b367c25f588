// Can deploy/ be installed, trusted with its rights, stepped over in an emergency and taken away again? With a real API
// server, and no controller at all: the worst hour of a webhook that fails closed. What it decides is left to admission.e2e.ts.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { toWebhookRules } from '../src/admission/registration.ts';
import { listObjects } from './support/cluster-objects.ts';
import { type ControlPlane, startControlPlane } from './support/control-plane.ts';
import { blocksOf, readSection, runStep } from './support/document-steps.ts';
import type { KubectlResult } from './support/kubectl.ts';
import {
  BASE_DIRECTORY,
  CRD_DIRECTORY,
  deployment,
  FOREIGN_DEFINITIONS,
  keyPolicy,
  type Manifest,
  namespace,
  OVERLAYS_DIRECTORY,
  pod,
  toDocuments,
  writeKustomization,
} from './support/manifests.ts';
import { waitFor } from './support/processes.ts';

const EFFECT_BOUND_MS = 30_000;
const DOCUMENT = 'docs/install.md';
const SYSTEM = 'model-policy-system';
const ACCOUNT = `system:serviceaccount:${SYSTEM}:model-policy-controller`;
const LABEL = 'app.kubernetes.io/part-of=model-policy-controller';
const REFERENCE = `registry.example/model@sha256:${'1'.repeat(64)}`;
const KEY = '-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----\n';

interface WebhookConfiguration {
  readonly webhooks: readonly {
    readonly rules: unknown;
    readonly failurePolicy: string;
    readonly clientConfig: { readonly caBundle?: string };
  }[];
}

describe('deploy/', () => {
  let cluster: ControlPlane | undefined;
  let objectsBefore: readonly string[] = [];

  const running = (): ControlPlane => cluster ?? assert.fail('no control plane');
  const kubectl = (args: readonly string[], stdin?: string): Promise<KubectlResult> =>
    running().kubectl(args, stdin);
  const succeed = async (args: readonly string[], stdin?: string): Promise<string> => {
    const { code, stdout, stderr } = await kubectl(args, stdin);
    assert.equal(code, 0, stderr + stdout);
    return stdout;
  };
  const apply = (...manifests: readonly Manifest[]): Promise<KubectlResult> =>
    kubectl(['apply', '--filename', '-'], toDocuments(...manifests));
  const applied = (...manifests: readonly Manifest[]): Promise<string> =>
    succeed(['apply', '--filename', '-'], toDocuments(...manifests));
  const dryRun = (directory: string): Promise<string> =>
    succeed(['apply', '--kustomize', directory, '--dry-run=server', '--validate=strict']);
  /** A namespace whose service account is there, so that pods can be made in it. */
  const openNamespace = async (name: string): Promise<void> => {
    await applied(namespace(name));
    const account = ['get', 'serviceaccount', 'default', '--namespace', name];
    await waitFor('a service account', async () => (await kubectl(account)).code === 0, {
      boundMs: EFFECT_BOUND_MS,
    });
  };
  const ask = (): Promise<KubectlResult> =>
    kubectl(
      ['apply', '--dry-run=server', '--filename', '-'],
      toDocuments(pod('question', 'team-a', REFERENCE)),
    );
  const isUnanswered = async (): Promise<boolean> =>
    /failed calling webhook "validate\.modelpolicy\.dev"/u.test((await ask()).stderr);
  const isPassed = async (): Promise<boolean> => (await ask()).code === 0;
  const follow = async (commands: string): Promise<void> => void (await runStep(commands, running()));

  before(async () => {
    cluster = await startControlPlane();
    await applied(...FOREIGN_DEFINITIONS);
    await openNamespace('team-a');
    objectsBefore = await listObjects(kubectl);
    await succeed(['apply', '--filename', CRD_DIRECTORY]);
    await succeed(['wait', '--for=condition=established', 'crd', '--all', '--timeout=30s']);
    // A dry run makes no namespace for the objects after it.
    await succeed(['apply', '--filename', join(BASE_DIRECTORY, 'namespace.yaml')]);
  });

  after(() => cluster?.stop());

  describe('before it is installed', () => {
    for (const overlay of readdirSync(OVERLAYS_DIRECTORY))
      it(`is accepted as overlays/${overlay}`, async () => {
        const result = await dryRun(join(OVERLAYS_DIRECTORY, overlay));
        assert.match(result, /^deployment\.apps\/model-policy-controller created \(server dry run\)$/mu);
        assert.match(result, /^validatingwebhookconfiguration\.\S+\/model-policy-controller created/mu);
      });

    it('is accepted with components that no overlay has, and several of them', async () => {
      const components = [
        'audit',
        'cert-manager',
        'client-ca',
        'high-availability',
        'monitoring',
        'pull-secrets',
        'tenant-policies',
      ];
      const result = await dryRun(writeKustomization(running().directory, components));
      for (const name of ['prometheusrule', 'servicemonitor', 'configmap/model-policy-dashboard', 'issuer'])
        assert.ok(result.includes(name), `${name}: ${result}`);
    });

    it('holds the policies of a kustomization to the step of the roll-out', async () => {
      const policy = keyPolicy('prod-models', 'registry.example', KEY);
      for (const [step, action] of [
        ['audit', 'Audit'],
        ['warn', 'Warn'],
      ] as const) {
        const directory = writeKustomization(running().directory, [step], { 'policy.yaml': policy });
        const documents = parseAllDocuments(await succeed(['kustomize', directory])).map(
          (document) => document.toJS() as { kind: string; spec: { validationActions?: unknown } },
        );
        const [found] = documents.filter(({ kind }) => kind === 'ClusterModelPolicy');
        assert.deepEqual(found?.spec.validationActions, [action]);
        await dryRun(directory);
      }
    });
  });

  describe('installed, with no controller that answers', () => {
    before(async () => {
      await openNamespace('doomed');
      const template = { metadata: {}, spec: { ...podSpecOf(), restartPolicy: 'Never' } };
      const metadata = { name: 'batch', namespace: 'doomed' };
      const finalized = { name: 'held', namespace: 'doomed', finalizers: ['e2e.example/held'] };
      await applied(
        { apiVersion: 'batch/v1', kind: 'Job', metadata, spec: { template } },
        deployment('serving', 'doomed', REFERENCE),
        { ...pod('held', 'doomed', REFERENCE), metadata: finalized },
      );
      const pods = ['get', 'pods', '--namespace', 'doomed', '--output', 'name'];
      await waitFor(
        'the pods',
        async () => {
          const names = await succeed(pods);
          return ['batch-', 'serving-', 'held'].every((name) => names.includes(`pod/${name}`));
        },
        { boundMs: EFFECT_BOUND_MS },
      );
      await succeed(['apply', '--kustomize', BASE_DIRECTORY]);
      await waitFor('the registration in force', isUnanswered, { boundMs: EFFECT_BOUND_MS });
    });

    it('fault 63: denies every pod outside of the excluded namespaces', async () => {
      assert.equal((await ask()).code, 1);
      assert.equal(await isUnanswered(), true);
    });

    it('asks for exactly what is read', async () => {
      const text = await succeed([
        'get',
        'validatingwebhookconfiguration',
        'model-policy-controller',
        '--output=json',
      ]);
      const [webhook] = (JSON.parse(text) as WebhookConfiguration).webhooks;
      assert.deepEqual(webhook?.rules, toWebhookRules());
      assert.equal(webhook.failurePolicy, 'Fail');
    });

    it('fault 57: makes its own pods, which the restricted profile admits, and makes them again', async () => {
      const list = ['get', 'pods', '--namespace', SYSTEM, '--output', 'name'];
      const names = async (): Promise<readonly string[]> =>
        (await succeed(list)).split('\n').filter((name) => name.startsWith('pod/model-policy-controller-'));
      await waitFor('two pods', async () => (await names()).length === 2, { boundMs: EFFECT_BOUND_MS });
      const first = await names();
      await succeed(['delete', '--namespace', SYSTEM, '--timeout=20s', ...first]);
      const isRemade = async (): Promise<boolean> =>
        (await names()).filter((name) => !first.includes(name)).length === 2;
      await waitFor('two new pods', isRemade, { boundMs: EFFECT_BOUND_MS });
      // The profile is enforced: a pod that asks for more is not made.
      const { stderr } = await apply(pod('unrestricted', SYSTEM));
      assert.match(stderr, /violates PodSecurity "restricted/u);
    });

    it('lets labels and finalizers of what runs be changed', async () => {
      const target = ['pod', 'held', '--namespace', 'doomed'];
      await succeed(['label', ...target, 'seen=yes']);
      const images = '[{"op":"replace","path":"/spec/containers/0/image","value":"registry.example/app:2"}]';
      const { stderr } = await kubectl(['patch', ...target, '--type=json', `--patch=${images}`]);
      assert.match(stderr, /failed calling webhook/u);
    });

    it('lets a namespace be deleted with jobs, owners that wait, and finalizers', async () => {
      await succeed([
        'delete',
        'deployment',
        'serving',
        '--namespace=doomed',
        '--cascade=foreground',
        '--timeout=30s',
      ]);
      await succeed(['delete', 'namespace', 'doomed', '--wait=false']);
      const release = '[{"op":"remove","path":"/metadata/finalizers"}]';
      await succeed(['patch', 'pod', 'held', '--namespace=doomed', '--type=json', `--patch=${release}`]);
      await succeed(['wait', '--for=delete', 'namespace/doomed', '--timeout=50s']);
    });

    it('lets policies be saved, mended and deleted', async () => {
      const policy = keyPolicy('prod-models', 'registry.example', KEY);
      await applied(policy);
      await applied({ ...policy, spec: { ...(policy['spec'] as object), validationActions: ['Warn'] } });
      await succeed(['delete', 'clustermodelpolicy', 'prod-models', '--timeout=20s']);
    });

    describe('its service account', () => {
      const isAllowedTo = async (verb: string, ...args: readonly string[]): Promise<boolean> =>
        (await kubectl(['auth', 'can-i', verb, ...args, `--as=${ACCOUNT}`])).stdout.trim() === 'yes';

      it('reads policies, namespaces, and the Secrets of its own namespace', async () => {
        for (const verb of ['get', 'list', 'watch']) {
          for (const resource of [
            'clustermodelpolicies',
            'trustroots',
            'modelpolicyexceptions',
            'namespaces',
          ])
            assert.equal(await isAllowedTo(verb, resource), true, `${verb} ${resource}`);
          assert.equal(await isAllowedTo(verb, 'secrets', '--namespace', SYSTEM), true, verb);
        }
      });

      it('cannot list secrets of the cluster, nor read one of another namespace', async () => {
        for (const where of [['--all-namespaces'], ['--namespace=team-a'], ['--namespace=kube-system']])
          for (const verb of ['get', 'list', 'watch', 'create', 'update', 'delete'])
            assert.equal(await isAllowedTo(verb, 'secrets', ...where), false, `${verb} ${where.join()}`);
      });

      it('gets no Secret when it asks for it', async () => {
        const token = (
          await succeed(['create', 'token', 'model-policy-controller', '--namespace', SYSTEM])
        ).trim();
        const { stderr } = await kubectl([
          'get',
          'secrets',
          '--all-namespaces',
          '--token',
          token,
          '--kubeconfig',
          '/dev/null',
          '--server',
          running().server,
          '--insecure-skip-tls-verify',
        ]);
        assert.match(stderr, /secrets is forbidden: User "system:serviceaccount:model-policy-system:/u);
      });

      it('cannot change policies, make pods, or give itself more', async () => {
        for (const [verb, resource] of [
          ['update', 'clustermodelpolicies'],
          ['patch', 'trustroots'],
          ['create', 'modelpolicyexceptions'],
          ['delete', 'clustermodelpolicies'],
          ['create', 'pods'],
          ['get', 'pods'],
          ['create', 'serviceaccounts/token'],
          ['create', 'rolebindings'],
          ['escalate', 'clusterroles'],
          ['bind', 'clusterroles'],
          ['impersonate', 'users'],
          ['*', '*'],
        ] as const)
          assert.equal(await isAllowedTo(verb, resource), false, `${verb} ${resource}`);
      });

      it('may do what docs/install.md lists, and nothing else', async () => {
        const list = async (account: string, inNamespace: string): Promise<readonly string[]> => {
          const args = ['auth', 'can-i', '--list', `--namespace=${inNamespace}`, `--as=${account}`];
          return toRows(await succeed(args));
        };
        // What every account may do is the cluster's affair.
        const common = await list('system:serviceaccount:team-a:default', 'team-a');
        const listed = blocksOf(readSection(DOCUMENT, 'What the controller may do'), '').map(toRows);
        const actual: (readonly string[])[] = [];
        for (const inNamespace of ['team-a', SYSTEM])
          actual.push((await list(ACCOUNT, inNamespace)).filter((row) => !common.includes(row)));
        assert.deepEqual(listed, actual);
      });
    });

    describe('at last', () => {
      it('fault 57: is stepped over in an emergency, and put back, by the commands of docs/install.md', async () => {
        const [pass = '', remove = '', restore = '', ...others] = blocksOf(
          readSection(DOCUMENT, 'Break-glass'),
          'sh',
        );
        assert.deepEqual(others, []);
        for (const step of [pass, remove]) {
          await follow(step);
          await waitFor('pods to be made', isPassed, { boundMs: EFFECT_BOUND_MS });
          await follow(restore);
          await waitFor('the registration in force again', isUnanswered, { boundMs: EFFECT_BOUND_MS });
        }
      });

      it('goes without a trace, by the commands of docs/install.md', async () => {
        const [first = '', ...rest] = blocksOf(readSection(DOCUMENT, 'Uninstall'), 'sh')
          .join('')
          .split('\n')
          .filter(Boolean);
        const components = [
          'air-gap',
          'cert-manager',
          'high-availability',
          'monitoring',
          'pull-secrets',
          'tenant-policies',
        ];
        await succeed(['apply', '--kustomize', writeKustomization(running().directory, components)]);
        await applied(keyPolicy('left-over', 'registry.example', KEY));
        assert.ok((await listObjects(kubectl, LABEL)).length > 20);
        await follow(first);
        await waitFor('pods to be made', isPassed, { boundMs: EFFECT_BOUND_MS });
        for (const step of rest) await follow(step);
        assert.deepEqual(await listObjects(kubectl, LABEL), []);
        const left = (await listObjects(kubectl)).filter((name) => !objectsBefore.includes(name));
        assert.deepEqual(left, []);
      });
    });
  });
});

function podSpecOf(): object {
  return pod('template', 'doomed', REFERENCE)['spec'] as object;
}

/** Rows of `kubectl auth can-i --list`, columns apart by one space. */
function toRows(table: string): readonly string[] {
  return table
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('Resources'))
    .map((line) => line.replaceAll(/ +/gu, ' ').trim())
    .toSorted();
}

// Can the API server be the only one that is answered? The commands and files of docs/operations.md, a real API server with
// an admission configuration, and curl: refused without the certificate, answered with it, also while the CA is replaced.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { attachBundle, type PackedModel, packModel } from '../src/demo/artifacts.ts';
import { generateSigningKey } from '../src/demo/keys.ts';
import { type RegistryHandle, startRegistry } from '../src/demo/registry.ts';
import { signBundleWithKey } from '../src/demo/sign-with-key.ts';
import { cosignSignStatement } from '../src/demo/statement.ts';
import { reviewOf, volumePod } from '../test/support/review.ts';
import { type ControlPlane, startControlPlane } from './support/control-plane.ts';
import { blocksOf, readSection, runStep } from './support/document-steps.ts';
import type { KubectlResult } from './support/kubectl.ts';
import {
  CRD_DIRECTORY,
  keyPolicy,
  type Manifest,
  namespace,
  pod,
  toDocuments,
  webhookAt,
} from './support/manifests.ts';
import { waitFor } from './support/processes.ts';
import { type Service, startService } from './support/service.ts';

const EFFECT_BOUND_MS = 15_000;
const ON_THE_MACHINE = '/etc/kubernetes/model-policy';
const SECTION = readSection('docs/operations.md', 'Who may ask');

describe('a webhook that answers nobody but the API server', () => {
  const key = generateSigningKey('p256');
  let cluster: ControlPlane;
  let registry: RegistryHandle | undefined;
  let service: Service | undefined;
  let signed: PackedModel;
  let unsigned: PackedModel;
  let machine = '';

  const succeed = async (args: readonly string[], stdin?: string): Promise<string> => {
    const { code, stdout, stderr } = await cluster.kubectl(args, stdin);
    assert.equal(code, 0, stderr + stdout);
    return stdout;
  };
  const apply = (...manifests: readonly Manifest[]): Promise<string> =>
    succeed(['apply', '--filename', '-'], toDocuments(...manifests));
  const ask = ({ reference }: PackedModel): Promise<KubectlResult> =>
    cluster.kubectl(
      ['create', '--dry-run=server', '--filename', '-'],
      toDocuments(pod('question', 'team-a', reference)),
    );
  const within = (what: string, condition: () => Promise<boolean>): Promise<void> =>
    waitFor(what, condition, { boundMs: EFFECT_BOUND_MS });
  /** Requests that were decided, whoever asked. */
  const countDecided = async (): Promise<number> => {
    const lines = (await service?.metrics())?.matchAll(/^model_policy_requests_total\{.*\} (\d+)$/gmu) ?? [];
    return [...lines].reduce((sum, [, count]) => sum + Number(count), 0);
  };
  /** Posts a review with curl, which may show a certificate; its exit code and what came back. */
  const curl = (client?: string): Promise<{ readonly code: number; readonly text: string }> => {
    assert.ok(service);
    const shown = client === undefined ? [] : ['--cert', `${client}.crt`, '--key', `${client}.key`];
    const body = JSON.stringify(reviewOf(volumePod(signed.reference), { namespace: 'team-a' }));
    writeFileSync(join(machine, 'review.json'), body);
    const args = [
      '--silent',
      '--show-error',
      '--max-time',
      '10',
      '--cacert',
      join(cluster.directory, 'webhook-ca.crt'),
      '--header',
      'content-type: application/json',
      '--data-binary',
      '@review.json',
      ...shown,
      `${service.url}/validate`,
    ];
    return new Promise((resolve) => {
      execFile('curl', args, { cwd: machine, env: { PATH: process.env['PATH'] } }, (error, stdout, stderr) =>
        resolve({ code: typeof error?.code === 'number' ? error.code : 0, text: stdout + stderr }),
      );
    });
  };

  before(async () => {
    cluster = await startControlPlane();
    registry = await startRegistry();
    signed = packModel(registry, 'models/signed', { 'model.safetensors': 'signed', 'config.json': '{}' });
    unsigned = packModel(registry, 'models/unsigned', { 'model.safetensors': 'not', 'config.json': '{}' });
    attachBundle(registry, signed, signBundleWithKey(cosignSignStatement(signed.digest), key));
    await succeed(['apply', '--filename', CRD_DIRECTORY]);
    await succeed(['wait', '--for=condition=established', 'crd', '--all', '--timeout=30s']);
    await apply(
      namespace('model-policy-system'),
      namespace('team-a', { tier: 'prod' }),
      keyPolicy('prod-models', registry.address, key.publicKeyPem.toString()),
    );
    const account = ['get', 'serviceaccount', 'default', '--namespace', 'team-a'];
    await within('a service account', async () => (await cluster.kubectl(account)).code === 0);
    machine = join(cluster.directory, 'machine');
    mkdirSync(machine);
    const [commands = ''] = blocksOf(SECTION, 'sh');
    await runStep(commands, cluster, machine);
    // The kubelet writes ConfigMaps to files.
    const path = ['--output', String.raw`jsonpath={.data.ca\.crt}`, '--namespace', 'model-policy-system'];
    const mounted = await succeed(['get', 'configmap', 'model-policy-client-ca', ...path]);
    writeFileSync(join(machine, 'mounted.crt'), mounted);
    service = await startService({
      kubeconfig: cluster.kubeconfig,
      directory: cluster.directory,
      plainHttp: [registry.address],
      args: ['--client-ca', join(machine, 'mounted.crt')],
    });
    await apply(webhookAt(service.url, service.ca));
  });

  afterEach(function () {
    if (this.currentTest?.state === 'failed' && service) console.error(service.log().slice(-3000));
  });

  after(async () => {
    await service?.stop();
    await cluster?.stop();
    await registry?.close();
  });

  it('fault 52: answers no API server that has no certificate, and that denies', async () => {
    await within('the webhook in force', async () => (await ask(signed)).code === 1);
    assert.match((await ask(signed)).stderr, /failed calling webhook.*tls: certificate required/su);
    assert.equal(await countDecided(), 0);
  });

  it('answers the API server that was given one, by the files of docs/operations.md', async () => {
    assert.ok(service);
    const [admission = '', kubeconfig = ''] = blocksOf(SECTION, 'yaml').map((block) =>
      block.replaceAll(ON_THE_MACHINE, machine),
    );
    writeFileSync(join(machine, 'admission.yaml'), admission);
    // Here the webhook is an address and no Service.
    const name = 'model-policy.model-policy-system.svc';
    assert.ok(kubeconfig.includes(name));
    writeFileSync(
      join(machine, 'kubeconfig.yaml'),
      kubeconfig.replace(name, `'${new URL(service.url).host}'`),
    );
    const flag = /`(--admission-control-config-file=\S+)`/u.exec(SECTION)?.[1] ?? '';
    await cluster.restartApiServer([flag.replace(ON_THE_MACHINE, machine)]);
    await within('an answer', async () => (await ask(signed)).code === 0);
    assert.match((await ask(unsigned)).stderr, /denied the request: SignatureMissing/u);
  });

  it('fault 52: refuses curl without the certificate, or with one that anybody can make', async () => {
    const before = await countDecided();
    const forge =
      'openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 ' +
      '-subj /CN=kube-apiserver -keyout forged.key -out forged.crt';
    await runStep(forge, cluster, machine);
    for (const client of [undefined, 'forged']) {
      const { code, text } = await curl(client);
      // A TLS alert, or the end of the connection: whichever curl reads first.
      assert.ok([35, 52, 56].includes(code), text);
      assert.doesNotMatch(text, /AdmissionReview|HTTP/u);
    }
    assert.equal(await countDecided(), before);
    const { code, text } = await curl('webhook-client');
    assert.equal(code, 0, text);
    assert.match(text, /"kind":"AdmissionReview".*"allowed":true/u);
    assert.equal(await countDecided(), before + 1);
  });

  it('goes on answering while another CA is added, and refuses who has only the old one in the end', async () => {
    const [commands = ''] = blocksOf(SECTION, 'sh');
    // Another CA, and another certificate under the same name: the ConfigMap was made before.
    mkdirSync(join(machine, 'next'));
    await runStep(commands.replace(/^kubectl.*$/mu, ''), cluster, join(machine, 'next'));
    appendFileSync(join(machine, 'mounted.crt'), readFileSync(join(machine, 'next/clients-ca.crt')));
    await within('the new one', async () => (await curl('next/webhook-client')).code === 0);
    assert.equal((await ask(signed)).code, 0);
    assert.equal((await curl('webhook-client')).code, 0);
    writeFileSync(join(machine, 'mounted.crt'), readFileSync(join(machine, 'next/clients-ca.crt')));
    await within('the old one to end', async () => (await curl('webhook-client')).code !== 0);
    assert.equal((await curl('next/webhook-client')).code, 0);
  });
});

// Does serve start, reload and end as contracts.md says? The command as a process of its own.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import { startRegistry, type RegistryHandle } from '../../src/demo/registry.ts';
import { createServerCertificate } from '../../src/demo/server-certificate.ts';
import { pushModel, pushSigned, teamPolicy } from '../support/controller.ts';
import { post } from '../support/https-client.ts';
import { reviewOf, volumePod } from '../support/review.ts';
import { createWorkspace, type Running, type Workspace } from './run.ts';

interface Response {
  readonly allowed: boolean;
  readonly status?: {
    readonly message: string;
    readonly details: { readonly causes: readonly { readonly reason: string }[] };
  };
}

describe('model-policy serve', () => {
  let workspace: Workspace;
  let registry: RegistryHandle;
  const running: Running[] = [];

  before(async () => {
    workspace = createWorkspace();
    registry = await startRegistry();
  });
  after(async () => {
    await registry.close();
    workspace.remove();
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((one) => one.stop('SIGKILL')));
  });

  function toPolicy(name: string, overrides: object = {}): string {
    return stringify({
      apiVersion: 'modelpolicy.dev/v1alpha1',
      kind: 'ClusterModelPolicy',
      metadata: { name },
      spec: JSON.parse(JSON.stringify(teamPolicy(registry, overrides))) as object,
    });
  }

  /** A glob for one model alone, so that each model has its own policy. */
  const only = ({ repository }: { repository: string }): object => ({
    models: [{ glob: `${registry.address}/${repository}` }],
  });

  async function start(
    folder: string,
    ...more: readonly string[]
  ): Promise<{ server: Running; line: string; ask: (reference: string) => Promise<Response> }> {
    const args = [
      'serve',
      '--policies',
      folder,
      '--plain-http',
      registry.address,
      '--listen',
      '127.0.0.1:0',
      '--metrics-listen',
      '127.0.0.1:0',
      ...more,
    ];
    const server = workspace.start(args);
    running.push(server);
    const line = (await server.waitFor(/^ready: .*\n/m)).split('\n')[0] ?? '';
    const address = /https:\/\/([^/]+)\//.exec(line)?.[1] ?? '';
    const ask = async (reference: string): Promise<Response> => {
      const ca = readFileSync(join(workspace.path, 'ca.crt'), 'utf8');
      const { text } = await post({ address, ca }, JSON.stringify(reviewOf(volumePod(reference))));
      return (JSON.parse(text) as { response: Response }).response;
    };
    return { server, line, ask };
  }

  const reasonsOf = ({ status }: Response): readonly string[] =>
    status?.details.causes.map(({ reason }) => reason) ?? [];

  /** Asks until the answer is the wanted one; a change takes about a second. */
  async function eventually(
    ask: () => Promise<Response>,
    isRight: (response: Response) => boolean,
  ): Promise<Response> {
    for (const end = Date.now() + 20_000; ; await sleep(100)) {
      const response = await ask();
      if (isRight(response) || Date.now() > end) return response;
    }
  }

  it('serves a directory: says when it is ready, follows every change, ends in peace', async () => {
    const folder = 'policies';
    mkdirSync(join(workspace.path, folder));
    const [first, second, third] = [pushSigned(registry), pushSigned(registry), pushSigned(registry)];
    const unsigned = pushModel(registry);
    workspace.write(`${folder}/first.yaml`, toPolicy('first', only(first)));
    workspace.write(`${folder}/second.yaml`, toPolicy('second', only(second)));
    // A typo in one policy is no reason not to serve the others.
    workspace.write(`${folder}/typo.yaml`, toPolicy('typo', { ...only(third), minAuthoritys: 1 }));
    workspace.write(`${folder}/readme.txt`, 'no policy');
    const { server, line, ask } = await start(folder, '--ca-out', 'ca.crt');
    assert.match(
      line,
      /^ready: https:\/\/127\.0\.0\.1:\d+\/validate, metrics http:\/\/127\.0\.0\.1:\d+\/metrics, 3 policies, CA ca\.crt$/,
    );

    assert.equal((await ask(first.reference)).allowed, true);
    assert.equal((await ask(second.reference)).allowed, true);
    const typo = await ask(third.reference);
    assert.deepEqual(reasonsOf(typo), ['PolicyInvalid']);
    assert.match(typo.status?.message ?? '', /typo\.yaml:\d+:\d+/);
    assert.deepEqual(reasonsOf(await ask(unsigned.reference)), ['NoMatchingPolicy']);

    workspace.write(`${folder}/fourth.yaml`, toPolicy('fourth', only(unsigned)));
    workspace.write(`${folder}/typo.yaml`, toPolicy('typo', only(third)));
    assert.deepEqual(
      reasonsOf(
        await eventually(
          () => ask(unsigned.reference),
          (response) => reasonsOf(response)[0] === 'SignatureMissing',
        ),
      ),
      ['SignatureMissing'],
    );
    assert.equal(
      (
        await eventually(
          () => ask(third.reference),
          ({ allowed }) => allowed,
        )
      ).allowed,
      true,
    );

    // A file that breaks keeps its policy, which then denies what it selected, and nothing else.
    workspace.write(`${folder}/second.yaml`, 'kind: [\n');
    const broken = await eventually(
      () => ask(second.reference),
      ({ allowed }) => !allowed,
    );
    assert.deepEqual(reasonsOf(broken), ['PolicyInvalid']);
    assert.match(broken.status?.message ?? '', /second\.yaml:\d+:\d+/);
    assert.equal((await ask(first.reference)).allowed, true);
    workspace.write(`${folder}/second.yaml`, toPolicy('second', only(second)));
    assert.equal(
      (
        await eventually(
          () => ask(second.reference),
          ({ allowed }) => allowed,
        )
      ).allowed,
      true,
    );

    // Its directory vanishes: nothing that was protected is let through.
    renameSync(join(workspace.path, folder), join(workspace.path, 'elsewhere'));
    assert.deepEqual(
      reasonsOf(
        await eventually(
          () => ask(first.reference),
          ({ allowed }) => !allowed,
        ),
      ),
      ['PolicyInvalid'],
    );
    renameSync(join(workspace.path, 'elsewhere'), join(workspace.path, folder));
    assert.equal(
      (
        await eventually(
          () => ask(first.reference),
          ({ allowed }) => allowed,
        )
      ).allowed,
      true,
    );

    // A file that is deleted takes its policy with it: what nothing selects is denied.
    rmSync(join(workspace.path, folder, 'first.yaml'));
    assert.deepEqual(
      reasonsOf(
        await eventually(
          () => ask(first.reference),
          ({ allowed }) => !allowed,
        ),
      ),
      ['NoMatchingPolicy'],
    );

    const metrics = await (await fetch(/http:\/\/[^,]+/.exec(line)?.[0] ?? '')).text();
    assert.match(metrics, /^model_policy_policies\{state="valid"\} 3$/m);

    const { code, stdout, stderr } = await server.stop();
    assert.deepEqual([code, stdout], [0, '']);
    const logged = stderr.split('\n').filter((entry) => entry !== '' && !entry.startsWith('ready: '));
    for (const entry of logged) JSON.parse(entry);
    assert.ok(logged.some((entry) => entry.includes('"decision"')));
  });

  it('serves a certificate from files, follows its rotation, and keeps it while a file is broken', async function () {
    const [old, next] = [createServerCertificate(), createServerCertificate()];
    const install = ({ key, cert, ca }: typeof old): void => {
      workspace.write('tls.key', key);
      workspace.write('tls.crt', cert);
      workspace.write('ca.crt', ca);
    };
    install(old);
    const signed = pushSigned(registry);
    workspace.write('only.yaml', toPolicy('only', only(signed)));
    const { server, line, ask } = await start('only.yaml', '--tls-cert', 'tls.crt', '--tls-key', 'tls.key');
    assert.match(line, /1 policies, certificate from --tls-cert$/);
    assert.equal((await ask(signed.reference)).allowed, true);
    for (const broken of ['', 'no certificate', next.cert]) {
      const before = server.output.stderr.length;
      workspace.write('tls.crt', broken);
      for (const end = Date.now() + 20_000; Date.now() < end; await sleep(50))
        if (server.output.stderr.slice(before).includes('serving certificate not reloaded')) break;
      assert.equal((await ask(signed.reference)).allowed, true, JSON.stringify(broken.slice(0, 20)));
    }
    install(next);
    await server.waitFor(/"serving certificate reloaded"/);
    assert.equal((await ask(signed.reference)).allowed, true);
    assert.equal((await server.stop('SIGINT')).code, 0);
  });

  describe('exit code 2', () => {
    async function expectUsage(args: readonly string[], pattern: RegExp): Promise<void> {
      const { code, stdout, stderr } = await workspace.run(
        ['serve', '--listen', '127.0.0.1:0', '--metrics-listen', '127.0.0.1:0', ...args],
        {
          env: { KUBERNETES_SERVICE_HOST: '', MODEL_POLICY_LOG_LEVEL: 'silent' },
        },
      );
      assert.deepEqual([code, stdout], [2, ''], stderr);
      assert.match(stderr, pattern);
      assert.doesNotMatch(stderr, /^\s+at /m, 'a stack is no answer');
    }

    it('is for a command line that makes no sense', async () => {
      workspace.write('one.yaml', toPolicy('one'));
      await Promise.all([
        expectUsage(['--policies', 'gone'], /cannot read gone/),
        expectUsage(
          ['--policies', 'one.yaml', '--tls-cert', 'x'],
          /--tls-cert and --tls-key belong together/,
        ),
        expectUsage(['--policies', 'one.yaml', 'extra', '--polcies', 'x'], /'--polcies'/),
        expectUsage(
          ['--policies', 'one.yaml', '--workloads', 'Maybe'],
          /--workloads must be Warn\|Deny\|Off/,
        ),
        expectUsage(['--policies', 'one.yaml', '--listen', 'nowhere'], /--listen must be HOST:PORT/),
        expectUsage(
          ['--policies', 'one.yaml', '--listen', '127.0.0.1:99999'],
          /cannot listen on 127\.0\.0\.1:99999/,
        ),
        expectUsage(['--kubeconfig', 'gone'], /no cluster/),
      ]);
    });

    it('is for files that cannot be used', async () => {
      workspace.write('one.yaml', toPolicy('one'));
      workspace.write('empty.pem', '');
      workspace.write('server.key', createServerCertificate().key);
      workspace.write('server.crt', createServerCertificate().cert);
      await Promise.all([
        expectUsage(['--policies', 'one.yaml', '--ca-out', 'gone/ca.crt'], /cannot write the CA/),
        expectUsage(['--policies', 'one.yaml', '--client-ca', 'gone.pem'], /cannot read client CA gone\.pem/),
        expectUsage(
          ['--policies', 'one.yaml', '--client-ca', 'empty.pem'],
          /the client CA is no PEM certificate/,
        ),
        expectUsage(
          ['--policies', 'one.yaml', '--tls-cert', 'empty.pem', '--tls-key', 'empty.pem'],
          /the certificate is no PEM certificate/,
        ),
        expectUsage(
          ['--policies', 'one.yaml', '--tls-cert', 'server.crt', '--tls-key', 'server.key'],
          /the certificate and its key cannot be used/,
        ),
        expectUsage(
          ['--policies', 'one.yaml', '--registry-config', 'empty.pem'],
          /registry config empty\.pem/,
        ),
      ]);
    });

    it('is for a port that is taken', async () => {
      workspace.write('one.yaml', toPolicy('one'));
      const server = createServer();
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      await expectUsage(
        ['--policies', 'one.yaml', '--listen', `127.0.0.1:${port}`],
        new RegExp(`cannot listen on 127\\.0\\.0\\.1:${port}: the port is taken`),
      );
      server.close();
    });
  });
});

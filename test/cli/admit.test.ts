// Does admit show what kubectl would? One server in this process, the command as a process of its own.
import assert from 'node:assert/strict';
import { createServer as createHttpServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { stringify } from 'yaml';
import { pushModel, pushSigned, startController, type Controller } from '../support/controller.ts';
import { volumePod, workloadReview } from '../support/review.ts';
import { createWorkspace, type Outcome, type RunOptions, type Workspace } from './run.ts';

describe('model-policy admit', () => {
  let workspace: Workspace;
  let controller: Controller;
  let good: object;
  let bad: object;
  let badDeployment: object;

  before(async () => {
    workspace = createWorkspace();
    controller = await startController();
    const [signed, unsigned] = [
      pushSigned(controller.registry).reference,
      pushModel(controller.registry).reference,
    ];
    good = named('good', volumePod(signed));
    bad = named('bad', volumePod(unsigned));
    ({ object: badDeployment } = workloadReview('Deployment', [unsigned])['request'] as { object: object });
    workspace.write('ca.crt', controller.ca);
    workspace.write('good.yaml', stringify(good));
    workspace.write('bad.yaml', stringify(bad));
  });
  after(async () => {
    await controller.stop();
    workspace.remove();
  });

  function named(name: string, pod: object): object {
    return { ...pod, metadata: { name } };
  }

  const admit = (args: readonly string[], options?: RunOptions): Promise<Outcome> =>
    workspace.run(['admit', ...args, '--server', `https://${controller.address}`, '--ca', 'ca.crt'], options);

  async function expectUsage(args: readonly string[], pattern: RegExp, options?: RunOptions): Promise<void> {
    const { code, stdout, stderr } = await workspace.run(['admit', ...args], options);
    assert.deepEqual([code, stdout], [2, ''], stderr);
    assert.match(stderr, pattern);
    assert.doesNotMatch(stderr, /^\s+at /m, 'a stack is no answer');
  }

  it('prints each verdict in order, and ends with the highest code', async () => {
    const { code, stdout, stderr } = await admit(['good.yaml', 'bad.yaml']);
    assert.deepEqual([code, stderr], [1, '']);
    const [first, second] = stdout.split('\n');
    assert.equal(first, 'pod/good admitted');
    assert.match(
      second ?? '',
      /^Error from server \(Forbidden\): error when creating "bad\.yaml": admission webhook "[a-z.]+" denied the request: SignatureMissing: /,
    );
    assert.equal((await admit(['good.yaml'])).code, 0);
  });

  it('reads documents, Lists and lists of a kind, from standard input too', async () => {
    const list = { apiVersion: 'v1', kind: 'List', items: [good, bad] };
    const pods = { apiVersion: 'v1', kind: 'PodList', items: [bad, good] };
    const stdin = `---\n${stringify(good)}---\n---\n${stringify(list)}---\n${stringify(pods)}`;
    const { code, stdout } = await admit(['-'], { stdin });
    assert.equal(code, 1);
    assert.deepEqual(
      stdout
        .trim()
        .split('\n')
        .map((line) => line.startsWith('pod/good admitted')),
      [true, true, false, false, true],
    );
  });

  it('reads JSON', async () => {
    assert.equal((await admit(['-'], { stdin: JSON.stringify(good) })).code, 0);
  });

  it('prints warnings as kubectl does, on standard error', async () => {
    const { code, stdout, stderr } = await admit(['-'], { stdin: stringify(badDeployment) });
    assert.deepEqual([code, stdout], [0, 'deployment/workload admitted\n']);
    assert.match(stderr, /^Warning: SignatureMissing: .*spec\.template\.spec\.volumes\[0\]/);
  });

  it('prints one line of JSON for each object', async () => {
    const { code, stdout } = await admit(['good.yaml', 'bad.yaml', '--json']);
    assert.equal(code, 1);
    const answers = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    assert.deepEqual(
      answers.map(({ allowed }) => allowed),
      [true, false],
    );
    for (const answer of answers)
      assert.deepEqual(Object.keys(answer), [
        'allowed',
        'findings',
        'warnings',
        'references',
        'policies',
        'durationsMs',
      ]);
    assert.deepEqual(answers[0]?.['policies'], ['team']);
    const [, denied] = answers as [object, { findings: [object] }];
    const [finding] = denied.findings;
    assert.deepEqual(Object.keys(finding), ['reason', 'message', 'field', 'policy', 'authority']);
    assert.equal((finding as { reason: string }).reason, 'SignatureMissing');
  });

  it('asks about the operation and the namespace that are named', async () => {
    const removed = await admit(['bad.yaml', '--operation', 'DELETE', '--namespace', 'shop']);
    assert.equal(removed.code, 0);
    assert.deepEqual(
      controller.records
        .filter(({ operation }) => operation === 'DELETE')
        .map(({ object }) => object.namespace),
      ['shop'],
    );
    assert.equal((await admit(['bad.yaml', '--operation', 'UPDATE'])).code, 1);
  });

  describe('exit code 2', () => {
    it('is for a server that is not there', () =>
      expectUsage(
        ['good.yaml', '--server', 'https://127.0.0.1:1'],
        /https:\/\/127\.0\.0\.1:1 cannot be asked/,
      ));

    it('is for a server whose certificate is not believed', () =>
      expectUsage(
        ['good.yaml', '--server', `https://${controller.address}`],
        /cannot be asked: .*certificate/,
      ));

    it('is for a server that answers something else', async () => {
      const bodies = ['<html>', '{"response":{}}', '{"a":1,"a":2}'];
      const server = createHttpServer((_request, response) => void response.end(bodies.pop()));
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      await Promise.all(
        bodies.map(() => expectUsage(['good.yaml', '--server', url], /answered 200 and no AdmissionReview/)),
      );
      server.close();
    });

    it('is for no file, a missing one, and an unknown flag', async () => {
      await Promise.all([
        expectUsage([], /at least one FILE/),
        expectUsage(['gone.yaml'], /cannot read gone\.yaml/),
        expectUsage(['good.yaml', '--sever', 'x'], /'--sever'/),
        expectUsage(['good.yaml', '--operation', 'CONNECT'], /--operation must be/),
      ]);
    });

    it('is for YAML that does not parse, or only at great expense', async () => {
      const bomb = `a: &a [x,x]\n${Array.from({ length: 20 }, (_, i) => `b${i}: &b${i} [${i === 0 ? '*a,*a' : `*b${i - 1},*b${i - 1}`}]`).join('\n')}\nkind: Pod\n`;
      await Promise.all(
        ['kind: [\n', '['.repeat(20_000), bomb].map((stdin) =>
          expectUsage(['-'], /^model-policy: -: YAML does not parse/, { stdin }),
        ),
      );
    });

    it('is for what is no Kubernetes object, also inside a List', async () => {
      const items = [good, { apiVersion: 'v1', metadata: { name: 'x' } }];
      await Promise.all(
        ['hello', 'a: 1', stringify({ kind: 'List', apiVersion: 'v1', items })].map((stdin) =>
          expectUsage(['-'], /a document is no Kubernetes object/, { stdin }),
        ),
      );
    });
  });
});

// Does explain answer as its help says? What it takes, its exit codes, --json, and recordings in place of registries.
import assert from 'node:assert/strict';
import { stringify } from 'yaml';
import type { Explanation } from '../../src/admission/explanation.ts';
import { toPodWith } from '../../src/cli/judged-object.ts';
import type { PackedModel } from '../../src/demo/artifacts.ts';
import { startRegistry, type RegistryHandle } from '../../src/demo/registry.ts';
import { pushModel, pushSigned, teamPolicy } from '../support/controller.ts';
import { createWorkspace, type Outcome, type Workspace } from './run.ts';

describe('model-policy explain', function () {
  this.timeout(60_000);
  let workspace: Workspace;
  let registry: RegistryHandle;
  let signed: PackedModel;
  let unsigned: PackedModel;

  before(async () => {
    workspace = createWorkspace();
    registry = await startRegistry();
    signed = pushSigned(registry);
    unsigned = pushModel(registry);
    workspace.write(
      'policy.yaml',
      stringify({
        apiVersion: 'modelpolicy.dev/v1alpha1',
        kind: 'ClusterModelPolicy',
        metadata: { name: 'team' },
        spec: JSON.parse(JSON.stringify(teamPolicy(registry))) as object,
      }),
    );
    workspace.write('pod.yaml', stringify(toPodWith(signed.reference)));
  });
  after(async () => {
    await registry.close();
    workspace.remove();
  });

  const explain = (args: readonly string[], stdin = ''): Promise<Outcome> =>
    workspace.run(['explain', ...args, '--policy', 'policy.yaml', '--plain-http', registry.address], {
      stdin,
    });

  it('takes a file, standard input or a reference, and exits as verify', async () => {
    const [file, input, reference] = await Promise.all([
      explain(['pod.yaml']),
      explain(['-'], stringify(toPodWith(unsigned.reference))),
      explain([unsigned.reference]),
    ]);
    assert.deepEqual([file.code, input.code, reference.code], [0, 1, 1], file.stderr + input.stderr);
    assert.match(file.stdout, /^admitted\n\nmodel .*\n[^]*authority team: satisfied by key sha256:/);
    assert.match(input.stdout, /^denied\n[^]*\nto be admitted:\n {2}1\. model publisher: sign the digest/);
    assert.equal(input.stdout, reference.stdout);
  });

  it('prints one line with --json', async () => {
    const { stdout } = await explain([unsigned.reference, '--json']);
    assert.equal(stdout.indexOf('\n'), stdout.length - 1);
    const { allowed, references, steps } = JSON.parse(stdout) as Explanation;
    assert.equal(allowed, false);
    assert.deepEqual(references[0]?.policies[0]?.subjects[0]?.authorities[0]?.reasons, [
      'no signature is attached',
    ]);
    assert.equal(steps.length, 1);
  });

  it('explains offline what was recorded, and trouble where nothing was', async () => {
    const recorded = ['record', signed.reference, '--plain-http', registry.address, '--out', 'recorded.json'];
    assert.equal((await workspace.run(recorded)).code, 0);
    const run = (target: string): Promise<Outcome> =>
      workspace.run(['explain', '--policy', 'policy.yaml', '--recordings', 'recorded.json', target]);
    const [known, unknown] = await Promise.all([run(signed.reference), run(unsigned.reference)]);
    assert.equal(known.code, 0, known.stdout + known.stderr);
    assert.equal(unknown.code, 1);
    assert.match(unknown.stdout, /RegistryUnavailable/);
  });

  it('refuses what it cannot read with exit 2', async () => {
    workspace.write('two.yaml', 'kind: Pod\n---\nkind: Pod\n');
    workspace.write('broken.yaml', 'kind: [');
    const outcomes = await Promise.all([
      explain(['gone.yaml']),
      explain(['two.yaml']),
      explain(['broken.yaml']),
      explain(['a', 'b']),
      workspace.run(['explain', 'pod.yaml']),
      workspace.run(['explain', '-', '--policy', '-']),
      explain(['pod.yaml', '--recordings', 'gone']),
    ]);
    for (const { code, stdout, stderr } of outcomes) {
      assert.deepEqual([code, stdout], [2, ''], stderr);
      assert.doesNotMatch(stderr, /^\s+at /m);
    }
  });
});

// Does migrate answer as its help says? Exit codes, where policies and differences go, and faults of files.
import assert from 'node:assert/strict';
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createWorkspace, type Workspace } from './run.ts';

const CASES = fileURLToPath(new URL('../policy/migrate/cases/', import.meta.url));

describe('model-policy migrate', function () {
  this.timeout(60_000);
  let workspace: Workspace;
  before(() => {
    workspace = createWorkspace();
    for (const name of ['signed-by-github-actions', 'signed-by-aws-kms-key'])
      cpSync(`${CASES}${name}.yaml`, join(workspace.path, `${name}.yaml`));
  });
  after(() => workspace.remove());

  it('prints policies, and what differs on standard error', async () => {
    const { code, stdout, stderr } = await workspace.run(['migrate', 'signed-by-github-actions.yaml']);
    assert.equal(code, 0, stderr);
    assert.equal(stdout, readFileSync(`${CASES}signed-by-github-actions.out`, 'utf8'));
    assert.match(
      stderr,
      /^ClusterModelPolicy image-is-signed-by-github-actions: Same: spec: it is about namespaces/,
    );
  });

  it('exits 1 where something is left to do, and writes policies that verify reads', async () => {
    const args = [
      'migrate',
      'signed-by-aws-kms-key.yaml',
      'signed-by-github-actions.yaml',
      '--out',
      'new.yaml',
    ];
    const { code, stdout, stderr } = await workspace.run(args);
    assert.deepEqual([code, stderr], [1, '']);
    assert.match(
      stdout,
      /image-is-signed-by-aws-kms-key: TODO Denies: spec\.authorities\[0\]: keys are not read/,
    );
    const reference = `ghcr.io/acme/model@sha256:${'0'.repeat(64)}`;
    workspace.write(
      'namespaces.yaml',
      'apiVersion: v1\nkind: Namespace\nmetadata: {name: default, labels: {policy.sigstore.dev/include: "true"}}\n',
    );
    const options = ['--namespaces', 'namespaces.yaml', '--offline', '--blocked-ranges', '0.0.0.0/0'];
    const verified = await workspace.run(['verify', reference, '--policy', 'new.yaml', ...options]);
    assert.equal(verified.code, 1, verified.stderr);
    assert.match(
      verified.stdout,
      /StaticDeny: .* policy image-is-signed-by-aws-kms-key authority todo: TODO/,
    );
  });

  it('refuses what it cannot read with exit 2', async () => {
    workspace.write('other.yaml', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n');
    workspace.write('broken.yaml', 'kind: [');
    workspace.write('text.yaml', 'text');
    workspace.write('deep.yaml', '['.repeat(20_000));
    const outcomes = await Promise.all(
      [[], ['gone.yaml'], ['other.yaml'], ['broken.yaml'], ['text.yaml'], ['deep.yaml']].map((args) =>
        workspace.run(['migrate', ...args]),
      ),
    );
    for (const { code, stdout, stderr } of outcomes) {
      assert.deepEqual([code, stdout], [2, ''], stderr);
      assert.doesNotMatch(stderr, /^\s+at /m);
    }
  });
});

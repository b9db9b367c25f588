// Does a cluster take what policies/ ships? Every policy and trust root, against a real API server with the shipped CRDs.
// What they decide is left to the tests beside them.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { type ControlPlane, startControlPlane } from './support/control-plane.ts';
import { CRD_DIRECTORY } from './support/manifests.ts';

const POLICIES = join(import.meta.dirname, '../policies');
/** Beside the policies: tests, what they are about, and files of the controller. */
const OTHER_FILES = /model-policy-test\.yaml$|\/(?:test|controller)\//;

const files = globSync('**/*.yaml', { cwd: POLICIES }).filter((file) => !OTHER_FILES.test(file));

describe('a cluster with the shipped CRDs', () => {
  let cluster: ControlPlane | undefined;
  const dryRun = (stdin: string): ReturnType<ControlPlane['kubectl']> => {
    assert.ok(cluster);
    return cluster.kubectl(['apply', '--dry-run=server', '--validate=strict', '--filename', '-'], stdin);
  };

  before(async () => {
    assert.ok(files.length > 0, 'policies/ holds nothing');
    cluster = await startControlPlane();
    for (const args of [
      ['apply', '--filename', CRD_DIRECTORY],
      ['wait', '--for=condition=established', 'crd', '--all', '--timeout=30s'],
    ]) {
      const { code, stderr } = await cluster.kubectl(args);
      assert.equal(code, 0, stderr);
    }
  });
  after(async () => {
    await cluster?.stop();
  });

  for (const file of files)
    it(`accepts ${file}`, async () => {
      const text = readFileSync(join(POLICIES, file), 'utf8');
      const { kind, metadata } = parse(text) as { kind: string; metadata: { name: string } };
      const { code, stdout, stderr } = await dryRun(text);
      assert.equal(code, 0, stderr);
      assert.equal(stderr, '');
      const name = `${kind.toLowerCase()}.modelpolicy.dev/${metadata.name}`;
      assert.equal(stdout, `${name} created (server dry run)\n`);
    });

  it('refuses one of them with a field that does not exist', async () => {
    const text = readFileSync(join(POLICIES, 'size-limit/policy.yaml'), 'utf8');
    const { code, stderr } = await dryRun(text.replace('  validations:', '  validation:'));
    assert.equal(code, 1);
    assert.match(stderr, /unknown field "spec\.validation"/u);
  });
});

// Is what we ship what the source says? CRDs, documented options and metrics, pinned versions, shipped policies.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { parse } from 'yaml';
import { POLICY_TEST_FILE, readPolicyTest } from '../../src/cli/policy-test.ts';
import { runPolicyTest } from '../../src/cli/run-policy-test.ts';
import {
  ADMIT_OPTIONS,
  RECORD_OPTIONS,
  SERVE_OPTIONS,
  TEST_OPTIONS,
  toVariableName,
  type OptionSpec,
  VERIFY_FILES_OPTIONS,
  VERIFY_OPTIONS,
} from '../../src/config.ts';
import { toRecord } from '../../src/lib/text.ts';
import { createCelEngine } from '../../src/policy/cel/engine.ts';
import { compilePolicy } from '../../src/policy/compile.ts';
import { toCustomResourceDefinitions } from '../../src/policy/crd.ts';
import { parseDocuments } from '../../src/policy/documents.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { readDocument, ROOT } from './source-files.ts';

const read = (...path: string[]): string => readFileSync(join(ROOT, ...path), 'utf8');

describe('deploy/crds', () => {
  for (const [file, definition] of toCustomResourceDefinitions()) {
    it(`holds ${file} as the schemas in src/policy define it`, () => {
      assert.deepEqual(parse(read('deploy', 'crds', file)), JSON.parse(JSON.stringify(definition)));
    });
  }
});

describe('package.json', () => {
  const manifest = toRecord(JSON.parse(read('package.json')));

  it('pins every dependency to one version', () => {
    const all = { ...toRecord(manifest['dependencies']), ...toRecord(manifest['devDependencies']) };
    const loose = Object.entries(all).filter(
      ([, version]) => !/^(?:npm:[^ ]+@)?\d+\.\d+\.\d+$/.test(String(version)),
    );
    assert.deepEqual(loose, []);
  });

  it('runs the tests on the Node that the project brings', () => {
    assert.equal(process.versions.node, toRecord(manifest['devDependencies'])['node']);
  });

  for (const [name, version] of [
    ['@sigstore/verify', '4.1.3'],
    ['@sigstore/core', '4.0.1'],
    ['@sigstore/tuf', '5.0.1'],
    ['tuf-js', '6.0.2'],
    ['@tufjs/models', '5.0.2'],
    ['@kubernetes/client-node', '2.0.1'],
    ['cel-js', '8.0.0'],
  ] as const) {
    it(`has ${name} ${version} installed, whatever Node ran npm`, () => {
      assert.equal(toRecord(JSON.parse(read('node_modules', name, 'package.json')))['version'], version);
    });
  }
});

describe('docs/configuration.md', () => {
  const documented = readDocument('docs', 'configuration.md');

  const all: readonly OptionSpec[] = [
    ...SERVE_OPTIONS,
    ...VERIFY_OPTIONS,
    ...VERIFY_FILES_OPTIONS,
    ...ADMIT_OPTIONS,
    ...TEST_OPTIONS,
    ...RECORD_OPTIONS,
  ];

  for (const option of all) {
    it(`documents --${option.flag} and its variable`, () => {
      assert.ok(documented.includes(`| \`--${option.flag}\` | \`${toVariableName(option.flag)}\` |`));
    });
  }

  it('documents no option that does not exist', () => {
    const flags = new Set<string>(all.map(({ flag }) => flag));
    const named = [...documented.matchAll(/^\| `--([a-z-]+)` /gm)].map(([, flag = '']) => flag);
    assert.deepEqual(
      named.filter((flag) => !flags.has(flag)),
      [],
    );
  });
});

describe('docs/metrics.md', () => {
  it('documents every metric of ours and no other', async () => {
    const registry = new Registry();
    createMetrics(registry, { version: '0', node: '0' });
    const ours = (await registry.getMetricsAsJSON())
      .map(({ name }) => name)
      .filter((name) => name.startsWith('model_policy_'));
    const documented = [...readDocument('docs', 'metrics.md').matchAll(/^\| `(model_policy_[a-z_]+)`/gm)].map(
      ([, name = '']) => name,
    );
    assert.deepEqual(documented.toSorted(), ours.toSorted());
  });
});

describe('policies', () => {
  const engine = createCelEngine();
  for (const file of globSync('policies/**/*.yaml', { cwd: ROOT }).filter(
    (path) => !path.endsWith(POLICY_TEST_FILE),
  )) {
    it(`holds ${file} without a fault of its own`, () => {
      const { documents, faults } = parseDocuments(read(file), file);
      assert.deepEqual(faults, []);
      const context = {
        engine,
        trustRoots: new Map(),
        material: new Map(),
        controllerNamespace: 'model-policy-system',
      };
      for (const { kind, name, object } of documents) {
        if (kind !== 'ClusterModelPolicy') continue;
        const { problems } = compilePolicy({ name, spec: object['spec'] }, context);
        // Keys and roots are made where the policy is used; everything else must be right here.
        assert.deepEqual(
          problems.filter(({ reason }) => reason === 'PolicyInvalid'),
          [],
        );
      }
    });
  }
});

describe('the tests of shipped policies', () => {
  for (const policy of globSync('policies/*', { cwd: ROOT }).filter((path) => !path.endsWith('quickstart'))) {
    it(`hold ${policy} to an admitted and a denied case`, async () => {
      const test = readPolicyTest(join(ROOT, policy, POLICY_TEST_FILE));
      const results = await runPolicyTest(test, 'model-policy-system', () => true);
      assert.deepEqual(
        results.filter(({ differences }) => differences.length > 0),
        [],
      );
      const expected = new Set(test.cases.map(({ expect }) => expect.allowed));
      assert.equal(expected.size, 2, 'it has cases of one kind only');
    });
  }
});

describe('CHANGELOG.md', () => {
  it('has an entry for the version in package.json', () => {
    const { version } = toRecord(JSON.parse(read('package.json')));
    assert.ok(read('CHANGELOG.md').includes(`## ${String(version)}`));
  });
});

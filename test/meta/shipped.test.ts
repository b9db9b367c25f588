// Is what we ship what the source says? CRDs, documented options and metrics, pinned versions, shipped policies.
import assert from 'node:assert/strict';
import { globSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { parse, parseAllDocuments } from 'yaml';
import { POLICY_TEST_FILE, readPolicyTest } from '../../src/cli/policy-test.ts';
import { runPolicyTest } from '../../src/cli/run-policy-test.ts';
import { toVariableName, type OptionSpec } from '../../src/config.ts';
import { VERIFY_FILES_OPTIONS } from '../../src/file-options.ts';
import {
  ADMIT_OPTIONS,
  EXPLAIN_OPTIONS,
  MIGRATE_OPTIONS,
  RECORD_OPTIONS,
  SERVE_OPTIONS,
  TEST_OPTIONS,
  VERIFY_OPTIONS,
} from '../../src/options.ts';
import { toArray, toRecord } from '../../src/lib/text.ts';
import { WORKLOAD_KINDS } from '../../src/model/kinds.ts';
import { createCelBindings, toCelValue } from '../../src/policy/cel/bindings.ts';
import { createCelEngine } from '../../src/policy/cel/engine.ts';
import { createCelMeter } from '../../src/policy/cel/meter.ts';
import { compilePolicy } from '../../src/policy/compile.ts';
import { toCustomResourceDefinitions } from '../../src/policy/crd.ts';
import { parseDocuments } from '../../src/policy/documents.ts';
import { parseRegistriesFile } from '../../src/registry/host-settings.ts';
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

describe('deploy/base/webhook.yaml', () => {
  const [webhook] = toArray(toRecord(parse(read('deploy', 'base', 'webhook.yaml')))['webhooks']).map(
    toRecord,
  );
  const rules = toArray(webhook?.['rules']).map(toRecord);
  const expand = (rule: Record<string, unknown>): readonly string[] =>
    toArray(rule['apiGroups']).flatMap((group) =>
      toArray(rule['apiVersions']).flatMap((version) =>
        toArray(rule['resources']).map((resource) => [group, version, resource].join('/')),
      ),
    );
  const isSubresource = (name: string): boolean => name.split('/').length > 3;

  it('registers every kind that is read, in every version, and no other', () => {
    const registered = rules.flatMap(expand);
    const read = WORKLOAD_KINDS.flatMap(({ group, versions, resource }) =>
      versions.map((version) => `${group}/${version}/${resource}`),
    );
    assert.deepEqual(registered.filter((name) => !isSubresource(name)).toSorted(), read.toSorted());
    assert.deepEqual(registered.filter(isSubresource), ['/v1/pods/ephemeralcontainers']);
  });

  it('asks about creation and change of each, and about the change of a subresource', () => {
    for (const rule of rules)
      assert.deepEqual(
        rule['operations'],
        expand(rule).some(isSubresource) ? ['UPDATE'] : ['CREATE', 'UPDATE'],
      );
    assert.equal(webhook?.['failurePolicy'], 'Fail');
  });
});

describe('deploy/volume-types/policy.yaml', () => {
  const [policy, binding] = parseAllDocuments(read('deploy', 'volume-types', 'policy.yaml')).map((document) =>
    toRecord(toRecord(document.toJS())['spec']),
  );
  const [validation] = toArray(policy?.['validations']).map(toRecord);
  const compiled = createCelEngine().compile(String(validation?.['expression']), 'validation');
  const admits = (spec: object): unknown => {
    assert.ok(compiled.ok);
    const object = toCelValue({ spec });
    const values = { object, now: new Date(0) };
    return compiled.program.evaluate(createCelBindings(values as never), createCelMeter());
  };

  it('is bound, and denies', () => {
    assert.deepEqual(binding?.['validationActions'], ['Deny']);
    assert.equal(policy?.['failurePolicy'], 'Fail');
  });

  for (const volume of [
    { image: { reference: 'a.test/m' } },
    { emptyDir: {} },
    { configMap: { name: 'x' } },
    { secret: { secretName: 'x' } },
    { projected: { sources: [] } },
    { downwardAPI: {} },
    { csi: { driver: 'model.csi.modelpack.org' } },
    { csi: { driver: 'container-image.csi.k8s.io' } },
  ])
    it(`leaves ${JSON.stringify(volume)} to the webhook`, () => {
      assert.deepEqual(admits({ volumes: [{ name: 'v', ...volume }] }), { ok: true, value: true });
    });

  for (const volume of [
    { persistentVolumeClaim: { claimName: 'x' } },
    { hostPath: { path: '/' } },
    { nfs: { server: 'x', path: '/' } },
    { ephemeral: { volumeClaimTemplate: {} } },
    { csi: { driver: 'other.csi.example' } },
    {},
  ])
    it(`denies ${JSON.stringify(volume)}, beside whatever else`, () => {
      const volumes = [
        { name: 'ok', emptyDir: {} },
        { name: 'v', ...volume },
      ];
      assert.deepEqual(admits({ volumes }), { ok: true, value: false });
    });

  it('admits a pod without volumes', () => assert.deepEqual(admits({}), { ok: true, value: true }));
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
    ...EXPLAIN_OPTIONS,
    ...MIGRATE_OPTIONS,
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

/** Pods of tests, and files of the controller. */
const OTHER_DOCUMENTS = /\/(?:test\/pods|controller)\//;
const MAX_RECORDING_BYTES = 30_000;

describe('policies', () => {
  const engine = createCelEngine();
  for (const file of globSync('policies/**/*.yaml', { cwd: ROOT }).filter(
    (path) => !path.endsWith(POLICY_TEST_FILE) && !OTHER_DOCUMENTS.test(path),
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
  const folders = globSync('policies/*/', { cwd: ROOT }).map((path) => path.replace(/\/$/, ''));
  for (const folder of folders.filter((path) => !path.endsWith('quickstart'))) {
    it(`hold ${folder} to an admitted and a denied case`, async () => {
      const expected = new Set<boolean>();
      for (const file of globSync(`${folder}/**/${POLICY_TEST_FILE}`, { cwd: ROOT })) {
        const test = readPolicyTest(join(ROOT, file));
        const results = await runPolicyTest(test, 'model-policy-system', () => true);
        assert.deepEqual(
          results.filter(({ differences }) => differences.length > 0),
          [],
        );
        for (const { expect } of test.cases) expected.add(expect.allowed);
      }
      assert.equal(expected.size, 2, 'it has cases of one kind only');
    });
  }

  it('run on recordings that stay small', () => {
    const sizes = globSync('policies/**/recorded/*.json', { cwd: ROOT }).map(
      (file) => [file, statSync(join(ROOT, file)).size] as const,
    );
    assert.ok(sizes.length > 0);
    assert.deepEqual(
      sizes.filter(([, bytes]) => bytes > MAX_RECORDING_BYTES),
      [],
    );
  });

  it('have every policy in the table of policies/README.md', () => {
    const named = [...readDocument('policies', 'README.md').matchAll(/^\| \[([a-z-]+)\]/gm)].map(
      ([, name = '']) => `policies/${name}`,
    );
    assert.deepEqual(named.toSorted(), folders.toSorted());
  });
});

describe('policies/air-gap/controller/registries.yaml', () => {
  it('is a registries file that leaves nothing to the registry itself', () => {
    const file = readFileSync(join(ROOT, 'policies/air-gap/controller/registries.yaml'));
    const { settings } = parseRegistriesFile(file);
    assert.equal(settings.get('registry.example.com')?.mirrorsOnly, true);
  });
});

describe('CHANGELOG.md', () => {
  it('has an entry for the version in package.json', () => {
    const { version } = toRecord(JSON.parse(read('package.json')));
    assert.ok(read('CHANGELOG.md').includes(`## ${String(version)}`));
  });
});

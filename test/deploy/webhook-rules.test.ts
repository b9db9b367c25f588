// Does the registration ask about what is read, and not more? The generated rules are in the file, and everything
// beside them is as narrow as it is meant to be.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { toWebhookRules } from '../../src/admission/registration.ts';
import { toArray, toRecord } from '../../src/lib/text.ts';
import { extractModels } from '../../src/model/extract.ts';
import { WORKLOAD_KINDS } from '../../src/model/kinds.ts';
import { toWorkload } from '../../src/model/pod-template.ts';
import { ROOT } from '../meta/source-files.ts';

const REFERENCE = `reg.example/model@sha256:${'a'.repeat(64)}`;
const webhooks = toArray(
  toRecord(parse(readFileSync(join(ROOT, 'deploy/base/webhook.yaml'), 'utf8')))['webhooks'],
).map(toRecord);
const [models = {}, policies = {}] = webhooks;

describe('toWebhookRules()', () => {
  it('stands in deploy/base/webhook.yaml (npm run webhook)', () => {
    assert.deepEqual(models['rules'], toWebhookRules());
  });

  it('asks about no deletion and no kind of the cluster', () => {
    for (const { operations, scope } of toWebhookRules()) {
      assert.ok(!operations.includes('DELETE') && !operations.includes('CONNECT'), operations.join());
      assert.equal(scope, 'Namespaced');
    }
  });
});

describe('deploy/base/webhook.yaml', () => {
  it('is not asked about updates that leave the spec alone', () => {
    const [condition, ...others] = toArray(models['matchConditions']).map(toRecord);
    assert.deepEqual(others, []);
    assert.match(String(condition?.['expression']), /^request\.operation != 'UPDATE' \|\| /);
    assert.match(String(condition?.['expression']), / \|\| object\.spec != oldObject\.spec$/);
  });

  // What the match condition presumes.
  for (const { group, kind, templates } of WORKLOAD_KINDS)
    it(`loses no model of ${group}/${kind} by that: none is read from its metadata`, () => {
      const metadata = new Proxy(
        {},
        {
          get: (_target, key) => assert.fail(`metadata.${String(key)} was read`),
          ownKeys: () => assert.fail('metadata was listed'),
          has: () => assert.fail('metadata was searched'),
        },
      );
      const workloads = templates.flatMap(({ path, isBareSpec = false }) => {
        const spec = { containers: [], volumes: [{ name: 'm', image: { reference: REFERENCE } }] };
        let value: unknown = isBareSpec ? spec : { spec };
        for (const step of path.toReversed()) value = step === '*' ? [value] : { [step]: value };
        // One template may not do: a group of workers is none without its workers.
        return toWorkload(group, kind, { ...toRecord(value), metadata }) ?? [];
      });
      assert.ok(workloads.length > 0);
      for (const workload of workloads)
        assert.deepEqual(
          extractModels(workload).references.map(({ reference }) => reference.original),
          [REFERENCE],
        );
    });

  it('fails closed for models and open for policies, without side effects, in every equivalent version', () => {
    const told = webhooks.map(({ failurePolicy, matchPolicy, sideEffects, timeoutSeconds }) => ({
      failurePolicy,
      matchPolicy,
      sideEffects,
      timeoutSeconds,
    }));
    const common = { matchPolicy: 'Equivalent', sideEffects: 'None' };
    assert.deepEqual(told, [
      { failurePolicy: 'Fail', ...common, timeoutSeconds: 10 },
      { failurePolicy: 'Ignore', ...common, timeoutSeconds: 5 },
    ]);
  });

  it('leaves out the own and the system namespace, by the name that the API server gives', () => {
    assert.deepEqual(models['namespaceSelector'], {
      matchExpressions: [
        {
          key: 'kubernetes.io/metadata.name',
          operator: 'NotIn',
          values: ['kube-system', 'model-policy-system'],
        },
      ],
    });
    assert.equal(models['objectSelector'], undefined);
  });

  it('never asks about the deletion of policies', () => {
    const operations = toArray(policies['rules']).flatMap((rule) => toArray(toRecord(rule)['operations']));
    assert.deepEqual([...new Set(operations)], ['CREATE', 'UPDATE']);
  });
});

// Does the registration ask about what is read, and not more? The generated rules are in the file, and everything
// beside them is as narrow as it is meant to be.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { toWebhookRules } from '../../deploy/webhook-rules.ts';
import { toArray, toRecord } from '../../src/lib/text.ts';
import { ROOT } from '../meta/source-files.ts';

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
    assert.deepEqual(operations, ['CREATE', 'UPDATE']);
  });
});

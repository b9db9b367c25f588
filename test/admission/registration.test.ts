// Is every change of the registration that matters found, and put right in one patch?
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { findDrift, toCaBundles, toWebhooks, withCaBundle } from '../../src/admission/registration.ts';

const NAMESPACE = 'model-policy-system';
const CA = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';

interface Draft {
  [field: string]: unknown;
  name: string;
  clientConfig: Record<string, unknown>;
  rules: Record<string, unknown>[];
}

const encoded = Buffer.from(CA).toString('base64');
const options = { caBundle: CA, managesAddress: true };
const wanted = toWebhooks(NAMESPACE);
/** As the API server stores it, with our CA, after an edit. */
const stored = (edit: (webhooks: [Draft, Draft]) => unknown = () => undefined): object => {
  const webhooks = structuredClone(wanted) as unknown as [Draft, Draft];
  for (const { clientConfig } of webhooks) clientConfig['caBundle'] = encoded;
  const edited = edit(webhooks);
  return {
    metadata: { name: 'model-policy-controller' },
    webhooks: Array.isArray(edited) ? edited : webhooks,
  };
};
const fieldsOf = (current: object, more: object = {}): readonly string[] =>
  findDrift(current, wanted, { ...options, ...more })?.fields ?? [];

describe('toWebhooks()', () => {
  it('is what deploy/base/webhook.yaml registers', () => {
    const file = readFileSync(join(import.meta.dirname, '../../deploy/base/webhook.yaml'), 'utf8');
    const shipped = (parse(file) as { webhooks: Draft[] }).webhooks;
    const defaults = { objectSelector: {}, namespaceSelector: {} };
    assert.deepEqual(
      shipped.map((webhook) => ({ ...defaults, ...webhook })),
      JSON.parse(JSON.stringify(wanted)),
    );
  });

  it('leaves out the namespace that it is asked for', () => {
    const [first] = toWebhooks('elsewhere');
    assert.match(JSON.stringify(first), /"values":\["kube-system","elsewhere"\]/);
    assert.match(JSON.stringify(first?.clientConfig), /"namespace":"elsewhere"/);
  });
});

describe('findDrift()', () => {
  it('finds nothing where nothing changed', () => {
    assert.deepEqual(fieldsOf(stored()), []);
  });

  const edits: readonly (readonly [string, string, (webhook: Draft) => unknown])[] = [
    [
      'failurePolicy',
      'another failure policy',
      (one) => (one['failurePolicy'] = one['failurePolicy'] === 'Fail' ? 'Ignore' : 'Fail'),
    ],
    ['timeoutSeconds', 'another timeout', (one) => (one['timeoutSeconds'] = 1)],
    ['matchPolicy', 'another match policy', (one) => (one['matchPolicy'] = 'Exact')],
    ['sideEffects', 'side effects', (one) => (one['sideEffects'] = 'NoneOnDryRun')],
    [
      'admissionReviewVersions',
      'other versions',
      (one) => (one['admissionReviewVersions'] = ['v1beta1', 'v1']),
    ],
    [
      'namespaceSelector',
      'another selector',
      (one) => (one['namespaceSelector'] = { matchLabels: { a: 'b' } }),
    ],
    ['objectSelector', 'a way out by label', (one) => (one['objectSelector'] = { matchLabels: { a: 'b' } })],
    [
      'matchConditions',
      'a condition that is never true',
      (one) => (one['matchConditions'] = [{ name: 'never', expression: 'false' }]),
    ],
    ['rules', 'a rule less', (one) => one.rules.pop()],
    ['rules', 'an operation less', (one) => ((one.rules[0] ?? {})['operations'] = ['UPDATE'])],
    ['caBundle', 'another CA', (one) => (one.clientConfig['caBundle'] = 'AAAA')],
    ['caBundle', 'no CA', (one) => delete one.clientConfig['caBundle']],
    [
      'clientConfig',
      'another address',
      (one) => (one.clientConfig['service'] = { name: 'x', namespace: 'y' }),
    ],
  ];
  for (const [field, what, edit] of edits)
    it(`finds ${what}, and puts it right`, () => {
      for (const index of [0, 1] as const) {
        const current = stored((webhooks) => void edit(webhooks[index]));
        const drift = findDrift(current, wanted, options);
        assert.deepEqual(drift?.fields, [field]);
        assert.deepEqual(fieldsOf({ ...current, webhooks: drift.webhooks }), []);
      }
    });

  it('finds webhooks that are missing or not ours', () => {
    for (const current of [
      stored(([first]) => [first]),
      stored(() => []),
      stored(([first, second]) => [first, second, { ...second, name: 'more.modelpolicy.dev' }]),
      {},
    ]) {
      const drift = findDrift(current, wanted, options);
      assert.deepEqual(drift?.fields, ['webhooks']);
      assert.deepEqual(fieldsOf({ webhooks: drift.webhooks }), []);
    }
  });

  it('finds everything at once, sorted', () => {
    const current = stored(([first, second]) => {
      first['timeoutSeconds'] = 30;
      second['timeoutSeconds'] = 30;
      first['failurePolicy'] = 'Ignore';
    });
    assert.deepEqual(fieldsOf(current), ['failurePolicy', 'timeoutSeconds']);
  });

  it('leaves a CA alone that is not ours to say', () => {
    const current = stored(([first]) => void (first.clientConfig['caBundle'] = 'c29tZWJvZHk='));
    assert.deepEqual(fieldsOf(current, { caBundle: undefined }), []);
    const broken = stored(([first]) => {
      first.clientConfig['caBundle'] = 'c29tZWJvZHk=';
      first['timeoutSeconds'] = 1;
    });
    const drift = findDrift(broken, wanted, { ...options, caBundle: undefined });
    assert.equal((drift?.webhooks[0] as Draft | undefined)?.clientConfig['caBundle'], 'c29tZWJvZHk=');
  });

  it('leaves an address alone outside of the cluster', () => {
    const url = 'https://127.0.0.1:8443/validate';
    const current = stored(([first]) => void (first.clientConfig = { url, caBundle: 'AAAA' }));
    const drift = findDrift(current, wanted, { ...options, managesAddress: false });
    assert.deepEqual(drift?.fields, ['caBundle']);
    assert.deepEqual((drift.webhooks[0] as Draft | undefined)?.clientConfig, { url, caBundle: encoded });
  });
});

describe('toCaBundles()', () => {
  it('gives one text for each webhook', () => {
    assert.deepEqual(toCaBundles(stored(([, second]) => delete second.clientConfig['caBundle'])), [CA, '']);
    assert.deepEqual(toCaBundles(undefined), []);
  });
});

describe('withCaBundle()', () => {
  it('changes nothing but the authorities', () => {
    const edited = stored((webhooks) => {
      for (const webhook of webhooks) {
        webhook['failurePolicy'] = 'Ignore';
        webhook.clientConfig['caBundle'] = 'b2xk';
      }
    });
    const webhooks = withCaBundle(edited, CA);
    assert.deepEqual(toCaBundles({ webhooks }), [CA, CA]);
    assert.deepEqual(findDrift({ webhooks }, wanted, options)?.fields, ['failurePolicy']);
    assert.deepEqual(withCaBundle(undefined, CA), []);
  });
});

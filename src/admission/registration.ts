// What must the API server ask us about? The webhook configuration as one table made from the kinds that are read, and
// what differs between it and another one. deploy/base/webhook.yaml is held to it by a test. Pure.
import { isDeepStrictEqual } from 'node:util';
import { isRecord, toArray, toRecord, toText } from '../lib/text.ts';
import { WORKLOAD_KINDS } from '../model/kinds.ts';
import { API_GROUP } from '../policy/types.ts';

/** Name of the ValidatingWebhookConfiguration. */
export const REGISTRATION_NAME = 'model-policy-controller';
/** Name of the Service in the controller's namespace. */
export const SERVICE_NAME = 'model-policy';

type Json = Readonly<Record<string, unknown>>;

/** One webhook; `clientConfig` has no `caBundle`. */
export interface Webhook extends Json {
  readonly name: string;
  readonly clientConfig: Json;
}

/** A rule of a webhook. */
export interface WebhookRule extends Json {
  readonly apiGroups: readonly string[];
  readonly apiVersions: readonly string[];
  readonly resources: readonly string[];
  readonly operations: readonly string[];
  readonly scope: 'Namespaced' | 'Cluster';
}

const rule = (
  group: string,
  versions: readonly string[],
  resources: readonly string[],
  more: Partial<WebhookRule> = {},
): WebhookRule => ({
  apiGroups: [group],
  apiVersions: versions,
  resources,
  operations: ['CREATE', 'UPDATE'],
  scope: 'Namespaced',
  ...more,
});

/** The rules of the webhook that judges models, from the table that the extractors read by. */
export function toWebhookRules(): readonly WebhookRule[] {
  const groups = Map.groupBy(WORKLOAD_KINDS, ({ group, versions }) => JSON.stringify([group, versions]));
  const rules = [...groups.values()].map((kinds) => {
    const [{ group, versions } = { group: '', versions: [] }] = kinds;
    return rule(
      group,
      versions,
      kinds.map(({ resource }) => resource),
    );
  });
  return [...rules, rule('', ['v1'], ['pods/ephemeralcontainers'], { operations: ['UPDATE'] })];
}

// Finalizers, labels and owners of what runs are nobody's model. Were they asked about, nothing with a finalizer could be
// deleted in an outage, nor the namespace around it. All models are read from the spec.
const SPEC_CHANGED = {
  name: 'spec-is-new-or-changed',
  expression:
    "request.operation != 'UPDATE' || !has(object.spec) || !has(oldObject.spec) || object.spec != oldObject.spec",
};

/** The webhooks of a controller in this namespace. Every field that has a default is written out. */
export function toWebhooks(namespace: string): readonly Webhook[] {
  const common = {
    admissionReviewVersions: ['v1'],
    matchPolicy: 'Equivalent',
    sideEffects: 'None',
    objectSelector: {},
  };
  const at = (path: string): Json => ({ service: { name: SERVICE_NAME, namespace, path, port: 443 } });
  const key = 'kubernetes.io/metadata.name';
  const values = ['kube-system', namespace];
  return [
    {
      ...common,
      name: `validate.${API_GROUP}`,
      clientConfig: at('/validate'),
      failurePolicy: 'Fail',
      timeoutSeconds: 10,
      namespaceSelector: { matchExpressions: [{ key, operator: 'NotIn', values }] },
      matchConditions: [SPEC_CHANGED],
      rules: toWebhookRules(),
    },
    {
      ...common,
      name: `policy.${API_GROUP}`,
      clientConfig: at('/validate-policy'),
      failurePolicy: 'Ignore',
      timeoutSeconds: 5,
      namespaceSelector: {},
      rules: [
        rule(API_GROUP, ['v1alpha1'], ['clustermodelpolicies', 'trustroots', 'modelpolicyexceptions'], {
          scope: 'Cluster',
        }),
        rule(API_GROUP, ['v1alpha1'], ['modelpolicies']),
      ],
    },
  ];
}

/** What is held to the table beside it. */
export interface RegistrationOptions {
  /** PEM of the authorities under our serving certificate; undefined: whatever stands there is somebody else's. */
  readonly caBundle: string | undefined;
  /** False: the address is left as it is, for controllers outside of the cluster. */
  readonly managesAddress: boolean;
}

/** What is wrong with a registration. */
export interface Drift {
  /** Names of fields, sorted, each once; `webhooks` when there are too few or too many. */
  readonly fields: readonly string[];
  /** The `webhooks` that it should have. */
  readonly webhooks: readonly Json[];
}

const FIELDS = [
  'admissionReviewVersions',
  'failurePolicy',
  'matchConditions',
  'matchPolicy',
  'namespaceSelector',
  'objectSelector',
  'rules',
  'sideEffects',
  'timeoutSeconds',
] as const;

/** Compares a ValidatingWebhookConfiguration with the table; undefined when it is in order. */
export function findDrift(
  current: unknown,
  wanted: readonly Webhook[],
  options: RegistrationOptions,
): Drift | undefined {
  const found = toArray(toRecord(current)['webhooks']).map(toRecord);
  const fields = new Set<string>();
  const names = found.map(({ name }) => toText(name) ?? '');
  if (!isDeepStrictEqual(names.toSorted(), wanted.map(({ name }) => name).toSorted())) fields.add('webhooks');
  const webhooks = wanted.map((webhook) => {
    const present = found.find(({ name }) => name === webhook.name);
    const complete = { ...webhook, clientConfig: toClientConfig(webhook, present, options) };
    for (const field of present === undefined ? [] : findFields(present, complete)) fields.add(field);
    return complete;
  });
  return fields.size === 0 ? undefined : { fields: [...fields].toSorted(), webhooks };
}

// Whoever changes only the address gains nothing: what answers there has no certificate of ours, and the call fails closed.
function toClientConfig(
  { clientConfig }: Webhook,
  present: Json | undefined,
  { caBundle, managesAddress }: RegistrationOptions,
): Json {
  const { caBundle: presentBundle, ...address } = toRecord(present?.['clientConfig']);
  const bundle = caBundle === undefined ? presentBundle : Buffer.from(caBundle).toString('base64');
  return {
    ...(managesAddress || present === undefined ? clientConfig : address),
    ...(bundle === undefined ? {} : { caBundle: bundle }),
  };
}

function findFields(present: Json, wanted: Webhook): readonly string[] {
  const fields: string[] = FIELDS.filter((field) => !isDeepStrictEqual(present[field], wanted[field]));
  const { caBundle: bundle, ...address } = toRecord(present['clientConfig']);
  const { caBundle: wantedBundle, ...wantedAddress } = wanted.clientConfig;
  if (bundle !== wantedBundle) fields.push('caBundle');
  if (!isDeepStrictEqual(address, wantedAddress)) fields.push('clientConfig');
  return fields;
}

/** The `webhooks` of a registration as they are, but for the authorities that they believe. @param caBundle PEM */
export function withCaBundle(current: unknown, caBundle: string): readonly Json[] {
  const encoded = Buffer.from(caBundle).toString('base64');
  return toArray(toRecord(current)['webhooks']).map((webhook) => {
    const { clientConfig, ...rest } = toRecord(webhook);
    return { ...rest, clientConfig: { ...toRecord(clientConfig), caBundle: encoded } };
  });
}

/** The authorities that every webhook of a registration believes, as PEM, one text for each webhook. */
export function toCaBundles(current: unknown): readonly string[] {
  return toArray(toRecord(current)['webhooks']).map((webhook) => {
    const { clientConfig } = toRecord(webhook);
    const bundle = isRecord(clientConfig) ? toText(clientConfig['caBundle']) : undefined;
    return Buffer.from(bundle ?? '', 'base64').toString('utf8');
  });
}

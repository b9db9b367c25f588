// Which requests must reach us? One rule for each group and version of the kinds that are read, and one for containers
// that join a running pod. Where the rules are written is left to generate-webhook.ts.
import { WORKLOAD_KINDS } from '../src/model/kinds.ts';

/** A rule of a ValidatingWebhookConfiguration. */
export interface WebhookRule {
  readonly apiGroups: readonly string[];
  readonly apiVersions: readonly string[];
  readonly resources: readonly string[];
  readonly operations: readonly string[];
  readonly scope: 'Namespaced';
}

const EPHEMERAL_CONTAINERS: WebhookRule = {
  apiGroups: [''],
  apiVersions: ['v1'],
  resources: ['pods/ephemeralcontainers'],
  operations: ['UPDATE'],
  scope: 'Namespaced',
};

/** The rules of the webhook that judges models, from the table that the extractors read by. */
export function toWebhookRules(): readonly WebhookRule[] {
  const groups = Map.groupBy(WORKLOAD_KINDS, ({ group, versions }) => JSON.stringify([group, versions]));
  const rules = [...groups.values()].map((kinds): WebhookRule => {
    const [{ group, versions } = { group: '', versions: [] }] = kinds;
    return {
      apiGroups: [group],
      apiVersions: versions,
      resources: kinds.map(({ resource }) => resource),
      operations: ['CREATE', 'UPDATE'],
      scope: 'Namespaced',
    };
  });
  return [...rules, EPHEMERAL_CONTAINERS];
}

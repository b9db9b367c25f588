// How many ModelPolicies of one namespace are read? What is beyond the bounds denies everything in that namespace and
// costs nothing: no namespace can make policies that slow the others.
import { toArray, toRecord } from '../lib/text.ts';
import type { PolicySource } from './compile.ts';
import type { KeyReference } from './types.ts';

/** Most ModelPolicies of one namespace (docs: limits). */
export const MAX_MODEL_POLICIES = 32;
/** Most authorities of all ModelPolicies of one namespace (docs: limits). */
export const MAX_TENANT_AUTHORITIES = 64;

/** The sources that are compiled: what is too much of a namespace becomes one policy with a fault. */
export function boundTenants(sources: readonly PolicySource[]): readonly PolicySource[] {
  const namespaces = Map.groupBy(sources, ({ namespace = '' }) => namespace);
  return [...namespaces].flatMap(([namespace, policies]) =>
    namespace === '' ? policies : boundNamespace(policies),
  );
}

function boundNamespace(sources: readonly PolicySource[]): readonly PolicySource[] {
  const sorted = sources.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const kept: PolicySource[] = [];
  let authorities = 0;
  for (const source of sorted) {
    authorities += toArray(toRecord(source.spec)['authorities']).length;
    if (kept.length === MAX_MODEL_POLICIES)
      return [...kept, refuse(source, `${sorted.length} ModelPolicies; ${MAX_MODEL_POLICIES} are read`)];
    if (authorities > MAX_TENANT_AUTHORITIES)
      return [
        ...kept,
        refuse(source, `ModelPolicies with more than ${MAX_TENANT_AUTHORITIES} authorities together`),
      ];
    kept.push(source);
  }
  return kept;
}

// Nothing of it is read: it selects whatever the namespace does.
function refuse({ name, namespace = '' }: PolicySource, what: string): PolicySource {
  const fault = { path: [], message: `namespace ${namespace} has ${what}` };
  return { name, namespace, spec: undefined, faults: [fault] };
}

/** An object whose data a ModelPolicy names. */
export interface NamedMaterial {
  readonly kind: 'Secret' | 'ConfigMap';
  readonly namespace: string;
  readonly name: string;
}

/** Most Secrets and ConfigMaps that are read for the ModelPolicies of one namespace (docs: limits). */
export const MAX_TENANT_OBJECTS = 32;
const NAME = /^[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?$/;

/** The Secrets and ConfigMaps that ModelPolicies name, each once, all in the policies' own namespaces. */
export function listTenantMaterial(sources: readonly PolicySource[]): readonly NamedMaterial[] {
  const byNamespace = Map.groupBy(boundTenants(sources), ({ namespace = '' }) => namespace);
  return [...byNamespace].flatMap(([namespace, policies]) => {
    if (namespace === '') return [];
    const found = policies.flatMap(({ spec }) =>
      toArray(toRecord(spec)['authorities']).flatMap((authority) => listSources(toRecord(authority))),
    );
    const unique = new Map(found.map(({ kind, name }) => [`${kind}/${name}`, { kind, namespace, name }]));
    return [...unique.values()].slice(0, MAX_TENANT_OBJECTS);
  });
}

function listSources(authority: Record<string, unknown>): readonly Omit<NamedMaterial, 'namespace'>[] {
  const certificate = toRecord(authority['certificate']);
  const { pullSecrets } = toRecord(authority['signatureRepository']);
  const keys = [authority['key'], certificate['roots'], certificate['intermediates']].flatMap((source) => [
    ...toName('Secret', toRecord(source)['secretKeyRef']),
    ...toName('ConfigMap', toRecord(source)['configMapKeyRef']),
  ]);
  return [...keys, ...toArray(pullSecrets).flatMap((secret) => toName('Secret', secret))];
}

function toName(
  kind: NamedMaterial['kind'],
  reference: unknown,
): readonly Omit<NamedMaterial, 'namespace'>[] {
  const { name } = toRecord(reference) as Partial<KeyReference>;
  return typeof name === 'string' && NAME.test(name) ? [{ kind, name }] : [];
}

// How many ModelPolicies of one namespace are read? What is beyond the bounds denies everything in that namespace and
// costs nothing: no namespace can make policies that slow the others.
import { toArray, toRecord } from '../lib/text.ts';
import type { PolicySource } from './compile.ts';
import { weighSpec, type TenantWeight } from './tenant-weight.ts';
import type { KeyReference } from './types.ts';

/** Most ModelPolicies of one namespace (docs: limits). */
export const MAX_MODEL_POLICIES = 32;
/** Most authorities of all ModelPolicies of one namespace (docs: limits). */
export const MAX_TENANT_AUTHORITIES = 64;
/** Most globs and exclusions of all ModelPolicies of one namespace: a microsecond each for every image of a pod (docs: limits). */
export const MAX_TENANT_GLOBS = 128;
/** Most characters of CEL in all ModelPolicies of one namespace: compiling takes about a microsecond for each (docs: limits). */
export const MAX_TENANT_RULE_CHARS = 32_768;
/**
 * Most RE2 instructions of all patterns in the ModelPolicies of one namespace, those in CEL among them; a key or certificate
 * counts as 32 (docs: limits).
 */
export const MAX_TENANT_COMPILE_WORK = 4000;

const BOUNDS: readonly (readonly [keyof TenantWeight, number, string])[] = [
  ['authorities', MAX_TENANT_AUTHORITIES, 'authorities'],
  ['globs', MAX_TENANT_GLOBS, 'globs'],
  ['ruleChars', MAX_TENANT_RULE_CHARS, 'characters of CEL'],
];

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
  const total = { authorities: 0, globs: 0, ruleChars: 0 };
  for (const source of sorted) {
    if (kept.length === MAX_MODEL_POLICIES)
      return [...kept, refuse(source, `${sorted.length} ModelPolicies; ${MAX_MODEL_POLICIES} are read`)];
    const weight = weighSpec(source.spec);
    for (const [unit] of BOUNDS) total[unit] += weight[unit];
    const surplus = BOUNDS.find(([unit, most]) => total[unit] > most);
    if (surplus !== undefined)
      return [...kept, refuse(source, `ModelPolicies with more than ${surplus[1]} ${surplus[2]} together`)];
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

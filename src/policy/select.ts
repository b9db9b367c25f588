// Which policies is this use of a model judged by? Per (reference, source, namespace); pure.
import type { ModelReference, ModelSource } from '../model/model-reference.ts';
import { toCanonicalName } from '../model/reference.ts';
import { isOfCluster, type CompiledModelSelector, type CompiledPolicy } from './compiled.ts';

/** A namespace as selection sees it. */
export interface SelectedNamespace {
  readonly labels: Readonly<Record<string, string>>;
}

/** The policies of a namespace: the first half of selection, shared by all uses of one request. */
export function selectByNamespace(
  policies: readonly CompiledPolicy[],
  namespace: SelectedNamespace,
): readonly CompiledPolicy[] {
  return policies.filter((policy) => policy.matchesNamespace(namespace.labels));
}

/** The policies, of those of the namespace, that are about one use. */
export function selectByReference(
  policies: readonly CompiledPolicy[],
  use: ModelReference,
): readonly CompiledPolicy[] {
  const name = toCanonicalName(use.reference);
  return candidatesOf(policies, use).filter(
    ({ models }) => models === undefined || models.some((selector) => matchSelector(selector, use, name)),
  );
}

/** True when some policy says of an ordinary container image that it is a model: by glob, or by listing the source. */
export function isClaimed(policies: readonly CompiledPolicy[], image: ModelReference): boolean {
  const name = toCanonicalName(image.reference);
  return candidatesOf(policies, image).some(({ models }) =>
    (models ?? []).some((selector) => claimsImages(selector) && matchSelector(selector, image, name)),
  );
}

/** True when some policy claims container images: what cannot be read might be one of them, and no node should run it. */
export function claimAnyImage(policies: readonly CompiledPolicy[]): boolean {
  return indexOf(policies).claimsImages;
}

/** The policies of the cluster and those of the namespace, always the same lists of the same list. */
export function splitBySide(policies: readonly CompiledPolicy[]): {
  readonly ofCluster: readonly CompiledPolicy[];
  readonly ofNamespace: readonly CompiledPolicy[];
} {
  return indexOf(policies).sides;
}

interface Index {
  readonly sides: ReturnType<typeof splitBySide>;
  /** Registries that some policy names; worked out when one is first asked about. */
  readonly byRegistry: Map<string, readonly CompiledPolicy[] | undefined>;
  /** Those that can be about any registry, which is what all others have. */
  readonly anywhere: readonly CompiledPolicy[];
  readonly claimsImages: boolean;
}

// One index for each list: selection.ts hands out the same list to every request of a namespace.
const indexes = new WeakMap<readonly CompiledPolicy[], Index>();

function indexOf(policies: readonly CompiledPolicy[]): Index {
  const known = indexes.get(policies) ?? createIndex(policies);
  indexes.set(policies, known);
  return known;
}

function createIndex(policies: readonly CompiledPolicy[]): Index {
  const named = policies.flatMap(registriesOf).filter((registry) => registry !== undefined);
  return {
    sides: {
      ofCluster: policies.every(isOfCluster) ? policies : policies.filter(isOfCluster),
      ofNamespace: policies.filter((policy) => !isOfCluster(policy)),
    },
    byRegistry: new Map(named.map((registry) => [registry, undefined])),
    anywhere: policies.filter((policy) => registriesOf(policy).includes(undefined)),
    claimsImages: policies.some(({ models }) => (models ?? []).some(claimsImages)),
  };
}

function registriesOf({ models }: CompiledPolicy): readonly (string | undefined)[] {
  return models?.map(({ registry }) => registry) ?? [undefined];
}

// Only names that policies hold are remembered: those of workloads are anybody's.
function candidatesOf(
  policies: readonly CompiledPolicy[],
  { reference: { registry } }: ModelReference,
): readonly CompiledPolicy[] {
  const { byRegistry, anywhere } = indexOf(policies);
  if (!byRegistry.has(registry)) return anywhere;
  const known =
    byRegistry.get(registry) ??
    policies.filter((policy) => {
      const registries = registriesOf(policy);
      return registries.includes(undefined) || registries.includes(registry);
    });
  byRegistry.set(registry, known);
  return known;
}

/** The policies, of those of the namespace, that are about what these sources name: globs need a name to match. */
export function selectBySources(
  policies: readonly CompiledPolicy[],
  sources: readonly ModelSource[],
): readonly CompiledPolicy[] {
  return policies.filter(
    ({ models }) =>
      models === undefined ||
      models.some((selector) => sources.some((source) => meansSource(selector, source))),
  );
}

// Whoever leaves the sources open means container images only by a glob.
function meansSource(selector: CompiledModelSelector, source: ModelSource): boolean {
  if (source === 'ContainerImage') return claimsImages(selector);
  return selector.sources?.has(source) ?? true;
}

function claimsImages({ hasGlob, sources }: CompiledModelSelector): boolean {
  return sources === undefined ? hasGlob : sources.has('ContainerImage');
}

function matchSelector(selector: CompiledModelSelector, use: ModelReference, name: string): boolean {
  const { sources } = selector;
  const isMeant = sources === undefined || toSources(use).some((source) => sources.has(source));
  return isMeant && selector.matches(name);
}

function toSources({ source, otherSources = [] }: ModelReference): readonly ModelSource[] {
  return [source, ...otherSources];
}

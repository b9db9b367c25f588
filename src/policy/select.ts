// Which policies is this use of a model judged by? Per (reference, source, namespace); pure.
import type { ModelReference } from '../model/model-reference.ts';
import { toCanonicalName } from '../model/reference.ts';
import type { CompiledModelSelector, CompiledPolicy } from './compiled.ts';

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
  return policies.filter(
    ({ models }) => models === undefined || models.some((selector) => matchSelector(selector, use, name)),
  );
}

/** True when some policy says of an ordinary container image that it is a model: by glob, or by listing the source. */
export function isClaimed(policies: readonly CompiledPolicy[], image: ModelReference): boolean {
  const name = toCanonicalName(image.reference);
  return policies.some(({ models }) =>
    (models ?? []).some((selector) => claimsImages(selector) && matchSelector(selector, image, name)),
  );
}

/** True when some policy says that every container image is a model: then also one that cannot be read. */
export function claimsEveryImage(policies: readonly CompiledPolicy[]): boolean {
  return policies.some(({ models }) =>
    (models ?? []).some((selector) => claimsImages(selector) && selector.isEverything),
  );
}

function claimsImages({ hasGlob, sources }: CompiledModelSelector): boolean {
  return sources === undefined ? hasGlob : sources.has('ContainerImage');
}

function matchSelector(selector: CompiledModelSelector, use: ModelReference, name: string): boolean {
  return (selector.sources?.has(use.source) ?? true) && selector.matches(name);
}

// Did two extractors see the same thing? The same reference at the same place is one use, under the source that was
// asked first, selected by the policies of both.
import type { ModelReference, ModelSource, UnnamedUse } from './model-reference.ts';

/** What is a model whatever policies say, and what only is where one claims it. */
export interface Merged<T> {
  readonly models: readonly T[];
  readonly images: readonly T[];
}

/** Merges references; an image that is a model anyway is no longer among the images. */
export function mergeReferences(
  models: readonly ModelReference[],
  images: readonly ModelReference[],
): Merged<ModelReference> {
  return merge(models, images, {
    toKey: ({ reference, fieldPath }) => `${fieldPath} ${reference.original}`,
    toSources: ({ source, otherSources = [] }) => [source, ...otherSources],
    withSources: (use, [, ...otherSources]) => (otherSources.length === 0 ? use : { ...use, otherSources }),
  });
}

/** Merges uses without a reference. */
export function mergeUnnamed(
  models: readonly UnnamedUse[],
  images: readonly UnnamedUse[],
): Merged<UnnamedUse> {
  return merge(models, images, {
    toKey: ({ field, message, written }) => `${field} ${message} ${written}`,
    toSources: ({ sources }) => sources,
    withSources: (use, sources) => ({ ...use, sources }),
  });
}

interface Merging<T> {
  readonly toKey: (use: T) => string;
  readonly toSources: (use: T) => readonly ModelSource[];
  readonly withSources: (use: T, sources: readonly ModelSource[]) => T;
}

function merge<T>(
  models: readonly T[],
  images: readonly T[],
  { toKey, toSources, withSources }: Merging<T>,
): Merged<T> {
  const groups = Map.groupBy([...models, ...images], toKey);
  const known = new Set(models.map(toKey));
  const merged = [...groups].flatMap(([key, group]) => {
    const [first] = group;
    if (first === undefined) return [];
    const sources = [...new Set(group.flatMap(toSources))];
    return [{ isModel: known.has(key), use: withSources(first, sources) }];
  });
  return {
    models: merged.filter(({ isModel }) => isModel).map(({ use }) => use),
    images: merged.filter(({ isModel }) => !isModel).map(({ use }) => use),
  };
}

// What does a component change in the objects of the base? Plain steps that a chart's template can take: set a member or
// an element, append to a list, add an object. Where renderings come from is left to generate-chart.ts.
import { isDeepStrictEqual } from 'node:util';

/** A Kubernetes object as JSON. */
export interface KubernetesObject {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels?: object };
  readonly [member: string]: unknown;
}

/**
 * `key` below `path` of one object gets the value `set`, in its place `element` where that is given, or the elements
 * `append` behind those it has.
 */
export interface Change {
  readonly kind: string;
  readonly name: string;
  readonly path: readonly (string | number)[];
  readonly key: string;
  readonly element?: number;
  readonly set?: unknown;
  readonly append?: readonly unknown[];
}

/** What a component does. */
export interface ComponentChanges {
  readonly objects: readonly KubernetesObject[];
  readonly changes: readonly Change[];
}

type Step = Omit<Change, 'kind' | 'name'>;
type Path = Change['path'];

/** @throws Error when objects or members are taken away, which no step does */
export function findChanges(
  before: readonly KubernetesObject[],
  after: readonly KubernetesObject[],
): ComponentChanges {
  const names = new Set(before.map(toIdentity));
  const changes = before.flatMap((object) => {
    const changed = after.find((candidate) => toIdentity(candidate) === toIdentity(object));
    if (changed === undefined) throw new Error(`${toIdentity(object)} is taken away`);
    const { kind, metadata } = object;
    return compareMembers(object, changed, []).map((step): Change => ({
      kind,
      name: metadata.name,
      ...step,
    }));
  });
  return { objects: after.filter((object) => !names.has(toIdentity(object))), changes };
}

const toIdentity = ({ kind, metadata }: KubernetesObject): string =>
  `${kind} ${metadata.namespace ?? ''}/${metadata.name}`;

type Members = Readonly<Record<string, unknown>>;

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function compareMembers(before: Members, after: Members, path: Path): readonly Step[] {
  const lost = Object.keys(before).find((key) => !(key in after));
  if (lost !== undefined) throw new Error(`${[...path, lost].join('.')} is taken away`);
  return Object.entries(after).flatMap(([key, value]) => compareMember(before[key], value, { path, key }));
}

function compareMember(before: unknown, after: unknown, { path, key }: Step): readonly Step[] {
  if (isDeepStrictEqual(before, after)) return [];
  if (isMembers(before) && isMembers(after)) return compareMembers(before, after, [...path, key]);
  // Never the list as a whole where that can be helped: another component may have appended to it.
  if (Array.isArray(before) && Array.isArray(after) && after.length >= before.length) {
    const rest: readonly unknown[] = after.slice(before.length);
    const steps = before.flatMap((element, index) =>
      compareElement(element, after[index], { path, key, element: index }),
    );
    return rest.length === 0 ? steps : [...steps, { path, key, append: rest }];
  }
  return [{ path, key, set: after }];
}

function compareElement(before: unknown, after: unknown, step: Step & { element: number }): readonly Step[] {
  if (isDeepStrictEqual(before, after)) return [];
  if (!isMembers(before) || !isMembers(after)) return [{ ...step, set: after }];
  return compareMembers(before, after, [...step.path, step.key, step.element]);
}

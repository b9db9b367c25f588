// What must change in the status of an object? Joins what it should say with what it says, keeps the times of what did
// not change, and undoes what anybody else wrote. Pure; sending it is left to status-writer.ts.
import { isDeepStrictEqual } from 'node:util';
import type { KubernetesObject } from '@kubernetes/client-node';
import { toSeconds } from '../lib/text.ts';

/** One condition, without its times. */
export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
}

/** What a status should say. */
export interface DesiredStatus {
  /** The first is the one that tells whether the object does what it is for. */
  readonly conditions: readonly Condition[];
  /** Everything else, as JSON. */
  readonly fields?: Readonly<Record<string, unknown>>;
}

/** A condition as it stands in an object. */
export interface StoredCondition extends Condition {
  readonly lastTransitionTime: string;
  readonly observedGeneration?: number;
}

/** A whole status as we write it. */
export interface StoredStatus {
  readonly observedGeneration?: number;
  readonly conditions: readonly StoredCondition[];
  readonly [field: string]: unknown;
}

/**
 * The status that the object should have.
 * @param known conditions that we wrote ourselves, whose times are believed before the object's
 */
export function toStatus(
  object: KubernetesObject,
  desired: DesiredStatus,
  { known, now }: { known: readonly StoredCondition[] | undefined; now: Date },
): StoredStatus {
  const generation = toRecord(object.metadata)['generation'];
  const observed = typeof generation === 'number' ? { observedGeneration: generation } : {};
  const stored = toRecord(toRecord(object)['status'])['conditions'];
  const earlier = (known ?? (Array.isArray(stored) ? stored : [])).map(toRecord);
  return {
    ...observed,
    ...desired.fields,
    conditions: desired.conditions.map((condition) => {
      const before = earlier.find(({ type }) => type === condition.type);
      const time = before?.['status'] === condition.status ? before['lastTransitionTime'] : undefined;
      return { ...condition, ...observed, lastTransitionTime: isTime(time) ? time : toSeconds(now) };
    }),
  };
}

/** The merge patch that makes the object's status this one; undefined when it is. */
export function toStatusPatch(object: KubernetesObject, status: StoredStatus): object | undefined {
  const current = toRecord(toRecord(object)['status']);
  if (isDeepStrictEqual(current, status)) return undefined;
  const foreign = Object.keys(current).filter((field) => !Object.hasOwn(status, field));
  return { ...Object.fromEntries(foreign.map((field) => [field, null])), ...status };
}

function toRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

// As the API server writes metadata times; it refuses anything else in a condition.
function isTime(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(value) &&
    !Number.isNaN(Date.parse(value))
  );
}

// What differs between a policy of policy-controller and what is made of it? The closed list of effects, and where
// translators write them down.

/**
 * What a difference does. `Same`: nothing, it is only written in another way. `Wider`: the policy is about more than
 * before. `Stricter`: something that was admitted is denied. `Denies`: it could not be translated, and what the policy is
 * about is denied, or the part of it counts for nothing, until somebody acts.
 */
export type Effect = 'Same' | 'Wider' | 'Stricter' | 'Denies';

/** One difference. */
export interface Difference {
  readonly effect: Effect;
  /** Where in the old object; empty for the whole of it. */
  readonly field: string;
  readonly message: string;
  /** Text of the old object that somebody has to translate. */
  readonly source?: string;
}

/** Writes one difference down. */
export type Note = (effect: Effect, field: string, message: string, source?: string) => void;

/** Members of a record that a translator does not know: what they mean would be lost. */
export function findUnknown(
  record: Readonly<Record<string, unknown>>,
  known: readonly string[],
): readonly string[] {
  return Object.keys(record).filter((name) => !known.includes(name) && record[name] !== undefined);
}

// How much work is one ModelPolicy before anybody is judged by it? Counted from its text alone, so that what is too much is
// refused without having been done; how much a namespace may have is tenant-limits.ts's to say.
import { toArray, toRecord, toText } from '../lib/text.ts';

/** What is counted of a spec, whatever its shape. */
export interface TenantWeight {
  readonly authorities: number;
  /** Globs and exclusions: each is tried on every model and image of a pod. */
  readonly globs: number;
  /** Characters of all CEL. */
  readonly ruleChars: number;
}

/** Weighs a spec; never throws. */
export function weighSpec(spec: unknown): TenantWeight {
  const { authorities, models, matchConditions, variables, validations, attestations } = toRecord(spec);
  const nested = toArray(attestations).flatMap((one) => toArray(toRecord(one)['validations']));
  const rules = [matchConditions, variables, validations, nested].flatMap(toArray);
  return {
    authorities: toArray(authorities).length,
    globs: sum(toArray(models), (model) => 1 + toArray(toRecord(model)['exclude']).length),
    ruleChars: sum(rules, (rule) => {
      const { expression, messageExpression } = toRecord(rule);
      return (toText(expression) ?? '').length + (toText(messageExpression) ?? '').length;
    }),
  };
}

function sum(list: readonly unknown[], weigh: (entry: unknown) => number): number {
  return list.reduce<number>((total, entry) => total + weigh(entry), 0);
}

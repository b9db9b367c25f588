// Is this namespace selected? Kubernetes label selectors (apimachinery LabelSelector semantics).
import type { LabelExpression, LabelSelector } from './types.ts';

/** Tests a namespace's labels. */
export type LabelMatcher = (labels: Readonly<Record<string, string>>) => boolean;

/** A matcher, or what is wrong with the selector. */
export type SelectorResult =
  { readonly ok: true; readonly matches: LabelMatcher } | { readonly ok: false; readonly problem: string };

/** Compiles a selector; absent or empty selects everything. */
export function compileLabelSelector(selector: LabelSelector = {}): SelectorResult {
  const tests: LabelMatcher[] = Object.entries(selector.matchLabels ?? {}).map(
    ([key, value]) =>
      (labels) =>
        labels[key] === value,
  );
  for (const expression of selector.matchExpressions ?? []) {
    const test = compileExpression(expression);
    if (typeof test === 'string') return { ok: false, problem: test };
    tests.push(test);
  }
  return { ok: true, matches: (labels) => tests.every((test) => test(labels)) };
}

function compileExpression({ key, operator, values = [] }: LabelExpression): LabelMatcher | string {
  const set = new Set(values);
  switch (operator) {
    case 'In':
      if (set.size === 0) return 'In needs values';
      return (labels) => Object.hasOwn(labels, key) && set.has(labels[key] ?? '');
    case 'NotIn':
      if (set.size === 0) return 'NotIn needs values';
      return (labels) => !Object.hasOwn(labels, key) || !set.has(labels[key] ?? '');
    case 'Exists':
      return set.size > 0 ? 'Exists takes no values' : (labels) => Object.hasOwn(labels, key);
    case 'DoesNotExist':
      return set.size > 0 ? 'DoesNotExist takes no values' : (labels) => !Object.hasOwn(labels, key);
    default:
      return 'its operator is not known';
  }
}

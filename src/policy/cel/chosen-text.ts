// Whose word does a rule take? Finds where an expression reads labels and annotations: those of a pod are its author's
// choice, those of a namespace the choice of whoever may edit it.
import { nodesOf, stringLiteral, type CelNode } from './ast.ts';
import { createDiagnostic, type CelDiagnostic } from './diagnostic.ts';

const OWNERS: Readonly<Record<string, string>> = {
  pod: 'whoever makes the pod',
  object: 'whoever makes the object',
  oldObject: 'whoever makes the object',
  namespaceObject: 'whoever may edit the namespace',
};

/** The places of a checked expression that read labels or annotations, in source order. */
export function findChosenText(root: CelNode, source: string): readonly CelDiagnostic[] {
  return nodesOf(root)
    .flatMap((node) => {
      const steps = toSteps(node);
      const owner = Object.hasOwn(OWNERS, steps[0] ?? '') ? OWNERS[steps[0] ?? ''] : undefined;
      const [, , what = ''] = steps;
      if (owner === undefined || !isChosen(steps)) return [];
      const message = `${what} are set by ${owner}; a rule that they can turn is theirs to turn`;
      return [createDiagnostic(source, 'chosen_text', message, { start: node.start, end: node.end })];
    })
    .toSorted((a, b) => (a.range?.start ?? 0) - (b.range?.start ?? 0));
}

function isChosen([, metadata, what, ...rest]: readonly string[]): boolean {
  return metadata === 'metadata' && (what === 'labels' || what === 'annotations') && rest.length === 0;
}

// `a.b.?c` and `a['b']` as their steps; none for anything else.
function toSteps(node: CelNode): readonly string[] {
  if (node.op === 'id') return [String(node.args)];
  if (!['.', '.?', '[]', '[?]'].includes(node.op) || !Array.isArray(node.args)) return [];
  const [operand, key] = node.args as [CelNode, CelNode | string];
  const step = typeof key === 'string' ? key : stringLiteral(key);
  const before = toSteps(operand);
  return step === undefined || before.length === 0 ? [] : [...before, step];
}

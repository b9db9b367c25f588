// Does a rule hold because something is not there? Registries can withhold signatures and attestations, so a rule should
// only ever lose by their absence. Found on the syntax tree, by whether more evidence can turn a part from true to false.
import { callOf, childrenOf, type CelCall, type CelNode } from './ast.ts';
import { createDiagnostic, type CelDiagnostic } from './diagnostic.ts';

const MESSAGE =
  'it also holds when a registry withholds evidence; demand what must be there, with exists() or size() >=';

/** +1: the rule gains by the part being true; -1: by its being false; 0: either. */
type Sense = 1 | 0 | -1;

interface Step {
  readonly node: CelNode;
  readonly sense: Sense;
  /** Variables that stand for evidence here. */
  readonly bound: ReadonlySet<string>;
}

const ROOTS: ReadonlySet<string> = new Set(['signatures', 'attestations', 'signature']);
/** What a registry can strip without breaking a signature; everything else of one is signed. */
const STRIPPABLE_LISTS: ReadonlySet<string> = new Set(['logs', 'timeSources']);
const STRIPPABLE_FIELDS: ReadonlySet<string> = new Set([...STRIPPABLE_LISTS, 'signedAt', 'existedBy']);
const LIST_METHODS: ReadonlySet<string> = new Set(['filter', 'map', 'distinct', 'sort', 'slice', 'reverse']);
const MACROS: ReadonlySet<string> = new Set(['all', 'exists', 'exists_one', 'existsOne', 'filter', 'map']);

/** The parts of a checked expression that more evidence could make fail, in source order; at most one for each place. */
export function findAbsence(root: CelNode, source: string): readonly CelDiagnostic[] {
  const found = new Map<number, CelDiagnostic>();
  const pending: Step[] = [{ node: root, sense: 1, bound: ROOTS }];
  for (let step = pending.pop(); step !== undefined; step = pending.pop()) {
    const { node } = step;
    if (losesByEvidence(step))
      found.set(
        node.start,
        createDiagnostic(source, 'holds_when_absent', MESSAGE, { start: node.start, end: node.end }),
      );
    pending.push(...toSteps(step));
  }
  return [...found].toSorted(([a], [b]) => a - b).map(([, diagnostic]) => diagnostic);
}

const flip = (sense: Sense): Sense => (sense === 0 ? 0 : sense === 1 ? -1 : 1);

function toSteps({ node, sense, bound }: Step): readonly Step[] {
  const children = childrenOf(node);
  const all = (to: Sense): readonly Step[] => children.map((child) => ({ node: child, sense: to, bound }));
  switch (node.op) {
    case '!_':
      return all(flip(sense));
    case '&&':
    case '||':
      return all(sense);
    case '?:':
      return children.map((child, index) => ({ node: child, sense: index === 0 ? 0 : sense, bound }));
    case '==':
    case '!=':
      return all(toEqualitySense(node, sense));
    default:
      return toMacroSteps({ node, sense, bound }) ?? all(0);
  }
}

function toEqualitySense(node: CelNode, sense: Sense): Sense {
  const literal = childrenOf(node)
    .map(({ op, args }) => (op === 'value' ? args : undefined))
    .find((value) => typeof value === 'boolean');
  if (literal === undefined) return 0;
  return literal === (node.op === '==') ? sense : flip(sense);
}

function toMacroSteps({ node, sense, bound }: Step): readonly Step[] | undefined {
  const call = callOf(node);
  if (call?.receiver === undefined || !MACROS.has(call.name) || call.parameters.length < 2) return undefined;
  const { name, receiver, parameters } = call;
  const isTest = name === 'all' || name === 'exists';
  const inner = isEvidence(receiver, bound)
    ? new Set([...bound, ...parameters.slice(0, -1).map(({ args }) => String(args))])
    : bound;
  const body = parameters.at(-1);
  return [
    { node: receiver, sense: 0, bound },
    // What is filtered or mapped by shows in what is done with the result.
    ...(body === undefined ? [] : [{ node: body, sense: isTest ? sense : 1, bound: inner } as const]),
  ];
}

function losesByEvidence({ node, sense, bound }: Step): boolean {
  const call = callOf(node);
  if (call !== undefined) return callLoses(call, sense, bound);
  if (node.op === 'in') {
    const [, list] = childrenOf(node);
    return sense !== 1 && list !== undefined && isEvidence(list, bound);
  }
  return comparisonLoses(node, sense, bound);
}

function callLoses({ name, receiver, parameters }: CelCall, sense: Sense, bound: Step['bound']): boolean {
  const [first] = parameters;
  if (name === 'has' && first !== undefined) return sense !== 1 && isStrippable(first, bound);
  if (receiver === undefined || !isEvidence(receiver, bound)) return false;
  if (name === 'all') return sense !== -1;
  if (name === 'exists' || name === 'hasValue') return sense !== 1;
  return name === 'exists_one' || name === 'existsOne';
}

const MIRRORED: Readonly<Record<string, string>> = { '<': '>', '<=': '>=', '>': '<', '>=': '<=' };

function comparisonLoses(node: CelNode, sense: Sense, bound: Step['bound']): boolean {
  const [left, right] = childrenOf(node);
  if (left === undefined || right === undefined) return false;
  if (isSize(left, bound)) return sizeLoses(node.op, right, sense);
  return isSize(right, bound) && sizeLoses(MIRRORED[node.op] ?? node.op, left, sense);
}

function sizeLoses(op: string, other: CelNode, sense: Sense): boolean {
  const order = toOrder(op, other);
  if (order === 'less') return sense !== -1;
  if (order === 'more') return sense !== 1;
  return op === '==' || op === '!=';
}

// `size == 0` is `size < 1`, `size != 0` is `size > 0`; every other equality can be lost by one more.
function toOrder(op: string, other: CelNode): 'less' | 'more' | undefined {
  if (op.startsWith('<')) return 'less';
  if (op.startsWith('>')) return 'more';
  if (other.op !== 'value' || other.args !== 0n) return undefined;
  if (op === '==') return 'less';
  return op === '!=' ? 'more' : undefined;
}

function isSize(node: CelNode, bound: Step['bound']): boolean {
  const call = callOf(node);
  if (call?.name !== 'size') return false;
  const operand = call.receiver ?? call.parameters[0];
  return operand !== undefined && isEvidence(operand, bound);
}

function isStrippable(node: CelNode, bound: Step['bound']): boolean {
  const selection = toSelection(node);
  return selection !== undefined && STRIPPABLE_FIELDS.has(selection.field) && isEvidence(selection.of, bound);
}

function isEvidence(node: CelNode, bound: Step['bound']): boolean {
  if (node.op === 'id') return bound.has(String(node.args));
  const call = callOf(node);
  if (call !== undefined) {
    const isList = LIST_METHODS.has(call.name.replace(/^__/, ''));
    return isList && call.receiver !== undefined && isEvidence(call.receiver, bound);
  }
  const [operand] = childrenOf(node);
  return operand !== undefined && leadsToEvidence(node) && isEvidence(operand, bound);
}

function leadsToEvidence(node: CelNode): boolean {
  if (node.op === '[]' || node.op === '[?]') return true;
  const field = toSelection(node)?.field ?? '';
  return STRIPPABLE_LISTS.has(field) || field === 'signature';
}

function toSelection(node: CelNode): { readonly of: CelNode; readonly field: string } | undefined {
  if (node.op !== '.' && node.op !== '.?') return undefined;
  const [of, field] = node.args as [CelNode, string];
  return { of, field };
}

// Where is work counted? Every loop, every operator and call over data of any size, after the type check.
// Loops must stop at once when the budget is spent, although quantifiers absorb what their predicates throw.
import {
  callOf,
  childrenOf,
  nodesOf,
  type CelEvaluator,
  type CelNode,
  type Evaluate,
  type Handle,
} from './ast.ts';
import { celError, locate } from './errors.ts';
import {
  CHARACTERS_PER_UNIT,
  DYNAMIC_PATTERN_COST,
  ELEMENT_COST,
  MAX_TYPE_DEPTH,
  NODE_COSTS,
} from './limits.ts';
import { charge, chargeAbsorbedError, isExhausted } from './meter.ts';
import { estimateProgramSize } from './regular-expression-size.ts';
import { arithmetic } from './arithmetic.ts';
import { compareNumbers, includes, isEqual, isNumeric } from './equality.ts';
import { present } from './optional-entry.ts';
import { selectOptionally } from './optional-selection.ts';
import { compareTexts } from './text-order.ts';
import { comparisonSize, costOfSize, membershipSize } from './size.ts';

const ORDERS: ReadonlyMap<string, (order: number) => boolean> = new Map([
  ['<', (order: number) => order < 0],
  ['<=', (order: number) => order <= 0],
  ['>', (order: number) => order > 0],
  ['>=', (order: number) => order >= 0],
]);
const ARITHMETIC: ReadonlySet<string> = new Set(['+', '-', '*', '/', '%', '-_']);
const PATTERN_POSITION: ReadonlyMap<string, number> = new Map([
  ['rcall:__matches', 1],
  ['rcall:__find', 1],
  ['rcall:__findAll', 1],
  ['call:__matches', 1],
]);

interface Comprehension {
  readonly step: CelNode;
  condition?: (accumulator: unknown) => boolean;
}

/** Cost of evaluating a loop body once, in units: one, and that of every node in it. */
export function iterationCost(body: CelNode): number {
  return 1 + costOfNodes(nodesOf(body));
}

/** Makes a checked expression charge for its work; returns the cost of evaluating it without its loops. */
export function meterExpression(root: CelNode): number {
  const nodes = nodesOf(root);
  for (const node of nodes) meterNode(node);
  return costOfNodes(nodes);
}

function costOfNodes(nodes: readonly CelNode[]): number {
  return nodes.reduce((sum, { op }) => sum + (NODE_COSTS[op] ?? 1), 0);
}

function meterNode(node: CelNode): void {
  if (node.meta.alternate?.op === 'comprehension') meterLoop(node, node.meta.alternate);
  else if (node.op === 'map') node.setMeta('evaluate', evaluateMap);
  else if (node.op === 'call' || node.op === 'rcall') meterCall(node);
  else if (isOptionalSelection(node)) node.handle = selectAt;
  else meterOperator(node);
}

function isOptionalSelection(node: CelNode): boolean {
  if (node.op === '.?' || node.op === '[?]') return true;
  if (node.op !== '.' && node.op !== '[]') return false;
  return childrenOf(node)[0]?.checkedType?.kind === 'optional';
}

function selectAt(...[operand, key, node, evaluator]: unknown[]): unknown {
  return locate(node as CelNode, () => selectOptionally(evaluator as CelEvaluator, operand, key));
}

function meterOperator(node: CelNode): void {
  const isWanted = ORDERS.get(node.op);
  if (node.op === '==' || node.op === '!=') meterEquality(node, node.op === '==');
  else if (node.op === 'in') meterMembership(node);
  else if (isWanted !== undefined) meterOrder(node, isWanted);
  else if (ARITHMETIC.has(node.op)) meterArithmetic(node);
}

function meterLoop(call: CelNode, expansion: CelNode): void {
  const loop = expansion.args as Comprehension;
  // The expansion's step is a node of its own around the body, which the call shares.
  const bodies = childrenOf(call).slice(2);
  const cost = bodies.reduce((sum, body) => sum + iterationCost(body), 0);
  const step = loop.step.meta.evaluate;
  const metered: Evaluate = (evaluator, node, context) => {
    charge(cost);
    return step(evaluator, node, context);
  };
  loop.step.setMeta('evaluate', metered);
  const { condition } = loop;
  // Only quantifiers have one; they go on after errors, so the condition must end the loop.
  if (condition !== undefined) loop.condition = (accumulator) => !isExhausted() && condition(accumulator);
}

function meterEquality(node: CelNode, wanted: boolean): void {
  node.handle = (left, right) => {
    charge(costOfSize(comparisonSize(left, right)));
    return locate(node, () => isEqual(left, right)) === wanted;
  };
}

function meterMembership(node: CelNode): void {
  node.handle = (value, collection) => {
    charge(costOfSize(membershipSize(collection)));
    return locate(node, () => includes(collection, value));
  };
}

function meterOrder(node: CelNode, isWanted: (order: number) => boolean): void {
  const { handle } = node;
  if (handle === undefined) return;
  node.handle = (...operands) => {
    const [left, right] = operands;
    if (isNumeric(left) && isNumeric(right)) return isWanted(compareNumbers(left.valueOf(), right.valueOf()));
    if (typeof left !== 'string' || typeof right !== 'string') return handle(...operands);
    charge(costOfSize(comparisonSize(left, right)));
    return isWanted(compareTexts(left, right));
  };
}

function meterArithmetic(node: CelNode): void {
  const { handle } = node;
  if (handle === undefined) return;
  node.handle = (...operands) => {
    const result = locate(node, () => arithmetic(node.op, operands)) ?? handle(...operands);
    chargeSize(result);
    return result;
  };
}

function meterCall(node: CelNode): void {
  const { handle } = node;
  if (handle === undefined || node.meta.macro !== undefined) return;
  const pattern = dynamicPatternPosition(node);
  const isCount = callOf(node)?.name === 'size';
  const metered: Handle = (values, ...rest) => {
    const list = values as readonly unknown[];
    for (const value of list) {
      // The size of a list is known; that of a string is counted.
      if (!(isCount && Array.isArray(value))) chargeSize(value);
    }
    const text = pattern === undefined ? undefined : list[pattern];
    if (typeof text === 'string') charge(DYNAMIC_PATTERN_COST * estimateProgramSize(text.slice(0, 2048)));
    const result = handle(values, ...rest);
    chargeSize(result);
    return result;
  };
  node.handle = metered;
}

function dynamicPatternPosition(node: CelNode): number | undefined {
  const [name] = node.args as [string];
  const position = PATTERN_POSITION.get(`${node.op}:${name}`);
  if (position === undefined) return undefined;
  return childrenOf(node)[position]?.op === 'value' ? undefined : position;
}

function chargeSize(value: unknown): void {
  if (Array.isArray(value)) charge(ELEMENT_COST * value.length);
  else if (typeof value === 'string' || value instanceof Uint8Array) {
    charge(Math.floor(value.length / CHARACTERS_PER_UNIT));
  }
}

// The library builds plain objects: it drops some keys, makes all of them strings and keeps the last duplicate.
function evaluateMap(evaluator: CelEvaluator, node: CelNode, context: unknown): Map<unknown, unknown> {
  const map = new Map<unknown, unknown>();
  const { optionalEntries } = node.meta;
  for (const [at, [key, value]] of (node.args as readonly [CelNode, CelNode][]).entries()) {
    const name = evaluator.run(key, context);
    locate(key, () => checkMapKey(name, map));
    const content = evaluator.run(value, context);
    for (const item of locate(value, () => present(content, optionalEntries?.has(at) === true))) {
      map.set(name, item);
    }
  }
  return map;
}

function checkMapKey(key: unknown, map: ReadonlyMap<unknown, unknown>): void {
  if (map.has(key)) throw celError('duplicate_map_key');
  // No uint: the library's are objects, so a map would not find them again.
  if (!['string', 'bigint', 'boolean'].includes(typeof key)) throw celError('invalid_map_key');
}

/** Makes an evaluator charge for absorbed errors and inspect dynamic values three levels deep only. */
export function patchEvaluator(evaluator: CelEvaluator): void {
  evaluator.tryEval = (node, context) => {
    try {
      return evaluator.run(node, context);
    } catch (error) {
      chargeAbsorbedError();
      return error instanceof Error ? error : celError('evaluation_error');
    }
  };
  evaluator.debugTypeDeep = (value) => typeOf(evaluator, value, MAX_TYPE_DEPTH);
}

// Types are interned for ever, so the depth of a value must not decide how many there are.
function typeOf(
  evaluator: CelEvaluator,
  value: unknown,
  depth: number,
): ReturnType<CelEvaluator['debugType']> {
  const type = evaluator.debugType(value);
  if (depth === 0) return type;
  if (Array.isArray(value) && value.length > 0) {
    return evaluator.registry.getListType(typeOf(evaluator, value[0], depth - 1));
  }
  if (!(value instanceof Map)) return type;
  const [first] = value as Map<unknown, unknown>;
  if (first === undefined) return type;
  const key = typeOf(evaluator, first[0], 0);
  return evaluator.registry.getMapType(key, typeOf(evaluator, first[1], depth - 1));
}

// What does the library's syntax tree look like to us? The few members that hardening and metering read or set.
// cel-js declares only part of them; the version is pinned exactly and the self-test notices a change.
import type { ASTNode } from 'cel-js';

/** A type as the checker knows it. */
export interface CelType {
  readonly kind: string;
  readonly name: string;
  readonly valueType?: CelType;
}

/** One node: `args` depends on `op`; `handle` and `checkedType` exist after the check. */
export interface CelNode {
  readonly op: string;
  readonly args: unknown;
  /** Where the node's own text begins: for a field its name, for most nodes `start`. */
  readonly pos: number;
  readonly start: number;
  readonly end: number;
  readonly meta: CelNodeMeta;
  readonly checkedType?: CelType;
  handle?: Handle;
  setMeta(key: string, value: unknown): CelNode;
}

/** What a node does with its operands: `(left, right, node, evaluator)`, or `(arguments, …)` for calls. */
export type Handle = (...operands: unknown[]) => unknown;

/** How a node evaluates itself. */
export type Evaluate = (evaluator: CelEvaluator, node: CelNode, context: unknown) => unknown;

/** `alternate`: what a macro expanded to; `macro`: a macro that evaluates itself. */
export interface CelNodeMeta {
  readonly alternate?: CelNode;
  readonly macro?: unknown;
  readonly check?: (checker: CelChecker, node: CelNode, context: CelScopeContext) => CelType;
  /** Which entries of a map literal may be absent; ours. */
  readonly optionalEntries?: ReadonlySet<number>;
  readonly evaluate: Evaluate;
}

/** Names of types and their fields as the library holds them. */
export interface CelTypes {
  get(name: unknown): { readonly fields?: Readonly<Record<string, CelType>> } | undefined;
}

/** The library's evaluator, as macros and wrappers meet it. */
export interface CelEvaluator {
  readonly registry: {
    getListType(type: CelType): CelType;
    getMapType(key: CelType, value: CelType): CelType;
  };
  readonly objectTypesByConstructor: CelTypes;
  run(node: CelNode, context: unknown): unknown;
  debugType(value: unknown): CelType;
  tryEval(node: CelNode, context: unknown): unknown;
  debugTypeDeep(value: unknown): CelType;
}

/** The library's type checker, as macros meet it. */
export interface CelChecker {
  readonly registry: {
    getListType(type: CelType): CelType;
    getMapType(key: CelType, value: CelType): CelType;
    getOptionalType(type: CelType): CelType;
  };
  readonly objectTypes: CelTypes;
  check(node: CelNode, context: CelScopeContext): CelType;
  getType(name: string): CelType;
  createError(code: string, message: string, node: CelNode): Error;
}

/** The variables a node sees. */
export interface CelScopeContext {
  forkWithVariable(name: string, type: CelType): CelScopeContext;
  reuse(parent: CelScopeContext): CelScopeContext;
  setIterValue(value: unknown, evaluator: CelEvaluator): CelScopeContext;
}

/** A call in either style: `name(arguments)` or `receiver.name(arguments)`. */
export interface CelCall {
  readonly style: 'call' | 'rcall';
  readonly name: string;
  readonly receiver: CelNode | undefined;
  readonly parameters: readonly CelNode[];
}

/** The root of a parsed expression as the node type used here. */
export function rootOf(ast: ASTNode): CelNode {
  return ast as unknown as CelNode;
}

/** Whether a value is a node. */
export function isNode(value: unknown): value is CelNode {
  return typeof value === 'object' && value !== null && 'op' in value && 'setMeta' in value;
}

/** A node's operands in source order, without what macros expand to. */
export function childrenOf(node: CelNode): CelNode[] {
  if (isNode(node.args)) return [node.args];
  if (!Array.isArray(node.args)) return [];
  // Calls hold a list of arguments, maps a list of entries: nodes are at most two levels down.
  return node.args.flat(2).filter(isNode);
}

/** All nodes of an expression with their depth, parents first; iterative, so depth costs no stack. */
export function nodesOf(root: CelNode): CelNode[] {
  const nodes: CelNode[] = [];
  const pending = [root];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    nodes.push(node);
    pending.push(...childrenOf(node));
  }
  return nodes;
}

/** The call a node makes, if it makes one. */
export function callOf(node: CelNode): CelCall | undefined {
  if (!Array.isArray(node.args)) return undefined;
  const [name, first, second] = node.args as unknown[];
  if (typeof name !== 'string') return undefined;
  if (node.op === 'call') {
    return { style: 'call', name, receiver: undefined, parameters: first as CelNode[] };
  }
  if (node.op !== 'rcall') return undefined;
  return { style: 'rcall', name, receiver: first as CelNode, parameters: second as CelNode[] };
}

/** Renames the function a call node calls; only before the check. */
export function renameCall(node: CelNode, name: string): void {
  (node.args as unknown[])[0] = name;
}

/** The string a node is a literal of, if it is one. */
export function stringLiteral(node: CelNode | undefined): string | undefined {
  return node?.op === 'value' && typeof node.args === 'string' ? node.args : undefined;
}

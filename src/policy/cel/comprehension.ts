// What does a two-variable comprehension iterate over? Entries of lists and maps, their types, and common checks.
import type { CelChecker, CelNode, CelType } from './ast.ts';
import { celError } from './errors.ts';

/** Index and element of a list, or key and value of a map. */
export type Entry = readonly [unknown, unknown];

/** The entries of a list or map; throws an evaluation error for anything else. */
export function entriesOf(collection: unknown): Entry[] {
  if (Array.isArray(collection)) return collection.map((item: unknown, at) => [BigInt(at), item]);
  if (collection instanceof Map) return [...(collection as Map<unknown, unknown>)];
  throw celError('invalid_comprehension_range');
}

/** A predicate's result; throws an evaluation error when it is no bool. */
export function asBool(value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  throw celError('invalid_condition_type');
}

/** Types of the two variables for a range of that type; throws a type error when it cannot be iterated. */
export function elementTypes(
  checker: CelChecker,
  node: CelNode,
  type: CelType & { keyType?: CelType },
): [CelType, CelType] {
  const dyn = checker.getType('dyn');
  // The elements of an empty literal can be anything.
  const known = (part: CelType | undefined): CelType =>
    part === undefined || part.kind === 'param' ? dyn : part;
  if (type.kind === 'dyn') return [dyn, dyn];
  if (type.kind === 'list') return [checker.getType('int'), known(type.valueType)];
  if (type.kind === 'map') return [known(type.keyType), known(type.valueType)];
  throw checker.createError('invalid_comprehension_range', `type '${type.name}' cannot be iterated`, node);
}

/** The name of an iteration variable; throws a type error when it is no identifier. */
export function nameOf(checker: CelChecker, node: CelNode): string {
  if (node.op === 'id' && typeof node.args === 'string') return node.args;
  throw checker.createError('invalid_macro_argument', 'iteration variable must be an identifier', node);
}

/** Throws a type error unless a predicate is bool or dynamic. */
export function requireBool(checker: CelChecker, node: CelNode, type: CelType): void {
  if (type.kind === 'dyn' || type.name === 'bool') return;
  throw checker.createError('invalid_condition_type', `predicate must be bool, got '${type.name}'`, node);
}

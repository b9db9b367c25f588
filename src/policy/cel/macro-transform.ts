// How are lists and maps made of two-variable comprehensions? transformList, transformMap and transformMapEntry of
// cel-go's comprehensions library, each with or without a filter.
import type { CelChecker, CelEvaluator, CelNode, CelScopeContext, CelType } from './ast.ts';
import { asBool, elementTypes, entriesOf, nameOf, requireBool, type Entry } from './comprehension.ts';
import { toKey } from './equality.ts';
import { celError } from './errors.ts';
import { ELEMENT_COST } from './limits.ts';
import { charge } from './meter.ts';
import { iterationCost } from './metering.ts';

type Transformation = 'transformList' | 'transformMap' | 'transformMapEntry';

interface Parts {
  readonly receiver: CelNode;
  readonly args: readonly CelNode[];
}

interface Loop {
  readonly outer: CelScopeContext;
  readonly inner: CelScopeContext;
  readonly cost: number;
}

/** Names of the transformation macros, which take three or four arguments. */
export const TRANSFORM_MACROS: readonly Transformation[] = [
  'transformList',
  'transformMap',
  'transformMapEntry',
];

/** Makes the library's expander of one transformation. */
export function transformMacro(name: Transformation): (parts: Parts) => object {
  return ({ receiver, args }) => {
    const [key, value] = args as readonly [CelNode, CelNode];
    const transform = args.at(-1) as CelNode;
    const filter = args.length === 4 ? args[2] : undefined;
    let loop: Loop | undefined;
    return {
      async: false,
      typeCheck: (checker: CelChecker, _macro: unknown, context: CelScopeContext) => {
        const [keyType, valueType] = elementTypes(checker, receiver, checker.check(receiver, context));
        const outer = context.forkWithVariable(nameOf(checker, key), keyType);
        const inner = outer.forkWithVariable(nameOf(checker, value), valueType);
        const cost = iterationCost(transform) + (filter === undefined ? 0 : iterationCost(filter));
        loop = { outer, inner, cost };
        if (filter !== undefined) requireBool(checker, filter, checker.check(filter, inner));
        return resultType(checker, { name, keyType, node: transform }, checker.check(transform, inner));
      },
      evaluate: (evaluator: CelEvaluator, _macro: unknown, context: CelScopeContext) => {
        const entries = entriesOf(evaluator.run(receiver, context));
        charge(ELEMENT_COST * entries.length);
        const results: Entry[] = [];
        for (const entry of entries) {
          const scope = enter(loop, entry, { evaluator, context });
          if (filter !== undefined && !asBool(evaluator.run(filter, scope))) continue;
          results.push([entry[0], evaluator.run(transform, scope)]);
        }
        return collect(name, results);
      },
    };
  };
}

function enter(
  loop: Loop | undefined,
  [key, value]: Entry,
  { evaluator, context }: { evaluator: CelEvaluator; context: CelScopeContext },
): CelScopeContext {
  if (loop === undefined) throw celError('no_such_overload');
  charge(loop.cost);
  const outer = loop.outer.reuse(context).setIterValue(key, evaluator);
  return loop.inner.reuse(outer).setIterValue(value, evaluator);
}

function resultType(
  checker: CelChecker,
  { name, keyType, node }: { name: Transformation; keyType: CelType; node: CelNode },
  type: CelType,
): CelType {
  if (name === 'transformList') return checker.registry.getListType(type);
  if (name === 'transformMap') return checker.registry.getMapType(keyType, type);
  if (type.kind === 'map' || type.kind === 'dyn') return type;
  throw checker.createError('invalid_macro_argument', `entry must be a map, got '${type.name}'`, node);
}

function collect(name: Transformation, results: readonly Entry[]): unknown {
  if (name === 'transformList') return results.map(([, value]) => value);
  if (name === 'transformMap') return new Map(results.map(([key, value]) => [key, value]));
  const map = new Map<unknown, unknown>();
  for (const [, entry] of results) {
    for (const [key, value] of entriesOf(entry)) {
      charge(4);
      if (map.has(toKey(key))) throw celError('duplicate_map_key');
      map.set(toKey(key), value);
    }
  }
  return map;
}

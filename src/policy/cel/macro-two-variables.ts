// How are all, exists and existsOne read with index or key and value? Kubernetes' two-variable comprehensions.
// They absorb errors and stop as the one-variable ones do, and charge each iteration.
import type { CelChecker, CelEvaluator, CelNode, CelScopeContext, CelType } from './ast.ts';
import { celError } from './errors.ts';
import { ELEMENTS_PER_UNIT } from './limits.ts';
import { charge, chargeAbsorbedError, isExhausted } from './meter.ts';
import { iterationCost } from './metering.ts';

type Quantifier = 'all' | 'exists' | 'existsOne';

interface Parts {
  readonly receiver: CelNode;
  readonly args: readonly [CelNode, CelNode, CelNode];
}

interface Scopes {
  readonly outer: CelScopeContext;
  readonly inner: CelScopeContext;
}

/** Names of the two-variable macros. */
export const TWO_VARIABLE_MACROS: readonly Quantifier[] = ['all', 'exists', 'existsOne'];

/** Makes the library's expander of one two-variable macro. */
export function twoVariableMacro(name: Quantifier): (parts: Parts) => object {
  return ({ receiver, args: [key, value, predicate] }) => {
    let scopes: Scopes | undefined;
    let cost = 1;
    return {
      async: false,
      typeCheck: (checker: CelChecker, _macro: unknown, context: CelScopeContext) => {
        const [keyType, valueType] = elementTypes(checker, receiver, checker.check(receiver, context));
        const outer = context.forkWithVariable(nameOf(checker, key), keyType);
        const inner = outer.forkWithVariable(nameOf(checker, value), valueType);
        scopes = { outer, inner };
        cost = iterationCost(predicate);
        requireBool(checker, predicate, checker.check(predicate, inner));
        return checker.getType('bool');
      },
      evaluate: (evaluator: CelEvaluator, _macro: unknown, context: CelScopeContext) => {
        const entries = entriesOf(evaluator.run(receiver, context));
        charge(Math.ceil(entries.length / ELEMENTS_PER_UNIT));
        const test = ([k, v]: Entry): boolean => {
          charge(cost);
          if (scopes === undefined) throw celError('no_such_overload');
          const outer = scopes.outer.reuse(context).setIterValue(k, evaluator);
          return asBool(evaluator.run(predicate, scopes.inner.reuse(outer).setIterValue(v, evaluator)));
        };
        return name === 'existsOne' ? entries.filter(test).length === 1 : quantify(entries, test, name);
      },
    };
  };
}

type Entry = readonly [unknown, unknown];

// all stops at false, exists at true; an error counts only when nothing else decides.
function quantify(entries: readonly Entry[], test: (entry: Entry) => boolean, name: Quantifier): boolean {
  const decisive = name === 'exists';
  let failure: unknown;
  for (const entry of entries) {
    try {
      if (test(entry) === decisive) return decisive;
    } catch (error) {
      if (isExhausted()) throw error;
      chargeAbsorbedError();
      failure ??= error;
    }
  }
  if (failure !== undefined) throw failure as Error;
  return !decisive;
}

function entriesOf(collection: unknown): Entry[] {
  if (Array.isArray(collection)) return collection.map((item: unknown, at) => [BigInt(at), item]);
  if (collection instanceof Map) return [...(collection as Map<unknown, unknown>)];
  throw celError('invalid_comprehension_range');
}

function asBool(value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  throw celError('invalid_condition_type');
}

function elementTypes(
  checker: CelChecker,
  node: CelNode,
  type: CelType & { keyType?: CelType },
): [CelType, CelType] {
  const dyn = checker.getType('dyn');
  if (type.kind === 'dyn') return [dyn, dyn];
  if (type.kind === 'list') return [checker.getType('int'), type.valueType ?? dyn];
  if (type.kind === 'map') return [type.keyType ?? dyn, type.valueType ?? dyn];
  throw checker.createError('invalid_comprehension_range', `type '${type.name}' cannot be iterated`, node);
}

function nameOf(checker: CelChecker, node: CelNode): string {
  if (node.op === 'id' && typeof node.args === 'string') return node.args;
  throw checker.createError('invalid_macro_argument', 'iteration variable must be an identifier', node);
}

function requireBool(checker: CelChecker, node: CelNode, type: CelType): void {
  if (type.kind === 'dyn' || type.name === 'bool') return;
  throw checker.createError('invalid_condition_type', `predicate must be bool, got '${type.name}'`, node);
}

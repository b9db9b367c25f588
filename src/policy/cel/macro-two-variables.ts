// How are all, exists and existsOne read with index or key and value? Kubernetes' two-variable comprehensions.
// They absorb errors and stop as the one-variable ones do, and charge each iteration.
import type { CelChecker, CelEvaluator, CelNode, CelScopeContext } from './ast.ts';
import { asBool, elementTypes, entriesOf, nameOf, requireBool, type Entry } from './comprehension.ts';
import { celError } from './errors.ts';
import { ELEMENT_COST } from './limits.ts';
import { charge, chargeAbsorbedError, isExhausted } from './meter.ts';
import { iterationCost } from './metering.ts';

type Quantifier = 'all' | 'exists' | 'existsOne' | 'exists_one';

interface Parts {
  readonly receiver: CelNode;
  readonly args: readonly [CelNode, CelNode, CelNode];
}

interface Scopes {
  readonly outer: CelScopeContext;
  readonly inner: CelScopeContext;
}

/** Names of the two-variable macros. */
export const TWO_VARIABLE_MACROS: readonly Quantifier[] = ['all', 'exists', 'existsOne', 'exists_one'];

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
        charge(ELEMENT_COST * entries.length);
        const test = ([k, v]: Entry): boolean => {
          charge(cost);
          if (scopes === undefined) throw celError('no_such_overload');
          const outer = scopes.outer.reuse(context).setIterValue(k, evaluator);
          return asBool(evaluator.run(predicate, scopes.inner.reuse(outer).setIterValue(v, evaluator)));
        };
        return isExactlyOne(name) ? entries.filter(test).length === 1 : quantify(entries, test, name);
      },
    };
  };
}

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

function isExactlyOne(name: Quantifier): boolean {
  return name === 'existsOne' || name === 'exists_one';
}

// Is a field there? Our has(), because the library's accepts misspelt fields of declared types.
// It also takes any operand before the last field, as cel-go does, such as has(signatures[0].certificate).
import { Optional } from 'cel-js';
import type { CelChecker, CelEvaluator, CelNode, CelScopeContext, CelType } from './ast.ts';
import { celError } from './errors.ts';

interface Selection {
  readonly node: CelNode;
  readonly operand: CelNode;
  readonly field: string;
}

/** The macro that replaces has() on a call node whose argument is given. */
export function hasMacro(argument: CelNode): object {
  return {
    async: false,
    typeCheck: (checker: CelChecker, _macro: unknown, context: CelScopeContext) => {
      const selection = toSelection(argument);
      if (selection === undefined) {
        throw checker.createError(
          'invalid_macro_argument',
          'has() takes a field, such as has(a.b)',
          argument,
        );
      }
      checkField(checker, selection, checker.check(selection.operand, context));
      return checker.getType('bool');
    },
    evaluate: (evaluator: CelEvaluator, _macro: unknown, context: unknown) => {
      const selection = toSelection(argument);
      if (selection === undefined) throw celError('no_such_key');
      return hasField(evaluator, evaluator.run(selection.operand, context), selection.field);
    },
  };
}

function toSelection(node: CelNode): Selection | undefined {
  if (node.op !== '.' || !Array.isArray(node.args)) return undefined;
  const [operand, field] = node.args as [CelNode, string];
  return { node, operand, field };
}

function checkField(checker: CelChecker, { node, field }: Selection, operandType: CelType): void {
  const type = operandType.kind === 'optional' ? (operandType.valueType ?? operandType) : operandType;
  if (type.kind === 'dyn' || type.kind === 'map') return;
  const fields = checker.objectTypes.get(type.name)?.fields;
  if (fields === undefined) {
    throw checker.createError('cannot_index_type', `has(): type '${type.name}' has no fields`, node);
  }
  if (fields[field] === undefined) {
    throw checker.createError('no_such_key', `has(): type '${type.name}' has no field '${field}'`, node);
  }
}

function hasField(evaluator: CelEvaluator, operand: unknown, field: string): boolean {
  if (operand instanceof Optional) {
    return operand.hasValue() && hasField(evaluator, operand.value(), field);
  }
  if (operand instanceof Map) return operand.has(field);
  if (typeof operand !== 'object' || operand === null) throw celError('no_such_overload');
  const fields = evaluator.objectTypesByConstructor.get(operand.constructor)?.fields;
  if (fields?.[field] === undefined) throw celError('no_such_overload');
  return (operand as Record<string, unknown>)[field] !== undefined;
}

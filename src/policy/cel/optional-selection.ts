// What does selecting from an optional value, or optionally from any value, give? An optional again: none when the key,
// index or field is not there. The library also gives none for operands that have no fields at all, which is an error.
import { Optional } from 'cel-js';
import { UnsignedInt } from 'cel-js/evaluator';
import type { CelEvaluator } from './ast.ts';
import { toKey } from './equality.ts';
import { celError } from './errors.ts';

/** Selects a field, key or index; throws an evaluation error when the operand has none of these. */
export function selectOptionally(evaluator: CelEvaluator, operand: unknown, key: unknown): Optional {
  if (operand instanceof Optional) {
    return operand.hasValue() ? selectOptionally(evaluator, operand.value(), key) : operand;
  }
  if (operand instanceof Map) return Optional.of(operand.get(toKey(key)));
  if (Array.isArray(operand)) return selectItem(operand, key);
  return selectField(evaluator, operand, key);
}

function selectField(evaluator: CelEvaluator, operand: unknown, key: unknown): Optional {
  if (typeof operand !== 'object' || operand === null || typeof key !== 'string') {
    throw celError('no_such_overload');
  }
  const fields = evaluator.objectTypesByConstructor.get(operand.constructor)?.fields;
  if (fields?.[key] === undefined) throw celError('no_such_overload');
  return Optional.of((operand as Record<string, unknown>)[key]);
}

function selectItem(list: readonly unknown[], key: unknown): Optional {
  const index = key instanceof UnsignedInt ? key.valueOf() : key;
  if (typeof index !== 'bigint' && !Number.isInteger(index)) throw celError('no_such_overload');
  return Optional.of(list[Number(index)]);
}

// What does one rule say? Evaluates a validation on its variables and words what a failure means.
import type { CelBindings } from '../policy/cel/bindings.ts';
import type { CelMeter } from '../policy/cel/meter.ts';
import type { CompiledValidation } from '../policy/compiled.ts';

/** Why a rule does not hold; `message` is one clause. */
export interface RuleFailure {
  readonly reason: 'RuleViolated' | 'RuleFailed';
  readonly message: string;
}

/** Evaluates one rule; undefined when it holds. */
export function evaluateRule(
  validation: CompiledValidation,
  bindings: CelBindings,
  meter: CelMeter,
): RuleFailure | undefined {
  const result = validation.program.evaluate(bindings, meter);
  if (!result.ok) return { reason: 'RuleFailed', message: result.message };
  if (result.value === true) return undefined;
  return { reason: 'RuleViolated', message: toRuleMessage(validation, bindings, meter) };
}

// As in ValidatingAdmissionPolicy: a message expression that fails or is blank falls back to the message.
function toRuleMessage(
  { program, message, messageProgram }: CompiledValidation,
  bindings: CelBindings,
  meter: CelMeter,
): string {
  const made = messageProgram?.evaluate(bindings, meter);
  if (
    made?.ok === true &&
    typeof made.value === 'string' &&
    made.value.trim() !== '' &&
    !made.value.includes('\n')
  )
    return made.value;
  return message ?? `failed expression: ${program.source.trim().slice(0, 200)}`;
}

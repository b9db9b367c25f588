// What is `variables.NAME`? Expressions that a policy names once: each is evaluated when a rule first reads it, and then
// remembered, its failure too. What they may read is environment.ts's to say; the rule that reads first pays.
import { describeFailure, VariableError } from './errors.ts';
import { isExhausted } from './meter.ts';
import { defineLazily } from './types.ts';

/** A checked variable: `type` as the checker found it, `dyn` where it cannot know. */
export interface CelVariable {
  readonly name: string;
  readonly type: string;
  readonly source: string;
  /** Evaluates within the expression that reads it; throws as expressions do. */
  readonly evaluate: (values: ReadonlyMap<string, unknown>) => unknown;
}

/** Variables in their order; each sees those before it. Environments are remembered by this very list. */
export type CelVariables = readonly CelVariable[];

/** A policy without variables. */
export const NO_VARIABLES: CelVariables = [];

/** Name of the type that `variables` has; its fields differ by policy. */
export const VARIABLES_TYPE = 'Variables';

/** The class of {@link VARIABLES_TYPE}: the engine tells types apart by constructor. */
export class VariablesValue {
  readonly [Symbol.toStringTag] = VARIABLES_TYPE;
}

/** Field names and types of a list of variables. */
export function toVariableFields(variables: CelVariables): Readonly<Record<string, string>> {
  return Object.fromEntries(variables.map(({ name, type }) => [name, type]));
}

/** Makes the value of `variables` for one set of bindings. */
export function createVariablesValue(
  variables: CelVariables,
  values: ReadonlyMap<string, unknown>,
): VariablesValue {
  const value = new VariablesValue();
  for (const variable of variables) defineLazily(value, variable.name, remember(variable, values));
  return value;
}

type Outcome = { readonly value: unknown } | { readonly failure: string };

function remember(variable: CelVariable, values: ReadonlyMap<string, unknown>): () => unknown {
  let outcome: Outcome | undefined;
  return () => {
    outcome ??= attempt(variable, values);
    if ('failure' in outcome) throw new VariableError(variable.name, outcome.failure);
    return outcome.value;
  };
}

function attempt({ source, evaluate }: CelVariable, values: ReadonlyMap<string, unknown>): Outcome {
  try {
    return { value: evaluate(values) };
  } catch (error) {
    return { failure: isExhausted() ? 'CEL cost budget is spent' : describeFailure(error, source) };
  }
}

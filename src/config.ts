// How do options become values? Command line, then environment, then default, each checked by the option's own bounds.
// Which options there are stands in options.ts.
import { compileSchema } from './lib/own-schema.ts';

/** One option. `multiple` options may be repeated, or given several values. */
export interface OptionSpec {
  readonly flag: string;
  readonly value?: string;
  readonly multiple?: boolean;
  readonly default?: string;
  readonly choices?: readonly string[];
  readonly pattern?: string;
  readonly description: string;
}

/** Values by flag: text, list of texts, or true. */
export type OptionValues = Readonly<Record<string, string | readonly string[] | boolean | undefined>>;

/** The environment variable of a flag. */
export function toVariableName(flag: string): string {
  return `MODEL_POLICY_${flag.replaceAll('-', '_').toUpperCase()}`;
}

/** Adds environment variables and defaults below the command line. Lists in variables are separated by commas. */
export function withDefaults(
  options: readonly OptionSpec[],
  given: OptionValues,
  environment: Readonly<Record<string, string | undefined>>,
): OptionValues {
  const values: Record<string, string | readonly string[] | boolean | undefined> = {};
  for (const option of options) {
    const variable = environment[toVariableName(option.flag)];
    values[option.flag] = given[option.flag] ?? readVariable(option, variable) ?? option.default;
  }
  return values;
}

function readVariable(
  option: OptionSpec,
  text: string | undefined,
): string | readonly string[] | boolean | undefined {
  if (text === undefined || text === '') return undefined;
  if (option.value === undefined) return text === 'true';
  return option.multiple === true ? text.split(',').filter((part) => part !== '') : text;
}

/** Checks values against the table. @returns what is wrong, or undefined */
export function findConfigProblem(options: readonly OptionSpec[], values: OptionValues): string | undefined {
  const properties = Object.fromEntries(options.map((option) => [option.flag, toSchema(option)]));
  const validate = compileSchema({
    type: 'object',
    additionalProperties: false,
    properties,
  });
  const defined = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
  if (validate(defined)) return undefined;
  const [error] = validate.errors ?? [];
  const flag = error?.instancePath.split('/')[1] ?? '';
  const option = options.find((candidate) => candidate.flag === flag);
  return `--${flag} must be ${option?.value ?? 'absent'}`;
}

function toSchema({ value, multiple, choices, pattern }: OptionSpec): object {
  if (value === undefined) return { type: 'boolean' };
  const single = {
    type: 'string',
    minLength: 1,
    ...(choices && { enum: choices }),
    ...(pattern && { pattern }),
  };
  return multiple === true ? { type: 'array', minItems: 1, items: single } : single;
}

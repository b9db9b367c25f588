// What does the user want? Command lines into checked values; every fault is a usage error with its cure.
import { parseArgs } from 'node:util';
import {
  findConfigProblem,
  toVariableName,
  withDefaults,
  type OptionSpec,
  type OptionValues,
} from '../config.ts';

/** A command line that cannot be understood: exit 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** A parsed command line. */
export interface Arguments {
  readonly values: OptionValues;
  readonly positionals: readonly string[];
  readonly wantsHelp: boolean;
}

/** What a command takes. `positional`: its name in help; undefined when it takes none. */
export interface CommandSpec {
  readonly name: string;
  readonly summary: string;
  readonly positional?: string;
  readonly options: readonly OptionSpec[];
}

/** Parses a command's arguments. @throws UsageError */
export function parseArguments(
  command: CommandSpec,
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Arguments {
  if (args.includes('--help') || args.includes('-h')) return { values: {}, positionals: [], wantsHelp: true };
  const { given, positionals } = parseTokens(command, args);
  const values = withDefaults(command.options, given, environment);
  const problem = findConfigProblem(command.options, values);
  if (problem !== undefined) throw new UsageError(problem);
  return { values, positionals, wantsHelp: false };
}

function parseTokens(
  command: CommandSpec,
  args: readonly string[],
): { given: OptionValues; positionals: readonly string[] } {
  const options = Object.fromEntries(
    command.options.map(({ flag, value, multiple }) => [
      flag,
      { type: value === undefined ? ('boolean' as const) : ('string' as const), multiple: multiple === true },
    ]),
  );
  try {
    const { values, positionals } = parseArgs({
      args: spreadLists(command, args),
      options,
      allowPositionals: true,
      strict: true,
    });
    return takePositional(command, values, { args, positionals });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

// `--policies a b` means `--policies a --policies b`.
function spreadLists(command: CommandSpec, args: readonly string[]): string[] {
  const lists = new Set(
    command.options.filter(({ value }) => value?.endsWith('…') === true).map(({ flag }) => `--${flag}`),
  );
  const out: string[] = [];
  let list: string | undefined;
  for (const [index, arg] of args.entries()) {
    const isValue = !arg.startsWith('--');
    if (list !== undefined && isValue && args[index - 1] !== list) out.push(list);
    if (!isValue) list = lists.has(arg) ? arg : undefined;
    out.push(arg);
  }
  return out;
}

// In `verify --policy FILE REF` the last value of the list is the reference that is missing.
function takePositional(
  command: CommandSpec,
  values: Record<string, string | boolean | (string | boolean)[] | undefined>,
  { args, positionals }: { args: readonly string[]; positionals: readonly string[] },
): { given: OptionValues; positionals: readonly string[] } {
  const given = values as Record<string, string | string[] | boolean | undefined>;
  if (command.positional === undefined) {
    if (positionals.length > 0) throw new UsageError(`unexpected argument ${JSON.stringify(positionals[0])}`);
    return { given, positionals };
  }
  // Of several lists the one that was begun last.
  const list = command.options
    .filter(({ value }) => value?.endsWith('…') === true)
    .map(({ flag }) => flag)
    .toSorted((a, b) => args.lastIndexOf(`--${b}`) - args.lastIndexOf(`--${a}`))[0];
  const spread = list === undefined ? undefined : given[list];
  if (positionals.length > 0 || !Array.isArray(spread) || spread.length < 2) return { given, positionals };
  return { given: { ...given, [list ?? '']: spread.slice(0, -1) }, positionals: [spread.at(-1) ?? ''] };
}

/** The help text of a command. */
export function toHelp(command: CommandSpec): string {
  const positional = command.positional === undefined ? '' : ` ${command.positional}`;
  const rows = command.options.map(({ flag, value, description, default: preset }) => {
    const left = `  --${flag}${value === undefined ? '' : ` ${value}`}`;
    return `${left.padEnd(36)} ${description}${preset === undefined ? '' : ` [${preset}]`}`;
  });
  return [
    `usage: model-policy ${command.name}${positional} [options]`,
    '',
    command.summary,
    '',
    ...rows,
    '',
    `Every option is also an environment variable, e.g. ${toVariableName(command.options[0]?.flag ?? 'listen')}.`,
    '',
  ].join('\n');
}

/** A text option, when set. */
export function textOf(values: OptionValues, flag: string): string | undefined {
  const value = values[flag];
  return typeof value === 'string' ? value : undefined;
}

/** A list option; empty when not set. */
export function listOf(values: OptionValues, flag: string): readonly string[] {
  const value = values[flag];
  return Array.isArray(value) ? (value as string[]) : [];
}

/** Splits `host:port`, brackets of IPv6 removed. */
export function toAddress(text: string): { host: string; port: number } {
  const colon = text.lastIndexOf(':');
  return { host: text.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(text.slice(colon + 1)) };
}

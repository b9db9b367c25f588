// What does our own command line say? The commands' own functions on a parsed command line, its exit code as the verdict
// and its finding as the reason. In this process: a start for each of hundreds of questions would be most of the time.
import { parseArguments, type CommandSpec } from '../../src/cli/arguments.ts';
import type { Output } from '../../src/cli/output.ts';
import { runVerify, VERIFY } from '../../src/cli/verify.ts';
import { runVerifyBundle, VERIFY_BUNDLE } from '../../src/cli/verify-bundle.ts';
import { runVerifyFiles, VERIFY_FILES } from '../../src/cli/verify-files.ts';
import type { OptionValues } from '../../src/config.ts';
import { lastLine } from './command.ts';
import type { Answer } from './question.ts';

interface Command {
  readonly spec: CommandSpec;
  readonly run: (values: OptionValues, positionals: readonly string[], output: Output) => Promise<number>;
}

const COMMANDS: readonly Command[] = [
  { spec: VERIFY, run: runVerify },
  { spec: VERIFY_BUNDLE, run: runVerifyBundle },
  { spec: VERIFY_FILES, run: runVerifyFiles },
];

interface JsonAnswer {
  readonly findings?: readonly { readonly message: string }[];
  readonly code?: string;
  readonly reason?: string;
}

/** Runs a command that answers with one line of JSON. @throws when it gives no verdict */
export async function askOurs([name, ...parameters]: readonly string[]): Promise<Answer> {
  const command = COMMANDS.find(({ spec }) => spec.name === name);
  if (command === undefined) throw new Error(`no command ${name}`);
  const { values, positionals } = parseArguments(command.spec, parameters, {});
  const lines: string[] = [];
  const output: Output = { answer: (line) => void lines.push(line), note() {} };
  const code = await command.run(values, positionals, output);
  if (code === 0) return { verdict: 'accept', why: '' };
  const said = lines.join('\n');
  if (code !== 1) throw new Error(`model-policy ${name} ${parameters.join(' ')}: exit ${code}: ${said}`);
  const { findings = [], code: reason, reason: message } = JSON.parse(said) as JsonAnswer;
  // The message of a finding opens with its reason.
  const why = findings[0]?.message ?? `${reason ?? ''}: ${message ?? ''}`;
  return { verdict: 'reject', why: lastLine(why.split('\n')[0] ?? '') };
}

// Which command was called? The composition root: the only file beside cli/ that touches the process.
import { ADMIT, runAdmit } from './cli/admit.ts';
import { parseArguments, toHelp, UsageError, type CommandSpec } from './cli/arguments.ts';
import { DEMO, runDemo } from './cli/demo.ts';
import { EXPLAIN, runExplain } from './cli/explain.ts';
import { MIGRATE, runMigrate } from './cli/migrate.ts';
import type { Output } from './cli/output.ts';
import { RECORD, runRecord } from './cli/record.ts';
import { runServe, SERVE } from './cli/serve.ts';
import { runTest, TEST } from './cli/test.ts';
import { runVerify, VERIFY } from './cli/verify.ts';
import { runVerifyBundle, VERIFY_BUNDLE } from './cli/verify-bundle.ts';
import { runVerifyFiles, VERIFY_FILES } from './cli/verify-files.ts';
import type { OptionValues } from './config.ts';

const REQUIRED_NODE_MAJOR = 26;

interface Command {
  readonly spec: CommandSpec;
  readonly run: (values: OptionValues, positionals: readonly string[], output: Output) => Promise<number>;
}

const COMMANDS: readonly Command[] = [
  { spec: SERVE, run: runServe },
  { spec: VERIFY, run: runVerify },
  { spec: VERIFY_BUNDLE, run: runVerifyBundle },
  { spec: VERIFY_FILES, run: runVerifyFiles },
  { spec: EXPLAIN, run: runExplain },
  { spec: MIGRATE, run: runMigrate },
  { spec: ADMIT, run: runAdmit },
  { spec: TEST, run: runTest },
  { spec: RECORD, run: runRecord },
  { spec: DEMO, run: runDemo },
];

const output: Output = {
  answer: (line) => void process.stdout.write(`${line}\n`),
  note: (line) => void process.stderr.write(`${line}\n`),
};

function toOverview(): string {
  const rows = COMMANDS.map(({ spec }) => `  ${spec.name.padEnd(13)} ${spec.summary.split('. ')[0] ?? ''}`);
  return [
    'usage: model-policy COMMAND [options]',
    '',
    ...rows,
    '',
    'model-policy COMMAND --help explains a command.',
  ].join('\n');
}

async function main(argv: readonly string[]): Promise<number> {
  const major = Number(process.versions.node.split('.')[0]);
  if (major !== REQUIRED_NODE_MAJOR) {
    output.note(
      `model-policy needs Node ${REQUIRED_NODE_MAJOR}; this is ${process.version}. Use bin/model-policy, which finds the right one.`,
    );
    return 2;
  }
  const [name, ...args] = argv;
  if (name === undefined || name === '--help' || name === '-h') {
    output.answer(toOverview());
    return name === undefined ? 2 : 0;
  }
  const command = COMMANDS.find(({ spec }) => spec.name === name);
  if (command === undefined) throw new UsageError(`unknown command ${JSON.stringify(name)}`);
  const { values, positionals, wantsHelp } = parseArguments(command.spec, args, process.env);
  if (wantsHelp) {
    output.answer(toHelp(command.spec));
    return 0;
  }
  return command.run(values, positionals, output);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  output.note(`model-policy: ${error.message}`);
  process.exitCode = 2;
}

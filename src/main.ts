// Which command was called? The composition root: the only file beside cli/ that touches the process. Each command is loaded
// when it is called: a replica that starts waits for no other.
import { parseArguments, toHelp, UsageError, type CommandSpec } from './cli/arguments.ts';
import type { Output } from './cli/output.ts';
import type { OptionValues } from './config.ts';

const REQUIRED_NODE_MAJOR = 26;

interface Command {
  readonly spec: CommandSpec;
  readonly run: (values: OptionValues, positionals: readonly string[], output: Output) => Promise<number>;
}

const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  serve: () => import('./cli/serve.ts').then(({ SERVE: spec, runServe: run }) => ({ spec, run })),
  verify: () => import('./cli/verify.ts').then(({ VERIFY: spec, runVerify: run }) => ({ spec, run })),
  'verify-bundle': () =>
    import('./cli/verify-bundle.ts').then(({ VERIFY_BUNDLE: spec, runVerifyBundle: run }) => ({ spec, run })),
  'verify-files': () =>
    import('./cli/verify-files.ts').then(({ VERIFY_FILES: spec, runVerifyFiles: run }) => ({ spec, run })),
  explain: () => import('./cli/explain.ts').then(({ EXPLAIN: spec, runExplain: run }) => ({ spec, run })),
  migrate: () => import('./cli/migrate.ts').then(({ MIGRATE: spec, runMigrate: run }) => ({ spec, run })),
  admit: () => import('./cli/admit.ts').then(({ ADMIT: spec, runAdmit: run }) => ({ spec, run })),
  test: () => import('./cli/test.ts').then(({ TEST: spec, runTest: run }) => ({ spec, run })),
  record: () => import('./cli/record.ts').then(({ RECORD: spec, runRecord: run }) => ({ spec, run })),
  demo: () => import('./cli/demo.ts').then(({ DEMO: spec, runDemo: run }) => ({ spec, run })),
};

const output: Output = {
  answer: (line) => void process.stdout.write(`${line}\n`),
  note: (line) => void process.stderr.write(`${line}\n`),
};

async function toOverview(): Promise<string> {
  const commands = await Promise.all(Object.values(COMMANDS).map((load) => load()));
  const rows = commands.map(({ spec }) => `  ${spec.name.padEnd(13)} ${spec.summary.split('. ')[0] ?? ''}`);
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
    output.answer(await toOverview());
    return name === undefined ? 2 : 0;
  }
  const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (load === undefined) throw new UsageError(`unknown command ${JSON.stringify(name)}`);
  const command = await load();
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

// Do other verifiers say the same about the same bundles? Entry of `npm run interop`: installs cosign, sigstore-go and
// model_signing into a work directory, asks them and us, and fails on a difference that nobody has explained.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { format, resolveConfig } from 'prettier';
import { compare, findStale, toFailures, toMarkdown, toReasons, toTable } from './comparison.ts';
import { toConformanceQuestions } from './conformance-questions.ts';
import { toFileQuestions } from './file-questions.ts';
import { toLayoutQuestions } from './layout-questions.ts';
import { NOT_APPLICABLE, TOOLS, type Answer, type Answered, type Question } from './question.ts';
import { installTools, type Tools } from './tools.ts';

const USAGE = `usage: npm run interop -- OMS_DIR OCI_DIR [CONFORMANCE_DIR] [--work DIR] [--markdown FILE] [--only TEXT]

  OMS_DIR          directory of recorded model signing bundles with their files
  OCI_DIR          directory of recorded OCI layouts, with an INDEX.json
  CONFORMANCE_DIR  directory with bundle-verify and trusted_root.json
  --work DIR       where the tools are kept, and answers.txt with everybody's reasons (default: a temporary directory)
  --markdown FILE  writes the result as a document
  --only TEXT      asks only the questions whose name contains TEXT`;
/** Most of the time goes into starting the other tools. */
const QUESTIONS_AT_ONCE = 4;

interface Options {
  readonly oms: string;
  readonly oci: string;
  readonly conformance: string | undefined;
  readonly work: string;
  readonly markdown: string | undefined;
  readonly only: string;
}

function readOptions(): Options | undefined {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { work: { type: 'string' }, markdown: { type: 'string' }, only: { type: 'string' } },
  });
  const [oms, oci, conformance, ...more] = positionals.map((name) => path.resolve(name));
  if (oms === undefined || oci === undefined || more.length > 0) return undefined;
  const wanted = [path.join(oms, 'model-transparency'), path.join(oci, 'INDEX.json')];
  if (conformance !== undefined) wanted.push(path.join(conformance, 'bundle-verify'));
  if (!wanted.every((name) => existsSync(name))) return undefined;
  const work = path.resolve(values.work ?? path.join(tmpdir(), 'interop-tools'));
  return { oms, oci, conformance, work, markdown: values.markdown, only: values.only ?? '' };
}

function toQuestions(options: Options, scratch: string, tools: Tools): readonly Question[] {
  const { oms, oci, conformance, only } = options;
  const questions = [
    ...toFileQuestions(oms, scratch, tools),
    ...(conformance === undefined ? [] : toConformanceQuestions(conformance, tools)),
    ...toLayoutQuestions(oci, scratch, tools),
  ];
  return questions.filter(({ set, label }) => `${set}: ${label}`.includes(only));
}

async function answer(question: Question): Promise<Answered> {
  const { set, label } = question;
  const theirs = new Map<(typeof TOOLS)[number], Answer>();
  for (const tool of TOOLS) theirs.set(tool, (await question.theirs[tool]?.()) ?? NOT_APPLICABLE);
  return { set, label, ours: await question.ours(), theirs };
}

/** Every answer in the order of the questions; what could not be asked is a problem. */
async function answerAll(
  questions: readonly Question[],
): Promise<{ readonly answered: readonly Answered[]; readonly problems: readonly string[] }> {
  const answered: Answered[] = [];
  const problems: string[] = [];
  const queue = questions.entries();
  const work = async (): Promise<void> => {
    for (const [index, question] of queue) {
      try {
        const one = await answer(question);
        answered[index] = one;
        // It takes minutes: whoever waits sees that something happens.
        const verdicts = [one.ours, ...one.theirs.values()].map(({ verdict }) => verdict).join(' ');
        console.error(`${index + 1}/${questions.length} ${one.set}: ${one.label}: ${verdicts}`);
      } catch (error) {
        const said = error instanceof Error ? error.message : String(error);
        problems.push(`FAILED ${question.set}: ${question.label}: ${said}`);
      }
    }
  };
  await Promise.all(Array.from({ length: QUESTIONS_AT_ONCE }, work));
  return { answered: answered.filter((one) => one !== undefined), problems };
}

/** Formatted as the tree's other documents are. */
async function writeDocument(file: string, text: string): Promise<void> {
  const settings = (await resolveConfig(file)) ?? {};
  writeFileSync(file, await format(text, { ...settings, parser: 'markdown' }));
}

async function main(): Promise<number> {
  const options = readOptions();
  if (options === undefined) {
    console.error(USAGE);
    return 2;
  }
  const scratch = mkdtempSync(path.join(tmpdir(), 'interop-'));
  const tools = await installTools(options.work);
  try {
    const questions = toQuestions(options, scratch, tools);
    const { answered, problems } = await answerAll(questions);
    const comparison = compare(answered);
    console.log(toTable(comparison));
    writeFileSync(path.join(options.work, 'answers.txt'), toReasons(comparison));
    for (const [tool, problem] of tools.missing) console.log(`NOT INSTALLED ${tool}: ${problem}`);
    const stale = options.only === '' ? findStale(comparison) : [];
    const failures = [
      ...problems,
      ...toFailures(comparison),
      ...stale.map(({ tool, labels }) => `STALE the explanation for ${tool}, ${labels.source}`),
      ...(comparison.counts.length === 0 ? ['FAILED nothing was compared'] : []),
    ];
    for (const failure of failures) console.log(failure);
    for (const { set, tool, asked, agreed } of comparison.counts)
      console.log(`${set}, ${tool}: ${asked} asked, ${agreed} agree, ${asked - agreed} differ`);
    const today = new Date().toISOString().slice(0, 10);
    if (options.markdown !== undefined)
      await writeDocument(options.markdown, toMarkdown(comparison, tools.missing, today));
    console.log(`${answered.length} passed, ${failures.length} failed`);
    return failures.length === 0 ? 0 : 1;
  } finally {
    tools.close();
    rmSync(scratch, { recursive: true });
  }
}

process.exitCode = await main();

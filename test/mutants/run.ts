// Do the tests notice when a check goes missing? Takes out or turns round one guard of a source file at a time and runs
// the tests of its folder: `npm run mutants -- src/verdict src/signature/sct.ts --max-minutes 20 --jobs 2`. `--tests sct,faults/identity`
// runs those alone, in this order: a survivor may then be noticed by the others, and is asked again with them by `--lines 12,40`.
// Not part of `npm test`. The tree is not touched: the module loader gets the changed source.
import { fork } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { EQUIVALENT } from './equivalent.ts';
import { toMutableSource, type Mutant } from './guards.ts';
import type { Order, Report } from './worker.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
/** The tests of a folder need no longer than this without a mutant, in milliseconds. */
const START_TIMEOUT_MS = 240_000;
/** A mutant that needs longer than this and so many times the tests of its folder loops. */
const [MUTANT_TIMEOUT_MS, MUTANT_TIMEOUT_FACTOR] = [20_000, 4];

interface Result {
  readonly file: string;
  readonly mutant: Mutant;
  readonly verdict: 'killed' | 'survived' | 'endless' | 'equivalent' | 'not run';
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    'max-minutes': { type: 'string', default: '30' },
    jobs: { type: 'string', default: '1' },
    tests: { type: 'string', default: '' },
    lines: { type: 'string', default: '' },
  },
});
const deadline = Date.now() + Number(values['max-minutes']) * 60_000;
if (positionals.length === 0) throw new Error('name a source or a folder, e.g. src/verdict');
const files = [...new Set(positionals.flatMap(toSources))];

/** The sources of a file, a pattern or a folder with all below it. */
function toSources(named: string): readonly string[] {
  const pattern = named.endsWith('.ts') ? named : path.join(named, '**/*.ts');
  const found = globSync(pattern, { cwd: ROOT }).toSorted();
  if (found.length === 0 || !found.every((file) => file.startsWith('src/')))
    throw new Error(`no sources below src/: ${named}`);
  return found;
}

// The file's own tests first: most mutants die there.
function testsOf(file: string): readonly string[] {
  const [, folder = '', name = ''] = /^src\/([^/]+)\/(?:.*\/)?([^/]+)\.ts$/.exec(file) ?? [];
  const tests = values.tests === '' ? toFolderTests(folder) : values.tests.split(',').flatMap(toTests);
  const own = tests.filter((test) => path.basename(test) === `${name}.test.ts`);
  return [...new Set([...own, ...tests])].map((test) => path.join(ROOT, test));

  // `fold` is a test of the folder, `faults/tenancy` one of another.
  function toTests(wanted: string): readonly string[] {
    const pattern = wanted.includes('/') ? wanted : `${folder}/**/${wanted}`;
    const found = globSync(`test/${pattern}.test.ts`, { cwd: ROOT });
    if (found.length === 0) throw new Error(`there is no test ${wanted}`);
    return found.toSorted();
  }
}

function toFolderTests(folder: string): readonly string[] {
  const isSlow = (test: string): boolean => /^(?:mutation|decision-table)/.test(path.basename(test));
  const tests = globSync(`test/${folder}/**/*.test.ts`, { cwd: ROOT }).toSorted();
  return [...tests.filter((test) => !isSlow(test)), ...tests.filter(isSlow)];
}

function isEquivalent(file: string, { change, text }: Mutant): boolean {
  return EQUIVALENT.some(
    (known) => `src/${known.file}` === file && known.change === change && known.text === text,
  );
}

async function judgeFile(file: string): Promise<readonly Result[]> {
  const { mutants: all } = toMutableSource(readFileSync(path.join(ROOT, file), 'utf8'));
  const mutants = all.filter(
    ({ line }) => values.lines === '' || values.lines.split(',').includes(`${line}`),
  );
  const judged = new Map<number, Judged>();
  const order: Order = { file: path.join(ROOT, file), tests: testsOf(file), ids: [] };
  for (let left = mutants; left.length > 0 && Date.now() < deadline;) {
    const before = judged.size;
    await runSome({ ...order, ids: left.map(({ id }) => id) }, judged);
    if (judged.size === before) console.log(`${file}: its tests do not run`);
    left = judged.size === before ? [] : left.filter(({ id }) => !judged.has(id));
  }
  const results: Result[] = [];
  for (const mutant of mutants) {
    const verdict = await toVerdict(mutant, judged);
    results.push({ file, mutant, verdict });
    const { line, change, text } = mutant;
    const note = judged.get(mutant.id)?.isReached === false ? ' (no test comes by)' : '';
    if (verdict === 'survived')
      console.log(`${file}:${line} survived: ${change} ${text.slice(0, 160)}${note}`);
  }
  return results;

  async function toVerdict(mutant: Mutant, known: ReadonlyMap<number, Judged>): Promise<Result['verdict']> {
    const first = known.get(mutant.id);
    if (first?.verdict !== 'survived') return first?.verdict ?? 'not run';
    if (isEquivalent(file, mutant)) return 'equivalent';
    if (!first.isReached) return 'survived';
    if (Date.now() > deadline) return 'not run';
    // Something that is made once may have been made before the mutant was on.
    const again = new Map<number, Judged>();
    await runSome({ ...order, alone: mutant.id }, again);
    return again.get(mutant.id)?.verdict ?? 'not run';
  }
}

interface Judged {
  readonly verdict: 'killed' | 'survived' | 'endless';
  readonly isReached: boolean;
}

/** Runs mutants in one process until it ends, and tells what became of them. */
function runSome(order: Order, judged: Map<number, Judged>): Promise<void> {
  const child = fork(path.join(import.meta.dirname, 'worker.ts'), { cwd: ROOT, execArgv: ['--no-warnings'] });
  let current = 0;
  let timeoutMs = START_TIMEOUT_MS;
  let timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
  return new Promise((resolve) => {
    child.on('message', (report: Report) => {
      clearTimeout(timer);
      if (report.kind === 'ready') timeoutMs = MUTANT_TIMEOUT_MS + MUTANT_TIMEOUT_FACTOR * report.goodMs;
      timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
      if (report.kind === 'started') current = report.id;
      if (report.kind !== 'done') return;
      const { id, killedBy, isReached } = report;
      judged.set(id, { verdict: killedBy === undefined ? 'survived' : 'killed', isReached });
      current = 0;
      if (Date.now() > deadline) child.kill('SIGKILL');
    });
    child.on('exit', () => {
      clearTimeout(timer);
      // Killed in the middle of a mutant, or ended by it: somebody noticed.
      if (current !== 0) judged.set(current, { verdict: 'endless', isReached: true });
      resolve();
    });
    child.send(order);
  });
}

const totals = { killed: 0, survived: 0, endless: 0, equivalent: 0, 'not run': 0 };
const queue = [...files];

async function takeFiles(): Promise<void> {
  for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
    const results = await judgeFile(file);
    const count = (verdict: Result['verdict']): number =>
      results.filter((result) => result.verdict === verdict).length;
    for (const verdict of Object.keys(totals) as Result['verdict'][]) totals[verdict] += count(verdict);
    console.log(
      `${file}: ${results.length} mutants, ${count('killed')} killed, ${count('endless')} endless, ` +
        `${count('equivalent')} equivalent, ${count('survived')} survived, ${count('not run')} not run`,
    );
  }
}

await Promise.all(Array.from({ length: Number(values.jobs) }, takeFiles));
console.log(JSON.stringify(totals));
process.exitCode = totals.survived > 0 || totals['not run'] > 0 ? 1 : 0;

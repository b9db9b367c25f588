// Do the tests notice when a check goes missing? Takes out or turns round one guard of a source file at a time and runs
// the tests of its folder: `npm run mutants -- --files signature/sct.ts,signature/merkle.ts --max-minutes 20 --jobs 2`.
// `--tests sct,holes` runs those alone: faster, and a survivor may then be noticed by the others. Not part of `npm test`.
// The tree is not touched: the changed source is given to the module loader.
import { fork } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { EQUIVALENT } from './equivalent.ts';
import { toMutableSource, type Mutant } from './guards.ts';
import type { Order, Report } from './worker.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
/** A mutant that needs longer than this loops, in milliseconds; a survivor runs every test of its folder. */
const MUTANT_TIMEOUT_MS = 240_000;

interface Result {
  readonly file: string;
  readonly mutant: Mutant;
  readonly verdict: 'killed' | 'survived' | 'endless' | 'equivalent' | 'not run';
}

const { values } = parseArgs({
  options: {
    files: { type: 'string', default: 'signature/*.ts' },
    'max-minutes': { type: 'string', default: '30' },
    jobs: { type: 'string', default: '1' },
    tests: { type: 'string', default: '' },
  },
});
const deadline = Date.now() + Number(values['max-minutes']) * 60_000;
const files = values.files
  .split(',')
  .flatMap((pattern) => globSync(`src/${pattern}`, { cwd: ROOT }).toSorted());

// The file's own tests first: most mutants die there.
function testsOf(file: string): readonly string[] {
  const [, folder = '', name = ''] = /^src\/([^/]+)\/(?:.*\/)?([^/]+)\.ts$/.exec(file) ?? [];
  const wanted = values.tests.split(',');
  const tests = globSync(`test/${folder}/**/*.test.ts`, { cwd: ROOT })
    .filter((test) => values.tests === '' || wanted.includes(path.basename(test, '.test.ts')))
    .toSorted();
  const own = tests.filter((test) => path.basename(test) === `${name}.test.ts`);
  const slow = tests.filter((test) => path.basename(test).startsWith('mutation'));
  const others = tests.filter((test) => !own.includes(test) && !slow.includes(test));
  return [...own, ...others, ...slow].map((test) => path.join(ROOT, test));
}

function isEquivalent(file: string, { change, text }: Mutant): boolean {
  return EQUIVALENT.some(
    (known) => `src/${known.file}` === file && known.change === change && known.text === text,
  );
}

async function judgeFile(file: string): Promise<readonly Result[]> {
  const { mutants } = toMutableSource(readFileSync(path.join(ROOT, file), 'utf8'));
  const results: Result[] = [];
  const add = (id: number, verdict: Result['verdict']): void => {
    const mutant = mutants[id - 1];
    if (mutant === undefined) throw new Error(`${file} has no mutant ${id}`);
    const isExcused = verdict === 'survived' && isEquivalent(file, mutant);
    results.push({ file, mutant, verdict: isExcused ? 'equivalent' : verdict });
    if (verdict === 'survived' && !isExcused)
      console.log(`${file}:${mutant.line} survived: ${mutant.change} ${mutant.text.slice(0, 160)}`);
  };
  let from = 1;
  while (from <= mutants.length && Date.now() < deadline) from = await runFrom(file, from, add);
  for (const { id } of mutants.filter((mutant) => mutant.id > results.length)) add(id, 'not run');
  return results;
}

/** Runs mutants in one process until it ends. @returns the first mutant that was not judged */
function runFrom(
  file: string,
  from: number,
  add: (id: number, verdict: Result['verdict']) => void,
): Promise<number> {
  const child = fork(path.join(import.meta.dirname, 'worker.ts'), { cwd: ROOT, execArgv: ['--no-warnings'] });
  const order: Order = { file: path.join(ROOT, file), tests: testsOf(file), from };
  let [current, next] = [0, from];
  let isOver = false;
  let timer = setTimeout(() => child.kill('SIGKILL'), MUTANT_TIMEOUT_MS);
  return new Promise((resolve) => {
    child.on('message', (report: Report) => {
      clearTimeout(timer);
      timer = setTimeout(() => child.kill('SIGKILL'), MUTANT_TIMEOUT_MS);
      if (report.kind === 'finished') isOver = true;
      else if (report.kind === 'started') current = report.id;
      else {
        add(report.id, report.killedBy === undefined ? 'survived' : 'killed');
        [current, next] = [0, report.id + 1];
        if (Date.now() > deadline) child.kill('SIGKILL');
      }
    });
    child.on('exit', () => {
      clearTimeout(timer);
      if (current === 0 && !isOver && next === from) {
        console.log(`${file}: its tests do not run`);
        resolve(Infinity);
        return;
      }
      // Killed in the middle of a mutant, or ended by it: somebody noticed.
      if (current !== 0) {
        add(current, 'endless');
        next = current + 1;
      }
      resolve(next);
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

// Does every artifact made by the field's own tools get its documented verdict? Entry of `npm run vectors -- DIR`:
// picks the cases, runs the checks two at once, prints failures, what is still to come, and the totals.
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { readCases, type Expectation, type VectorCase } from './cases.ts';
import { runRound, waysOf, type Outcome, type Round } from './check.ts';
import { ADDED, findPostponement, matches, REQUIRED } from './postponed.ts';

const USAGE = `usage: npm run vectors -- DIR [--only TEXT]

  DIR          directory of recorded artifacts, with an INDEX.json
  --only TEXT  run only the cases whose name contains TEXT`;
/** A process per check is slow to start; more at once would starve each other on small machines. */
const ROUNDS_AT_ONCE = 2;

interface Options {
  readonly directory: string;
  readonly only: string;
}

class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** What is run of a case and what is not. */
interface Plan {
  readonly vector: VectorCase;
  readonly run: readonly Expectation[];
  /** How many expectations wait, by reason. */
  readonly waiting: ReadonlyMap<string, number>;
}

function readOptions(): Options | 'help' {
  const { values, positionals } = parse();
  if (values.help === true) return 'help';
  const [directory, ...more] = positionals;
  if (directory === undefined) throw new UsageError('no directory is given');
  if (more.length > 0) throw new UsageError('more than one directory is given');
  if (!existsSync(path.join(directory, 'INDEX.json'))) throw new UsageError(`${directory} has no INDEX.json`);
  return { directory, only: values.only ?? '' };
}

function parse() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: { only: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function toPlan(vector: VectorCase): Plan {
  const added = ADDED.filter(({ pattern }) => matches(pattern, vector.id));
  const run: Expectation[] = [];
  const waiting = new Map<string, number>();
  for (const expectation of [...vector.expectations, ...added]) {
    const reason = findPostponement(vector, expectation);
    if (reason === undefined) run.push(expectation);
    else waiting.set(reason, (waiting.get(reason) ?? 0) + 1);
  }
  return { vector, run, waiting };
}

// A green suite means that the cases which carry the promise were there, and were asked in full.
function findMissing(plans: readonly Plan[]): readonly Outcome[] {
  return REQUIRED.flatMap((pattern) => {
    const meant = plans.filter(({ vector }) => matches(pattern, vector.id));
    if (meant.length === 0) return [{ label: pattern, problem: 'this required case is missing' }];
    return meant
      .filter(({ run, waiting }) => run.length === 0 || waiting.size > 0)
      .map(({ vector }) => ({ label: vector.id, problem: 'this required case was not run in full' }));
  });
}

async function runRounds(rounds: readonly Round[]): Promise<readonly Outcome[]> {
  const scratch = mkdtempSync(path.join(tmpdir(), 'vectors-'));
  try {
    const outcomes: (readonly Outcome[])[] = [];
    const queue = rounds.entries();
    const work = async (): Promise<void> => {
      for (const [index, round] of queue) outcomes[index] = await runRound(round, scratch);
    };
    await Promise.all(Array.from({ length: ROUNDS_AT_ONCE }, work));
    return outcomes.flat();
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

function printWaiting(plans: readonly Plan[]): void {
  const waiting = plans.filter((plan) => plan.waiting.size > 0);
  if (waiting.length === 0) return;
  console.log('still to come, not run and not counted:');
  for (const { vector, run, waiting: reasons } of waiting)
    for (const [reason, count] of reasons)
      console.log(`  ${vector.id} (${count} of ${run.length + sum(reasons.values())} verdicts): ${reason}`);
}

function sum(numbers: Iterable<number>): number {
  return [...numbers].reduce((total, number) => total + number, 0);
}

async function main(): Promise<number> {
  const options = readOptions();
  if (options === 'help') {
    console.log(USAGE);
    return 0;
  }
  const all = readCases(options.directory).map(toPlan);
  const plans = all.filter(({ vector }) => vector.id.includes(options.only));
  if (plans.length === 0) throw new UsageError(`no case is named like ${options.only}`);
  const rounds = plans
    .filter(({ run }) => run.length > 0)
    .flatMap(({ vector, run }) => waysOf(vector).map((way) => ({ vector, way, expectations: run })));
  const missing = options.only === '' ? findMissing(plans) : [];
  const outcomes = [...missing, ...(await runRounds(rounds))];
  const failed = outcomes.filter(({ problem }) => problem !== undefined);
  for (const { label, problem } of failed) console.log(`FAILED ${label}: ${problem}`);
  printWaiting(plans);
  console.log(`${outcomes.length - failed.length} passed, ${failed.length} failed`);
  return failed.length === 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`${error.message}\n${USAGE}`);
  process.exitCode = 2;
}

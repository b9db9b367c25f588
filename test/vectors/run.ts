// Does every artifact made by the field's own tools get its documented verdict? Entry of `npm run vectors -- DIR`:
// picks the cases, runs the checks two at once, prints failures, what is still to come, and the totals.
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { readCases, type Expectation, type VectorCase } from './cases.ts';
import { runRound, type Outcome, type Round } from './check.ts';
import { waysOf } from './places.ts';
import { ADDED, findPostponement, matches, REQUIRED } from './postponed.ts';
import { findRegistryPrograms, startRealRegistry, type RealRegistry } from './real-registry.ts';

const USAGE = `usage: npm run vectors -- DIR [--only TEXT] [--registry FILE]...

  DIR              directory of recorded artifacts, with an INDEX.json
  --only TEXT      run only the cases whose name contains TEXT
  --registry FILE  a registry program to serve the cases from, too, started as "FILE serve CONFIG" like the
                   distribution registry; by default docker-registry and registry, where PATH has them (repeatable)`;
/** A process per check is slow to start; more at once would starve each other on small machines. */
const ROUNDS_AT_ONCE = 2;

interface Options {
  readonly directory: string;
  readonly only: string;
  /** Registry programs. */
  readonly programs: readonly string[];
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
  const programs = values.registry ?? findRegistryPrograms(process.env['PATH'] ?? '');
  return { directory, only: values.only ?? '', programs };
}

function parse() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        only: { type: 'string' },
        registry: { type: 'string', multiple: true },
        help: { type: 'boolean', short: 'h' },
      },
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

async function runRounds(rounds: readonly Round[], scratch: string): Promise<readonly Outcome[]> {
  const outcomes: (readonly Outcome[])[] = [];
  const queue = rounds.entries();
  const work = async (): Promise<void> => {
    for (const [index, round] of queue) outcomes[index] = await runRound(round, scratch);
  };
  await Promise.all(Array.from({ length: ROUNDS_AT_ONCE }, work));
  return outcomes.flat();
}

async function runOnRegistries(
  plans: readonly Plan[],
  programs: readonly string[],
): Promise<readonly Outcome[]> {
  const scratch = mkdtempSync(path.join(tmpdir(), 'vectors-'));
  const real: RealRegistry[] = [];
  try {
    for (const program of programs) real.push(await startRealRegistry(program, scratch));
    if (real.length === 0)
      console.log('no registry program was found: --registry FILE serves the cases from one, too');
    const rounds = plans
      .filter(({ run }) => run.length > 0)
      .flatMap(({ vector, run }) => waysOf(vector, real).map((way) => ({ vector, way, expectations: run })));
    return await runRounds(rounds, scratch);
  } finally {
    await Promise.all(real.map((registry) => registry.stop()));
    rmSync(scratch, { recursive: true });
  }
}

// What a registry does not take cannot be judged there: said, and no failure of ours.
function printRefused(outcomes: readonly Outcome[]): void {
  for (const { label, refusal } of outcomes)
    if (refusal !== undefined) console.log(`not taken by the registry: ${label}: ${refusal}`);
}

function printCosts(outcomes: readonly Outcome[]): void {
  const costs = outcomes.flatMap(({ cost }) => (cost === undefined ? [] : [cost]));
  const requests = costs.flatMap((cost) => cost.requests);
  const bytes = sum(requests.map((request) => request.bytes));
  const rounds = Math.max(0, ...costs.map((cost) => cost.rounds));
  const largest = Math.max(0, ...costs.map((cost) => cost.requests.length));
  console.log(
    `${costs.length} counted verdicts: ${requests.length} requests, ${bytes} bytes; at most ${largest} requests and ${rounds} rounds for one`,
  );
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
  const missing = options.only === '' ? findMissing(plans) : [];
  const asked = await runOnRegistries(plans, options.programs);
  const outcomes = [...missing, ...asked.filter(({ refusal }) => refusal === undefined)];
  const failed = outcomes.filter(({ problem }) => problem !== undefined);
  for (const { label, problem } of failed) console.log(`FAILED ${label}: ${problem}`);
  printWaiting(plans);
  printRefused(asked);
  printCosts(asked);
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

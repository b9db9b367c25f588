// Does any test notice this mutant? Loads the tests once with the mutable source and finds out which of them come by which
// mutant; then runs, for one mutant after the other, those that do, and tells the parent about each. Or one mutant alone,
// on before anything is loaded, with all tests. A mutant that never ends is the parent's business.
import Mocha from 'mocha';
import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { toMutableSource } from './guards.ts';

/** What the parent asks for: the mutants `ids` of `file`, or one `alone`, judged by `tests` in this order. */
export interface Order {
  readonly file: string;
  readonly tests: readonly string[];
  readonly ids: readonly number[];
  readonly alone?: number;
}

/** What the worker tells: `killedBy` is the title of a failed test, undefined for a survivor. */
export type Report =
  /** The good program passed, in so many milliseconds. */
  | { readonly kind: 'ready'; readonly goodMs: number }
  | { readonly kind: 'started'; readonly id: number }
  | {
      readonly kind: 'done';
      readonly id: number;
      readonly killedBy: string | undefined;
      /** Whether any test, or loading them, comes by it. */
      readonly isReached: boolean;
    }
  | { readonly kind: 'finished' };

declare global {
  var __isMutant: (id: number) => boolean;
}

// Nobody reads the tests' own report.
class Silent extends Mocha.reporters.Base {
  override done(_failures: number, end?: (failures: number) => void): void {
    end?.(0);
  }
}

function tell(report: Report): void {
  process.send?.(report);
}

const isNone = (): boolean => false;

async function work(order: Order): Promise<void> {
  const { file, tests, ids, alone } = order;
  const url = pathToFileURL(file).href;
  const { source } = toMutableSource(readFileSync(file, 'utf8'));
  registerHooks({
    load: (target, context, next) =>
      target === url ? { format: 'module', source, shortCircuit: true } : next(target, context),
  });
  const mocha = new Mocha({ timeout: 60_000, reporter: Silent, bail: true });
  mocha.cleanReferencesAfterRun(false);
  for (const test of tests) mocha.addFile(fileURLToPath(pathToFileURL(test)));
  await (alone === undefined ? judgeEach(mocha, ids) : judgeAlone(mocha, alone));
  tell({ kind: 'finished' });
}

async function judgeEach(mocha: Mocha, ids: readonly number[]): Promise<void> {
  const loaded = new Set<number>();
  globalThis.__isMutant = (id) => {
    loaded.add(id);
    return false;
  };
  await mocha.loadFilesAsync();
  const all = listTests(mocha.suite);
  const start = Date.now();
  const reached = await findReached(mocha);
  tell({ kind: 'ready', goodMs: Date.now() - start });
  for (const id of ids) {
    tell({ kind: 'started', id });
    const near = all.filter((test) => comesBy(test, id, reached));
    choose(mocha.suite, new Set(near));
    const killedBy = near.length === 0 ? undefined : await run(mocha, (asked) => asked === id);
    tell({ kind: 'done', id, killedBy, isReached: near.length > 0 || loaded.has(id) });
  }
}

// What is made once, when the program is loaded or by the first test that needs it, is made of the mutant here.
async function judgeAlone(mocha: Mocha, id: number): Promise<void> {
  const isMutant = (asked: number): boolean => asked === id;
  globalThis.__isMutant = isMutant;
  tell({ kind: 'started', id });
  let killedBy: string | undefined;
  try {
    await mocha.loadFilesAsync();
    killedBy = await run(mocha, isMutant);
  } catch {
    killedBy = 'loading the tests';
  }
  tell({ kind: 'done', id, killedBy, isReached: true });
}

/** What came by which mutants: tests, and suites by their hooks. */
type Reached = ReadonlyMap<Mocha.Suite | Mocha.Test, ReadonlySet<number>>;

/** Runs all tests on the good program. @throws Error when one fails */
async function findReached(mocha: Mocha): Promise<Reached> {
  const reached = new Map<Mocha.Suite | Mocha.Test, Set<number>>();
  let current = new Set<number>();
  const attribute = (part: Mocha.Suite | Mocha.Test): void => {
    current = reached.get(part) ?? new Set();
    reached.set(part, current);
  };
  attribute(mocha.suite);
  const isMutant = (id: number): boolean => {
    current.add(id);
    return false;
  };
  const failed = await run(mocha, isMutant, (runner) =>
    runner
      .on('suite', attribute)
      .on('test', attribute)
      .on('test end', ({ parent }) => attribute(parent ?? mocha.suite))
      .on('suite end', ({ parent }) => attribute(parent ?? mocha.suite)),
  );
  if (failed !== undefined) throw new Error(`the tests fail without a mutant: ${failed}`);
  return reached;
}

function comesBy(test: Mocha.Test, id: number, reached: Reached): boolean {
  if (reached.get(test)?.has(id) === true) return true;
  for (let suite = test.parent; suite !== undefined; suite = suite.parent)
    if (reached.get(suite)?.has(id) === true) return true;
  return false;
}

function listTests(suite: Mocha.Suite): readonly Mocha.Test[] {
  return [...suite.tests, ...suite.suites.flatMap(listTests)];
}

const testsOf = new WeakMap<Mocha.Suite, Mocha.Test[]>();

// A suite without tests is passed over, its hooks as well.
function choose(suite: Mocha.Suite, chosen: ReadonlySet<Mocha.Test>): void {
  const own = testsOf.get(suite) ?? suite.tests;
  testsOf.set(suite, own);
  suite.tests = own.filter((test) => chosen.has(test));
  for (const inner of suite.suites) choose(inner, chosen);
}

/** Runs the tests that are chosen. @returns the title of one that failed */
function run(
  mocha: Mocha,
  isMutant: (id: number) => boolean,
  watch?: (runner: Mocha.Runner) => void,
): Promise<string | undefined> {
  globalThis.__isMutant = isMutant;
  let killedBy: string | undefined;
  return new Promise((resolve) => {
    const runner = mocha.run(() => {
      globalThis.__isMutant = isNone;
      resolve(killedBy);
    });
    runner.on('fail', (test) => {
      killedBy ??= test.fullTitle();
    });
    watch?.(runner);
  });
}

process.once('message', (order) => {
  work(order as Order).then(
    () => process.exit(0),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});

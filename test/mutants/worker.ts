// Does any test notice this mutant? Loads the tests once with the mutable sources, then runs them for one mutant after the
// other and tells the parent about each. A mutant that never ends is the parent's business.
import Mocha from 'mocha';
import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { toMutableSource } from './guards.ts';

/** What the parent asks for: the mutants `ids` of `file`, judged by `tests` in this order. */
export interface Order {
  readonly file: string;
  readonly tests: readonly string[];
  readonly ids: readonly number[];
}

/** What the worker tells: `killedBy` is the title of a failed test, undefined for a survivor. */
export type Report =
  | { readonly kind: 'started' | 'done'; readonly id: number; readonly killedBy?: string | undefined }
  | { readonly kind: 'finished' };

declare global {
  var __mutant: number;
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

async function work({ file, tests, ids }: Order): Promise<void> {
  const url = pathToFileURL(file).href;
  const { source } = toMutableSource(readFileSync(file, 'utf8'));
  globalThis.__mutant = 0;
  registerHooks({
    load: (target, context, next) =>
      target === url ? { format: 'module', source, shortCircuit: true } : next(target, context),
  });
  const mocha = new Mocha({ timeout: 60_000, reporter: Silent, bail: true });
  mocha.cleanReferencesAfterRun(false);
  for (const test of tests) mocha.addFile(fileURLToPath(pathToFileURL(test)));
  await mocha.loadFilesAsync();
  // The good program first: it also fills whatever is computed once.
  const failed = await run(mocha, 0);
  if (failed !== undefined) throw new Error(`the tests fail without a mutant: ${failed}`);
  for (const id of ids) {
    tell({ kind: 'started', id });
    tell({ kind: 'done', id, killedBy: await run(mocha, id) });
  }
  tell({ kind: 'finished' });
}

function run(mocha: Mocha, id: number): Promise<string | undefined> {
  globalThis.__mutant = id;
  let killedBy: string | undefined;
  return new Promise((resolve) => {
    mocha
      .run(() => {
        globalThis.__mutant = 0;
        resolve(killedBy);
      })
      .on('fail', (test) => {
        killedBy ??= test.fullTitle();
      });
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

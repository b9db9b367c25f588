// Do the policies answer what their authors expect? Runs every policy test of a directory, offline, for a platform
// team's own build.
import { writeFileSync } from 'node:fs';
import { type OptionValues } from '../config.ts';
import { TEST_OPTIONS } from '../options.ts';
import { toErrorMessage } from '../lib/text.ts';
import { textOf, UsageError, type CommandSpec } from './arguments.ts';
import { toJunit } from './junit.ts';
import type { Output } from './output.ts';
import { findPolicyTests, POLICY_TEST_FILE, readPolicyTest } from './policy-test.ts';
import { runPolicyTest, type CaseResult } from './run-policy-test.ts';

/** The command line of test. */
export const TEST: CommandSpec = {
  name: 'test',
  summary: `Runs the policy tests (${POLICY_TEST_FILE}) under DIR, offline. Exit code 0: all as expected; 1: not; 2: usage.`,
  positional: 'DIR…',
  options: TEST_OPTIONS,
};

/** Runs test. @returns the exit code @throws UsageError */
export async function runTest(
  values: OptionValues,
  positionals: readonly string[],
  output: Output,
): Promise<number> {
  if (positionals.length === 0) throw new UsageError('test takes the directories that hold policy tests');
  const files = findPolicyTests(positionals);
  if (files.length === 0) throw new UsageError(`no ${POLICY_TEST_FILE} in ${positionals.join(' ')}`);
  const only = textOf(values, 'only') ?? '';
  const controllerNamespace = textOf(values, 'controller-namespace') ?? '';
  const results: CaseResult[] = [];
  for (const file of files) {
    const some = await runPolicyTest(
      readPolicyTest(file),
      controllerNamespace,
      (name) => name.includes(only),
      (problem) => output.note(problem),
    );
    for (const result of some) print(result, output);
    results.push(...some);
  }
  if (results.length === 0) throw new UsageError(`no case holds ${JSON.stringify(only)} in its name`);
  writeJunit(textOf(values, 'junit'), results);
  const failed = results.filter(({ differences }) => differences.length > 0).length;
  output.answer(`${results.length - failed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

function print({ test, name, differences }: CaseResult, output: Output): void {
  output.answer(`${differences.length === 0 ? 'ok  ' : 'FAIL'} ${test}: ${name}`);
  for (const difference of differences) output.answer(`       ${difference}`);
}

function writeJunit(path: string | undefined, results: readonly CaseResult[]): void {
  if (path === undefined) return;
  try {
    writeFileSync(path, toJunit(results));
  } catch (error) {
    throw new UsageError(`cannot write ${path}: ${toErrorMessage(error)}`);
  }
}

// Does a case answer what its test says? Judges it by the same path as the server, on recorded registry answers alone.
import { decide, type DecisionDependencies } from '../admission/decide.ts';
import { DEFAULT_TIMEOUT_MS } from '../admission/handle.ts';
import { toWarnings } from '../admission/response.ts';
import type { AdmissionRequest } from '../admission/review.ts';
import { toRecord, toText } from '../lib/text.ts';
import { createCelEngine } from '../policy/cel/engine.ts';
import { createPolicyStore } from '../policy/store.ts';
import { createRecordedClient } from '../registry/recorded-client.ts';
import type { Decision } from '../verdict/decision.ts';
import { UsageError } from './arguments.ts';
import { readObject, toKind, toPodWith } from './judged-object.ts';
import { describePolicyProblems } from './policy-check.ts';
import { findUsageFault, listPolicyFiles, loadPolicies, readPolicyFiles } from './policy-files.ts';
import type { Expectation, PolicyCase, PolicyTest } from './policy-test.ts';
import { createCommandProver } from './prover-access.ts';
import { readRecordings } from './recordings.ts';
import { createTrustAccess } from './trust-access.ts';

/** How one case went. */
export interface CaseResult {
  readonly test: string;
  readonly name: string;
  /** What is not as expected, a line each; empty when all is. */
  readonly differences: readonly string[];
  readonly durationMs: number;
}

/**
 * Runs one file of tests.
 * @param note is told what is wrong with its policies, once; a case can expect that
 * @throws UsageError for files that cannot be used
 */
export async function runPolicyTest(
  test: PolicyTest,
  controllerNamespace: string,
  isWanted: (name: string) => boolean,
  note: (text: string) => void = () => undefined,
): Promise<readonly CaseResult[]> {
  const access = createTrustAccess({ offline: true }, () => undefined);
  try {
    const store = createPolicyStore(createCelEngine(), controllerNamespace, access.trust);
    access.trust.onChange(() => store.recompile());
    const loaded = loadPolicies(readPolicyFiles(listPolicyFiles(test.policies)), {
      controllerNamespace,
      isNamespaceListComplete: false,
    });
    const fault = findUsageFault(loaded);
    if (fault !== undefined) throw new UsageError(fault);
    store.update(loaded.inputs);
    await access.trust.settled();
    for (const problem of describePolicyProblems(store.snapshot())) note(problem);
    const { noMatchPolicy, workloads, shortNames } = test;
    const recorded = createRecordedClient(readRecordings(test.recordings));
    const dependencies: DecisionDependencies = {
      snapshot: () => store.snapshot(),
      openClient: () => recorded,
      openSignatureClient: () => recorded,
      prover: createCommandProver({ 'second-opinion': 'before' }),
      options: { noMatchPolicy, workloads, shortNames },
      now: () => test.now ?? new Date(),
    };
    const results: CaseResult[] = [];
    for (const entry of test.cases)
      if (isWanted(`${test.name}: ${entry.name}`)) results.push(await runCase(test, entry, dependencies));
    return results;
  } finally {
    await access.close();
  }
}

async function runCase(
  test: PolicyTest,
  entry: PolicyCase,
  dependencies: DecisionDependencies,
): Promise<CaseResult> {
  const started = performance.now();
  const decision = await decide(toRequest(entry), dependencies, AbortSignal.timeout(DEFAULT_TIMEOUT_MS));
  return {
    test: test.name,
    name: entry.name,
    differences: compare(entry.expect, decision),
    durationMs: performance.now() - started,
  };
}

function compare(expected: Expectation, decision: Decision): readonly string[] {
  const { allowed, findings } = decision.verdict;
  const warnings = toWarnings(decision);
  const messages = findings.map(({ reason, message }) => `${reason}: ${message}`);
  const audits = decision.verdict.audited.map(({ message }) => message);
  const differences = [
    ...compareVerdict(expected.allowed, allowed),
    ...compareReasons(
      expected.reasons,
      findings.map(({ reason }) => reason),
    ),
    ...findUnsaid('finding', expected.messages, messages),
    ...findUnsaid('warning', expected.warnings, warnings),
    ...findUnsaid('recorded finding', expected.audits, audits),
  ];
  if (differences.length === 0) return [];
  return [
    ...differences,
    ...messages.map((message) => `finding: ${message}`),
    ...warnings.map((warning) => `warning: ${warning}`),
    ...audits.map((audit) => `recorded: ${audit}`),
  ];
}

function compareVerdict(expected: boolean, allowed: boolean): readonly string[] {
  const word = (isAllowed: boolean): string => (isAllowed ? 'admitted' : 'denied');
  return allowed === expected ? [] : [`it is ${word(allowed)}, not ${word(expected)}`];
}

function compareReasons(expected: readonly string[] | undefined, all: readonly string[]): readonly string[] {
  if (expected === undefined) return [];
  const [reasons, wanted] = [all, expected].map((list) => [...new Set(list)].toSorted().join(', '));
  return reasons === wanted ? [] : [`its reasons are [${reasons ?? ''}], not [${wanted ?? ''}]`];
}

function findUnsaid(
  what: string,
  expected: readonly string[] | undefined,
  said: readonly string[],
): readonly string[] {
  return (expected ?? [])
    .filter((text) => !said.some((line) => line.includes(text)))
    .map((text) => `no ${what} says ${JSON.stringify(text)}`);
}

function toRequest(entry: PolicyCase): AdmissionRequest {
  const object = entry.object === undefined ? toPodWith(entry.reference ?? '') : readObject(entry.object);
  const { oldObject, subResource } = entry;
  return {
    uid: 'test',
    operation: entry.operation ?? (oldObject === undefined ? 'CREATE' : 'UPDATE'),
    kind: toKind(object),
    ...(subResource !== undefined && { subResource }),
    name: toText(toRecord(object['metadata'])['name']) ?? '',
    namespace: entry.namespace ?? 'default',
    userInfo: { username: 'model-policy test' },
    object,
    ...(oldObject !== undefined && { oldObject: readObject(oldObject) }),
  };
}

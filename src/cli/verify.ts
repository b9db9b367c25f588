// Would this model be admitted? Judges a reference as an image volume of a pod, by the same path as the server.
import { readFileSync } from 'node:fs';
import type { NoMatchPolicy } from '../admission/judge-uses.ts';
import { decide } from '../admission/decide.ts';
import { DEFAULT_TIMEOUT_MS, toDeadlineMs } from '../admission/handle.ts';
import { toMessage, toWarnings } from '../admission/response.ts';
import type { OptionValues } from '../config.ts';
import { VERIFY_OPTIONS } from '../options.ts';
import type { ShortNames } from '../model/reference.ts';
import { createCelEngine } from '../policy/cel/engine.ts';
import { createPolicyStore } from '../policy/store.ts';
import { listOf, textOf, UsageError, type CommandSpec } from './arguments.ts';
import { toCreation, toPodWith } from './judged-object.ts';
import { toJsonVerdict } from './json-verdict.ts';
import type { Output } from './output.ts';
import { loadPolicyOptions } from './policy-options.ts';
import { describePolicyProblems } from './policy-check.ts';
import { createCommandProver } from './prover-access.ts';
import { createRegistryAccess, toSidedClients } from './registry-access.ts';
import { createTrustAccess } from './trust-access.ts';

/** The command line of verify. */
export const VERIFY: CommandSpec = {
  name: 'verify',
  summary: 'Judges REF as an image volume of a pod. Exit code 0: admitted; 1: denied; 2: usage.',
  positional: 'REF',
  options: VERIFY_OPTIONS,
};

/** Runs verify. @returns the exit code @throws UsageError */
export async function runVerify(
  values: OptionValues,
  positionals: readonly string[],
  output: Output,
): Promise<number> {
  const reference = toOneReference(values, positionals);
  const loaded = loadPolicyOptions(values);
  const controllerNamespace = textOf(values, 'controller-namespace') ?? '';
  const registries = createRegistryAccess(values, {
    observeRegistryRequest() {},
    observeCache() {},
  });
  const access = createTrustAccess(values, ({ trustRoot, error }) => {
    if (error !== undefined) output.note(`Warning: TrustRoot ${trustRoot} was not refreshed: ${error}`);
  });
  const store = createPolicyStore(createCelEngine(), controllerNamespace, access.trust);
  access.trust.onChange(() => store.recompile());
  try {
    store.update(loaded.inputs);
    // Nobody refreshes behind a command: what can be had fresh is waited for, within the deadline of a refresh.
    await access.trust.settled();
    for (const problem of describePolicyProblems(store.snapshot())) output.note(problem);
    const request = toCreation(toPodWith(readReference(reference)), 'verify', textOf(values, 'namespace'));
    const options = {
      noMatchPolicy: textOf(values, 'no-match-policy') as NoMatchPolicy,
      shortNames: textOf(values, 'short-names') as ShortNames,
      workloads: 'Warn' as const,
    };
    const dependencies = {
      snapshot: () => store.snapshot(),
      ...toSidedClients(registries),
      prover: createCommandProver(values),
      options,
      now: () => new Date(),
    };
    const decision = await decide(
      request,
      dependencies,
      AbortSignal.timeout(toDeadlineMs(DEFAULT_TIMEOUT_MS)),
    );
    if (values['json'] === true) output.answer(JSON.stringify(toJsonVerdict(decision)));
    else {
      for (const warning of toWarnings(decision)) output.note(`Warning: ${warning}`);
      const { allowed, findings } = decision.verdict;
      output.answer(allowed ? `admitted: ${reference}` : `denied: ${reference}\n${toMessage(findings)}`);
    }
    return decision.verdict.allowed ? 0 : 1;
  } finally {
    await access.close();
    await registries.transport.close();
  }
}

function toOneReference(values: OptionValues, positionals: readonly string[]): string {
  const [reference, ...others] = positionals;
  if (reference === undefined || others.length > 0) throw new UsageError('verify takes one REF');
  if (reference === '-' && listOf(values, 'policy').includes('-'))
    throw new UsageError('REF and --policy cannot both be standard input');
  return reference;
}

function readReference(reference: string): string {
  return reference === '-' ? readFileSync(0, 'utf8').trim() : reference;
}

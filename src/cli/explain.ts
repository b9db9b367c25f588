// Why is this admitted or denied? Judges an object by the same path as the server and prints what the decision looked
// at: which policies, which authorities, what each found, and what would have to change.
import { existsSync } from 'node:fs';
import { decide, type DecisionDependencies } from '../admission/decide.ts';
import { explainDecision } from '../admission/explanation.ts';
import { DEFAULT_TIMEOUT_MS, toDeadlineMs } from '../admission/handle.ts';
import type { NoMatchPolicy } from '../admission/judge-uses.ts';
import type { AdmissionRequest } from '../admission/review.ts';
import type { OptionValues } from '../config.ts';
import type { ShortNames } from '../model/reference.ts';
import { EXPLAIN_OPTIONS } from '../options.ts';
import { createCelEngine } from '../policy/cel/engine.ts';
import { createPolicyStore } from '../policy/store.ts';
import { createRecordedClient } from '../registry/recorded-client.ts';
import { listOf, textOf, UsageError, type CommandSpec } from './arguments.ts';
import { readObject, toCreation, toPodWith } from './judged-object.ts';
import type { Output } from './output.ts';
import { loadPolicyOptions } from './policy-options.ts';
import { createCommandProver } from './prover-access.ts';
import { readRecordings } from './recordings.ts';
import { createRuleReader } from './read-rule.ts';
import { createRegistryAccess, toSidedClients } from './registry-access.ts';
import { renderExplanation } from './render-explanation.ts';
import { createTrustAccess } from './trust-access.ts';

/** The command line of explain. */
export const EXPLAIN: CommandSpec = {
  name: 'explain',
  summary:
    'Says why POD, a file with an object or a reference, is admitted or denied. Exit code 0: admitted; 1: denied; 2: usage.',
  positional: 'POD',
  options: EXPLAIN_OPTIONS,
};

/** Runs explain. @returns the exit code @throws UsageError */
export async function runExplain(
  values: OptionValues,
  positionals: readonly string[],
  output: Output,
): Promise<number> {
  const request = readRequest(values, positionals);
  const loaded = loadPolicyOptions(values);
  const registries = openRegistries(values);
  const access = createTrustAccess(
    registries.isRecorded ? { ...values, offline: true } : values,
    ({ trustRoot, error }) => {
      if (error !== undefined) output.note(`Warning: TrustRoot ${trustRoot} was not refreshed: ${error}`);
    },
  );
  const engine = createCelEngine();
  const store = createPolicyStore(engine, textOf(values, 'controller-namespace') ?? '', access.trust);
  access.trust.onChange(() => store.recompile());
  try {
    store.update(loaded.inputs);
    await access.trust.settled();
    const dependencies: DecisionDependencies = {
      snapshot: () => store.snapshot(),
      openClient: registries.openClient,
      openSignatureClient: registries.openSignatureClient,
      prover: createCommandProver(values),
      options: {
        noMatchPolicy: textOf(values, 'no-match-policy') as NoMatchPolicy,
        shortNames: textOf(values, 'short-names') as ShortNames,
        // Whoever asks about a Deployment asks about its pods.
        workloads: 'Deny',
        modelCsiDrivers: listOf(values, 'model-csi-driver'),
        modelStorageClasses: listOf(values, 'model-storage-class'),
      },
      now: () => new Date(),
    };
    const signal = AbortSignal.timeout(toDeadlineMs(DEFAULT_TIMEOUT_MS));
    const decision = await decide(request, dependencies, signal);
    const explanation = explainDecision(decision, {
      namespace: request.namespace ?? '',
      specs: new Map(loaded.inputs.policies.map(({ name, spec }) => [name, spec])),
      readRule: createRuleReader(engine),
    });
    if (values['json'] === true) output.answer(JSON.stringify(explanation));
    else for (const line of renderExplanation(explanation)) output.answer(line);
    return explanation.allowed ? 0 : 1;
  } finally {
    await access.close();
    await registries.close();
  }
}

function readRequest(values: OptionValues, positionals: readonly string[]): AdmissionRequest {
  const [target, ...others] = positionals;
  if (target === undefined || others.length > 0) throw new UsageError('explain takes one POD');
  if (target === '-' && listOf(values, 'policy').includes('-'))
    throw new UsageError('POD and --policy cannot both be standard input');
  return toCreation(toObject(target), 'explain', textOf(values, 'namespace'));
}

// What is a file, or is called like one, is read; everything else is a reference.
function toObject(target: string): Record<string, unknown> {
  if (target === '-' || existsSync(target) || /\.(?:ya?ml|json)$/.test(target)) return readObject(target);
  return toPodWith(target);
}

interface Registries {
  readonly isRecorded: boolean;
  readonly openClient: DecisionDependencies['openClient'];
  readonly openSignatureClient: DecisionDependencies['openSignatureClient'];
  close(): Promise<void>;
}

function openRegistries(values: OptionValues): Registries {
  const recordings = listOf(values, 'recordings');
  if (recordings.length > 0) {
    const client = createRecordedClient(readRecordings(recordings));
    return {
      isRecorded: true,
      openClient: () => client,
      openSignatureClient: () => client,
      close: () => Promise.resolve(),
    };
  }
  const access = createRegistryAccess(values, {
    observeRegistryRequest() {},
    observeCache() {},
  });
  return {
    isRecorded: false,
    ...toSidedClients(access),
    close: () => access.transport.close(),
  };
}

// Is this request admitted? The single path of a decision, one call per step: scope, world, select, gather, prove,
// judge, fold. It throws only for faults of this program; handle.ts turns those into a denial of the one request.
import type { Finding } from '../reason.ts';
import { DeadlineError, waitWithin } from '../lib/deadline.ts';
import type { FairTurns } from '../lib/fair-turns.ts';
import { createStopwatch, type Stopwatch } from '../lib/stopwatch.ts';
import { quote } from '../lib/text.ts';
import type { Extraction } from '../model/model-reference.ts';
import { toSharedIdentity } from '../model/pull-identity.ts';
import type { CompiledException } from '../policy/compile-exception.ts';
import type { CompiledPolicy } from '../policy/compiled.ts';
import type { KnownNamespace, PolicySnapshot } from '../policy/store.ts';
import { OverloadedError } from '../proving/executor.ts';
import type { Prover } from '../proving/prover.ts';
import type { Decision } from '../verdict/decision.ts';
import { applyExceptions } from '../verdict/exceptions.ts';
import { createFinding } from '../verdict/finding-message.ts';
import { fold } from '../verdict/fold.ts';
import { isUnchanged } from './exempt.ts';
import {
  gatherForPolicies,
  type OpenRegistryClient,
  type OpenSignatureClient,
} from './gather-for-policies.ts';
import { judgeMissing, judgeUnnamed } from './judge-unnamed.ts';
import { findOverwork, judgeNoMatch, prepareUse, toWantedProofs, type NoMatchPolicy } from './judge-uses.ts';
import { toNotices, toPolicyNames, toUndecided } from './outcome.ts';
import { proveAll } from './proofs.ts';
import type { AdmissionRequest } from './review.ts';
import { judgeRules, toRuleContexts } from './rules.ts';
import { findScope, type Scope, type ScopeOptions } from './scope.ts';
import { findCrowd, findSurplus, selectUses, toModelUses } from './uses.ts';

/** How the operator configured decisions. */
export interface DecisionOptions extends ScopeOptions {
  readonly noMatchPolicy: NoMatchPolicy;
}

/** Everything a decision is made with. */
export interface DecisionDependencies {
  readonly snapshot: () => PolicySnapshot | undefined;
  /** The client for one request: with what the pod itself pulls with, where that is read. */
  readonly openClient: OpenRegistryClient;
  /** The client for what one request reads of a repository that an authority names for its signatures. */
  readonly openSignatureClient: OpenSignatureClient;
  readonly prover: Prover;
  readonly options: DecisionOptions;
  readonly now: () => Date;
  /** Where namespaces take turns with their rules; absent: whoever asks is alone. */
  readonly turns?: FairTurns;
  /** Reads a namespace that the watch does not know yet; undefined when it does not exist. */
  readonly readNamespace?: (name: string, signal: AbortSignal) => Promise<KnownNamespace | undefined>;
}

/** Decides one request within the signal's time. */
export async function decide(
  request: AdmissionRequest,
  dependencies: DecisionDependencies,
  signal: AbortSignal,
): Promise<Decision> {
  const watch = createStopwatch();
  try {
    return await decideInSteps(request, dependencies, { signal, watch });
  } catch (error) {
    const enforce = isEnforced(request.kind.kind === 'Pod', dependencies);
    return toUndecided(watch, [toBusyFinding(error)], { enforce });
  }
}

// The two ways in which there is too much to do; anything else is a fault.
function toBusyFinding(error: unknown): Finding {
  if (error instanceof DeadlineError)
    return createFinding('DeadlineExceeded', 'the time for this request is up');
  if (error instanceof OverloadedError) return createFinding('Overloaded', error.message);
  throw error;
}

async function decideInSteps(
  request: AdmissionRequest,
  dependencies: DecisionDependencies,
  { signal, watch }: { signal: AbortSignal; watch: Stopwatch },
): Promise<Decision> {
  const scope = findScope(request, dependencies.options);
  if (scope.kind === 'exempt') return toUndecided(watch, [], { exemption: scope.exemption });
  if (scope.kind === 'refused') return toUndecided(watch, [scope.finding]);
  watch.mark('extract');
  const enforce = isEnforced(scope.isPod, dependencies);
  const refuse = (finding: Finding): Decision => toUndecided(watch, [finding], { enforce });
  const world = await findWorld(request, dependencies, signal);
  if ('finding' in world) return refuse(world.finding);
  const found = findUses(scope, world.policies);
  if ('finding' in found) return refuse(found.finding);
  if ('exemption' in found) return toUndecided(watch, [], found);
  const { uses: after } = found;
  const selected = selectUses(after, world.policies);
  watch.mark('select');
  const identity = toSharedIdentity(scope.templates, request.namespace ?? '');
  const gathered = await gatherForPolicies(selected, dependencies, identity, signal);
  watch.mark('gather');
  const overwork = findOverwork(selected, gathered);
  if (overwork !== undefined) return refuse(overwork);
  const now = dependencies.now();
  const wantedProofs = selected.flatMap((use) => toWantedProofs(use, gathered));
  const asker = { namespace: request.namespace ?? '', signal };
  const proofs = await proveAll(dependencies.prover, wantedProofs, now, asker);
  const prepared = selected.map((use) => prepareUse(use, gathered, proofs));
  watch.mark('prove');
  const judged = await takeTurn(
    () => judgeRules(prepared, toRuleContexts(request, scope.templates, world.namespace, now)),
    request,
    dependencies,
    signal,
  );
  if ('finding' in judged) return refuse(judged.finding);
  const { exceptions } = world;
  const excepted = judged.judged.map((use) =>
    applyExceptions(use, { exceptions, namespace: request.namespace ?? '', now }),
  );
  const acted = [
    ...excepted.flatMap(({ acted: found }) => found),
    ...selected.flatMap((use) =>
      judgeNoMatch(use, request.namespace ?? '', dependencies.options.noMatchPolicy),
    ),
    ...judgeMissing(scope.extraction, world.policies),
    ...judgeUnnamed(after.findings, world.policies, dependencies.options.noMatchPolicy),
  ];
  watch.mark('judge');
  return {
    verdict: fold(acted, enforce),
    acted,
    uses: judged.judged,
    policies: toPolicyNames(selected),
    exceptions: excepted.flatMap(({ used }) => used),
    notices: judged.judged.flatMap(toNotices),
    exemption: undefined,
    world: {
      namespaceLabels: world.namespace.labels,
      policies: world.everyPolicy,
      asked: new Set(world.policies.map(({ name }) => name)),
      exceptions,
      unnamed: after.findings,
      now,
    },
    durationsMs: watch.durations(),
  };
}

// What the policies take for models, if it is not too much to look at and not what it was before.
function findUses(
  { extraction, before }: Extract<Scope, { kind: 'judged' }>,
  policies: readonly CompiledPolicy[],
): { readonly uses: Extraction } | { readonly finding: Finding } | { readonly exemption: 'unchanged' } {
  const crowd = findCrowd(extraction, policies);
  if (crowd !== undefined) return { finding: crowd };
  const uses = toModelUses(extraction, policies);
  // Only now is it known which images are models: a debug container beside an unchanged model changes none.
  if (before !== undefined && isUnchanged(toModelUses(before, policies), uses))
    return { exemption: 'unchanged' };
  const surplus = findSurplus(uses);
  return surplus === undefined ? { uses } : { finding: surplus };
}

// Rules are the one part of a decision that a namespace can make long at will, within their budget.
function takeTurn<T>(
  work: () => T,
  { namespace = '' }: AdmissionRequest,
  { turns }: DecisionDependencies,
  signal: AbortSignal,
): T | Promise<T> {
  if (turns === undefined) return work();
  const isInTime = (): T => {
    if (signal.aborted) throw new DeadlineError('deadline exceeded');
    return work();
  };
  return waitWithin(turns.take(namespace, isInTime), signal);
}

// What only warns about pods to come warns about faults too: the pods themselves are denied.
function isEnforced(isPod: boolean, { options }: DecisionDependencies): boolean {
  return isPod || options.workloads === 'Deny';
}

interface World {
  readonly namespace: KnownNamespace;
  readonly everyPolicy: readonly CompiledPolicy[];
  /** Those of the namespace. */
  readonly policies: readonly CompiledPolicy[];
  readonly exceptions: readonly CompiledException[];
}

async function findWorld(
  { namespace: name = '', operation }: AdmissionRequest,
  { snapshot, readNamespace }: DecisionDependencies,
  signal: AbortSignal,
): Promise<World | { finding: Finding }> {
  const world = snapshot();
  if (world === undefined)
    return { finding: createFinding('PoliciesNotSynced', 'the policies have not been read yet') };
  const reading = world.findNamespace(name) ?? readNamespace?.(name, signal);
  const namespace = reading instanceof Promise ? await waitWithin(reading, signal) : reading;
  if (namespace === undefined)
    return { finding: createFinding('PoliciesNotSynced', `namespace ${quote(name, 63)} is not known`) };
  const { policies: everyPolicy, exceptions } = world;
  const policies = world.select(namespace, { namespace: name, operation });
  return { namespace, everyPolicy, policies, exceptions };
}

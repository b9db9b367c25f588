// Is this request admitted? The single path of a decision, one call per step: scope, world, select, gather, prove,
// judge, fold. It throws only for faults of this program; handle.ts turns those into a denial of the one request.
import type { Finding } from '../reason.ts';
import { DeadlineError, waitWithin } from '../lib/deadline.ts';
import { createStopwatch, type Stopwatch } from '../lib/stopwatch.ts';
import { quote } from '../lib/text.ts';
import type { Extraction, ModelReference } from '../model/model-reference.ts';
import { toCanonicalName } from '../model/reference.ts';
import { toCelValue } from '../policy/cel/bindings.ts';
import { DeadlineExceeded, withDeadline } from '../policy/cel/deadline.ts';
import { createCelMeter } from '../policy/cel/meter.ts';
import { isEnforcing, type CompiledPolicy } from '../policy/compiled.ts';
import { isClaimed, selectByNamespace, selectByReference } from '../policy/select.ts';
import type { KnownNamespace, PolicySnapshot } from '../policy/store.ts';
import type { RegistryClient } from '../registry/client.ts';
import { createFinding } from '../verdict/finding-message.ts';
import { DENY_ONLY, fold, type ActedFinding } from '../verdict/fold.ts';
import type { RuleContext } from '../verdict/judge.ts';
import type { Decision, Exemption, JudgedUse } from '../verdict/decision.ts';
import { isUnchanged } from './exempt.ts';
import { gatherAll } from './gathered.ts';
import {
  judgeNoMatch,
  judgeUse,
  needsEvidence,
  prepareUse,
  toActions,
  toWantedProofs,
  type NoMatchPolicy,
  type PreparedUse,
  type SelectedUse,
} from './judge-uses.ts';
import { proveAll } from './proofs.ts';
import type { AdmissionRequest } from './review.ts';
import { findScope, type Scope, type ScopeOptions } from './scope.ts';

/** Most distinct references of one pod (docs: limits). */
export const MAX_REFERENCES = 64;
/** Most places of one pod that name a model, readable or not: each is judged and recorded by every policy. */
export const MAX_USES = 1024;
/** Wall-clock backstop for all rules of one request, in milliseconds; the deterministic budget comes first. */
export const RULES_DEADLINE_MS = 250;

/** How the operator configured decisions. */
export interface DecisionOptions extends ScopeOptions {
  readonly noMatchPolicy: NoMatchPolicy;
}

/** Everything a decision is made with. */
export interface DecisionDependencies {
  readonly snapshot: () => PolicySnapshot | undefined;
  readonly client: RegistryClient;
  readonly options: DecisionOptions;
  readonly now: () => Date;
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
    if (!(error instanceof DeadlineError)) throw error;
    return toUndecided(watch, [createFinding('DeadlineExceeded', 'the time for this request is up')]);
  }
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
  // What only warns about a pod to come warns about this too: the pod itself is denied.
  const enforce = scope.template.isPod || dependencies.options.workloads === 'Deny';
  const refuse = (finding: Finding): Decision => toUndecided(watch, [finding], { enforce });
  const world = await findWorld(request.namespace ?? '', dependencies, signal);
  if ('finding' in world) return refuse(world.finding);
  const after = withClaimedImages(scope.extraction, world.policies);
  // Only now is it known which images are models: a debug container beside an unchanged model changes none.
  if (scope.before !== undefined && isUnchanged(withClaimedImages(scope.before, world.policies), after))
    return toUndecided(watch, [], { exemption: 'unchanged' });
  const surplus = findSurplus(after);
  if (surplus !== undefined) return refuse(surplus);
  const selected = selectUses(after, world.policies);
  watch.mark('select');
  const wanted = selected.filter((use) => use.policies.some((policy) => needsEvidence(use, policy)));
  const gathered = await gatherAll(
    dependencies.client,
    wanted.map(({ use }) => use),
    signal,
  );
  watch.mark('gather');
  const now = dependencies.now();
  const wantedProofs = selected.flatMap((use) => toWantedProofs(use, gathered.get(use.use)));
  const proofs = await proveAll(wantedProofs, now, signal);
  const prepared = selected.map((use) => prepareUse(use, gathered.get(use.use), proofs));
  watch.mark('prove');
  const uses = judgeRules(prepared, toRuleContext(request, scope, world.namespace, now));
  if ('finding' in uses) return refuse(uses.finding);
  const acted = [
    ...uses.judged.flatMap(toActed),
    ...selected.flatMap((use) =>
      judgeNoMatch(use, request.namespace ?? '', dependencies.options.noMatchPolicy),
    ),
    ...judgeUnnamed(scope.extraction.findings, world.policies, dependencies.options.noMatchPolicy),
  ];
  watch.mark('judge');
  return {
    verdict: fold(acted, enforce),
    acted,
    uses: uses.judged,
    policies: toPolicyNames(selected),
    notices: uses.judged.flatMap(toNotices),
    exemption: undefined,
    durationsMs: watch.durations(),
  };
}

/**
 * A decision that no policy took part in: exempt, or denied by the controller itself.
 * @param options `enforce`: false for workload kinds whose pods are judged again, default true
 */
export function toUndecided(
  watch: Stopwatch,
  findings: readonly Finding[],
  { exemption, enforce = true }: { readonly exemption?: Exemption; readonly enforce?: boolean } = {},
): Decision {
  const acted = findings.map((finding) => ({ finding, actions: DENY_ONLY }));
  return {
    verdict: fold(acted, enforce),
    acted,
    uses: [],
    policies: [],
    notices: [],
    exemption,
    durationsMs: watch.durations(),
  };
}

type World = { readonly namespace: KnownNamespace; readonly policies: readonly CompiledPolicy[] };

async function findWorld(
  name: string,
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
  return { namespace, policies: selectByNamespace(world.policies, namespace) };
}

function withClaimedImages(extraction: Extraction, policies: readonly CompiledPolicy[]): Extraction {
  return { ...extraction, images: extraction.images.filter((image) => isClaimed(policies, image)) };
}

function selectUses(
  { references, images }: Extraction,
  policies: readonly CompiledPolicy[],
): readonly SelectedUse[] {
  return [...references, ...images].map((use) => ({ use, policies: selectByReference(policies, use) }));
}

function findSurplus({ references, images, findings }: Extraction): Finding | undefined {
  const uses = [...references, ...images];
  if (uses.length + findings.length > MAX_USES)
    return createFinding('TooManyReferences', `the pod names models in more than ${MAX_USES} places`);
  const toKey = ({ reference }: ModelReference): string =>
    `${toCanonicalName(reference)} ${reference.digest ?? reference.tag ?? ''}`;
  return new Set(uses.map(toKey)).size > MAX_REFERENCES
    ? createFinding('TooManyReferences', `the pod uses more than ${MAX_REFERENCES} distinct models`)
    : undefined;
}

function toRuleContext(
  request: AdmissionRequest,
  { template }: Extract<Scope, { kind: 'judged' }>,
  namespace: KnownNamespace,
  now: Date,
): RuleContext {
  const { object, oldObject, ...rest } = request;
  return {
    pod: toCelValue({ metadata: template.metadata, spec: template.spec }),
    object: toCelValue(object),
    oldObject: toCelValue(oldObject ?? null),
    request: toCelValue(rest),
    namespaceObject: toCelValue(namespace.object),
    now,
    meter: createCelMeter(),
  };
}

function judgeRules(
  prepared: readonly PreparedUse[],
  context: RuleContext,
): { judged: readonly JudgedUse[] } | { finding: Finding } {
  const run = (): readonly JudgedUse[] => prepared.map((use) => judgeUse(use, context));
  const hasRules = prepared.some(({ judgements }) =>
    judgements.some(({ policy }) => policy.validations.length > 0),
  );
  // Setting up the wall clock costs more than most rules: only where there are any.
  if (!hasRules) return { judged: run() };
  try {
    return { judged: withDeadline(RULES_DEADLINE_MS, run) };
  } catch (error) {
    if (!(error instanceof DeadlineExceeded)) throw error;
    return { finding: createFinding('RuleFailed', `the rules took longer than ${RULES_DEADLINE_MS} ms`) };
  }
}

function toActed({ results }: JudgedUse): readonly ActedFinding[] {
  return results.flatMap(({ findings, policy }) =>
    findings.map((finding) => ({ finding, actions: policy.actions })),
  );
}

// A use without a canonical reference is judged by every policy of the namespace: no glob can have meant it.
function judgeUnnamed(
  findings: readonly Finding[],
  policies: readonly CompiledPolicy[],
  noMatchPolicy: NoMatchPolicy,
): readonly ActedFinding[] {
  return findings.flatMap((found) => {
    const toFinding = (policy?: string): Finding => ({
      ...createFinding(found.reason, found.message, policy === undefined ? {} : { policy }),
      ...(found.field === undefined ? {} : { field: found.field }),
    });
    const byPolicy = policies.map(({ name, actions }) => ({ finding: toFinding(name), actions }));
    if (policies.some(isEnforcing)) return byPolicy;
    return [...byPolicy, { finding: toFinding(), actions: toActions(noMatchPolicy) }];
  });
}

function toPolicyNames(selected: readonly SelectedUse[]): readonly string[] {
  return [...new Set(selected.flatMap(({ policies }) => policies.map(({ name }) => name)))].toSorted();
}

function toNotices({ use, digest, results }: JudgedUse): readonly string[] {
  const isVerified = results.some(({ findings }) => findings.length === 0);
  if (use.reference.digest !== undefined || digest === undefined || !isVerified) return [];
  return [
    `${use.reference.original} (${use.fieldPath}) was verified as ${digest}; its tag can move before it is pulled`,
  ];
}

// What do the rules say? Gives CEL its variables once per request and stops what takes too long.
import type { Finding } from '../reason.ts';
import type { ModelReference } from '../model/model-reference.ts';
import type { PodTemplate } from '../model/pod-template.ts';
import { toCelValue } from '../policy/cel/bindings.ts';
import { runBounded } from '../policy/cel/bounded.ts';
import { DeadlineExceeded } from '../policy/cel/deadline.ts';
import { MAX_REQUEST_COST } from '../policy/cel/limits.ts';
import { createCelMeter, type CelMeter } from '../policy/cel/meter.ts';
import type { KnownNamespace } from '../policy/store.ts';
import type { JudgedUse } from '../verdict/decision.ts';
import { createFinding } from '../verdict/finding-message.ts';
import { toDelegation, type Delegation } from '../verdict/delegation.ts';
import type { PolicyResult, RuleContext } from '../verdict/judge.ts';
import { toSide, type Side } from './gather-for-policies.ts';
import { judgeEach, toJudgedUse, toRefused, type PreparedUse } from './judge-uses.ts';
import type { AdmissionRequest } from './review.ts';

/** Processor time for all rules of one request, in milliseconds: a last resort, the deterministic budget comes first. */
export const RULES_DEADLINE_MS = 250;

/** The same for the rules of a namespace's own policies. */
export const TENANT_RULES_DEADLINE_MS = 100;
/** Cost units for the rules of a namespace's own policies, in one request; those of the cluster's have their own. */
export const MAX_TENANT_COST = 250_000;

/** What rules see beside the model, for each use: its pod is the one that names it. */
export type RuleContexts = (use: ModelReference, meter: CelMeter) => RuleContext;

const NO_POD = { metadata: {}, spec: {} };

/** Builds what rules see; every object is converted once. */
export function toRuleContexts(
  request: AdmissionRequest,
  templates: readonly PodTemplate[],
  namespace: KnownNamespace,
  now: Date,
): RuleContexts {
  const { object, oldObject, ...rest } = request;
  const pods = templates.map(({ specPath, metadata, spec }) => ({
    prefix: `${specPath}.`,
    pod: toCelValue({ metadata, spec }),
  }));
  const [first = { pod: toCelValue(NO_POD) }] = pods;
  const shared = {
    object: toCelValue(object),
    oldObject: toCelValue(oldObject ?? null),
    request: toCelValue(rest),
    namespaceObject: toCelValue(namespace.object),
    now,
  };
  return ({ fieldPath }, meter) => {
    // The innermost: a worker's pod stands inside of its predictor's.
    const { pod } = pods.findLast(({ prefix }) => fieldPath.startsWith(prefix)) ?? first;
    return { ...shared, pod, meter };
  };
}

/**
 * Evaluates every rule of a request within its time: first those of the namespace's own policies, since the cluster's may
 * delegate to them. Where those take too long, they deny, and what the cluster's say stands.
 */
export function judgeRules(
  prepared: readonly PreparedUse[],
  toContext: RuleContexts,
): { judged: readonly JudgedUse[] } | { finding: Finding } {
  const own = judgeSide(prepared, 'Namespace', toContext) ?? refuseSide(prepared);
  const delegations = new Map([...own].map(([use, results]) => [use, toDelegation(results)]));
  const cluster = judgeSide(prepared, 'Cluster', toContext, delegations);
  if (cluster === undefined)
    return {
      finding: createFinding(
        'RuleFailed',
        `the rules took more than ${RULES_DEADLINE_MS} ms of processor time`,
      ),
    };
  return {
    judged: prepared.map((use) =>
      toJudgedUse(use, [...(cluster.get(use.use) ?? []), ...(own.get(use.use) ?? [])]),
    ),
  };
}

type Results = ReadonlyMap<ModelReference, readonly PolicyResult[]>;

function ofSide(use: PreparedUse, side: Side): PreparedUse {
  return { ...use, judgements: use.judgements.filter(({ policy }) => toSide(policy) === side) };
}

// Undefined when the time is up.
function judgeSide(
  prepared: readonly PreparedUse[],
  side: Side,
  toContext: RuleContexts,
  delegations: ReadonlyMap<ModelReference, Delegation> = new Map(),
): Results | undefined {
  const mine = prepared.map((use) => ofSide(use, side));
  // Each side pays for itself.
  const run = (): Results => {
    const meter = createCelMeter(side === 'Cluster' ? MAX_REQUEST_COST : MAX_TENANT_COST);
    return new Map(
      mine.map((one) => [one.use, judgeEach(one, toContext(one.use, meter), delegations.get(one.use))]),
    );
  };
  try {
    return runBounded(side === 'Cluster' ? RULES_DEADLINE_MS : TENANT_RULES_DEADLINE_MS, run);
  } catch (error) {
    if (!(error instanceof DeadlineExceeded)) throw error;
    return undefined;
  }
}

function refuseSide(prepared: readonly PreparedUse[]): Results {
  const problem = `the rules of the namespace's policies took more than ${TENANT_RULES_DEADLINE_MS} ms of processor time`;
  return new Map(
    prepared.map(({ use, judgements }) => [
      use,
      judgements
        .filter(({ policy }) => toSide(policy) === 'Namespace')
        .map(({ policy }) =>
          toRefused(policy, use, createFinding('RuleFailed', problem, { use, policy: policy.name })),
        ),
    ]),
  );
}

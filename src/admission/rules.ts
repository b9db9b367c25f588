// What do the rules say? Gives CEL its variables once per request and stops what takes too long.
import type { Finding } from '../reason.ts';
import type { ModelReference } from '../model/model-reference.ts';
import type { PodTemplate } from '../model/pod-template.ts';
import { toCelValue } from '../policy/cel/bindings.ts';
import { DeadlineExceeded, withDeadline } from '../policy/cel/deadline.ts';
import { createCelMeter } from '../policy/cel/meter.ts';
import type { KnownNamespace } from '../policy/store.ts';
import type { JudgedUse } from '../verdict/decision.ts';
import { createFinding } from '../verdict/finding-message.ts';
import type { RuleContext } from '../verdict/judge.ts';
import { judgeUse, type PreparedUse } from './judge-uses.ts';
import type { AdmissionRequest } from './review.ts';

/** Processor time for all rules of one request, in milliseconds: a last resort, the deterministic budget comes first. */
export const RULES_DEADLINE_MS = 250;

/** What rules see beside the model, for each use: its pod is the one that names it. */
export type RuleContexts = (use: ModelReference) => RuleContext;

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
    meter: createCelMeter(),
  };
  return ({ fieldPath }) => {
    // The innermost: a worker's pod stands inside of its predictor's.
    const { pod } = pods.findLast(({ prefix }) => fieldPath.startsWith(prefix)) ?? first;
    return { ...shared, pod };
  };
}

/** Evaluates every rule of a request within its time. */
export function judgeRules(
  prepared: readonly PreparedUse[],
  toContext: RuleContexts,
): { judged: readonly JudgedUse[] } | { finding: Finding } {
  const run = (): readonly JudgedUse[] => prepared.map((use) => judgeUse(use, toContext(use.use)));
  const hasRules = prepared.some(({ judgements }) =>
    judgements.some(({ policy }) => policy.validations.length > 0 || policy.attestations.length > 0),
  );
  // Setting up the clocks costs more than most rules: only where there are any.
  if (!hasRules) return { judged: run() };
  try {
    return { judged: withDeadline(RULES_DEADLINE_MS, run) };
  } catch (error) {
    if (!(error instanceof DeadlineExceeded)) throw error;
    return {
      finding: createFinding(
        'RuleFailed',
        `the rules took more than ${RULES_DEADLINE_MS} ms of processor time`,
      ),
    };
  }
}

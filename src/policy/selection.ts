// Which policies is a request of this namespace judged by? Namespace selectors and match conditions, worked out once for
// each namespace and operation of a world: they see nothing that differs between two such requests.
import { createMatchBindings, type CelBindings } from './cel/bindings.ts';
import { runBounded } from './cel/bounded.ts';
import { DeadlineExceeded } from './cel/deadline.ts';
import { createCelMeter, type CelMeter } from './cel/meter.ts';
import { MAX_REQUEST_COST } from './cel/limits.ts';
import type { CompiledPolicy } from './compiled.ts';
import { selectByNamespace } from './select.ts';
import type { KnownNamespace } from './store.ts';

/** The policies that are about requests of a namespace, in their order. */
export type SelectPolicies = (
  namespace: KnownNamespace,
  request: { readonly namespace: string; readonly operation: string },
) => readonly CompiledPolicy[];

/** Processor time for the conditions of one selection, in milliseconds, as a backstop; the deterministic budget comes first. */
export const CONDITIONS_DEADLINE_MS = 250;

interface ConditionLimits {
  readonly deadlineMs: number;
  /** In cost units. */
  readonly cost: number;
}

const CLUSTER_LIMITS: ConditionLimits = { deadlineMs: CONDITIONS_DEADLINE_MS, cost: MAX_REQUEST_COST };
/** The same for a namespace's own policies: whoever changes the labels of a namespace has them worked out again. */
export const TENANT_CONDITION_LIMITS: ConditionLimits = { deadlineMs: 100, cost: 250_000 };

/** Operations that are judged: any other is worked out each time, so that nobody's words fill the memory. */
const REMEMBERED: ReadonlySet<string> = new Set(['CREATE', 'UPDATE']);
const TOO_LONG = 'the conditions took too long';

/** Prepares the selection of one world. */
export function createSelection(policies: readonly CompiledPolicy[]): SelectPolicies {
  const ofNamespaces = Map.groupBy(policies, ({ namespace = '' }) => namespace);
  const clusterPolicies = ofNamespaces.get('') ?? [];
  const remembered = new WeakMap<KnownNamespace, Map<string, readonly CompiledPolicy[]>>();
  const positions = new Map(policies.map((policy, index) => [policy, index]));
  const sets = new Map<string, readonly CompiledPolicy[]>();
  // Most namespaces of a cluster have the same policies: one list, and one index of it, serves them all.
  function share(list: readonly CompiledPolicy[]): readonly CompiledPolicy[] {
    const indices = list.map((policy) => positions.get(policy) ?? -1);
    if (indices.includes(-1)) return list;
    const key = indices.join();
    const known = sets.get(key) ?? list;
    sets.set(key, known);
    return known;
  }
  const select: SelectPolicies = (namespace, request) => {
    const { namespace: name } = request;
    const input = { namespaceObject: namespace.object, ...request };
    // Apart, so that a namespace's own conditions cost nothing that the cluster's need.
    const apply = (group: readonly CompiledPolicy[], limits: ConditionLimits): readonly CompiledPolicy[] =>
      applyConditions(selectByNamespace(group, namespace), createMatchBindings(input), limits);
    const own = name === '' ? [] : (ofNamespaces.get(name) ?? []);
    return [...apply(clusterPolicies, CLUSTER_LIMITS), ...apply(own, TENANT_CONDITION_LIMITS)];
  };
  return (namespace, request) => {
    const { operation } = request;
    const known = remembered.get(namespace) ?? new Map<string, readonly CompiledPolicy[]>();
    remembered.set(namespace, known);
    const policiesOf = known.get(operation) ?? share(select(namespace, request));
    if (REMEMBERED.has(operation)) known.set(operation, policiesOf);
    return policiesOf;
  };
}

function applyConditions(
  policies: readonly CompiledPolicy[],
  bindings: CelBindings,
  { deadlineMs, cost }: ConditionLimits,
): readonly CompiledPolicy[] {
  if (!policies.some(({ matchConditions }) => matchConditions.length > 0)) return policies;
  try {
    return runBounded(deadlineMs, () => {
      const meter = createCelMeter(cost);
      return policies.flatMap((policy) => applyToPolicy(policy, bindings, meter));
    });
  } catch (error) {
    if (!(error instanceof DeadlineExceeded)) throw error;
    return policies.map((policy) =>
      policy.matchConditions.length === 0 ? policy : toFailed(policy, TOO_LONG),
    );
  }
}

// As in ValidatingAdmissionPolicy: one that is false wins over one that fails, which alone denies.
function applyToPolicy(
  policy: CompiledPolicy,
  bindings: CelBindings,
  meter: CelMeter,
): readonly CompiledPolicy[] {
  let failure: string | undefined;
  for (const [index, { name, program }] of policy.matchConditions.entries()) {
    const result = program.evaluate(bindings, meter);
    if (result.ok && result.value !== true) return [];
    if (!result.ok) failure ??= `spec.matchConditions[${index}] (${name}): ${result.message}`;
  }
  return [failure === undefined ? policy : toFailed(policy, failure)];
}

function toFailed(policy: CompiledPolicy, message: string): CompiledPolicy {
  const problem = { reason: 'RuleFailed', message, policy: policy.name } as const;
  return { ...policy, problems: [...policy.problems, problem], hasFailedConditions: true };
}

// What is said about a policy object before it is saved? Joins the store's check with the answer of /validate-policy.
import type { CheckPolicy } from '../admission/validate-policy.ts';
import type { PolicySnapshot, PolicyStore } from '../policy/store.ts';

/** Checks objects in the world of a store. What an object names may be saved after it: that is a warning. */
export function createPolicyCheck(store: PolicyStore, now: () => Date = () => new Date()): CheckPolicy {
  return (kind, name, object) => {
    const { faults, missing, advice } = store.check(kind, name, object, now());
    return {
      faults,
      warnings: [
        ...missing.map(
          ({ field, message }) => `${field}: ${message}; until it is there, nothing that this selects passes`,
        ),
        ...advice.map(({ field, message }) => `${field}: ${message}`),
      ],
    };
  };
}

/**
 * What command lines say beforehand about policies that cannot be evaluated: the words of /validate-policy, on as many lines,
 * after the policy's name.
 */
export function describePolicyProblems(snapshot: PolicySnapshot | undefined): readonly string[] {
  const policies = (snapshot?.policies ?? []).flatMap(({ name, problems }) =>
    problems.map(({ message }) => `policy ${name}: ${message}`),
  );
  const exceptions = (snapshot?.brokenExceptions ?? []).map(
    ({ name, problem }) => `exception ${name}: ${problem}`,
  );
  return [...policies, ...exceptions];
}

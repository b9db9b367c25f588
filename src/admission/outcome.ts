// What comes out of a request? Turns judged uses into the parts of a decision; pure.
import type { Finding } from '../reason.ts';
import type { Stopwatch } from '../lib/stopwatch.ts';
import type { Decision, Exemption, JudgedUse } from '../verdict/decision.ts';
import { DENY_ONLY, fold } from '../verdict/fold.ts';
import type { SelectedUse } from './judge-uses.ts';

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
    exceptions: [],
    notices: [],
    exemption,
    durationsMs: watch.durations(),
  };
}

/** The policies that selected anything, sorted. */
export function toPolicyNames(selected: readonly SelectedUse[]): readonly string[] {
  return [...new Set(selected.flatMap(({ policies }) => policies.map(({ name }) => name)))].toSorted();
}

/** What the user should know about a use that passed. */
export function toNotices({ use, digest, results }: JudgedUse): readonly string[] {
  const isVerified = results.some(({ findings }) => findings.length === 0);
  if (use.reference.digest !== undefined || digest === undefined || !isVerified) return [];
  return [
    `${use.reference.original} (${use.fieldPath}) was verified as ${digest}; its tag can move before it is pulled`,
  ];
}

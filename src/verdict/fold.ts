// What happens to the request? Folds every finding with the actions of its policy into one verdict; the only place
// where Deny, Warn and Audit make a difference.
import { REASONS, type Finding } from '../reason.ts';
import { MAX_FINDINGS, MAX_FINDINGS_PER_REFERENCE } from './limits.ts';
import type { ValidationAction } from '../policy/types.ts';

/** The actions of what the controller itself denies, without a policy. */
export const DENY_ONLY: ReadonlySet<ValidationAction> = new Set(['Deny']);

/** A finding and what it does. */
export interface ActedFinding {
  readonly finding: Finding;
  readonly actions: ReadonlySet<ValidationAction>;
}

/** The verdict on a request. */
export interface Verdict {
  readonly allowed: boolean;
  /** Findings that deny, sorted and bounded. */
  readonly findings: readonly Finding[];
  /** Findings that only warn, sorted and bounded. */
  readonly warned: readonly Finding[];
  /** Findings that are only recorded. */
  readonly audited: readonly Finding[];
}

/**
 * Folds findings into a verdict.
 * @param enforce false for workload kinds whose pods are judged again: what would deny warns instead
 */
export function fold(acted: readonly ActedFinding[], enforce: boolean): Verdict {
  const withAction = (wanted: ValidationAction): readonly Finding[] =>
    acted.filter(({ actions }) => actions.has(wanted)).map(({ finding }) => finding);
  const denying = withAction('Deny');
  const warning = withAction('Warn');
  return {
    allowed: !enforce || denying.length === 0,
    findings: enforce ? bound(denying) : [],
    warned: bound(enforce ? warning : [...denying, ...warning]),
    audited: bound(
      acted
        .filter(({ actions }) => !actions.has('Deny') && !actions.has('Warn'))
        .map(({ finding }) => finding),
    ),
  };
}

// Sorted so that the same request always reads the same; what to do about the model comes before what to wait for.
function bound(findings: readonly Finding[]): readonly Finding[] {
  const unique = new Map(findings.map((finding) => [finding.message, finding]));
  const perField = Map.groupBy(unique.values(), ({ field = '' }) => field);
  const fields = [...perField].toSorted(([a], [b]) => compareTexts(a, b)).slice(0, MAX_FINDINGS);
  return fields
    .flatMap(([, ofField]) =>
      ofField
        .map((finding) => ({ finding, key: toSortKey(finding) }))
        .toSorted((a, b) => compareTexts(a.key, b.key))
        .slice(0, MAX_FINDINGS_PER_REFERENCE)
        .map(({ finding }) => finding),
    )
    .slice(0, MAX_FINDINGS);
}

function toSortKey({ reason, policy = '', message }: Finding): string {
  return [REASONS[reason].transient ? '1' : '0', policy, message].join('\n');
}

// They are never the same: fields are groups, and every message is there once.
function compareTexts(left: string, right: string): number {
  return left < right ? -1 : 1;
}

/** The status code of a denial: the weightiest finding decides. */
export function toStatusCode(findings: readonly Finding[]): 400 | 403 | 500 | 503 {
  const codes = new Set(findings.map(({ reason }) => REASONS[reason].code));
  if (codes.has(500)) return 500;
  if (codes.has(403)) return 403;
  return codes.has(503) ? 503 : 400;
}

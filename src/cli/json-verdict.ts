// What does --json print? The one line that scripts read; its shape is an interface and only grows.
import type { Finding } from '../reason.ts';
import { toWarnings } from '../admission/response.ts';
import { toReferenceRecords, type ReferenceRecord } from '../telemetry/decision-record.ts';
import type { Decision } from '../verdict/decision.ts';

/** The `--json` answer of verify and admit. */
export interface JsonVerdict {
  readonly allowed: boolean;
  readonly findings: readonly JsonFinding[];
  readonly warnings: readonly string[];
  readonly references: readonly ReferenceRecord[];
  readonly policies: readonly string[];
  readonly durationsMs: Readonly<Record<string, number>>;
}

/** A finding with every member present; null where it does not apply. */
export interface JsonFinding {
  readonly reason: string;
  readonly message: string;
  readonly field: string | null;
  readonly policy: string | null;
  readonly authority: string | null;
}

/** Writes a finding with all members. */
export function toJsonFinding(finding: Finding): JsonFinding {
  const { reason, message, field = null, policy = null, authority = null } = finding;
  return { reason, message, field, policy, authority };
}

/** The answer for a decision. */
export function toJsonVerdict(decision: Decision): JsonVerdict {
  return {
    allowed: decision.verdict.allowed,
    findings: decision.verdict.findings.map(toJsonFinding),
    warnings: toWarnings(decision),
    references: toReferenceRecords(decision.uses),
    policies: decision.policies,
    durationsMs: decision.durationsMs,
  };
}

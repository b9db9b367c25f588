// How much is said about one request? Bounds of findings, shared by those who make and those who fold them.
import type { DenialReason } from '../reason.ts';

/** Most findings of one field path (docs: limits). */
export const MAX_FINDINGS_PER_REFERENCE = 8;
/** Most findings of one request (docs: limits). */
export const MAX_FINDINGS = 32;

/**
 * As many as are shown, one of each reason first: a repository full of junk must not cost a message for each piece. What
 * is revoked comes before everything else: junk of every other kind must not hide what no exception admits.
 */
export function pickVaried<T extends { readonly reason: DenialReason }>(
  problems: readonly T[],
): readonly T[] {
  const firsts = new Map(problems.map((problem) => [problem.reason, problem] as const).toReversed());
  const revoked = firsts.get('Revoked');
  const chosen = new Set([
    ...(revoked === undefined ? [] : [revoked]),
    ...firsts.values(),
    ...problems.slice(0, MAX_FINDINGS_PER_REFERENCE),
  ]);
  return [...chosen].slice(0, MAX_FINDINGS_PER_REFERENCE);
}

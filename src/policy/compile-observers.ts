// Whose logs and timestamps does this authority believe? Finds the TrustRoot that it names, and says how much evidence
// signatures of managed keys and private PKIs must carry under it.
import type { DenialReason } from '../reason.ts';
import { quote } from '../lib/text.ts';
import type { NamedTrust, Requirements } from '../signature/authority.ts';
import type { AuthorityContext, ReportProblem } from './compile-authority.ts';
import type { CompiledTrustRoot } from './compile-trust-root.ts';
import type { ObserversSpec } from './types.ts';

/** Told what is wrong with the reference to a TrustRoot. */
export type ReportRef = (problem: string, reason?: DenialReason) => void;

type UsableTrustRoot = Extract<CompiledTrustRoot, { ok: true }>;

/** The TrustRoot of this name; undefined when a problem was reported. */
export function findTrustRoot(
  name: string,
  { trustRoots }: AuthorityContext,
  report: ReportRef,
): UsableTrustRoot | undefined {
  const root = trustRoots.get(name);
  if (root?.ok === true) return root;
  const why = root === undefined ? 'does not exist' : `is not usable: ${root.problem}`;
  report(`TrustRoot ${quote(name, 253)} ${why}`, root?.reason ?? 'TrustRootUnavailable');
  return undefined;
}

/** What an authority takes from a TrustRoot. */
export function toNamedTrust(
  trustRoot: string,
  { root, revoked, witnesses }: UsableTrustRoot,
  requirements: Requirements,
): NamedTrust {
  return { trustRoot, root, requirements, revoked, witnesses };
}

/**
 * Compiles who must have seen the signatures of a long-lived signer.
 * @param report paths are relative to the `key` or `certificate`
 * @returns undefined when nobody is asked, `broken` when a problem was reported
 */
export function compileObservers(
  { trustRootRef, minLogEntries = 0, minTimestamps = 0 }: ObserversSpec,
  context: AuthorityContext,
  report: ReportProblem,
): NamedTrust | 'broken' | undefined {
  if (trustRootRef === undefined) {
    if (minLogEntries > 0)
      report('minLogEntries', 'it needs trustRootRef: a TrustRoot says whose logs count');
    if (minTimestamps > 0)
      report('minTimestamps', 'it needs trustRootRef: a TrustRoot says whose timestamps count');
    return minLogEntries + minTimestamps > 0 ? 'broken' : undefined;
  }
  const { name } = trustRootRef;
  const root = findTrustRoot(name, context, (...problem) => report('trustRootRef', ...problem));
  if (root === undefined) return 'broken';
  // The root's own numbers are those of keyless signatures; which entries count at all is the root's to say.
  const { witnesses = 0 } = root.requirements;
  const requirements = {
    logEntries: minLogEntries,
    timestamps: minTimestamps,
    certificateTimestamps: 0,
    witnesses,
  };
  return toNamedTrust(name, root, requirements);
}

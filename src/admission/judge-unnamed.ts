// What do policies say about models that no reference names, and about pods without any? Globs cannot mean what has
// no name: sources alone select. Pure.
import type { Finding } from '../reason.ts';
import { UNVERIFIABLE_REASONS, type Extraction, type UnnamedUse } from '../model/model-reference.ts';
import { isEnforcing, isOfCluster, type CompiledPolicy } from '../policy/compiled.ts';
import { isClaimed, selectBySources, splitBySide } from '../policy/select.ts';
import type { ValidationAction } from '../policy/types.ts';
import { createFinding } from '../verdict/finding-message.ts';
import type { ActedFinding } from '../verdict/fold.ts';
import { toActions, type NoMatchPolicy } from './judge-uses.ts';

/** Judges uses without a canonical reference by every policy of the namespace that is about their source. */
export function judgeUnnamed(
  findings: readonly UnnamedUse[],
  policies: readonly CompiledPolicy[],
  noMatchPolicy: NoMatchPolicy,
): readonly ActedFinding[] {
  return findings.flatMap((found) => {
    const selecting = selectBySources(policies, found.sources);
    const byPolicy = selecting.map((policy) => ({
      finding: toFinding(found, policy.name),
      actions: toPolicyActions(found.reason, policy),
    }));
    // As for references: nobody asks for an enforcing policy about an image that a policy only audits.
    const isImage = found.sources.every((source) => source === 'ContainerImage');
    if (isImage || selecting.some(isEnforcing)) return byPolicy;
    return [...byPolicy, { finding: toFinding(found), actions: toActions(noMatchPolicy) }];
  });
}

function toFinding({ reason, message, field }: UnnamedUse, policy?: string): Finding {
  return { ...createFinding(reason, message, policy === undefined ? {} : { policy }), field };
}

const GOVERNED: ReadonlySet<string> = new Set(UNVERIFIABLE_REASONS);

// The milder of what the policy does at all and what it does here; over several policies the strictest wins by itself.
function toPolicyActions(
  reason: UnnamedUse['reason'],
  { actions, unverifiableSources, problems }: CompiledPolicy,
): ReadonlySet<ValidationAction> {
  // A policy that cannot be evaluated denies what it selects.
  const level = problems.length > 0 || !GOVERNED.has(reason) ? 'Deny' : unverifiableSources;
  if (level === 'Deny') return actions;
  if (level === 'Allow') return AUDIT_ONLY;
  return new Set([...actions].map((action) => (action === 'Deny' ? 'Warn' : action)));
}

const AUDIT_ONLY: ReadonlySet<ValidationAction> = new Set(['Audit']);

/**
 * The findings of policies that require a model of a pod that names none. What a namespace alone calls a model is none to
 * the cluster: else a policy of its own would be enough to satisfy it.
 */
export function judgeMissing(
  extraction: Extraction,
  policies: readonly CompiledPolicy[],
): readonly ActedFinding[] {
  const requiring = policies.filter(({ requireModel }) => requireModel);
  if (requiring.length === 0 || extraction.references.length > 0) return [];
  const isClaimedBy = (asking: readonly CompiledPolicy[]): boolean =>
    extraction.images.some((image) => isClaimed(asking, image));
  const isThere = { cluster: isClaimedBy(splitBySide(policies).ofCluster), all: isClaimedBy(policies) };
  return requiring
    .filter((policy) => !(isOfCluster(policy) ? isThere.cluster : isThere.all))
    .map(({ name, actions }) => ({
      finding: {
        ...createFinding('ModelReferenceMissing', 'the pod names no model, and the policy requires one', {
          policy: name,
        }),
        field: 'spec',
      },
      actions,
    }));
}

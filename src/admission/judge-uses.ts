// What does each policy say about each use? Joins selection, evidence and judgement for one request.
import type { Finding } from '../reason.ts';
import { DENY_ONLY, type ActedFinding } from '../verdict/fold.ts';
import { createFinding } from '../verdict/finding-message.ts';
import { judge, type Judgement, type PolicyResult, type RuleContext } from '../verdict/judge.ts';
import type { Delegation } from '../verdict/delegation.ts';
import type { FindGathered } from './gather-for-policies.ts';
import type { Evidence } from '../evidence/evidence.ts';
import type { EvidenceWish } from '../evidence/signature-repository.ts';
import type { ModelFormat } from '../model/facts.ts';
import type { ModelReference } from '../model/model-reference.ts';
import { toFormat } from '../model/packaging.ts';
import { isEnforcing, isOfCluster, type CompiledPolicy } from '../policy/compiled.ts';
import type { ValidationAction } from '../policy/types.ts';
import type { JudgedUse } from '../verdict/decision.ts';
import type { GatheredUse } from './gathered.ts';
import type { Proofs, ProofWanted } from './proofs.ts';
import { toWish, type OpenRepository } from './wishes.ts';

/** What happens to references that no enforcing policy selects. */
export type NoMatchPolicy = 'Deny' | 'Warn' | 'Allow';

/** A use with the policies that select it. */
export interface SelectedUse {
  readonly use: ModelReference;
  readonly policies: readonly CompiledPolicy[];
}

/** True when judging needs evidence: a digest or leave to resolve one, and somebody whose signature counts. */
export function needsEvidence({ use }: SelectedUse, policy: CompiledPolicy): boolean {
  if (use.problem !== undefined) return false;
  const isPinned = use.reference.digest !== undefined || policy.digest === 'Resolve';
  return isPinned && policy.problems.length === 0 && policy.authorities.some(({ kind }) => kind !== 'static');
}

/** Where the policies that need evidence of a use look for what signs it. */
export function toUseWish(selected: SelectedUse, open: OpenRepository): EvidenceWish {
  return toWish(
    selected.policies.filter((policy) => needsEvidence(selected, policy)),
    open,
  );
}

/** Everything that a policy needs to judge a use, or the finding that takes its place. */
export type PreparedJudgement =
  | { readonly policy: CompiledPolicy; readonly judgement: Judgement }
  | { readonly policy: CompiledPolicy; readonly refusal: Finding };

/** A use with its judgements prepared: everything but the rules. */
export interface PreparedUse {
  readonly use: ModelReference;
  readonly gathered: GatheredUse | undefined;
  /** What was gathered for the cluster's policies alone. */
  readonly ofCluster: GatheredUse | undefined;
  readonly judgements: readonly PreparedJudgement[];
}

/** What must be proven before a use can be judged. */
export function toWantedProofs(selected: SelectedUse, find: FindGathered): readonly ProofWanted[] {
  return selected.policies
    .filter((policy) => needsEvidence(selected, policy))
    .flatMap((policy) => {
      const evidence = find(selected.use, policy)?.evidence;
      return evidence === undefined ? [] : [{ evidence, policy }];
    });
}

/** Most manifests that the policies of a namespace judge in one request, each by each of them (docs: limits). */
export const MAX_TENANT_JUDGEMENTS = 4096;

/** The finding that a pod names more than its namespace's own policies can judge without keeping others waiting. */
export function findOverwork(selected: readonly SelectedUse[], find: FindGathered): Finding | undefined {
  const work = selected
    .flatMap(({ use, policies }) =>
      policies.map((policy) =>
        isOfCluster(policy) ? 0 : 1 + (find(use, policy)?.evidence?.children ?? []).length,
      ),
    )
    .reduce((sum, manifests) => sum + manifests, 0);
  return work > MAX_TENANT_JUDGEMENTS
    ? createFinding(
        'TooManyReferences',
        `the models of this pod and the policies of its namespace make ${work} judgements; ${MAX_TENANT_JUDGEMENTS} are made`,
      )
    : undefined;
}

/** Puts together what each policy needs to judge one use. */
export function prepareUse(selected: SelectedUse, find: FindGathered, proofs: Proofs): PreparedUse {
  const { use, policies } = selected;
  const found = policies.map((policy) => find(use, policy));
  const ofCluster = found.find((one, index) => one !== undefined && policies[index]?.namespace === undefined);
  return {
    use,
    // What the cluster's policies saw, where both they and the namespace's saw anything.
    gathered: ofCluster ?? found.find((one) => one !== undefined),
    ofCluster,
    judgements: policies.map((policy, index) => ({
      policy,
      ...prepare(selected, policy, found[index], proofs),
    })),
  };
}

function prepare(
  selected: SelectedUse,
  policy: CompiledPolicy,
  gathered: GatheredUse | undefined,
  proofs: Proofs,
): { judgement: Judgement } | { refusal: Finding } {
  const { use } = selected;
  const at = { use, policy: policy.name };
  const refusal = refuseReference(use, policy);
  if (refusal !== undefined) return { refusal };
  if (!needsEvidence(selected, policy)) return { judgement: { use } };
  const evidence = gathered?.evidence;
  const proof = evidence === undefined ? undefined : proofs.get(evidence)?.get(policy);
  if (evidence !== undefined && proof !== undefined) return { judgement: { use, evidence, proof } };
  const { reason, message } = gathered?.problem ?? {
    reason: 'InternalError',
    message: 'no evidence was gathered',
  };
  return { refusal: createFinding(reason, message, at) };
}

function refuseReference(
  use: ModelReference,
  { name, problems, digest }: CompiledPolicy,
): Finding | undefined {
  const at = { use, policy: name };
  if (use.problem !== undefined)
    return createFinding('ReferenceInvalid', `it cannot be read: ${use.problem}`, at);
  const lacksDigest = problems.length === 0 && use.reference.digest === undefined && digest === 'Require';
  return lacksDigest
    ? createFinding('DigestRequired', 'a tag can move between this check and the pull', at)
    : undefined;
}

/** Evaluates the rules of prepared judgements of one use. @param delegation what the namespace's policies came to */
export function judgeEach(
  { use, judgements }: PreparedUse,
  context: RuleContext,
  delegation?: Delegation,
): readonly PolicyResult[] {
  return judgements.map((prepared) =>
    'refusal' in prepared
      ? toRefused(prepared.policy, use, prepared.refusal)
      : judge(prepared.policy, { ...prepared.judgement, ...(delegation && { delegation }) }, context),
  );
}

/** The result of a policy that was not asked. */
export function toRefused(policy: CompiledPolicy, use: ModelReference, refusal: Finding): PolicyResult {
  return {
    policy,
    use,
    findings: [refusal],
    signatures: [],
    attestations: [],
    satisfied: [],
    subjects: [],
    rules: [],
  };
}

/** Puts together what was judged about one use. */
export function toJudgedUse(
  { use, gathered, ofCluster }: PreparedUse,
  results: readonly PolicyResult[],
): JudgedUse {
  return {
    use,
    digest: gathered?.digest ?? use.reference.digest,
    clusterDigest: ofCluster?.digest ?? use.reference.digest,
    format: gathered?.evidence === undefined ? undefined : toEvidenceFormat(gathered.evidence),
    results,
  };
}

// An index is of the format of its children, where they agree.
function toEvidenceFormat({ manifest, children = [] }: Evidence): ModelFormat {
  if (manifest.kind === 'manifest') return toFormat(manifest);
  const [first, ...others] = new Set(children.map(toEvidenceFormat));
  return first === undefined || others.length > 0 ? 'Unknown' : first;
}

const NO_ACTIONS: ReadonlySet<ValidationAction> = new Set();
const WARN_ONLY: ReadonlySet<ValidationAction> = new Set(['Warn']);

/** The finding that no enforcing policy selects a use. Images are only asked about when a policy claimed them. */
export function judgeNoMatch(
  { use, policies }: SelectedUse,
  namespace: string,
  noMatchPolicy: NoMatchPolicy,
): readonly ActedFinding[] {
  // A roll-out begins with policies that only audit: claiming an image that way must not begin to deny it.
  if (use.source === 'ContainerImage' || policies.some(isEnforcing)) return [];
  const finding = createFinding(
    'NoMatchingPolicy',
    `no enforcing policy of namespace ${namespace} selects this model`,
    { use },
  );
  return [{ finding, actions: toActions(noMatchPolicy) }];
}

/** The actions of the controller's own answer to what no policy selects. */
export function toActions(noMatchPolicy: NoMatchPolicy): ReadonlySet<ValidationAction> {
  if (noMatchPolicy === 'Deny') return DENY_ONLY;
  return noMatchPolicy === 'Warn' ? WARN_ONLY : NO_ACTIONS;
}

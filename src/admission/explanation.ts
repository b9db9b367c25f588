// What did a decision look at, and what would have to change? The data that explain prints: made from a decision of
// decide.ts and the policies as they were written, never by judging again. Pure.
import { REASONS, type Actor, type Finding } from '../reason.ts';
import { explainModels, explainNamespace } from '../policy/explain-selection.ts';
import type { CompiledPolicy } from '../policy/compiled.ts';
import type { Decision, DecidedWorld, Exemption, JudgedUse } from '../verdict/decision.ts';
import { explainResult, type ReadRule, type ResultExplanation } from './explain-result.ts';
import { toWarnings } from './response.ts';

/** A policy that does not speak about a use, and why. */
export interface Unselected {
  readonly policy: string;
  readonly reasons: readonly string[];
}

/** One use of one model. */
export interface UseExplanation {
  readonly reference: string;
  readonly digest: string | null;
  readonly source: string;
  readonly fieldPath: string;
  readonly format: string | null;
  readonly policies: readonly (ResultExplanation & { readonly selectedBecause: readonly string[] })[];
  readonly notSelected: readonly Unselected[];
  /** What the controller itself found about it, such as NoMatchingPolicy. */
  readonly findings: readonly ActedMessage[];
}

/** A finding with what it does. */
export interface ActedMessage {
  readonly reason: string;
  readonly message: string;
  readonly field: string | null;
  readonly policy: string | null;
  readonly actions: readonly string[];
}

/** One thing to do. */
export interface Step {
  readonly actor: Actor;
  readonly reason: string;
  readonly action: string;
  /** What it is about: policy, field, or both. */
  readonly about: string;
  /** Whose signature would do, where one is missing. */
  readonly accepted: readonly string[];
}

/** Everything about one decision. */
export interface Explanation {
  readonly allowed: boolean;
  readonly exemption: Exemption | null;
  readonly namespace: string;
  /** Policies of other namespaces. */
  readonly elsewhere: readonly Unselected[];
  readonly references: readonly UseExplanation[];
  /** What is about no single reference: models that cannot be checked, pods that name none, trouble of the controller. */
  readonly findings: readonly ActedMessage[];
  readonly warnings: readonly string[];
  readonly steps: readonly Step[];
}

/** What an explanation is made with. */
export interface ExplainOptions {
  readonly namespace: string;
  /** Specs of policies as they were written, by name. */
  readonly specs: ReadonlyMap<string, unknown>;
  /** Reads what a rule read. */
  readonly readRule: ReadRule;
}

/** Explains a decision. */
export function explainDecision(decision: Decision, options: ExplainOptions): Explanation {
  const { world, verdict, acted, uses } = decision;
  const references = uses.map((use) => explainUse(use, decision, options));
  const shown = references.flatMap(({ policies, findings }) => [
    ...findings.map(({ message }) => message),
    ...policies.flatMap(({ findings: own }) => own.map(({ message }) => message)),
  ]);
  // What an exception admits says so before the message.
  const isShown = ({ message }: ActedMessage): boolean =>
    shown.some((own) => message === own || message.endsWith(`: ${own}`));
  return {
    allowed: verdict.allowed,
    exemption: decision.exemption ?? null,
    namespace: options.namespace,
    elsewhere: world === undefined ? [] : explainElsewhere(world, options),
    references,
    findings: acted.map(toActedMessage).filter((finding) => !isShown(finding)),
    warnings: toWarnings(decision),
    steps: toSteps(verdict.findings, references),
  };
}

function explainElsewhere(world: DecidedWorld, { specs }: ExplainOptions): readonly Unselected[] {
  return world.policies
    .filter(({ matchesNamespace }) => !matchesNamespace(world.namespaceLabels))
    .map((policy) => ({
      policy: policy.name,
      reasons: explainNamespace(policy, specs.get(policy.name), world.namespaceLabels).reasons,
    }));
}

function explainUse(judged: JudgedUse, decision: Decision, options: ExplainOptions): UseExplanation {
  const { use, digest, format, results } = judged;
  const { world, acted } = decision;
  const labels = world?.namespaceLabels ?? {};
  const why = (policy: CompiledPolicy): readonly string[] => {
    const spec = options.specs.get(policy.name);
    return [...explainNamespace(policy, spec, labels).reasons, ...explainModels(policy, spec, use).reasons];
  };
  const selecting = new Set(results.map(({ policy }) => policy.name));
  return {
    reference: use.reference.original,
    digest: digest ?? null,
    source: use.source,
    fieldPath: use.fieldPath,
    format: format ?? null,
    policies: results.map((result) => ({
      ...explainResult(judged, result, { ...options, decision }),
      selectedBecause: why(result.policy),
    })),
    notSelected: world === undefined ? [] : explainOthers(world, use, selecting, options),
    findings: acted
      .filter(({ finding }) => finding.policy === undefined && finding.field === use.fieldPath)
      .map(toActedMessage),
  };
}

function explainOthers(
  world: DecidedWorld,
  use: JudgedUse['use'],
  selecting: ReadonlySet<string>,
  { specs }: ExplainOptions,
): readonly Unselected[] {
  return world.policies
    .filter(({ name, matchesNamespace }) => matchesNamespace(world.namespaceLabels) && !selecting.has(name))
    .map((policy) => ({
      policy: policy.name,
      reasons: explainUnselected(policy, world, specs.get(policy.name), use),
    }));
}

function explainUnselected(
  policy: CompiledPolicy,
  { asked }: DecidedWorld,
  spec: unknown,
  use: JudgedUse['use'],
): readonly string[] {
  if (!asked.has(policy.name)) {
    const names = policy.matchConditions.map(({ name }) => name).join(', ');
    return [`one of its matchConditions (${names}) is false`];
  }
  const { selects, reasons } = explainModels(policy, spec, use);
  return selects ? ['only ModelPolicies call this image a model'] : reasons;
}

function toActedMessage({ finding, actions }: Decision['acted'][number]): ActedMessage {
  const { reason, message, field = null, policy = null } = finding;
  return { reason, message, field, policy, actions: [...actions] };
}

const NEEDS_SIGNER = new Set<string>([
  'SignatureMissing',
  'SignatureInvalid',
  'SignerNotTrusted',
  'IdentityMismatch',
  'AuthoritiesNotSatisfied',
  'SubjectMismatch',
  'CertificateInvalid',
]);

// Only what denies, each cure once for each policy and place.
function toSteps(findings: readonly Finding[], references: readonly UseExplanation[]): readonly Step[] {
  const steps = findings.map((finding): Step => {
    const { reason, policy, field, authority } = finding;
    const { actor, action } = REASONS[reason];
    const about = [policy === undefined ? '' : `policy ${policy}`, field ?? ''].filter(Boolean).join(', ');
    const result = references
      .find(({ fieldPath }) => fieldPath === field)
      ?.policies.find((entry) => entry.policy === policy);
    const authorities = (result?.authorities ?? []).filter(
      ({ name }) => authority === undefined || name === authority,
    );
    const accepted = NEEDS_SIGNER.has(reason)
      ? authorities.map(({ name, accepts }) => `${name}: ${accepts.join(' or ')}`)
      : [];
    return { actor, reason, action, about, accepted };
  });
  return [...new Map(steps.map((step) => [JSON.stringify(step), step])).values()];
}

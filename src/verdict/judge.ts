// Does this use of a model satisfy this policy? Pure: authorities, distinct signers, then every attestation, then every
// rule. Reasons are collected, not only the first; what a failure does to the request is decided by fold.ts.
import type { DenialReason, Finding } from '../reason.ts';
import type { Evidence } from '../evidence/evidence.ts';
import type { ModelFacts } from '../model/facts.ts';
import { toModelFacts } from '../model/packaging.ts';
import type { ModelReference } from '../model/model-reference.ts';
import { createCelBindings, type CelBindings, type NamedAttestation } from '../policy/cel/bindings.ts';
import type { CelVariables } from '../policy/cel/engine.ts';
import type { CelMeter } from '../policy/cel/meter.ts';
import type { CompiledPolicy } from '../policy/compiled.ts';
import type { StaticAuthority } from '../signature/authority.ts';
import type { SignatureFacts } from '../signature/facts.ts';
import { toDelegation, type Delegation, type SatisfiedSubject } from './delegation.ts';
import { evaluateRule, type RuleFailure } from './evaluate-rule.ts';
import { describeLooked } from './evidence-places.ts';
import { createFinding } from './finding-message.ts';
import { judgeAttestations } from './judge-attestations.ts';
import { pickVaried } from './limits.ts';
import { countDistinctAuthorities } from './match-authorities.ts';
import type { AuthorityProof, Proof } from './prove.ts';
import { toSubjects, type JudgedSubject } from './subjects.ts';
import { toSatisfied, toVouched, toVouchingSigners, type VouchedSubject } from './vouched.ts';

/** A verified signature with the authority it satisfied. */
export type SatisfyingSignature = SignatureFacts & { readonly authority: string };

/** An attestation that satisfied a requirement, for records. */
export type SatisfyingAttestation = Pick<NamedAttestation, 'name' | 'predicateType' | 'signature'>;

/** One policy's verdict on one use; no findings = it passes. */
export interface PolicyResult {
  readonly policy: CompiledPolicy;
  readonly use: ModelReference;
  readonly findings: readonly Finding[];
  readonly signatures: readonly SatisfyingSignature[];
  readonly attestations: readonly SatisfyingAttestation[];
  /** By manifest, where it passes: what policies that delegate to this one go by. */
  readonly satisfied: readonly SatisfiedSubject[];
  /** What was proven for each manifest that must pass, for explanations; none where nothing was verified. */
  readonly subjects: readonly ExplainedSubject[];
  /** What each rule said, for explanations; none where none was asked. */
  readonly rules: readonly RuleOutcome[];
}

/** A manifest with the attestations of it that satisfied, also beside others that are missing; absent: not asked. */
export interface ExplainedSubject extends VouchedSubject {
  readonly attested?: readonly SatisfyingAttestation[];
}

/** One rule's answer, with what it was asked about: whoever explains it can read the same values. */
export interface RuleOutcome {
  /** Where the rule stands, e.g. `spec.validations[0]`. */
  readonly path: string;
  readonly expression: string;
  /** undefined: it holds. */
  readonly failure: RuleFailure | undefined;
  /** The child of an index that it was asked about. */
  readonly child: string | undefined;
  readonly bindings: CelBindings;
  /** What its `variables` holds. */
  readonly variables: CelVariables;
}

/** What rules see beside the model: converted once per request by toCelValue. */
export interface RuleContext {
  readonly pod: unknown;
  readonly object: unknown;
  readonly oldObject: unknown;
  readonly request: unknown;
  readonly namespaceObject: unknown;
  readonly now: Date;
  readonly meter: CelMeter;
}

/** What a policy judges: a use, with what was proven where something was fetched. */
export interface Judgement {
  readonly use: ModelReference;
  readonly evidence?: Evidence;
  readonly proof?: Proof;
  /** What the namespace's own policies came to; absent: nothing. */
  readonly delegation?: Delegation;
}

/** Judges one use by one compiled policy. */
export function judge(policy: CompiledPolicy, judgement: Judgement, context: RuleContext): PolicyResult {
  const { use } = judgement;
  const result = (
    findings: readonly Finding[],
    judged: readonly JudgedRules[] = [],
    { subjects = [], satisfied = [] }: Partial<Pick<PolicyResult, 'subjects' | 'satisfied'>> = {},
  ): PolicyResult => ({
    policy,
    use,
    findings,
    signatures: judged.flatMap(({ signatures }) => signatures),
    attestations: judged.flatMap(({ attestations }) => attestations),
    satisfied,
    subjects,
    rules: judged.flatMap(({ rules }) => rules),
  });
  if (policy.problems.length > 0)
    return result(
      policy.problems.map(({ reason, message }) =>
        // On one line a caret points at nothing.
        createFinding(reason, message.replace(/\n *\^$/u, ''), { use, policy: policy.name }),
      ),
    );
  const [only] = policy.authorities;
  if (only?.kind === 'static') {
    const judged = judgeStatic(policy, only, judgement, context);
    return result(judged.findings, [judged]);
  }
  const { evidence, proof, delegation = NOT_DELEGATED } = judgement;
  if (evidence === undefined || proof === undefined)
    throw new Error('a signing policy was judged without evidence');
  const subjects = toSubjects(evidence, proof).map((subject) => ({
    ...subject,
    vouched: toVouched(policy, subject, delegation(evidence.digest, subject.child)),
  }));
  const at = { use, policy: policy.name };
  if (subjects.length === 0)
    return result([createFinding('ManifestInvalid', 'the image index lists no manifest to judge', at)]);
  const findings = subjects.flatMap((subject) => judgeAuthorities(policy, use, subject));
  if (findings.length > 0) return result(findings, [], { subjects });
  const judged = subjects.map((subject) => {
    const signatures = subject.vouched.flatMap(({ name, proofs }) => toSatisfying(name, proofs));
    const binding = toBinding(signatures, subject.proof);
    const model = toModelFacts(use, evidence.digest, subject.manifest, binding);
    return judgeContent(policy, use, subject, { ...context, model, signatures });
  });
  const found = judged.flatMap((rules) => rules.findings);
  const attestedOf = (index: number): readonly SatisfyingAttestation[] => judged[index]?.attested ?? [];
  return result(found, judged, {
    subjects: subjects.map((subject, index) => ({ ...subject, attested: attestedOf(index) })),
    satisfied:
      found.length > 0
        ? []
        : subjects.map((subject, index) => toSatisfied(policy, evidence.digest, subject, attestedOf(index))),
  });
}

const NOT_DELEGATED = toDelegation([]);

interface JudgedRules {
  readonly findings: readonly Finding[];
  readonly signatures: readonly SatisfyingSignature[];
  readonly attestations: readonly SatisfyingAttestation[];
  /** As `attestations`, also where others are missing. */
  readonly attested: readonly SatisfyingAttestation[];
  readonly rules: readonly RuleOutcome[];
}

// Rules of the policy may rely on the attestations that it demands, so they wait for them.
function judgeContent(
  policy: CompiledPolicy,
  use: ModelReference,
  { proof, child }: JudgedSubject,
  input: RuleInput,
): JudgedRules {
  const { signatures } = input;
  const { satisfying, problems } = judgeAttestations(policy, proof.attestations, proof.problems, input);
  const attested = satisfying.map(({ name, predicateType, signature }) => ({
    name,
    predicateType,
    signature,
  }));
  if (problems.length > 0) {
    const findings = problems.map(({ reason, message, authority }) =>
      createFinding(reason, withChild(message, child), { use, policy: policy.name, authority }),
    );
    return { findings, signatures, attestations: [], attested, rules: [] };
  }
  return {
    ...judgeRules(policy, use, { ...input, attestations: satisfying, child }),
    signatures,
    attestations: attested,
    attested,
  };
}

function judgeStatic(
  policy: CompiledPolicy,
  authority: StaticAuthority,
  { use }: Judgement,
  context: RuleContext,
): JudgedRules {
  const unsigned = { signatures: [], attestations: [], attested: [] };
  if (authority.action === 'Fail') {
    const at = { use, policy: policy.name, authority: authority.name };
    return { ...unsigned, findings: [createFinding('StaticDeny', authority.message, at)], rules: [] };
  }
  // Nothing was fetched: rules see the reference and the workload, and reading anything else fails.
  const { registry, repository, tag = '', digest = '', original } = use.reference;
  const reference = { registry, repository, tag, digest, original };
  const model: ModelFacts = { reference, source: use.source, fieldPath: use.fieldPath };
  return { ...unsigned, ...judgeRules(policy, use, { ...context, model, signatures: [] }) };
}

function toSatisfying(authority: string, proofs: readonly AuthorityProof[]): readonly SatisfyingSignature[] {
  return proofs.flatMap(({ signatures }) => signatures.map((facts) => ({ ...facts, authority })));
}

// A rule may only read what somebody trusted fixes: the manifest when it is signed, or the subject of an attestation by
// an authority that a requirement names; else the files.
function toBinding(
  signatures: readonly SatisfyingSignature[],
  { attestations }: Proof,
): 'Manifest' | 'Files' {
  const { proven = [] } = attestations ?? {};
  const isNamed = proven.length > 0 || signatures.some(({ format }) => format !== 'ModelSigning');
  return isNamed ? 'Manifest' : 'Files';
}

function judgeAuthorities(
  policy: CompiledPolicy,
  use: ModelReference,
  { proof, child, vouched }: VouchedSubject,
): readonly Finding[] {
  const count = countDistinctAuthorities(toVouchingSigners(vouched));
  if (count >= policy.minAuthorities) return [];
  const at = { use, policy: policy.name };
  const find = (reason: DenialReason, problem: string, authority?: string): Finding =>
    createFinding(reason, withChild(problem, child), { ...at, authority });
  const findings = [
    ...vouched
      .filter(({ signers }) => signers.every(({ signatures }) => signatures.length === 0))
      .flatMap(({ name, failures }) =>
        pickVaried(failures).map(({ reason, message }) => find(reason, message, name)),
      ),
    ...pickVaried(proof.problems).map(({ reason, message }) => find(reason, message)),
  ];
  if (findings.length === 0 && proof.candidateCount === 0)
    findings.push(
      find(
        'SignatureMissing',
        `no signature is attached to this digest${child === undefined ? '' : ', nor to its index'}${describeLooked(proof)}`,
      ),
    );
  if (count > 0 || findings.length === 0)
    findings.unshift(
      find(
        'AuthoritiesNotSatisfied',
        `${count} of ${policy.minAuthorities} required authorities are satisfied by distinct signers`,
      ),
    );
  return findings;
}

function withChild(problem: string, child: string | undefined): string {
  return child === undefined ? problem : `child ${child.slice(0, 19)}…: ${problem}`;
}

interface RuleInput extends RuleContext {
  readonly model: ModelFacts;
  readonly signatures: readonly SatisfyingSignature[];
  readonly attestations?: readonly NamedAttestation[];
  readonly child?: string | undefined;
}

function judgeRules(
  policy: CompiledPolicy,
  use: ModelReference,
  input: RuleInput,
): Pick<JudgedRules, 'findings' | 'rules'> {
  const { child, ...values } = input;
  const variables = policy.variables.rules;
  const bindings = createCelBindings({ ...values, variables });
  const rules = policy.validations.map((validation, index) => ({
    path: `spec.validations[${index}]`,
    expression: validation.program.source,
    failure: evaluateRule(validation, bindings, input.meter),
    child,
    bindings,
    variables,
  }));
  const findings = rules.flatMap(({ path, failure }) => {
    if (failure === undefined) return [];
    const problem = withChild(`${path}: ${failure.message}`, child);
    return [createFinding(failure.reason, problem, { use, policy: policy.name })];
  });
  return { findings, rules };
}

// Does this use of a model satisfy this policy? Pure: authorities, distinct signers, then every rule. Reasons are
// collected, not only the first; what a failure does to the request is decided by fold.ts.
import type { DenialReason, Finding } from '../reason.ts';
import type { Evidence, EvidenceProblem } from '../evidence/evidence.ts';
import type { ModelFacts } from '../model/facts.ts';
import { toModelFacts } from '../model/packaging.ts';
import type { ModelReference } from '../model/model-reference.ts';
import { createCelBindings } from '../policy/cel/bindings.ts';
import type { CelMeter } from '../policy/cel/meter.ts';
import type { CompiledPolicy, CompiledValidation } from '../policy/compiled.ts';
import type { StaticAuthority } from '../signature/authority.ts';
import type { SignatureFacts } from '../signature/facts.ts';
import { createFinding } from './finding-message.ts';
import { MAX_FINDINGS_PER_REFERENCE } from './limits.ts';
import { countDistinctAuthorities } from './match-authorities.ts';
import type { AuthorityProof, Proof } from './prove.ts';
import { toSigners } from './signers.ts';
import { toSubjects, type JudgedSubject } from './subjects.ts';

/** A verified signature with the authority it satisfied. */
export type SatisfyingSignature = SignatureFacts & { readonly authority: string };

/** One policy's verdict on one use; no findings = it passes. */
export interface PolicyResult {
  readonly policy: CompiledPolicy;
  readonly use: ModelReference;
  readonly findings: readonly Finding[];
  readonly signatures: readonly SatisfyingSignature[];
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
}

/** Judges one use by one compiled policy. */
export function judge(policy: CompiledPolicy, judgement: Judgement, context: RuleContext): PolicyResult {
  const { use } = judgement;
  const result = (
    findings: readonly Finding[],
    signatures: readonly SatisfyingSignature[] = [],
  ): PolicyResult => ({
    policy,
    use,
    findings,
    signatures,
  });
  if (policy.problems.length > 0)
    return result(
      policy.problems.map(({ reason, message }) =>
        createFinding(reason, message, { use, policy: policy.name }),
      ),
    );
  const [only] = policy.authorities;
  if (only?.kind === 'static') return result(judgeStatic(policy, only, judgement, context));
  const { evidence, proof } = judgement;
  if (evidence === undefined || proof === undefined)
    throw new Error('a signing policy was judged without evidence');
  const subjects = toSubjects(evidence, proof);
  const at = { use, policy: policy.name };
  if (subjects.length === 0)
    return result([createFinding('ManifestInvalid', 'the image index lists no manifest to judge', at)]);
  const findings = subjects.flatMap((subject) => judgeAuthorities(policy, use, subject));
  if (findings.length > 0) return result(findings);
  const signed = subjects.map((subject) => ({
    subject,
    signatures: subject.proof.authorities.flatMap(toSatisfying),
  }));
  return result(
    signed.flatMap(({ subject, signatures }) => {
      const model = toModelFacts(use, evidence.digest, subject.manifest, toBinding(signatures));
      return judgeRules(policy, use, { ...context, model, signatures, child: subject.child });
    }),
    signed.flatMap(({ signatures }) => signatures),
  );
}

function judgeStatic(
  policy: CompiledPolicy,
  authority: StaticAuthority,
  { use }: Judgement,
  context: RuleContext,
): readonly Finding[] {
  if (authority.action === 'Fail')
    return [
      createFinding('StaticDeny', authority.message, { use, policy: policy.name, authority: authority.name }),
    ];
  // Nothing was fetched: rules see the reference and the workload, and reading anything else fails.
  const { registry, repository, tag = '', digest = '', original } = use.reference;
  const reference = { registry, repository, tag, digest, original };
  const model: ModelFacts = { reference, source: use.source, fieldPath: use.fieldPath };
  return judgeRules(policy, use, { ...context, model, signatures: [] });
}

function toSatisfying({ authority, signatures }: AuthorityProof): readonly SatisfyingSignature[] {
  return signatures.map((facts) => ({ ...facts, authority: authority.name }));
}

// A rule may only read what the satisfying signatures fix: the manifest when one of them signs it, else the files.
function toBinding(signatures: readonly SatisfyingSignature[]): 'Manifest' | 'Files' {
  return signatures.some(({ format }) => format !== 'ModelSigning') ? 'Manifest' : 'Files';
}

function judgeAuthorities(
  policy: CompiledPolicy,
  use: ModelReference,
  { proof, child }: JudgedSubject,
): readonly Finding[] {
  const count = countDistinctAuthorities(toSigners(proof.authorities));
  if (count >= policy.minAuthorities) return [];
  const at = { use, policy: policy.name };
  const find = (reason: DenialReason, problem: string, authority?: string): Finding =>
    createFinding(reason, withChild(problem, child), { ...at, ...(authority && { authority }) });
  const findings = [
    ...proof.authorities
      .filter(({ signatures }) => signatures.length === 0)
      .flatMap(({ authority, failures }) =>
        pickVaried(failures).map(({ reason, message }) => find(reason, message, authority.name)),
      ),
    ...pickVaried(proof.problems).map(({ reason, message }) => find(reason, message)),
  ];
  if (findings.length === 0 && proof.candidateCount === 0)
    findings.push(
      find(
        'SignatureMissing',
        `no signature is attached to this digest${child === undefined ? '' : ', nor to its index'}`,
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

// As many as are shown, one of each reason first: a repository full of junk must not cost a message for each piece.
function pickVaried(problems: readonly EvidenceProblem[]): readonly EvidenceProblem[] {
  const firsts = new Map(problems.map((problem) => [problem.reason, problem] as const).toReversed());
  const chosen = new Set([...firsts.values(), ...problems.slice(0, MAX_FINDINGS_PER_REFERENCE)]);
  return [...chosen].slice(0, MAX_FINDINGS_PER_REFERENCE);
}

function withChild(problem: string, child: string | undefined): string {
  return child === undefined ? problem : `child ${child.slice(0, 19)}…: ${problem}`;
}

interface RuleInput extends RuleContext {
  readonly model: ModelFacts;
  readonly signatures: readonly SatisfyingSignature[];
  readonly child?: string | undefined;
}

function judgeRules(policy: CompiledPolicy, use: ModelReference, input: RuleInput): readonly Finding[] {
  if (policy.validations.length === 0) return [];
  const { child, ...values } = input;
  const bindings = createCelBindings(values);
  return policy.validations.flatMap((validation, index) => {
    const at = { use, policy: policy.name };
    const result = validation.program.evaluate(bindings, input.meter);
    if (result.ok && result.value === true) return [];
    const rule = `spec.validations[${index}]`;
    if (result.ok)
      return [
        createFinding(
          'RuleViolated',
          withChild(`${rule}: ${toRuleMessage(validation, bindings, input.meter)}`, child),
          at,
        ),
      ];
    return [createFinding('RuleFailed', withChild(`${rule}: ${result.message}`, child), at)];
  });
}

// As in ValidatingAdmissionPolicy: a message expression that fails or is blank falls back to the message.
function toRuleMessage(
  { program, message, messageProgram }: CompiledValidation,
  bindings: ReturnType<typeof createCelBindings>,
  meter: CelMeter,
): string {
  const made = messageProgram?.evaluate(bindings, meter);
  if (
    made?.ok === true &&
    typeof made.value === 'string' &&
    made.value.trim() !== '' &&
    !made.value.includes('\n')
  )
    return made.value;
  return message ?? `failed expression: ${program.source.trim().slice(0, 200)}`;
}

// Does this use of a model satisfy this policy? Pure: authorities, distinct signers, then every attestation, then every
// rule. Reasons are collected, not only the first; what a failure does to the request is decided by fold.ts.
import type { DenialReason, Finding } from '../reason.ts';
import type { Evidence, EvidenceProblem } from '../evidence/evidence.ts';
import type { ModelFacts } from '../model/facts.ts';
import { toModelFacts } from '../model/packaging.ts';
import type { ModelReference } from '../model/model-reference.ts';
import { createCelBindings, type NamedAttestation } from '../policy/cel/bindings.ts';
import type { CelMeter } from '../policy/cel/meter.ts';
import type { CompiledPolicy } from '../policy/compiled.ts';
import type { StaticAuthority } from '../signature/authority.ts';
import type { SignatureFacts } from '../signature/facts.ts';
import {
  toDelegatedSigners,
  toDelegation,
  type Delegated,
  type Delegation,
  type SatisfiedSubject,
} from './delegation.ts';
import { evaluateRule } from './evaluate-rule.ts';
import { createFinding } from './finding-message.ts';
import { judgeAttestations } from './judge-attestations.ts';
import { pickVaried } from './limits.ts';
import { countDistinctAuthorities } from './match-authorities.ts';
import type { AuthorityProof, Proof } from './prove.ts';
import { toSigners, type SignerProof } from './signers.ts';
import { toSubjects, type JudgedSubject } from './subjects.ts';

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
  const refuse = (findings: readonly Finding[]): PolicyResult => ({
    policy,
    use,
    findings,
    signatures: [],
    attestations: [],
    satisfied: [],
  });
  if (policy.problems.length > 0)
    return refuse(
      policy.problems.map(({ reason, message }) =>
        createFinding(reason, message, { use, policy: policy.name }),
      ),
    );
  const [only] = policy.authorities;
  if (only?.kind === 'static') return refuse(judgeStatic(policy, only, judgement, context));
  const { evidence, proof, delegation = NOT_DELEGATED } = judgement;
  if (evidence === undefined || proof === undefined)
    throw new Error('a signing policy was judged without evidence');
  const subjects = toSubjects(evidence, proof).map((subject) => ({
    ...subject,
    vouched: toVouched(policy, subject, delegation(evidence.digest, subject.child)),
  }));
  const at = { use, policy: policy.name };
  if (subjects.length === 0)
    return refuse([createFinding('ManifestInvalid', 'the image index lists no manifest to judge', at)]);
  const findings = subjects.flatMap((subject) => judgeAuthorities(policy, use, subject));
  if (findings.length > 0) return refuse(findings);
  const judged = subjects.map((subject) => {
    const signatures = subject.vouched.flatMap(({ name, proofs }) => toSatisfying(name, proofs));
    const binding = toBinding(signatures, subject.proof);
    const model = toModelFacts(use, evidence.digest, subject.manifest, binding);
    return judgeContent(policy, use, subject, { ...context, model, signatures });
  });
  const found = judged.flatMap((rules) => rules.findings);
  return {
    policy,
    use,
    findings: found,
    signatures: judged.flatMap(({ signatures }) => signatures),
    attestations: judged.flatMap(({ attestations }) => attestations),
    satisfied:
      found.length > 0
        ? []
        : subjects.map((subject, index) =>
            toSatisfied(policy, evidence.digest, subject, judged[index]?.attestations ?? []),
          ),
  };
}

const NOT_DELEGATED = toDelegation([]);

/** What stands behind one authority of a policy: its own proof, or those of the namespace's policies. */
interface Vouched {
  readonly name: string;
  readonly proofs: readonly AuthorityProof[];
  readonly signers: readonly SignerProof[];
  readonly failures: readonly EvidenceProblem[];
}

type VouchedSubject = JudgedSubject & { readonly vouched: readonly Vouched[] };

function toVouched(
  { authorities }: CompiledPolicy,
  { proof }: JudgedSubject,
  delegated: Delegated,
): readonly Vouched[] {
  const own = proof.authorities.map((entry): Vouched => {
    const { name } = entry.authority;
    return { name, proofs: [entry], signers: [entry], failures: entry.failures };
  });
  const tenants = authorities.flatMap((authority): Vouched[] => {
    if (authority.kind !== 'tenant') return [];
    const { name } = authority;
    if (delegated.ok) return [{ name, failures: [], ...toDelegatedSigners(authority, delegated) }];
    const failure = { reason: 'AuthoritiesNotSatisfied', message: delegated.problem } as const;
    return [{ name, proofs: [], signers: [], failures: [failure] }];
  });
  return [...own, ...tenants];
}

// Who attests is a signer only where the policy asks for attestations alone.
function toSatisfied(
  { minAuthorities }: CompiledPolicy,
  digest: string,
  { child, proof }: JudgedSubject,
  attestations: readonly SatisfyingAttestation[],
): SatisfiedSubject {
  const signatures = minAuthorities > 0 ? [] : attestations.map(({ signature }) => signature);
  const attested = proof.authorities.map(({ authority }) => ({
    authority,
    signatures: signatures.filter((signature) => signature.authority === authority.name),
  }));
  return { digest, child, proofs: proof.authorities, attested };
}

interface JudgedRules {
  readonly findings: readonly Finding[];
  readonly signatures: readonly SatisfyingSignature[];
  readonly attestations: readonly SatisfyingAttestation[];
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
  if (problems.length > 0) {
    const findings = problems.map(({ reason, message, authority }) =>
      createFinding(reason, withChild(message, child), {
        use,
        policy: policy.name,
        ...(authority && { authority }),
      }),
    );
    return { findings, signatures, attestations: [] };
  }
  return {
    findings: judgeRules(policy, use, { ...input, attestations: satisfying, child }),
    signatures,
    attestations: satisfying.map(({ name, predicateType, signature }) => ({
      name,
      predicateType,
      signature,
    })),
  };
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

function toSatisfying(authority: string, proofs: readonly AuthorityProof[]): readonly SatisfyingSignature[] {
  return proofs.flatMap(({ signatures }) => signatures.map((facts) => ({ ...facts, authority })));
}

// A rule may only read what somebody trusted fixes: the manifest when it is signed, or the subject of an attestation by
// an authority that a requirement names; else the files.
function toBinding(
  signatures: readonly SatisfyingSignature[],
  { attestations }: Proof,
): 'Manifest' | 'Files' {
  const isAttested = attestations !== undefined && attestations.proven.length > 0;
  return isAttested || signatures.some(({ format }) => format !== 'ModelSigning') ? 'Manifest' : 'Files';
}

function judgeAuthorities(
  policy: CompiledPolicy,
  use: ModelReference,
  { proof, child, vouched }: VouchedSubject,
): readonly Finding[] {
  const count = countDistinctAuthorities(toSignersOf(vouched));
  if (count >= policy.minAuthorities) return [];
  const at = { use, policy: policy.name };
  const find = (reason: DenialReason, problem: string, authority?: string): Finding =>
    createFinding(reason, withChild(problem, child), { ...at, ...(authority && { authority }) });
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

// One signer is one signer, whoever names it: the namespace's and the cluster's are told apart together.
function toSignersOf(vouched: readonly Vouched[]): readonly (readonly string[])[] {
  const names = toSigners(vouched.flatMap(({ signers }) => signers));
  let next = 0;
  return vouched.map(({ signers }) => names.slice(next, (next += signers.length)).flat());
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

function judgeRules(policy: CompiledPolicy, use: ModelReference, input: RuleInput): readonly Finding[] {
  if (policy.validations.length === 0) return [];
  const { child, ...values } = input;
  const bindings = createCelBindings({ ...values, variables: policy.variables.rules });
  return policy.validations.flatMap((validation, index) => {
    const failure = evaluateRule(validation, bindings, input.meter);
    if (failure === undefined) return [];
    const problem = withChild(`spec.validations[${index}]: ${failure.message}`, child);
    return [createFinding(failure.reason, problem, { use, policy: policy.name })];
  });
}

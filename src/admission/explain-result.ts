// What did one policy find about one use? Its authorities with whom they accept and what was found for each, the
// attestations, the rules with what they read, and exceptions. Pure.
import { toArray, toRecord } from '../lib/text.ts';
import { toCanonicalName } from '../model/reference.ts';
import type { Authority } from '../signature/authority.ts';
import type { AttestationSignature } from '../signature/attestation.ts';
import type { SignatureFacts } from '../signature/facts.ts';
import type { Decision, JudgedUse } from '../verdict/decision.ts';
import { EXCEPTABLE_REASONS } from '../verdict/exceptions.ts';
import type { ExplainedSubject, PolicyResult, RuleOutcome } from '../verdict/judge.ts';
import { countDistinctAuthorities } from '../verdict/match-authorities.ts';
import { toVouchingSigners } from '../verdict/vouched.ts';
import { describeAuthority } from './describe-authority.ts';

/** Reads the values that a rule read: the path in the rule and the value as text. */
export type ReadRule = (rule: RuleOutcome) => readonly (readonly [path: string, value: string])[];

/** An authority of a policy: whom it accepts. */
export interface AuthorityExplanation {
  readonly name: string;
  /** True when nothing is verified for it. */
  readonly isStatic: boolean;
  readonly accepts: readonly string[];
}

/** What was found for one authority. */
export interface FoundForAuthority {
  readonly authority: string;
  readonly satisfiedBy: readonly string[];
  /** Why other candidates do not count, or why there are none. */
  readonly reasons: readonly string[];
}

/** One attestation that the policy demands. */
export interface FoundAttestation {
  readonly name: string;
  readonly satisfiedBy: readonly string[];
  readonly reasons: readonly string[];
}

/** What was found about one manifest. */
export interface SubjectExplanation {
  /** Digest of the child of an index; null: the reference names the manifest itself. */
  readonly child: string | null;
  /** Authorities satisfied by distinct signers. */
  readonly satisfied: number;
  readonly authorities: readonly FoundForAuthority[];
  readonly attestations: readonly FoundAttestation[];
  /** Trouble that concerns no single authority. */
  readonly problems: readonly string[];
}

/** One rule. */
export interface RuleExplanation {
  readonly path: string;
  readonly expression: string;
  readonly child: string | null;
  readonly outcome: 'holds' | 'violated' | 'failed';
  readonly message: string | null;
  readonly values: readonly { readonly path: string; readonly value: string }[];
}

/** One policy's part of the decision. */
export interface ResultExplanation {
  readonly policy: string;
  readonly actions: readonly string[];
  readonly passes: boolean;
  readonly minAuthorities: number;
  readonly authorities: readonly AuthorityExplanation[];
  readonly subjects: readonly SubjectExplanation[];
  readonly rules: readonly RuleExplanation[];
  /** Rules that were not asked, because something before them failed. */
  readonly skippedRules: number;
  readonly exceptions: readonly string[];
  readonly findings: readonly { readonly reason: string; readonly message: string }[];
}

/** What a result is explained with. */
export interface ResultOptions {
  readonly specs: ReadonlyMap<string, unknown>;
  readonly readRule: ReadRule;
  readonly decision: Decision;
  readonly namespace: string;
}

/** Explains one result. */
export function explainResult(
  judged: JudgedUse,
  result: PolicyResult,
  options: ResultOptions,
): ResultExplanation {
  const { policy, findings, subjects, rules } = result;
  const specs = toArray(toRecord(options.specs.get(policy.name))['authorities']).map(toRecord);
  const find = (name: string): Record<string, unknown> => specs.find((spec) => spec['name'] === name) ?? {};
  return {
    policy: policy.name,
    actions: [...policy.actions],
    passes: findings.length === 0,
    minAuthorities: policy.minAuthorities,
    authorities: policy.authorities.map((authority: Authority) => ({
      name: authority.name,
      isStatic: authority.kind === 'static',
      accepts: describeAuthority(authority, find(authority.name)),
    })),
    subjects: subjects.map((subject) => explainSubject(subject, result)),
    rules: rules.map((rule) => explainRule(rule, options.readRule)),
    skippedRules: rules.length === 0 ? policy.validations.length : 0,
    exceptions: explainExceptions(judged, result, options),
    findings: findings.map(({ reason, message }) => ({ reason, message })),
  };
}

function explainSubject(
  { child, proof, vouched, attested }: ExplainedSubject,
  { policy }: PolicyResult,
): SubjectExplanation {
  const none =
    proof.candidateCount === 0 ? 'no signature is attached' : 'no signature that is attached is meant for it';
  return {
    child: child ?? null,
    satisfied: countDistinctAuthorities(toVouchingSigners(vouched)),
    authorities: vouched.map(({ name, proofs, signers, failures }) => ({
      authority: name,
      satisfiedBy: proofs.flatMap(({ signatures }) => signatures.map(describeSigner)),
      reasons:
        signers.every(({ signatures }) => signatures.length === 0) && failures.length === 0
          ? [none]
          : failures.map(({ reason, message }) => `${reason}: ${message}`),
    })),
    attestations: policy.attestations.map(({ name, predicateTypes, authorities }) => {
      const { failures = [], found = [], proven = [] } = proof.attestations ?? {};
      const isMeant = (one: { predicateType: string; authority: string }): boolean =>
        predicateTypes.includes(one.predicateType) && authorities.includes(one.authority);
      const satisfied = (attested ?? []).filter((one) => one.name === name);
      if (attested === undefined)
        return { name, satisfiedBy: [], reasons: ['not asked, since the authorities are not satisfied'] };
      return {
        name,
        satisfiedBy: unique(satisfied.map(({ signature }) => describeSigner(signature))),
        reasons:
          satisfied.length > 0
            ? []
            : [
                `wanted: ${predicateTypes.join(' or ')}; found: ${found.length === 0 ? 'none at all' : found.join(', ')}`,
                ...proven.filter(isMeant).map((one) => `signed by ${describeSigner(one.signature)}`),
                ...failures
                  .filter(isMeant)
                  .map(({ authority, reason, message }) => `${authority}: ${reason}: ${message}`),
              ],
      };
    }),
    problems: [...proof.problems, ...(proof.attestations?.problems ?? [])].map(
      ({ reason, message }) => `${reason}: ${message}`,
    ),
  };
}

function unique(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)];
}

function describeSigner(facts: SignatureFacts | AttestationSignature): string {
  const { issuer, subject, keyFingerprint, format, signedAt, existedBy, logs } = facts;
  const who =
    subject === '' && issuer === '' ? `key sha256:${keyFingerprint}` : `${subject} of issuer ${issuer}`;
  const at = signedAt ?? existedBy;
  return [
    `${who} (${format})`,
    ...(at === undefined
      ? []
      : [`${signedAt === undefined ? 'existed by' : 'signed at'} ${at.toISOString()}`]),
    ...logs.map(({ origin, index }) => `entry ${index} of log ${origin}`),
  ].join(', ');
}

function explainRule(rule: RuleOutcome, readRule: ReadRule): RuleExplanation {
  const { path, expression, failure, child } = rule;
  return {
    path,
    expression,
    child: child ?? null,
    outcome: failure === undefined ? 'holds' : failure.reason === 'RuleViolated' ? 'violated' : 'failed',
    message: failure?.message ?? null,
    values: readRule(rule).map(([read, value]) => ({ path: read, value })),
  };
}

function explainExceptions(
  { use, digest }: JudgedUse,
  { policy, findings }: PolicyResult,
  { decision, namespace }: ResultOptions,
): readonly string[] {
  const { world, exceptions: used } = decision;
  if (findings.length === 0 || world === undefined) return [];
  const refused = findings.find(({ reason }) => !EXCEPTABLE_REASONS.has(reason));
  const isUsed = (name: string): boolean =>
    used.some(
      (entry) =>
        entry.exception === name &&
        entry.policy === policy.name &&
        entry.reference === use.reference.original &&
        entry.digest === digest,
    );
  return world.exceptions
    .filter(({ policies }) => policies.has(policy.name))
    .map((exception) => {
      const until = exception.endsAt.toISOString();
      if (isUsed(exception.name)) return `${exception.name} admits it until ${until}: ${exception.reason}`;
      const because = [
        ...(world.now < exception.endsAt ? [] : [`it ended at ${until}`]),
        ...(exception.namespaces.has(namespace) ? [] : [`it is not about namespace ${namespace}`]),
        ...(exception.covers(toCanonicalName(use.reference), digest) ? [] : ['it does not name this model']),
        ...(refused === undefined ? [] : [`${refused.reason} cannot be excepted`]),
        ...(policy.actions.has('Deny') ? [] : ['the policy does not deny']),
      ];
      return `${exception.name} does not apply: ${because.length === 0 ? 'another one ends later' : because.join('; ')}`;
    });
}

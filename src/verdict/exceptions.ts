// Which denials does an exception turn into warnings? Applied after honest judgement: the reasons stay, only what they do
// changes. Pure.
import type { DenialReason } from '../reason.ts';
import { quote, toSeconds } from '../lib/text.ts';
import { toCanonicalName } from '../model/reference.ts';
import type { CompiledException } from '../policy/compile-exception.ts';
import type { ValidationAction } from '../policy/types.ts';
import { isSigning } from '../signature/authority.ts';
import { revocationsOf } from '../signature/revoked.ts';
import { findRevocation } from '../trust/revocation.ts';
import type { JudgedUse } from './decision.ts';
import type { ActedFinding } from './fold.ts';
import type { PolicyResult } from './judge.ts';

/**
 * What an exception can admit: that a model is not proven good enough, or cannot be. Never that the content is not what
 * it is called (DigestMismatch, ManifestInvalid, ReferenceInvalid), what was denied by name or revoked, nor faults.
 */
export const EXCEPTABLE_REASONS: ReadonlySet<DenialReason> = new Set([
  'DigestRequired',
  'SignatureMissing',
  'SignatureInvalid',
  'SignerNotTrusted',
  'IdentityMismatch',
  'SubjectMismatch',
  'TransparencyLogInvalid',
  'TimestampInvalid',
  'CertificateInvalid',
  'FileSetMismatch',
  'OpaqueLayer',
  'UnsupportedFormat',
  'ArtifactTooLarge',
  'TooManySignatures',
  'AttestationMissing',
  'AttestationRejected',
  'AuthoritiesNotSatisfied',
  'RuleViolated',
  'RuleFailed',
  'RegistryUnavailable',
  'RegistryUnauthorized',
  'RegistryThrottled',
  'TrustRootUnavailable',
  'CredentialsUnavailable',
]);

/** One use of an exception. */
export interface ExceptionUse {
  readonly exception: string;
  readonly policy: string;
  readonly reference: string;
  readonly digest: string | undefined;
  readonly endsAt: Date;
}

/** What a request may make use of. */
export interface ExceptionContext {
  readonly exceptions: readonly CompiledException[];
  readonly namespace: string;
  readonly now: Date;
}

/** Findings with what they do, and the exceptions that had a part in it. */
export interface Excepted {
  readonly acted: readonly ActedFinding[];
  readonly used: readonly ExceptionUse[];
}

/** Applies exceptions to what each policy found about one use. */
export function applyExceptions(judged: JudgedUse, context: ExceptionContext): Excepted {
  const parts = judged.results.map((result) => applyToResult(judged, result, context));
  return { acted: parts.flatMap(({ acted }) => acted), used: parts.flatMap(({ used }) => used) };
}

function applyToResult(judged: JudgedUse, result: PolicyResult, context: ExceptionContext): Excepted {
  const { findings, policy } = result;
  const exception = policy.actions.has('Deny') ? findException(judged, result, context) : undefined;
  if (exception === undefined)
    return { acted: findings.map((finding) => ({ finding, actions: policy.actions })), used: [] };
  const actions = new Set<ValidationAction>(
    ['Warn', ...policy.actions].filter((action) => action !== 'Deny') as ValidationAction[],
  );
  const note = `admitted by ModelPolicyException ${exception.name} until ${toSeconds(exception.endsAt)}, ${quote(exception.reason, 200)}: `;
  return {
    acted: findings.map((finding) => ({
      finding: { ...finding, message: `${note}${finding.message}` },
      actions,
    })),
    used: [
      {
        exception: exception.name,
        policy: policy.name,
        reference: judged.use.reference.original,
        digest: judged.digest,
        endsAt: exception.endsAt,
      },
    ],
  };
}

// All or nothing: one finding that cannot be excepted keeps the whole denial.
function findException(
  { use, digest, clusterDigest }: JudgedUse,
  { findings, policy }: PolicyResult,
  { exceptions, namespace, now }: ExceptionContext,
): CompiledException | undefined {
  if (findings.length === 0 || !findings.every(({ reason }) => EXCEPTABLE_REASONS.has(reason)))
    return undefined;
  if (digest !== undefined && isRevoked(policy, digest)) return undefined;
  const name = toCanonicalName(use.reference);
  // A tag that the policy does not resolve has no digest, whatever others resolved it to: it can move.
  const known = policy.digest === 'Resolve' ? clusterDigest : use.reference.digest;
  return exceptions
    .filter(
      (exception) =>
        now < exception.endsAt &&
        exception.policies.has(policy.name) &&
        exception.namespaces.has(namespace) &&
        exception.covers(name, known),
    )
    .toSorted((left, right) => right.endsAt.getTime() - left.endsAt.getTime())[0];
}

// Signatures are asked about revocations, and whoever brings a revoked model brings it without any.
function isRevoked({ authorities }: PolicyResult['policy'], digest: string): boolean {
  return authorities.some((authority) => {
    const revoked = isSigning(authority) ? revocationsOf(authority) : undefined;
    const parts = { spkis: [], certificateSerials: [], artifactDigests: [digest] };
    return revoked !== undefined && findRevocation(parts, revoked) !== undefined;
  });
}

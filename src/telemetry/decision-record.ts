// What does an auditor need to know about one decision? One JSON object per request: digest, signer, issuer, log
// evidence, policy, time, and the deciding system. Never secrets, never whole objects.
import type { Decision, JudgedUse } from '../verdict/decision.ts';
import { boundBytes } from '../lib/text.ts';
import type { LogEvidence } from '../signature/facts.ts';
import type { SatisfyingAttestation, SatisfyingSignature } from '../verdict/judge.ts';

const MAX_TEXT_BYTES = 512;
/** References, and findings, of one record; the rest is counted in `omitted`. */
export const MAX_RECORDED = 128;

/** One signature in records and in `--json` answers. */
export interface SignatureRecord {
  readonly authority: string;
  readonly format: string;
  readonly issuer: string;
  readonly subject: string;
  readonly keyFingerprint: string;
  /** `registry/repository`, where it was found in another than the model's own. */
  readonly repository?: string;
  readonly signedAt: string | null;
  readonly logs: readonly LogEvidence[];
}

/** One attestation that a policy demanded, in records and in `--json` answers: which one, and who signed it. */
export interface AttestationRecord extends SignatureRecord {
  readonly name: string;
  readonly predicateType: string;
}

/** One reference in records and in `--json` answers. */
export interface ReferenceRecord {
  readonly reference: string;
  readonly digest: string | null;
  readonly source: string;
  readonly fieldPath: string;
  readonly format: string | null;
  readonly signatures: readonly SignatureRecord[];
  /** Present where a policy demanded attestations that are there. */
  readonly attestations?: readonly AttestationRecord[];
}

/** The references of a decision with what satisfied their policies. */
export function toReferenceRecords(uses: readonly JudgedUse[]): readonly ReferenceRecord[] {
  return uses.map(({ use, digest, format, results }) => ({
    reference: use.reference.original,
    digest: digest ?? null,
    source: use.source,
    fieldPath: use.fieldPath,
    format: format ?? null,
    signatures: unique(results.flatMap(({ signatures }) => signatures.map(toSignatureRecord))),
    ...toAttestations(results),
  }));
}

function toSignatureRecord(facts: SatisfyingSignature | SatisfyingAttestation['signature']): SignatureRecord {
  const { authority, format, issuer, subject, keyFingerprint, repository, signedAt, logs } = facts;
  return {
    authority,
    format,
    issuer,
    subject,
    keyFingerprint,
    ...(repository !== undefined && { repository }),
    signedAt: signedAt?.toISOString() ?? null,
    logs,
  };
}

function toAttestations(results: JudgedUse['results']): Pick<ReferenceRecord, 'attestations'> {
  const records = results.flatMap(({ attestations }) => attestations.map(toAttestationRecord));
  return records.length === 0 ? {} : { attestations: unique(records) };
}

function toAttestationRecord({ name, predicateType, signature }: SatisfyingAttestation): AttestationRecord {
  return { name, predicateType, ...toSignatureRecord(signature) };
}

// Two policies can be satisfied by one signature.
function unique<T>(records: readonly T[]): readonly T[] {
  return [...new Map(records.map((record) => [JSON.stringify(record), record])).values()];
}

/** The part of an admission request that is recorded. */
export interface RecordedRequest {
  readonly uid: string;
  readonly operation: string;
  readonly dryRun?: boolean;
  readonly kind: { readonly kind: string };
  readonly namespace?: string;
  readonly name?: string;
  readonly userInfo?: { readonly username?: string };
}

/** The record of one decision. @param at when it was made */
export function toDecisionRecord(request: RecordedRequest, decision: Decision, at: Date): object {
  const { verdict, exemption, policies, exceptions, durationsMs, uses, acted } = decision;
  const omitted = Math.max(0, uses.length - MAX_RECORDED) + Math.max(0, acted.length - MAX_RECORDED);
  return {
    time: at.toISOString(),
    uid: request.uid,
    operation: request.operation,
    dryRun: request.dryRun === true,
    object: {
      kind: request.kind.kind,
      namespace: request.namespace ?? '',
      name: boundBytes(request.name ?? '', MAX_TEXT_BYTES),
    },
    user: boundBytes(request.userInfo?.username ?? '', MAX_TEXT_BYTES),
    verdict: exemption === undefined ? (verdict.allowed ? 'allowed' : 'denied') : 'exempt',
    exemption: exemption ?? null,
    references: toReferenceRecords(uses.slice(0, MAX_RECORDED)),
    policies,
    exceptions: exceptions
      .slice(0, MAX_RECORDED)
      .map((use) => ({ ...use, endsAt: use.endsAt.toISOString() })),
    findings: acted
      .slice(0, MAX_RECORDED)
      .map(({ finding, actions }) => ({ ...finding, actions: [...actions] })),
    ...(omitted === 0 ? {} : { omitted }),
    durationsMs,
  };
}

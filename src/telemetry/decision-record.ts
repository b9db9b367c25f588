// What does an auditor need to know about one decision? One JSON object per request: digest, signer, issuer, log
// evidence, policy, time, and the deciding system. Never secrets, never whole objects.
import type { Decision, JudgedUse } from '../verdict/decision.ts';
import { boundBytes } from '../lib/text.ts';
import type { SatisfyingSignature } from '../verdict/judge.ts';

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
  readonly signedAt: string | null;
  readonly logs: readonly { readonly origin: string; readonly index: string }[];
}

/** One reference in records and in `--json` answers. */
export interface ReferenceRecord {
  readonly reference: string;
  readonly digest: string | null;
  readonly source: string;
  readonly fieldPath: string;
  readonly format: string | null;
  readonly signatures: readonly SignatureRecord[];
}

/** The references of a decision with what satisfied their policies. */
export function toReferenceRecords(uses: readonly JudgedUse[]): readonly ReferenceRecord[] {
  return uses.map(({ use, digest, format, results }) => ({
    reference: use.reference.original,
    digest: digest ?? null,
    source: use.source,
    fieldPath: use.fieldPath,
    format: format ?? null,
    signatures: uniqueSignatures(results.flatMap(({ signatures }) => signatures)),
  }));
}

// Two policies can be satisfied by one signature.
function uniqueSignatures(signatures: readonly SatisfyingSignature[]): readonly SignatureRecord[] {
  const records = signatures.map(
    ({ authority, format, issuer, subject, keyFingerprint, signedAt, logs }) => ({
      authority,
      format,
      issuer,
      subject,
      keyFingerprint,
      signedAt: signedAt?.toISOString() ?? null,
      logs,
    }),
  );
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

// What does kubectl print about a verdict? The whole of both outputs, so that nothing else is said either.
import assert from 'node:assert/strict';
import type { DenialReason } from '../../src/reason.ts';
import type { KubectlResult } from './kubectl.ts';

/** Where the pods of these stories name their model. */
const FIELD = 'spec.volumes[0].image.reference';

/** The line about one reference; `rest` begins with the policy. */
export function line(reason: DenialReason, reference: string, rest: string, field = FIELD): string {
  return `${reason}: ${reference} (${field}) ${rest}`;
}

/** The line about a model without a signature. */
export function unsignedLine(reference: string, policy: string, field = FIELD): string {
  const rest = `policy ${policy}: no signature is attached to this digest; sign the digest, for example with cosign sign`;
  return line('SignatureMissing', reference, rest, field);
}

/** The line about a model that no policy selects. */
export function unmatchedLine(reference: string, inNamespace: string, field = FIELD): string {
  const rest = `no enforcing policy of namespace ${inNamespace} selects this model; add a ClusterModelPolicy that selects this model`;
  return `NoMatchingPolicy: ${reference} (${field}): ${rest}`;
}

/** Lines that are told as warnings. */
export function toWarnings(...lines: readonly string[]): string {
  return lines.map((text) => `Warning: ${text}\n`).join('');
}

/** What kubectl says when the webhook denies. `what` is what kubectl wanted to do; empty for `kubectl debug` */
export function toDenial(
  lines: readonly string[],
  reason = 'Forbidden',
  what = 'error when creating "STDIN": ',
): string {
  return `Error from server (${reason}): ${what}admission webhook "validate.modelpolicy.dev" denied the request: ${lines.join('\n')}\n`;
}

/** Asserts a denial for these lines and nothing else. */
export function expectDenied({ code, stdout, stderr }: KubectlResult, ...lines: readonly string[]): void {
  assert.deepEqual({ code, stdout, stderr }, { code: 1, stdout: '', stderr: toDenial(lines) });
}

/** Asserts that an object is admitted with these warnings and no others. @param what as in `pod/question` */
export function expectAdmitted(
  { code, stdout, stderr }: KubectlResult,
  what = 'pod/question',
  ...warnings: readonly string[]
): void {
  const said = stdout.replace(' (server dry run)', '');
  assert.deepEqual(
    { code, said, stderr },
    { code: 0, said: `${what} created\n`, stderr: toWarnings(...warnings) },
  );
}

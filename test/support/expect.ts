// What must be true of every answer? Decision, code, causes, message, audit annotations, decision record and metrics say
// the same thing, within their bounds.
import assert from 'node:assert/strict';
import type { Answer, Controller, DecisionRecord } from './controller.ts';
import type { PostOptions } from './https-client.ts';

const STATUS_REASONS: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  403: 'Forbidden',
  500: 'InternalError',
  503: 'ServiceUnavailable',
};

/** The sum of a counter's series that carry all these labels. */
export function sumOf(metrics: string, name: string, labels: Readonly<Record<string, string>> = {}): number {
  return metrics
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .filter((line) => Object.entries(labels).every(([label, value]) => line.includes(`${label}="${value}"`)))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

/** What a denial must look like. */
export interface Denial {
  readonly code: 400 | 403 | 500 | 503;
  readonly reasons: readonly string[];
}

/** Asks, and holds every trace of the denial to the expectation. Reasons in any order. */
export async function expectDenied(
  controller: Controller,
  review: object,
  { code, reasons }: Denial,
  options?: PostOptions,
): Promise<Answer> {
  const before = await controller.metrics();
  const answer = await controller.ask(review, options);
  const after = await controller.metrics();
  assert.equal(answer.allowed, false);
  assert.deepEqual([...answer.reasons].toSorted(), [...reasons].toSorted(), answer.message);
  assert.equal(answer.code, code);
  assert.equal(answer.reason, STATUS_REASONS[code]);
  assert.ok(Buffer.byteLength(answer.message) <= 8192);
  assert.equal(answer.annotations['modelpolicy.dev/verdict'], 'denied');
  checkAnnotations(answer);
  const { verdict, findings } = recordOf(controller, answer);
  assert.equal(verdict, 'denied');
  for (const reason of reasons) {
    assert.ok(answer.message.includes(`${reason}:`), answer.message);
    assert.ok((answer.annotations['modelpolicy.dev/reasons'] ?? '').split(',').includes(reason));
    assert.ok(findings.some((finding) => finding.reason === reason && finding.actions.includes('Deny')));
    const labels = { reason, action: 'Deny' };
    const name = 'model_policy_decisions_total';
    assert.ok(sumOf(after, name, labels) > sumOf(before, name, labels), `${reason} is not counted`);
  }
  const verdicts = (text: string): number =>
    sumOf(text, 'model_policy_requests_total', { verdict: 'denied' });
  assert.equal(verdicts(after), verdicts(before) + 1);
  return answer;
}

/** Asks, and holds every trace of the admission to the expectation. @param how `allowed`, or `exempt-…` */
export async function expectAllowed(
  controller: Controller,
  review: object,
  how: 'allowed' | 'exempt-operation' | 'exempt-status' | 'exempt-kind' | 'exempt-unchanged' = 'allowed',
): Promise<Answer> {
  const before = await controller.metrics();
  const answer = await controller.ask(review);
  const after = await controller.metrics();
  assert.equal(answer.allowed, true, answer.message);
  assert.equal(answer.annotations['modelpolicy.dev/verdict'], how);
  checkAnnotations(answer);
  const { verdict, exemption } = recordOf(controller, answer);
  assert.equal(verdict, how === 'allowed' ? 'allowed' : 'exempt');
  assert.equal(exemption, how === 'allowed' ? null : how.slice('exempt-'.length));
  const verdicts = (text: string): number => sumOf(text, 'model_policy_requests_total', { verdict });
  assert.equal(verdicts(after), verdicts(before) + 1);
  return answer;
}

/** The record of an answered request; there must be exactly one. */
export function recordOf(controller: Controller, { uid }: Answer): DecisionRecord {
  const [record, ...others] = controller.records.filter((candidate) => candidate.uid === uid);
  assert.ok(record !== undefined, 'the decision is not recorded');
  assert.equal(others.length, 0);
  return record;
}

function checkAnnotations({ annotations }: Answer): void {
  for (const [name, value] of Object.entries(annotations)) {
    assert.match(name, /^modelpolicy\.dev\/(?:verdict|reasons|policies|digests|exceptions)$/);
    assert.ok(Buffer.byteLength(value) <= 1024);
  }
}

// Which requests are admitted without being judged? A closed list: what removes things, and updates that change no
// model. Nothing a pod author or requester sets can put a request on it.
import type { Extraction } from '../model/model-reference.ts';
import type { Exemption } from '../verdict/decision.ts';
import type { AdmissionRequest } from './review.ts';

/** Exemptions that the request alone shows. */
export function findExemption(request: AdmissionRequest): Exemption | undefined {
  if (request.operation === 'DELETE' || request.operation === 'CONNECT') return 'operation';
  return request.subResource === 'status' ? 'status' : undefined;
}

/**
 * True when an update changes neither references nor findings: labels, finalizers, resize, and deletion in progress
 * never wait for a registry. A changed image or volume is never unchanged.
 */
export function isUnchanged(before: Extraction, after: Extraction): boolean {
  return toFingerprint(before) === toFingerprint(after);
}

function toFingerprint({ references, images, findings, unreadableImages }: Extraction): string {
  return JSON.stringify([
    [...references, ...images].map(({ reference, source, otherSources, fieldPath }) => [
      reference.original,
      source,
      otherSources,
      fieldPath,
    ]),
    [...findings, ...unreadableImages].map(({ reason, written, sources, field }) => [
      reason,
      written,
      sources,
      field,
    ]),
  ]);
}

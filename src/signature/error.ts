// Why does a signature not count? The one typed failure of this folder; callers turn it into a finding.
import type { DenialReason } from '../reason.ts';

/** Thrown by every `verify*` and `parse*` here; `message` is one clause, foreign text escaped. */
export class SignatureError extends Error {
  override readonly name = 'SignatureError';
  readonly reason: DenialReason;
  constructor(reason: DenialReason, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** Our own core accepted what @sigstore/verify refuses: a denial, and a case for whoever keeps the two in step. */
export class DisagreementError extends SignatureError {
  /** @param opinion what the library said, escaped */
  constructor(opinion: string) {
    super('SignatureInvalid', `the second opinion refuses what our own verification accepts: ${opinion}`);
  }
}

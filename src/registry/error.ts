// What went wrong at a registry? The one typed error of this folder; evidence/ turns it into a finding.
import { quote } from '../lib/text.ts';
import type { DenialReason } from '../reason.ts';

/** Kinds of registry trouble, each with the reason it becomes. */
export const REGISTRY_ERROR_REASONS = {
  unreachable: 'RegistryUnavailable',
  unauthorized: 'RegistryUnauthorized',
  throttled: 'RegistryThrottled',
  notFound: 'ArtifactNotFound',
  mismatch: 'DigestMismatch',
  tooLarge: 'ArtifactTooLarge',
  invalid: 'ManifestInvalid',
} as const satisfies Record<string, DenialReason>;

/** The closed set of kinds. */
export type RegistryErrorKind = keyof typeof REGISTRY_ERROR_REASONS;

/** Thrown by every registry call but for deadlines; `message` is one clause without secrets, foreign text escaped. */
export class RegistryError extends Error {
  override readonly name = 'RegistryError';
  readonly kind: RegistryErrorKind;
  constructor(kind: RegistryErrorKind, message: string) {
    super(message);
    this.kind = kind;
  }
}

/** A URL that a registry named, for messages: escaped, without user info and query, which may open what it leads to. */
export function describeForeignUrl(text: string): string {
  const [named = ''] = text.split(/[?#]/, 1);
  return quote(named.replace(/^([^/]*\/\/)[^/]*@/, '$1'), 120);
}

// Is any of this revoked? The revocation list of a TrustRoot as sets, and the one question they answer. Pure: whoever
// verifies asks it with everything that took part.
import type { Finding } from '../reason.ts';
import { quote } from '../lib/text.ts';

/** What a TrustRoot revokes, each with the administrator's reason. */
export interface Revocations {
  /** By lower-case hex SHA-256 of a SubjectPublicKeyInfo. */
  readonly spkis: ReadonlyMap<string, string>;
  /** By certificate serial in lower-case hex without leading zeros. */
  readonly certificateSerials: ReadonlyMap<string, string>;
  /** By digest, `sha256:…` or `sha512:…`. */
  readonly artifactDigests: ReadonlyMap<string, string>;
}

/** Nothing is revoked. */
export const NO_REVOCATIONS: Revocations = {
  spkis: new Map(),
  certificateSerials: new Map(),
  artifactDigests: new Map(),
};

/** Everything about a signature that can be revoked; any spelling of hex. */
export interface RevocableParts {
  /** SHA-256 of the SubjectPublicKeyInfo of the signer and of each certificate of its chain. */
  readonly spkis: readonly string[];
  /** Serials of the signer's certificate and of its chain; empty for keys. */
  readonly certificateSerials: readonly string[];
  /** The digest that is asked about, and its index's where it was chosen from one. */
  readonly artifactDigests: readonly string[];
}

/** The first part that is revoked, as a finding `Revoked`; undefined when none is. */
export function findRevocation(parts: RevocableParts, revoked: Revocations): Finding | undefined {
  return (
    find('key', parts.spkis.map(toFingerprint), revoked.spkis) ??
    find('certificate', parts.certificateSerials.map(toSerial), revoked.certificateSerials) ??
    find('artifact', parts.artifactDigests, revoked.artifactDigests)
  );
}

function find(
  what: string,
  values: readonly string[],
  revoked: ReadonlyMap<string, string>,
): Finding | undefined {
  const value = values.find((candidate) => revoked.has(candidate));
  if (value === undefined) return undefined;
  const reason = quote(revoked.get(value) ?? '', 200);
  return { reason: 'Revoked', message: `its ${what} ${quote(value, 140)} is revoked: ${reason}` };
}

/** A fingerprint as the sets hold it: lower-case hex without `sha256:`. */
export function toFingerprint(text: string): string {
  return text.toLowerCase().replace(/^sha256:/, '');
}

/** A serial as the sets hold it: lower-case hex without colons and leading zeros. */
export function toSerial(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(':', '')
    .replace(/^0+(?=.)/, '');
}

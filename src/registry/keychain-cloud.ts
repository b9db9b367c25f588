// Does a cloud hand out credentials for this registry? What the keychains of clouds have in common: only hosts that
// they know by their whole name, one flight and a short memory per token, and failures that name the cloud.
import { createCache } from '../lib/cache.ts';
import { waitWithin } from '../lib/deadline.ts';
import { parseStrictJson } from '../lib/strict-json.ts';
import { quote, toErrorMessage, toRecord } from '../lib/text.ts';
import type { Credential } from './docker-config.ts';
import type { TokenAnswer } from './keychain-fetch.ts';
import { NOTHING_FOUND, type CredentialSource } from './keychain.ts';

/** How long a credential is used at most, in milliseconds (docs: limits). */
export const CLOUD_TTL_MS = 10 * 60_000;
/** Credentials are renewed this long before they end, in milliseconds. */
export const RENEWAL_MARGIN_MS = 60_000;
const MAX_CLOUD_CREDENTIALS = 64;
const MAX_TOKEN_JSON_BYTES = 64 * 1024;

/** The clouds, as the option names them. */
export const CLOUD_NAMES = ['ECR', 'GAR', 'ACR'] as const;

/** One of the clouds. */
export type CloudName = (typeof CLOUD_NAMES)[number];

/** A credential with its end, in milliseconds since the epoch. */
export interface CloudCredential {
  readonly credential: Credential;
  readonly expiresAt: number;
}

/** One cloud. */
export interface CloudKeychain {
  readonly name: CloudName;
  /** What credentials for a canonical host are kept under; undefined for every host that is not the cloud's. */
  toCacheKey(registry: string): string | undefined;
  /** @throws CloudKeychainError, and anything else that goes wrong on the way */
  fetch(registry: string): Promise<CloudCredential>;
}

/** Why a cloud gave no credentials; the message holds no secret. */
export class CloudKeychainError extends Error {
  override readonly name = 'CloudKeychainError';
}

/** The source that a cloud is. */
export function createCloudSource(cloud: CloudKeychain, now: () => Date): CredentialSource {
  const cache = createCache<CloudCredential>({ maxWeight: MAX_CLOUD_CREDENTIALS, ttlMs: CLOUD_TTL_MS });
  return {
    isShared: true,
    async find({ registry }, signal) {
      const key = cloud.toCacheKey(registry);
      if (key === undefined) return NOTHING_FOUND;
      const known = cache.peek(key);
      if (known !== undefined && known.expiresAt - RENEWAL_MARGIN_MS <= now().getTime()) cache.drop(key);
      const found = cache
        .fetch(key, () => cloud.fetch(registry))
        .then(
          ({ credential }) => ({ ...NOTHING_FOUND, credentials: [credential] }),
          (error: unknown) => ({ ...NOTHING_FOUND, failures: [describe(cloud.name, registry, error)] }),
        );
      return waitWithin(found, signal);
    },
  };
}

function describe(name: CloudName, registry: string, error: unknown): string {
  // Only our own errors are known to hold no secret.
  const why =
    error instanceof CloudKeychainError ? toErrorMessage(error) : 'its token service could not be asked';
  return `the ${name} keychain has no credentials for ${quote(registry)}: ${why}`;
}

/** The JSON object of a 200 answer. @throws CloudKeychainError */
export function readTokenAnswer({ status, text }: TokenAnswer, what: string): Record<string, unknown> {
  if (status !== 200) throw new CloudKeychainError(`${what} answered ${status}`);
  try {
    return toRecord(parseStrictJson(Buffer.from(text), MAX_TOKEN_JSON_BYTES));
  } catch {
    throw new CloudKeychainError(`${what} answered no JSON`);
  }
}

/** A field of an answer that must be text. @throws CloudKeychainError */
export function requireText(answer: Record<string, unknown>, field: string, what: string): string {
  const value = answer[field];
  if (typeof value === 'string' && value !== '') return value;
  throw new CloudKeychainError(`${what} answered without ${field}`);
}

/** The end of what lives this many seconds from now, in milliseconds since the epoch; a minute when nobody says. */
export function toExpiry(seconds: unknown, now: Date): number {
  const isUsable = typeof seconds === 'number' && seconds > 0;
  return now.getTime() + (isUsable ? seconds * 1000 : RENEWAL_MARGIN_MS);
}

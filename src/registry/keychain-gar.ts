// Which credentials has this machine at Google's registries? Asks the metadata server for the access token of the
// service account that the controller runs as. Artifact Registry and its predecessor take it as a password.
import {
  CloudKeychainError,
  readTokenAnswer,
  requireText,
  toExpiry,
  type CloudKeychain,
} from './keychain-cloud.ts';
import type { CloudAccess } from './keychain-fetch.ts';

const HOST = /^(?:[a-z0-9-]+-docker\.pkg\.dev|(?:[a-z0-9-]+\.)?gcr\.io)$/;
const TOKEN_URL =
  'http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token';
const WHAT = 'the metadata server';

/** Creates the keychain of Google Artifact Registry and Container Registry. */
export function createGarKeychain({ fetch, now }: Pick<CloudAccess, 'fetch' | 'now'>): CloudKeychain {
  return {
    name: 'GAR',
    // One identity for all of Google's registries.
    toCacheKey: (registry) => (HOST.test(registry) ? 'google' : undefined),
    async fetch() {
      const asked = await fetch({ url: TOKEN_URL, method: 'GET', headers: { 'metadata-flavor': 'Google' } });
      // Outside of Google anybody may answer to that name; the server signs itself with this header.
      if (asked.headers['metadata-flavor'] !== 'Google')
        throw new CloudKeychainError(`${WHAT} is not Google’s`);
      const answer = readTokenAnswer(asked, WHAT);
      return {
        credential: { username: 'oauth2accesstoken', password: requireText(answer, 'access_token', WHAT) },
        expiresAt: toExpiry(answer['expires_in'], now()),
      };
    },
  };
}

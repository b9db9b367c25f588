// What Authorization does a registry want? Basic or bearer token by its challenge (distribution-spec auth, RFC 9110
// §11.6.1). A realm on another host is only believed when the registry named it over TLS, and is only asked over TLS.
import { createCache, type Cache } from '../lib/cache.ts';
import { parseStrictJson, StrictJsonError } from '../lib/strict-json.ts';
import { quote, toRecord, toText } from '../lib/text.ts';
import type { Credential, Keychain } from './docker-config.ts';
import { RegistryError } from './error.ts';
import { REQUEST_TIMEOUT_MS, type Transport, type TransportRequest } from './transport.ts';

const MAX_TOKEN_RESPONSE_BYTES = 64 * 1024;
const MAX_TOKENS = 1000;
/** Tokens are used for less than the shortest life a registry may give them (60 s by the token specification). */
export const TOKEN_TTL_MS = 45_000;
/** By this user name a credential's password is an identity token, as docker's credential helpers say it. */
export const IDENTITY_TOKEN_USER = '<token>';
const MAX_CHALLENGE_CHARS = 4096;
const CLIENT_ID = 'model-policy-controller';

/** Where and for what a request is made. */
export interface AuthScope {
  /** Canonical registry host, the key of the keychain. */
  readonly registry: string;
  /** Host that answers for it. */
  readonly host: string;
  readonly repository: string;
}

/** Answers challenges and remembers the answers. */
export interface Authenticator {
  /** The header to send with a first try: of an earlier answer for the same scope that is still good. */
  known(scope: AuthScope): string | undefined;
  /**
   * The header that answers a 401.
   * @param rejected the header that was sent and refused, if one was
   * @throws RegistryError `unauthorized` when the challenge cannot be met
   */
  answer(scope: AuthScope, challenge: string, rejected: string | undefined): Promise<string>;
}

/** Creates an authenticator over one keychain. */
export function createAuthenticator(transport: Transport, keychain: Keychain): Authenticator {
  const headers: Cache<{ header: string }> = createCache({ maxWeight: MAX_TOKENS, ttlMs: TOKEN_TTL_MS });
  const toKey = (scope: AuthScope): string => `${scope.host}\n${scope.repository}`;
  return {
    known: (scope) => headers.peek(toKey(scope))?.header,
    async answer(scope, challenge, rejected) {
      const key = toKey(scope);
      if (headers.peek(key)?.header === rejected) headers.drop(key);
      const credential = keychain.get(scope.registry);
      const { header } = await headers.fetch(key, async () => ({
        header: await answerChallenge({ scope, credential, transport }, challenge),
      }));
      return header;
    },
  };
}

interface Attempt {
  readonly scope: AuthScope;
  readonly credential: Credential | undefined;
  readonly transport: Transport;
}

async function answerChallenge(attempt: Attempt, challenge: string): Promise<string> {
  const { scope, credential } = attempt;
  const parsed = parseChallenge(challenge);
  if (parsed?.scheme === 'basic' && credential !== undefined && credential.username !== IDENTITY_TOKEN_USER)
    return toBasic(credential);
  if (parsed?.scheme === 'bearer') return fetchToken(attempt, parsed.parameters);
  const how =
    credential === undefined ? 'no credentials are configured for it' : 'its challenge is not understood';
  throw new RegistryError('unauthorized', `${quote(scope.registry)} asks for authentication and ${how}`);
}

function toBasic({ username, password }: Credential): string {
  return `Basic ${Buffer.from(`${username}:${password}`, 'utf8').toString('base64')}`;
}

/** Splits a challenge into its lower-case scheme and parameters; undefined when it is none. */
export function parseChallenge(
  text: string,
): { scheme: string; parameters: ReadonlyMap<string, string> } | undefined {
  if (text.length > MAX_CHALLENGE_CHARS) return undefined;
  const scheme = /^([A-Za-z]+)(?: |$)/.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) return undefined;
  const parameters = new Map<string, string>();
  for (const [, name = '', quoted, bare] of text.matchAll(/([A-Za-z_]+)=(?:"([^"\\]*)"|([^\s",]+))/g))
    // A second challenge in one header repeats names: the first challenge counts.
    if (!parameters.has(name.toLowerCase())) parameters.set(name.toLowerCase(), quoted ?? bare ?? '');
  return { scheme, parameters };
}

async function fetchToken(attempt: Attempt, parameters: ReadonlyMap<string, string>): Promise<string> {
  const { scope, credential, transport } = attempt;
  // Bought already, by whoever wrote the file: no service is asked.
  if (credential?.registryToken !== undefined) return `Bearer ${credential.registryToken}`;
  const response = await transport.send({
    ...toTokenRequest(attempt, parameters),
    maxBytes: MAX_TOKEN_RESPONSE_BYTES,
    // Several requests may wait for one token: none of their deadlines is the token's.
    signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
  });
  if (response.status !== 200) throw toTokenError(response.status, scope);
  return `Bearer ${readToken(response.body, scope)}`;
}

function toTokenRequest(
  { scope, credential, transport }: Attempt,
  parameters: ReadonlyMap<string, string>,
): Pick<TransportRequest, 'url' | 'headers' | 'form'> {
  const url = toRealm(parameters.get('realm') ?? '', scope, transport);
  const service = parameters.get('service');
  // Our own scope, not the challenge's: this client only ever reads.
  const wanted = { ...(service !== undefined && { service }), scope: `repository:${scope.repository}:pull` };
  if (credential?.username === IDENTITY_TOKEN_USER)
    return { url, headers: {}, form: toRefreshForm(credential.password, wanted) };
  for (const [name, value] of Object.entries(wanted)) url.searchParams.set(name, value);
  return { url, headers: credential === undefined ? {} : { authorization: toBasic(credential) } };
}

// Docker registry token authentication with OAuth 2: POST, with the refresh token in the body.
function toRefreshForm(identityToken: string, wanted: Readonly<Record<string, string>>): URLSearchParams {
  const grant = { grant_type: 'refresh_token', refresh_token: identityToken, client_id: CLIENT_ID };
  return new URLSearchParams({ ...grant, ...wanted });
}

function toTokenError(status: number, scope: AuthScope): RegistryError {
  const text = `the token service of ${quote(scope.registry)} answered ${status}`;
  if (status === 429) return new RegistryError('throttled', text);
  return new RegistryError(status >= 500 ? 'unreachable' : 'unauthorized', text);
}

function toRealm(realm: string, scope: AuthScope, transport: Transport): URL {
  const refuse = (why: string): RegistryError =>
    new RegistryError(
      'unauthorized',
      `${quote(scope.registry)} names the token realm ${quote(realm, 120)}, ${why}`,
    );
  let url: URL;
  try {
    url = new URL(realm);
  } catch {
    throw refuse('which is no URL');
  }
  if (url.username !== '' || url.password !== '') throw refuse('which carries credentials');
  const isPlain = transport.isPlainHttp(scope.host);
  if (url.host === scope.host && url.protocol === (isPlain ? 'http:' : 'https:')) return url;
  if (isPlain || url.protocol !== 'https:') throw refuse('which is only believed from TLS to TLS');
  return url;
}

function readToken(body: Buffer, scope: AuthScope): string {
  try {
    const { token, access_token: accessToken } = toRecord(parseStrictJson(body, MAX_TOKEN_RESPONSE_BYTES));
    const value = toText(token) ?? toText(accessToken) ?? '';
    if (/^[A-Za-z0-9._~+/=-]+$/.test(value)) return value;
  } catch (error) {
    if (!(error instanceof StrictJsonError)) throw error;
  }
  throw new RegistryError(
    'unauthorized',
    `the token service of ${quote(scope.registry)} answered without a token`,
  );
}

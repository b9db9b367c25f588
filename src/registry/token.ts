// What Authorization does a registry want? Basic or bearer token by its challenge (distribution-spec auth, RFC 9110
// §11.6.1). A realm on another host is only believed when the registry named it over TLS, and is only asked over TLS.
import { createHash } from 'node:crypto';
import { createCache, type Cache } from '../lib/cache.ts';
import { parseStrictJson, StrictJsonError } from '../lib/strict-json.ts';
import { quote, toRecord, toText } from '../lib/text.ts';
import type { Credential, Keychain } from './docker-config.ts';
import { describeForeignUrl, RegistryError } from './error.ts';
import { REQUEST_TIMEOUT_MS, toHostKey, type Transport, type TransportRequest } from './transport.ts';

const MAX_TOKEN_RESPONSE_BYTES = 64 * 1024;
const MAX_TOKENS = 1000;
/** Life of a token that does not say, in seconds (docker token specification). */
const DEFAULT_LIFE_SECONDS = 60;
/** A token is used for no longer, whatever it says, in seconds: rights that were taken away must end. */
const MAX_LIFE_SECONDS = 3600;
/** The part of a token's life in which it is used; the rest is for clocks and requests under way. */
const USED_LIFE = 0.75;
/** By this user name a credential's password is an identity token, as docker's credential helpers say it. */
export const IDENTITY_TOKEN_USER = '<token>';
const CLIENT_ID = 'model-policy-controller';
const MAX_CHALLENGE_CHARS = 4096;

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

interface Answer {
  readonly header: string;
  /** On the authenticator's clock, in milliseconds. */
  readonly expiresAtMs: number;
}

/** Creates an authenticator over one keychain. @param now milliseconds, monotonic */
export function createAuthenticator(
  transport: Transport,
  keychain: Keychain,
  now: () => number = () => performance.now(),
): Authenticator {
  const answers: Cache<Answer> = createCache({ maxWeight: MAX_TOKENS });
  const toKey = ({ registry, host, repository }: AuthScope): string =>
    [host, repository, toFingerprint(keychain.get(registry))].join('\n');
  function findGood(key: string): string | undefined {
    const answer = answers.peek(key);
    if (answer === undefined || now() < answer.expiresAtMs) return answer?.header;
    answers.drop(key);
    return undefined;
  }
  return {
    known: (scope) => findGood(toKey(scope)),
    async answer(scope, challenge, rejected) {
      const key = toKey(scope);
      if (findGood(key) === rejected) answers.drop(key);
      const credential = keychain.get(scope.registry);
      const { header } = await answers.fetch(key, async () => {
        const { header, lifeSeconds } = await answerChallenge({ scope, credential, transport }, challenge);
        return { header, expiresAtMs: now() + lifeSeconds * USED_LIFE * 1000 };
      });
      return header;
    },
  };
}

// A key of a cache may be looked at: it holds no secret.
function toFingerprint(credential: Credential | undefined): string {
  if (credential === undefined) return 'anonymous';
  const { username, password } = credential;
  return createHash('sha256')
    .update(JSON.stringify([username, password]))
    .digest('hex');
}

interface LivingHeader {
  readonly header: string;
  readonly lifeSeconds: number;
}

interface Attempt {
  readonly scope: AuthScope;
  readonly credential: Credential | undefined;
  readonly transport: Transport;
}

async function answerChallenge(attempt: Attempt, challenge: string): Promise<LivingHeader> {
  const { scope, credential } = attempt;
  const parsed = parseChallenge(challenge);
  if (parsed?.scheme === 'basic' && credential !== undefined && !isIdentityToken(credential))
    return { header: toBasic(credential), lifeSeconds: MAX_LIFE_SECONDS };
  if (parsed?.scheme === 'bearer') return fetchToken(attempt, parsed.parameters);
  const how =
    credential === undefined ? 'no credentials are configured for it' : 'its challenge is not understood';
  const what = `authentication for repository ${quote(scope.repository, 120)}`;
  throw new RegistryError('unauthorized', `${quote(scope.registry)} asks for ${what} and ${how}`);
}

function isIdentityToken({ username }: Credential): boolean {
  return username === IDENTITY_TOKEN_USER;
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

async function fetchToken(attempt: Attempt, parameters: ReadonlyMap<string, string>): Promise<LivingHeader> {
  const { scope, credential, transport } = attempt;
  // Bought already, by whoever wrote the file: no service is asked.
  if (credential?.registryToken !== undefined)
    return { header: `Bearer ${credential.registryToken}`, lifeSeconds: DEFAULT_LIFE_SECONDS };
  const realm = toRealm(parameters.get('realm') ?? '', scope, transport);
  const service = parameters.get('service');
  const wish = {
    ...(service === undefined ? {} : { service }),
    // Our own scope, not the challenge's: this client only ever reads.
    scope: `repository:${scope.repository}:pull`,
  };
  const response = await transport.send({
    ...toTokenRequest(realm, wish, credential),
    maxBytes: MAX_TOKEN_RESPONSE_BYTES,
    // Several requests may wait for one token: none of their deadlines is the token's.
    signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
  });
  if (response.status !== 200) throw toTokenError(response.status, scope);
  const { token, lifeSeconds } = readToken(response.body, scope);
  return { header: `Bearer ${token}`, lifeSeconds };
}

type TokenRequest = Pick<TransportRequest, 'url' | 'headers' | 'form'>;

// An identity token is exchanged by POST (docker oauth specification), a password is shown with GET.
function toTokenRequest(
  realm: URL,
  wish: Readonly<Record<string, string>>,
  credential: Credential | undefined,
): TokenRequest {
  if (credential !== undefined && isIdentityToken(credential)) {
    const grant = { grant_type: 'refresh_token', client_id: CLIENT_ID, refresh_token: credential.password };
    return { url: realm, headers: {}, form: new URLSearchParams({ ...grant, ...wish }) };
  }
  for (const [name, value] of Object.entries(wish)) realm.searchParams.set(name, value);
  return { url: realm, headers: credential === undefined ? {} : { authorization: toBasic(credential) } };
}

function toTokenError(status: number, scope: AuthScope): RegistryError {
  const text = `the token service of ${quote(scope.registry)} answered ${status} for repository ${quote(scope.repository, 120)}`;
  if (status === 429) return new RegistryError('throttled', text);
  return new RegistryError(status >= 500 ? 'unreachable' : 'unauthorized', text);
}

function toRealm(realm: string, scope: AuthScope, transport: Transport): URL {
  const refuse = (why: string): RegistryError =>
    new RegistryError(
      'unauthorized',
      `${quote(scope.registry)} names the token realm ${describeForeignUrl(realm)}, ${why}`,
    );
  let url: URL;
  try {
    url = new URL(realm);
  } catch {
    throw refuse('which is no URL');
  }
  if (url.username !== '' || url.password !== '') throw refuse('which carries credentials');
  const isPlain = transport.isPlainHttp(scope.host);
  if (toHostKey(url) === scope.host && url.protocol === (isPlain ? 'http:' : 'https:')) return url;
  if (isPlain || url.protocol !== 'https:') throw refuse('which is only believed from TLS to TLS');
  return url;
}

function readToken(body: Buffer, scope: AuthScope): { token: string; lifeSeconds: number } {
  try {
    const answer = toRecord(parseStrictJson(body, MAX_TOKEN_RESPONSE_BYTES));
    const token = toText(answer['token']) ?? toText(answer['access_token']) ?? '';
    if (/^[A-Za-z0-9._~+/=-]+$/.test(token)) return { token, lifeSeconds: toLife(answer['expires_in']) };
  } catch (error) {
    if (!(error instanceof StrictJsonError)) throw error;
  }
  throw new RegistryError(
    'unauthorized',
    `the token service of ${quote(scope.registry)} answered without a token`,
  );
}

function toLife(seconds: unknown): number {
  if (typeof seconds !== 'number' || !(seconds > 0)) return DEFAULT_LIFE_SECONDS;
  return Math.min(seconds, MAX_LIFE_SECONDS);
}

// Which credentials does this file hold, and for what? Reads docker config.json and the two kinds of pull secrets.
// Hosts match exactly, paths whole segments, never by prefix or substring; programs it names are run elsewhere, if at all.
import { parseStrictJson, StrictJsonError } from '../lib/strict-json.ts';
import { toRecord, toText } from '../lib/text.ts';
import { parseRegistry } from '../model/reference.ts';
import { IDENTITY_TOKEN_USER } from './token.ts';

const MAX_CONFIG_BYTES = 1024 * 1024;
/** Most entries of one file (docs: limits). */
export const MAX_CONFIG_ENTRIES = 512;
/** What may stand in a header after `Bearer ` (RFC 6750 §2.1). */
const TOKEN = /^[A-Za-z0-9._~+/=-]+$/;

/** A user name and password for one registry host; the user {@link IDENTITY_TOKEN_USER} has a refresh token as password. */
export interface Credential {
  readonly username: string;
  readonly password: string;
  /** An access token, sent as it is. */
  readonly registryToken?: string;
}

/** What one client may use: credentials by canonical registry host. */
export type Keychain = ReadonlyMap<string, Credential>;

/** A credential and what it is for. */
export interface CredentialEntry {
  /** Canonical host; in pull secrets whole labels may be `*`. */
  readonly host: string;
  /** Leading segments of the repository, without slashes around them; `""` is the whole host. */
  readonly path: string;
  readonly credential: Credential;
}

/** A docker config.json. Helpers are names of programs, by canonical host; `store` is asked about every other host. */
export interface DockerConfig {
  readonly entries: readonly CredentialEntry[];
  readonly helpers: ReadonlyMap<string, string>;
  readonly store: string | undefined;
}

/** The two kinds of pull secrets, by how their bytes are laid out. */
export type PullSecretFormat = 'dockerconfigjson' | 'dockercfg';

/** Thrown for a config file that cannot be used; the message never holds a secret. */
export class DockerConfigError extends Error {
  override readonly name = 'DockerConfigError';
}

/**
 * Parses the controller's docker config.json.
 * @throws DockerConfigError when the bytes are no such file
 */
export function parseDockerConfig(bytes: Uint8Array): DockerConfig {
  const body = toRecord(parseJson(bytes));
  const helpers = new Map<string, string>();
  for (const [key, value] of Object.entries(toRecord(body['credHelpers']))) {
    const host = splitKey(key)?.host;
    const helper = toText(value) ?? '';
    if (host !== undefined && helper !== '') helpers.set(host, helper);
  }
  const store = toText(body['credsStore']) ?? '';
  return { entries: toEntries(body['auths']), helpers, store: store === '' ? undefined : store };
}

/**
 * Parses the bytes of a pull secret. Programs that it names are ignored: whoever writes Secrets in a namespace must not
 * choose what runs here.
 * @throws DockerConfigError when the bytes are no such file
 */
export function parsePullSecret(format: PullSecretFormat, bytes: Uint8Array): readonly CredentialEntry[] {
  const body = toRecord(parseJson(bytes));
  return toEntries(format === 'dockercfg' ? body : body['auths'], true);
}

/** The credentials of entries for a repository: longer paths first, then exact hosts, then as they stand. */
export function selectCredentials(
  entries: readonly CredentialEntry[],
  name: { readonly registry: string; readonly repository: string },
): readonly Credential[] {
  const rank = ({ host, path }: CredentialEntry): number =>
    path.length * 2 + (host === name.registry ? 1 : 0);
  return entries
    .filter(({ host, path }) => matchHost(host, name.registry) && matchPath(path, name.repository))
    .toSorted((a, b) => rank(b) - rank(a))
    .map(({ credential }) => credential);
}

function matchHost(pattern: string, host: string): boolean {
  if (!pattern.includes('*')) return pattern === host;
  const [wanted, actual] = [pattern.split('.'), host.split('.')];
  // Ports are part of the last label, which is never a wildcard.
  return (
    wanted.length === actual.length &&
    wanted.every((label, index) => label === '*' || label === actual[index])
  );
}

function matchPath(path: string, repository: string): boolean {
  return path === '' || repository === path || repository.startsWith(`${path}/`);
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return parseStrictJson(bytes, MAX_CONFIG_BYTES);
  } catch (error) {
    if (error instanceof StrictJsonError) throw new DockerConfigError(error.message);
    throw error;
  }
}

function toEntries(auths: unknown, wildcards = false): readonly CredentialEntry[] {
  const pairs = Object.entries(toRecord(auths));
  if (pairs.length > MAX_CONFIG_ENTRIES)
    throw new DockerConfigError(`it has more than ${MAX_CONFIG_ENTRIES} entries`);
  return pairs.flatMap(([key, value]) => {
    const place = splitKey(key, wildcards);
    const credential = toCredential(toRecord(value));
    return place === undefined || credential === undefined ? [] : [{ ...place, credential }];
  });
}

// Keys are `host`, `host:port`, the historic `https://index.docker.io/v1/`, or any of them with a path, before which the
// version of the API means nothing (kubelet: pkg/credentialprovider, DockerKeyring).
function splitKey(key: string, wildcards = false): { host: string; path: string } | undefined {
  const withoutScheme = key.replace(/^https?:\/\//, '');
  const [first = '', ...rest] = withoutScheme.split('/');
  const host = first.includes('*') ? parsePattern(first, wildcards) : parseRegistry(first);
  if (host === undefined) return undefined;
  const segments = rest.filter((segment) => segment !== '');
  if (segments[0] === 'v1' || segments[0] === 'v2') segments.shift();
  return { host, path: segments.join('/') };
}

// Whole labels only, and never one of the last two: nobody's credentials are for every registry there is.
function parsePattern(text: string, wildcards: boolean): string | undefined {
  const labels = text.toLowerCase().split('.');
  const isFixed = labels.slice(-2).every((label) => !label.includes('*'));
  if (!wildcards || !isFixed || labels.some((label) => label.includes('*') && label !== '*'))
    return undefined;
  const canonical = parseRegistry(labels.map((label) => (label === '*' ? 'x' : label)).join('.'));
  if (canonical === undefined) return undefined;
  return [...labels.slice(0, -2), ...canonical.split('.').slice(-2)].join('.');
}

function toCredential(entry: Record<string, unknown>): Credential | undefined {
  const identityToken = toText(entry['identitytoken']) ?? '';
  const basic =
    identityToken === '' ? toBasic(entry) : { username: IDENTITY_TOKEN_USER, password: identityToken };
  const registryToken = toText(entry['registrytoken']) ?? '';
  return TOKEN.test(registryToken) ? { username: '', password: '', ...basic, registryToken } : basic;
}

function toBasic(entry: Record<string, unknown>): Credential | undefined {
  const auth = toText(entry['auth']);
  if (auth !== undefined && auth !== '') {
    const decoded = Buffer.from(auth, 'base64').toString('utf8');
    const colon = decoded.indexOf(':');
    return colon === -1
      ? undefined
      : { username: decoded.slice(0, colon), password: decoded.slice(colon + 1).replace(/\0+$/, '') };
  }
  const username = toText(entry['username']);
  const password = toText(entry['password']);
  return username === undefined || password === undefined ? undefined : { username, password };
}

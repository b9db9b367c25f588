// Whose credentials are sent where? Reads `auths` of a docker config.json; matches registry hosts exactly, never by
// prefix or substring. Credential helpers are not run.
import { parseStrictJson, StrictJsonError } from '../lib/strict-json.ts';
import { toRecord, toText } from '../lib/text.ts';
import { parseRegistry } from '../model/reference.ts';

const MAX_CONFIG_BYTES = 1024 * 1024;

/** A user name and password for one registry host. */
export interface Credential {
  readonly username: string;
  readonly password: string;
}

/** Credentials by canonical registry host. */
export type Keychain = ReadonlyMap<string, Credential>;

/** Thrown for a config file that cannot be used; the message never holds a secret. */
export class DockerConfigError extends Error {
  override readonly name = 'DockerConfigError';
}

/**
 * Parses a docker config.json.
 * @throws DockerConfigError when the bytes are no such file
 */
export function parseDockerConfig(bytes: Uint8Array): Keychain {
  let body: unknown;
  try {
    body = parseStrictJson(bytes, MAX_CONFIG_BYTES);
  } catch (error) {
    if (error instanceof StrictJsonError) throw new DockerConfigError(error.message);
    throw error;
  }
  const keychain = new Map<string, Credential>();
  for (const [key, entry] of Object.entries(toRecord(toRecord(body)['auths']))) {
    const host = toHost(key);
    const credential = toCredential(toRecord(entry));
    if (host !== undefined && credential !== undefined) keychain.set(host, credential);
  }
  return keychain;
}

// Keys are `host`, `host:port`, or the historic `https://index.docker.io/v1/`.
function toHost(key: string): string | undefined {
  const withoutScheme = key.replace(/^https?:\/\//, '');
  const slash = withoutScheme.indexOf('/');
  return parseRegistry(slash === -1 ? withoutScheme : withoutScheme.slice(0, slash));
}

function toCredential(entry: Record<string, unknown>): Credential | undefined {
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

// Who may read from the demo registry? Bearer tokens as docker-registry hands them out: a 401 names the
// token endpoint, which takes Basic credentials. Leaves routing and HTTP to registry.ts.
import { randomBytes } from 'node:crypto';
import type { Answer } from './registry-routes.ts';

/** An account that a protected registry knows. */
export interface RegistryAccount {
  readonly username: string;
  readonly password: string;
  /** What it may pull; absent: everything. */
  readonly repositories?: readonly string[];
}

/** Answers token requests, and challenges whoever comes without a fitting token. */
export class TokenGate {
  readonly #accounts: readonly RegistryAccount[];
  readonly #url: string;
  readonly #scopes = new Map<string, string>();

  constructor(accounts: readonly RegistryAccount[], url: string) {
    this.#accounts = accounts;
    this.#url = url;
  }

  /** A token for the requested scope, or 401 when the Basic credentials are wrong or missing. It opens what they may pull. */
  token(query: URLSearchParams, authorization: string | undefined): Answer {
    const account = this.#accounts.find(
      ({ username, password }) =>
        authorization === `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`,
    );
    if (account === undefined) {
      return {
        status: 401,
        headers: { 'www-authenticate': 'Basic realm="demo registry"' },
        body: Buffer.from('{}'),
      };
    }
    const token = randomBytes(24).toString('base64url');
    const scope = query.get('scope') ?? '';
    const repository = scope.split(':')[1] ?? '';
    this.#scopes.set(token, account.repositories?.includes(repository) === false ? '' : scope);
    const body = Buffer.from(JSON.stringify({ token, access_token: token, expires_in: 300 }));
    return { status: 200, headers: { 'content-type': 'application/json' }, body };
  }

  /** Undefined when the token allows pulling from the repository (any token, when there is none), else the 401. */
  challenge(repository: string | undefined, authorization: string | undefined): Answer | undefined {
    const scope = repository === undefined ? undefined : `repository:${repository}:pull`;
    const granted = this.#scopes.get(authorization?.replace(/^Bearer /u, '') ?? '');
    if (granted !== undefined && (scope === undefined || granted === scope)) return undefined;
    const host = new URL(this.#url).host;
    const parameters = [`realm="${this.#url}/token"`, `service="${host}"`];
    if (scope !== undefined) parameters.push(`scope="${scope}"`);
    const errors = [{ code: 'UNAUTHORIZED', message: 'authentication required' }];
    return {
      status: 401,
      headers: {
        'content-type': 'application/json',
        'www-authenticate': `Bearer ${parameters.join(',')}`,
      },
      body: Buffer.from(JSON.stringify({ errors })),
    };
  }
}

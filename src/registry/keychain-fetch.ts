// How does a cloud keychain ask for a token? One bounded exchange with an address that is configured or fixed, never one
// that a registry or a pod names; nothing is redirected, and nothing goes by the guard of registries.

/** Time for one exchange, in milliseconds (docs: limits). */
export const TOKEN_TIMEOUT_MS = 5000;
const MAX_TOKEN_BYTES = 64 * 1024;

/** One exchange to make. */
export interface TokenRequest {
  readonly url: string;
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** What came back; header names are lower case. */
export interface TokenAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** Makes one exchange. @throws anything when there was no complete answer */
export type TokenFetch = (request: TokenRequest) => Promise<TokenAnswer>;

/** What every cloud keychain works with. */
export interface CloudAccess {
  readonly fetch: TokenFetch;
  /** The variables of the process that say who it is. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Reads a token file that such a variable names. @throws when it cannot be read */
  readonly readFile: (path: string) => Promise<string>;
  readonly now: () => Date;
}

/** Makes exchanges for real. */
export const fetchToken: TokenFetch = async ({ url, method, headers, body }) => {
  const response = await fetch(url, {
    method,
    headers,
    redirect: 'error',
    signal: AbortSignal.timeout(TOKEN_TIMEOUT_MS),
    ...(body === undefined ? {} : { body }),
  });
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > MAX_TOKEN_BYTES) throw new Error(`the answer is larger than ${MAX_TOKEN_BYTES} bytes`);
    chunks.push(chunk);
  }
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    text: Buffer.concat(chunks).toString('utf8'),
  };
};

// How does a client talk to the webhook? One HTTPS request with node:https, so that headers, framing and certificates
// are the test's to choose.
import { request, type RequestOptions } from 'node:https';

/** Whom to ask, and whose certificates to believe. */
export interface Server {
  readonly address: string;
  readonly ca: string;
}

/** How to ask. */
export interface PostOptions {
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** A client certificate. */
  readonly client?: { readonly key: string; readonly cert: string };
}

/** A complete answer. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly text: string;
}

/** Posts a body to `/validate?timeout=10s` unless told otherwise, on a connection of its own. */
export function post(server: Server, body: string | Buffer, options: PostOptions = {}): Promise<HttpAnswer> {
  const { path = '/validate?timeout=10s', method = 'POST', headers = {}, client = {} } = options;
  const [host, port] = [
    server.address.slice(0, server.address.lastIndexOf(':')),
    server.address.split(':').at(-1),
  ];
  const settings: RequestOptions = {
    host,
    port: Number(port),
    path,
    method,
    ca: server.ca,
    agent: false,
    headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), ...headers },
    ...client,
  };
  return new Promise((resolve, reject) => {
    const sent = request(settings, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text: Buffer.concat(chunks).toString('utf8'),
        }),
      );
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

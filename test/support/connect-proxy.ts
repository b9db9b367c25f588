// How does a forward proxy behave? A real one on loopback: CONNECT and absolute-form requests, every name leading to this
// machine, with the moods that proxies have.
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect, type AddressInfo, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ServerCertificate } from '../../src/demo/server-certificate.ts';

/** What a proxy was asked for. */
export interface ProxyRequest {
  readonly method: string;
  /** `host:port` of CONNECT, the whole URL otherwise. */
  readonly target: string;
  readonly authorization: string | undefined;
  readonly proxyAuthorization: string | undefined;
}

/** A running proxy. */
export interface ConnectProxy {
  readonly url: string;
  readonly address: string;
  readonly requests: readonly ProxyRequest[];
  close(): Promise<void>;
}

/** How a proxy differs from one that lets everybody through. */
export interface ProxyOptions {
  readonly tls?: ServerCertificate;
  /** The only credentials that are let through, as `user:password`. */
  readonly account?: string;
  /** The answer to CONNECT; `silent` never answers. */
  readonly refusal?: 403 | 502 | 'silent';
}

/** Starts a proxy. */
export async function startProxy(options: ProxyOptions = {}): Promise<ConnectProxy> {
  const requests: ProxyRequest[] = [];
  const sockets = new Set<Duplex>();
  const record = ({ method = '', url = '', headers }: IncomingMessage): number => {
    const { authorization, 'proxy-authorization': proxyAuthorization } = headers;
    requests.push({ method, target: url, authorization, proxyAuthorization });
    const wanted = options.account && `Basic ${Buffer.from(options.account).toString('base64')}`;
    return wanted !== undefined && proxyAuthorization !== wanted ? 407 : 200;
  };
  const forward = (asked: IncomingMessage, response: ServerResponse): void => {
    const status = record(asked);
    if (status !== 200) {
      response.writeHead(status).end();
      return;
    }
    const { port, pathname, search } = new URL(asked.url ?? '');
    const headers = { ...asked.headers };
    const settings = { host: '127.0.0.1', port, path: `${pathname}${search}`, headers };
    const onward = httpRequest(settings, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    asked.pipe(onward);
  };
  const server = options.tls === undefined ? createServer(forward) : createTlsServer(options.tls, forward);
  server.on('connection', (socket: Socket) => keep(sockets, socket));
  server.on('connect', (asked: IncomingMessage, client: Duplex) => {
    keep(sockets, client);
    const status = record(asked);
    if (options.refusal === 'silent') return;
    if (status !== 200 || options.refusal !== undefined) {
      client.end(`HTTP/1.1 ${options.refusal ?? status} No\r\n\r\n`);
      return;
    }
    const onward = connect(Number((asked.url ?? '').split(':').at(-1)), '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      client.pipe(onward).pipe(client);
    });
    keep(sockets, onward);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    address,
    url: `${options.tls === undefined ? 'http' : 'https'}://${address}`,
    requests,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function keep(sockets: Set<Duplex>, socket: Duplex): void {
  sockets.add(socket);
  socket.on('error', () => socket.destroy());
  socket.on('close', () => sockets.delete(socket));
}

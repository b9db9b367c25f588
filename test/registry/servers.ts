// Who answers in the tests of this folder? Bare HTTP servers on loopback that do whatever a test wants, and clients
// that may talk to them.
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { createServerCertificate, type ServerCertificate } from '../../src/demo/server-certificate.ts';
import { createRegistryClient, type RegistryClient } from '../../src/registry/client.ts';
import type { Keychain } from '../../src/registry/docker-config.ts';
import { createTransport, type Transport, type TransportOptions } from '../../src/registry/transport.ts';

export const REPOSITORY = 'team/model';

/** What a server has been asked: method, path and headers. */
export interface SeenRequest {
  readonly path: string;
  readonly authorization: string | undefined;
  readonly headers: IncomingMessage['headers'];
}

/** A running server. */
export interface BareServer {
  readonly address: string;
  readonly url: string;
  readonly seen: readonly SeenRequest[];
  readonly connections: () => number;
}

/** A short way to answer. */
export function answer(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string | string[]>> = {},
  body: Buffer | string = '',
): void {
  response.writeHead(status, headers);
  response.end(body);
}

const certificate = createServerCertificate();

/** The authority and certificate of every TLS server here. */
export const TLS: ServerCertificate = certificate;

/** Starts servers and transports, and ends them all together. */
export class Stage {
  readonly #servers: Server[] = [];
  readonly #transports: Transport[] = [];

  async serve(listener: RequestListener, options: { readonly isTls?: boolean } = {}): Promise<BareServer> {
    const seen: SeenRequest[] = [];
    let connections = 0;
    const record: RequestListener = (request, response) => {
      const { url = '', headers } = request;
      seen.push({ path: url, authorization: headers.authorization, headers });
      listener(request, response);
    };
    const server = options.isTls === true ? createTlsServer(certificate, record) : createServer(record);
    server.on('connection', () => (connections += 1));
    this.#servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const url = `${options.isTls === true ? 'https' : 'http'}://${address}`;
    return { address, url, seen, connections: () => connections };
  }

  /** A transport that is closed with the stage. */
  transport(options: Partial<TransportOptions> = {}): Transport {
    const none = { plainHttpHosts: new Set<string>(), configuredHosts: new Set<string>() };
    const transport = createTransport({ ...none, ...options }, []);
    this.#transports.push(transport);
    return transport;
  }

  /** A client for plain HTTP to these addresses. */
  client(addresses: readonly string[], keychain: Keychain = new Map()): RegistryClient {
    return createRegistryClient(this.transport({ plainHttpHosts: new Set(addresses) }), keychain);
  }

  /** A client for TLS to these addresses, under the authority of all TLS servers here. */
  tlsClient(addresses: readonly string[], keychain: Keychain = new Map()): RegistryClient {
    const configuredHosts = new Set(addresses);
    return createRegistryClient(this.transport({ configuredHosts, caPem: certificate.ca }), keychain);
  }

  async end(): Promise<void> {
    for (const server of this.#servers.splice(0)) {
      server.close();
      if ('closeAllConnections' in server) (server as ReturnType<typeof createServer>).closeAllConnections();
    }
    await Promise.all(this.#transports.splice(0).map((transport) => transport.close()));
  }
}

/** A signal that fires late enough for everything that is meant to succeed. */
export const soon = (milliseconds = 10_000): AbortSignal => AbortSignal.timeout(milliseconds);

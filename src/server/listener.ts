// Who may talk to us, and how do we stop? Listening sockets with bounded patience for slow clients, and a drain that
// lets requests in flight finish.
import { createServer as createHttpServer, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Express } from 'express';

/** Time for a client to send its headers, and its whole request, in milliseconds. */
const HEADERS_TIMEOUT_MS = 5000;
const REQUEST_TIMEOUT_MS = 10_000;
const KEEP_ALIVE_TIMEOUT_MS = 75_000;
const MAX_HEADER_BYTES = 16_384;

/** Host and port. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** TLS material, PEM. `clientCa`: only clients with a certificate from it may connect. */
export interface TlsMaterial {
  readonly key: string;
  readonly cert: string;
  readonly clientCa?: string;
}

/** A listening server. */
export interface Listener {
  /** `host:port` as bound. */
  readonly address: string;
  /** Replaces the certificate for new connections. */
  setTls(material: TlsMaterial): void;
  /** Stops accepting, waits for requests in flight at most that long, then cuts the rest. */
  drain(timeoutMs: number): Promise<void>;
}

/** Thrown when a port cannot be bound; the message says which and why. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
}

/** Listens for HTTPS when TLS material is given, else for HTTP. @throws ListenError */
export async function listen(app: Express, address: Address, tls?: TlsMaterial): Promise<Listener> {
  const limits = { maxHeaderSize: MAX_HEADER_BYTES };
  const https = tls === undefined ? undefined : createHttpsServer({ ...limits, ...toTlsOptions(tls) }, app);
  const server = https ?? createHttpServer(limits, app);
  server.headersTimeout = HEADERS_TIMEOUT_MS;
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  server.keepAliveTimeout = KEEP_ALIVE_TIMEOUT_MS;
  await bind(server, address);
  const { port } = server.address() as AddressInfo;
  return {
    address: address.host.includes(':') ? `[${address.host}]:${port}` : `${address.host}:${port}`,
    setTls: (material) => https?.setSecureContext(toTlsOptions(material)),
    drain: (timeoutMs) => drain(server, timeoutMs),
  };
}

function toTlsOptions({ key, cert, clientCa }: TlsMaterial): object {
  return {
    key,
    cert,
    minVersion: 'TLSv1.2',
    ...(clientCa === undefined ? {} : { ca: clientCa, requestCert: true, rejectUnauthorized: true }),
  };
}

function bind(server: Server, { host, port }: Address): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const why = error.code === 'EADDRINUSE' ? 'the port is taken by another process' : error.message;
      reject(new ListenError(`cannot listen on ${host}:${port}: ${why}`));
    });
    server.listen(port, host, () => resolve());
  });
}

function drain(server: Server, timeoutMs: number): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), timeoutMs);
    server.close(() => {
      clearTimeout(cut);
      resolve();
    });
    server.closeIdleConnections();
  });
}

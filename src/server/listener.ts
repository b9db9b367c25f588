// Who may talk to us, and how do we stop? Listening sockets with bounded patience for slow clients, and a drain that
// lets requests in flight finish.
import { constants, X509Certificate } from 'node:crypto';
import { createServer as createHttpServer, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Express } from 'express';
import { createShares } from '../lib/shares.ts';
import { toErrorMessage } from '../lib/text.ts';

/** Time for a client to send its headers, and its whole request, in milliseconds. */
const HEADERS_TIMEOUT_MS = 5000;
const REQUEST_TIMEOUT_MS = 10_000;
/** Time for a TLS handshake, and how often patience is checked, in milliseconds. */
const HANDSHAKE_TIMEOUT_MS = 5000;
const CHECK_INTERVAL_MS = 1000;
const KEEP_ALIVE_TIMEOUT_MS = 75_000;
const MAX_HEADER_BYTES = 16_384;
const MAX_PORT = 65_535;
/**
 * Connections at once, an address's at most as many as are left (docs: limits): each takes about 64 KiB of memory, and one API
 * server alone may ask about as many pods as are decided at once.
 */
export const MAX_CONNECTIONS = 4096;

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
  /**
   * Replaces the certificate for new connections; when the clients' CA is another one, open ones end after their next answer.
   * @throws ListenError for material that cannot be used
   */
  setTls(material: TlsMaterial): void;
  /** Ends each connection after its next answer, so that clients look for somebody else; new ones are still taken. */
  sendAway(): void;
  /** Stops accepting, waits for requests in flight at most that long, then cuts the rest. */
  drain(timeoutMs: number): Promise<void>;
}

/** Thrown when a port cannot be bound or a certificate cannot be used; the message says which and why. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
}

/** Listens for HTTPS when TLS material is given, else for HTTP. @throws ListenError */
export async function listen(app: Express, address: Address, tls?: TlsMaterial): Promise<Listener> {
  const limits = { maxHeaderSize: MAX_HEADER_BYTES, connectionsCheckingInterval: CHECK_INTERVAL_MS };
  const secure = { ...limits, handshakeTimeout: HANDSHAKE_TIMEOUT_MS };
  const https =
    tls === undefined ? undefined : useTls(() => createHttpsServer({ ...secure, ...toTlsOptions(tls) }, app));
  const server = https ?? createHttpServer(limits, app);
  server.headersTimeout = HEADERS_TIMEOUT_MS;
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  server.keepAliveTimeout = KEEP_ALIVE_TIMEOUT_MS;
  const sockets = trackSockets(server);
  let isSendingAway = false;
  let clientCa = tls?.clientCa;
  // Whom a client was believed by: who is believed by it no more may finish, and has to show himself again.
  const believedBy = new WeakMap<Socket, string | undefined>();
  let settledMs = -Infinity;
  https?.on('secureConnection', (socket) => {
    // A handshake that began before a change is held to what was there before it.
    if (performance.now() >= settledMs) believedBy.set(socket, clientCa);
  });
  server.prependListener('request', ({ socket }, response) => {
    const isOutdated = clientCa !== undefined && believedBy.get(socket) !== clientCa;
    if (isSendingAway || isOutdated) response.setHeader('connection', 'close');
  });
  await bind(server, address);
  const { port } = server.address() as AddressInfo;
  return {
    address: address.host.includes(':') ? `[${address.host}]:${port}` : `${address.host}:${port}`,
    setTls(material) {
      useTls(() => https?.setSecureContext(toTlsOptions(material)));
      if (material.clientCa !== clientCa) settledMs = performance.now() + HANDSHAKE_TIMEOUT_MS;
      ({ clientCa } = material);
    },
    sendAway: () => {
      isSendingAway = true;
    },
    drain: (timeoutMs) => drain(server, sockets, timeoutMs),
  };
}

// Of a PEM without certificates TLS would serve none, and take the web's authorities for clients: both are refused.
function toTlsOptions({ key, cert, clientCa }: TlsMaterial): object {
  requireCertificate(cert, 'certificate');
  if (clientCa !== undefined) requireCertificate(clientCa, 'client CA');
  return {
    key,
    cert,
    minVersion: 'TLSv1.2',
    // A handshake costs us more than whoever asks for it: nobody gets a second one on his connection (RFC 7457 §2.11).
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    ...(clientCa === undefined ? {} : { ca: clientCa, requestCert: true, rejectUnauthorized: true }),
  };
}

function requireCertificate(pem: string, what: string): void {
  try {
    // oxlint-disable-next-line no-new -- only whether it parses is asked
    new X509Certificate(pem);
  } catch {
    throw new ListenError(`the ${what} is no PEM certificate`);
  }
}

function useTls<T>(use: () => T): T {
  try {
    return use();
  } catch (error) {
    if (error instanceof ListenError) throw error;
    throw new ListenError(`the certificate and its key cannot be used: ${toErrorMessage(error)}`);
  }
}

// Connections that have not finished their handshake are none of HTTP's, and would keep the server open. Whoever has too many is
// cut off before his handshake costs anything.
function trackSockets(server: Server): ReadonlySet<Socket> {
  const sockets = new Set<Socket>();
  const shares = createShares(MAX_CONNECTIONS);
  server.on('connection', (socket: Socket) => {
    const release = shares.take(socket.remoteAddress ?? '');
    if (release === undefined) {
      socket.destroy();
      return;
    }
    sockets.add(socket);
    socket.once('close', () => {
      sockets.delete(socket);
      release();
    });
  });
  return sockets;
}

function bind(server: Server, { host, port }: Address): Promise<void> {
  return new Promise((resolve, reject) => {
    const refuse = (why: string): void => reject(new ListenError(`cannot listen on ${host}:${port}: ${why}`));
    if (port > MAX_PORT) {
      refuse(`ports end at ${MAX_PORT}`);
      return;
    }
    server.once('error', (error: NodeJS.ErrnoException) =>
      refuse(error.code === 'EADDRINUSE' ? 'the port is taken by another process' : error.message),
    );
    server.listen(port, host, () => resolve());
  });
}

function drain(server: Server, sockets: ReadonlySet<Socket>, timeoutMs: number): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => {
      server.closeAllConnections();
      for (const socket of sockets) socket.destroy();
    }, timeoutMs);
    server.close(() => {
      clearTimeout(cut);
      resolve();
    });
    server.closeIdleConnections();
  });
}

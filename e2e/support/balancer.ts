// What does a Service do for its endpoints? A TCP balancer on loopback that takes turns among the replicas that say that
// they are ready, as kube-proxy does: connections that are open stay where they are, and nobody tries twice.
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** How often replicas are asked whether they are ready, in milliseconds: endpoints are always a little late. */
const LOOK_INTERVAL_MS = 250;

/** A replica: where it listens, and whether it is ready; a rejection is a no. */
export interface Replica {
  /** `https://127.0.0.1:PORT`. */
  readonly url: string;
  readonly isReady: () => Promise<boolean>;
}

export interface Balancer {
  /** `https://127.0.0.1:PORT`; whose certificate is shown there is the replicas' own business. */
  readonly url: string;
  /** Who may be sent something from now on, if ready; returns when each was asked. */
  readonly follow: (replicas: readonly Replica[]) => Promise<void>;
  /** Replicas that are sent something at the moment. */
  readonly readyCount: () => number;
  readonly stop: () => Promise<void>;
}

/** Starts one that follows nobody: it closes each connection at once. */
export async function startBalancer(): Promise<Balancer> {
  let followed: readonly Replica[] = [];
  let ready: readonly Replica[] = [];
  let turn = 0;
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
  };
  const server = createServer((client) => {
    keep(client);
    turn += 1;
    const replica = ready[turn % ready.length];
    if (replica === undefined) {
      client.destroy();
      return;
    }
    const { hostname, port } = new URL(replica.url);
    const upstream = connect(Number(port), hostname);
    keep(upstream);
    client.once('close', () => upstream.destroy());
    upstream.once('close', () => client.destroy());
    client.pipe(upstream).pipe(client);
  });
  const look = async (): Promise<void> => {
    const asked = followed;
    const answers = await Promise.all(asked.map(({ isReady }) => isReady().catch(() => false)));
    if (asked === followed) ready = asked.filter((_, index) => answers[index]);
  };
  const timer = setInterval(() => void look(), LOOK_INTERVAL_MS);
  const listening = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', listening.resolve);
  await listening.promise;
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    readyCount: () => ready.length,
    follow: (replicas) => {
      followed = replicas;
      return look();
    },
    stop: async () => {
      clearInterval(timer);
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      for (const socket of sockets) socket.destroy();
      await closed.promise;
    },
  };
}

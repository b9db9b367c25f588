// Over which connections is a host asked? One pool per way of connecting: guarded, for configured hosts, with a host's
// own certificates, through a proxy. What is sent over them belongs to transport.ts.
import { Agent, Pool, ProxyAgent, type Dispatcher } from 'undici';
import type { AddressGuard } from './address-guard.ts';
import type { FindProxy } from './proxy.ts';

/** Requests to one host at once (docs: limits). */
export const MAX_CONNECTIONS_PER_HOST = 32;

/** TLS material of one host, PEM. */
export interface HostTls {
  /** Certificate authorities beside those that all hosts have. */
  readonly caPem?: string;
  /** A client certificate, with its key. */
  readonly certPem?: string;
  readonly keyPem?: string;
}

/** How hosts are connected to. */
export interface PoolOptions {
  readonly ca: readonly string[];
  readonly tlsByHost: ReadonlyMap<string, HostTls>;
  readonly guard: AddressGuard;
  readonly findProxy: FindProxy;
  /** Time for a connection, for headers and for each piece of a body, in milliseconds. */
  readonly timeoutMs: number;
}

/** The pools of one transport. */
export interface Pools {
  /** @param isConfigured true for hosts that may have any address */
  select(url: URL, host: string, isConfigured: boolean): Dispatcher;
  close(): Promise<void>;
}

/** Creates pools as they are needed; their number is bounded by the configuration. */
export function createPools({ ca, tlsByHost, guard, findProxy, timeoutMs }: PoolOptions): Pools {
  const limits = {
    connections: MAX_CONNECTIONS_PER_HOST,
    pipelining: 1,
    keepAliveTimeout: 30_000,
    bodyTimeout: timeoutMs,
    headersTimeout: timeoutMs,
    maxHeaderSize: 32_768,
  };
  const open = new Map<string, Dispatcher>();

  function create(tls: HostTls, isConfigured: boolean, proxy: URL | undefined): Dispatcher {
    const connect = {
      ca: [...ca, ...(tls.caPem === undefined ? [] : [tls.caPem])],
      ...(tls.certPem === undefined ? {} : { cert: tls.certPem }),
      ...(tls.keyPem === undefined ? {} : { key: tls.keyPem }),
      timeout: timeoutMs,
    };
    if (proxy === undefined)
      return new Agent({ ...limits, connect: isConfigured ? connect : { ...connect, lookup: guard.lookup } });
    // The proxy resolves names: nobody here sees the address that it dials.
    return new ProxyAgent({
      ...limits,
      uri: proxy.href,
      requestTls: connect,
      proxyTls: { ca: [...ca], timeout: timeoutMs },
      clientFactory: (origin, options) =>
        new Pool(origin, { ...limits, connections: null, ...toPoolOptions(options) }),
      factory: (origin, options) => new Pool(origin, { ...limits, ...toPoolOptions(options) }),
    });
  }

  return {
    select(url, host, isConfigured) {
      const proxy = findProxy(url);
      const tls = tlsByHost.get(host);
      const key = `${isConfigured ? 'open' : 'guarded'} ${proxy?.href ?? ''} ${tls === undefined ? '' : host}`;
      const known = open.get(key) ?? create(tls ?? {}, isConfigured, proxy);
      open.set(key, known);
      return known;
    },
    async close() {
      await Promise.all([...open.values()].map((pool) => pool.close()));
    },
  };
}

// What the library hands over are a pool's options; its types say less.
function toPoolOptions(options: object): Pool.Options {
  return options;
}

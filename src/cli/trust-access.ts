// How are TrustRoots kept fresh? Builds the trust store from the options that serve and verify share, over the guarded
// transport that registries are read with: same certificate authorities, same plain-HTTP hosts, same forbidden addresses.
import type { OptionValues } from '../config.ts';
import { toHostKey, type Transport } from '../registry/transport.ts';
import { createTrustStore, type TrustStore } from '../trust/trust-store.ts';
import type { RefreshEvent } from '../trust/trust-tracker.ts';
import type { TrustFetch } from '../trust/tuf-fetcher.ts';
import { textOf } from './arguments.ts';
import { createGuardedTransport, readRegistries } from './registry-transport.ts';

/** A trust store and how to let go of it. */
export interface TrustAccess {
  readonly trust: TrustStore;
  close(): Promise<void>;
}

/** Builds the store. @throws UsageError for files and hosts that cannot be used */
export function createTrustAccess(
  values: OptionValues,
  onRefresh: (event: RefreshEvent) => void,
): TrustAccess {
  const transport = createGuardedTransport(values, {
    document: readRegistries(values),
    configuredHosts: new Set(),
  });
  const trust = createTrustStore({
    fetch: values['offline'] === true ? undefined : toTrustFetch(transport),
    cacheDirectory: textOf(values, 'trust-cache'),
    onRefresh,
  });
  return {
    trust,
    async close() {
      trust.stop();
      await transport.close();
    },
  };
}

/** A fetch for mirrors over a transport; plain HTTP only for hosts that were configured so. */
export function toTrustFetch(transport: Transport): TrustFetch {
  return async (url, { maxBytes, signal }) => {
    if (url.protocol !== 'https:' && !transport.isPlainHttp(toHostKey(url)))
      throw new Error('plain HTTP is spoken to hosts of --plain-http only');
    const { status, headers, body } = await transport.send({ url, headers: {}, maxBytes, signal });
    const date = new Date(headers['date'] ?? '');
    return Number.isNaN(date.getTime()) ? { status, body } : { status, body, date };
  };
}

// Which namespace is this, that no watch told of? One made a moment ago is read once, live. Whoever reaches us can make up
// names: what cannot be one is not asked about, and the API server is asked about few at once.
import type { KubernetesClient } from '../kubernetes/client.ts';
import { KubernetesApiError } from '../kubernetes/errors.ts';
import { toErrorMessage } from '../lib/text.ts';
import { createTurns } from '../lib/turns.ts';
import { toKnownNamespace, type KnownNamespace } from '../policy/store.ts';

/** Namespaces that are read live at once (docs: limits). */
export const NAMESPACE_READS_AT_ONCE = 16;
/** RFC 1123 label: the API server has no other. */
const NAMESPACE_NAME = /^[\da-z](?:[\da-z-]{0,61}[\da-z])?$/;

/** Reads a namespace within the signal's time; undefined when there is none, or nobody says. */
export type NamespaceReader = (name: string, signal: AbortSignal) => Promise<KnownNamespace | undefined>;

/** Creates a reader. */
export function createNamespaceReader(client: KubernetesClient): NamespaceReader {
  const takeTurn = createTurns(NAMESPACE_READS_AT_ONCE);
  const read: NamespaceReader = async (name, signal) => {
    // Whoever waited for this has been answered.
    if (signal.aborted) return undefined;
    try {
      const object = await client.get(`/api/v1/namespaces/${encodeURIComponent(name)}`, signal);
      return toKnownNamespace(object, name);
    } catch (error) {
      if (error instanceof KubernetesApiError) return undefined;
      throw new Error(`namespace could not be read: ${toErrorMessage(error)}`, { cause: error });
    }
  };
  return async (name, signal) => (NAMESPACE_NAME.test(name) ? takeTurn(() => read(name, signal)) : undefined);
}

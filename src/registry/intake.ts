// Who gives way when too much is being received? Counts the bytes of unfinished answers; over the bound the largest answer
// of the host that holds most is given up, so that a host which stalls many large answers is in nobody's way but its own.
import { RegistryError } from './error.ts';

/** Bytes of unfinished answers at once, whoever sends them: strangers may stall many large ones. */
export const MAX_BYTES_IN_FLIGHT = 128 * 1024 * 1024;

/** One answer that is being received. */
export interface Intake {
  /** Fires, with a RegistryError as reason, when this answer is given up. */
  readonly signal: AbortSignal;
  add(bytes: number): void;
  end(): void;
}

/** Opens the intake of an answer of a host. */
export type OpenIntake = (host: string) => Intake;

interface Held {
  readonly host: string;
  readonly controller: AbortController;
  bytes: number;
}

/** Creates the count of one process. */
export function createIntakes(maxBytes: number = MAX_BYTES_IN_FLIGHT): OpenIntake {
  const all = new Set<Held>();
  let total = 0;

  function makeRoom(): void {
    while (total > maxBytes) {
      const largest = findLargest(all);
      if (largest === undefined) return;
      all.delete(largest);
      total -= largest.bytes;
      largest.controller.abort(
        new RegistryError('unreachable', 'too much is being received from registries at once'),
      );
    }
  }
  return (host) => {
    const held: Held = { host, controller: new AbortController(), bytes: 0 };
    all.add(held);
    return {
      signal: held.controller.signal,
      add(bytes) {
        if (!all.has(held)) return;
        held.bytes += bytes;
        total += bytes;
        makeRoom();
      },
      end() {
        if (all.delete(held)) total -= held.bytes;
      },
    };
  };
}

function findLargest(all: ReadonlySet<Held>): Held | undefined {
  const byHost = new Map<string, number>();
  for (const { host, bytes } of all) byHost.set(host, (byHost.get(host) ?? 0) + bytes);
  const weigh = ({ host }: Held): number => byHost.get(host) ?? 0;
  let largest: Held | undefined;
  for (const held of all)
    if (largest === undefined || weigh(held) > weigh(largest)) largest = held;
    else if (held.host === largest.host && held.bytes > largest.bytes) largest = held;
  return largest;
}

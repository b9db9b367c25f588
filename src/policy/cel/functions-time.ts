// Which part of a timestamp is asked for, and where? The getters that the library computes in local time.
import type { CelFunction } from './cel-function.ts';
import { TIME_GETTERS, toLocal } from './time-zone.ts';

const TIMESTAMP = 'google.protobuf.Timestamp';

/** Timestamp getters with a time zone, and getDayOfYear in UTC. */
export const times: readonly CelFunction[] = [
  ...Object.entries(TIME_GETTERS).map(([name, read]) => ({
    signature: `${TIMESTAMP}.__${name}(string): int`,
    run: (date: Date, zone: string) => BigInt(read(toLocal(date, zone))),
  })),
  {
    signature: `${TIMESTAMP}.__getDayOfYear(): int`,
    cost: 10,
    run: (date: Date) => BigInt(TIME_GETTERS['getDayOfYear']?.(date) ?? 0),
  },
];

// How much of what is scarce may one owner hold? Counts places, taken and given back.
import { hasRoom } from './fair-queue.ts';

/** Places that owners hold. */
export interface Shares {
  readonly taken: number;
  /** What gives the place back, once; undefined when the owner holds as much as is left. */
  take(owner: string): (() => void) | undefined;
}

/** Creates `max` places, shared out as hasRoom says. */
export function createShares(max: number): Shares {
  const held = new Map<string, number>();
  let taken = 0;
  return {
    get taken() {
      return taken;
    },
    take(owner) {
      const own = held.get(owner) ?? 0;
      if (!hasRoom(own, taken, max)) return undefined;
      held.set(owner, own + 1);
      taken += 1;
      return () => {
        const left = (held.get(owner) ?? 0) - 1;
        if (left > 0) held.set(owner, left);
        else held.delete(owner);
        taken -= 1;
      };
    },
  };
}

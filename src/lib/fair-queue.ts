// Who is next, so that nobody who asks for much stands before everybody else? A bounded queue of lanes, one for each
// owner, served in turn; what the items are and who serves them is left to the caller.

/** Items of many owners, first in first out for each, the owners taking turns. */
export interface FairQueue<T> {
  readonly length: number;
  /** False, and nothing is kept, when the owner has no room. */
  push(owner: string, item: T): boolean;
  shift(): T | undefined;
  /** Takes out what stands first in its lane for as long as it matches. */
  removeFirst(matches: (item: T) => boolean): readonly T[];
  /** Takes out everything. */
  clear(): readonly T[];
}

/**
 * Whether one owner may have one more: never more than is left free by all. One owner alone gets half, two get a third each,
 * and there is always room for one who has nothing (the dynamic threshold of shared-memory switches).
 */
export function hasRoom(own: number, total: number, max: number): boolean {
  return own < max - total;
}

/** Creates an empty queue for `max` items. */
export function createFairQueue<T>(max: number): FairQueue<T> {
  // In the order of turns: whoever was served goes behind the others.
  const lanes = new Map<string, T[]>();
  let length = 0;

  function takeFirst(owner: string, lane: T[]): T | undefined {
    const item = lane.shift();
    length -= 1;
    if (lane.length === 0) lanes.delete(owner);
    return item;
  }

  return {
    get length() {
      return length;
    },
    push(owner, item) {
      const lane = lanes.get(owner) ?? [];
      if (!hasRoom(lane.length, length, max)) return false;
      lane.push(item);
      lanes.set(owner, lane);
      length += 1;
      return true;
    },
    shift() {
      const [next] = lanes;
      if (next === undefined) return undefined;
      const [owner, lane] = next;
      lanes.delete(owner);
      if (lane.length > 1) lanes.set(owner, lane);
      return takeFirst(owner, lane);
    },
    removeFirst(matches) {
      const removed: T[] = [];
      for (const [owner, lane] of lanes)
        while (lane[0] !== undefined && matches(lane[0])) {
          const item = takeFirst(owner, lane);
          if (item !== undefined) removed.push(item);
        }
      return removed;
    },
    clear() {
      const all = [...lanes.values()].flat();
      lanes.clear();
      length = 0;
      return all;
    },
  };
}

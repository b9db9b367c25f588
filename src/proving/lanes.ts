// Who is next? Those who wait stand in lanes, of which each has its turn after the others: a lane that is long keeps nobody
// waiting but those in it.

/** What waits, in lanes. */
export interface Lanes<T> {
  readonly size: number;
  sizeOf(lane: string): number;
  push(lane: string, entry: T): void;
  /** Takes the first of the lane whose turn it is; undefined when nobody waits. */
  shift(): T | undefined;
  /** Takes everybody for whom it is true, of those who stand before all others of their lane for whom it is not. */
  takeWhile(isMeant: (entry: T) => boolean): readonly T[];
}

/** Creates lanes as they are needed; an empty one takes no memory. */
export function createLanes<T>(): Lanes<T> {
  // In the order of their turns.
  const lanes = new Map<string, T[]>();
  let size = 0;
  function takeFrom(name: string, lane: T[]): T | undefined {
    const entry = lane.shift();
    size -= 1;
    if (lane.length === 0) lanes.delete(name);
    return entry;
  }
  return {
    get size() {
      return size;
    },
    sizeOf: (name) => lanes.get(name)?.length ?? 0,
    push(name, entry) {
      const lane = lanes.get(name) ?? [];
      lanes.set(name, lane);
      lane.push(entry);
      size += 1;
    },
    shift() {
      for (const [name, lane] of lanes) {
        lanes.delete(name);
        lanes.set(name, lane);
        return takeFrom(name, lane);
      }
      return undefined;
    },
    takeWhile(isMeant) {
      const taken: T[] = [];
      for (const [name, lane] of lanes)
        for (let [first] = lane; first !== undefined && isMeant(first); [first] = lane) {
          takeFrom(name, lane);
          taken.push(first);
        }
      return taken;
    },
  };
}

// What is worth saying about an object that is right? The form of advice, and the spans of time that it goes by.
import type { CelEngine } from './cel/engine.ts';
import type { PolicySource } from './compile.ts';

/** Something that is probably not meant: where, what, and what to do, in one line. */
export interface Advice {
  /** As kubectl writes paths. */
  readonly field: string;
  readonly message: string;
}

/** Told advice, with the path of its field. */
export type Advise = (field: string, message: string) => void;

/** What an object is looked at in. */
export interface AdviceWorld {
  readonly engine: CelEngine;
  /** Policies that are saved. */
  readonly policies: readonly PolicySource[];
  /** Specs of TrustRoots by name. */
  readonly trustRoots: ReadonlyMap<string, unknown>;
  /** Present time; absent: nothing is said about time. */
  readonly now?: Date | undefined;
}

const DAY_MS = 24 * 60 * 60 * 1000;
/** What ends within this is said to end soon: 30 days. */
export const SOON_MS = 30 * DAY_MS;

/** A date for people: the day in UTC. */
export const toDay = (date: Date): string => date.toISOString().slice(0, 10);

/** Says that something ended, or ends within 30 days; undefined when there is longer. */
export function describeEnd(end: Date, now: Date | undefined): string | undefined {
  if (now === undefined) return undefined;
  const leftMs = end.getTime() - now.getTime();
  if (leftMs <= 0) return `ended on ${toDay(end)}`;
  return leftMs < SOON_MS ? `ends on ${toDay(end)}` : undefined;
}

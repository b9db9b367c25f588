// What is the trust of one TrustRoot now, and is somebody looking for newer? Holds the last good snapshot and refreshes
// it in the background: one refresh at a time, jittered, backing off while it fails. A failed refresh changes nothing
// but what is told about it.
import { sha256Hex } from '../lib/digest.ts';
import { boundBytes, toErrorMessage } from '../lib/text.ts';
import { parseTrustedRoot } from './trusted-root.ts';
import type { TrustReading, TrustSnapshot } from './trust-source.ts';
import type { VouchedTarget } from './tuf-client.ts';
import { TufRefreshError } from './tuf-error.ts';

/** Time for one whole refresh, in milliseconds (docs: limits). */
export const REFRESH_DEADLINE_MS = 20_000;
/** Time before the first retry of a failed refresh, in milliseconds; it doubles up to the refresh interval. */
export const FIRST_RETRY_MS = 15_000;
/** Difference between a mirror's clock and ours from which ours is called wrong, in milliseconds. */
export const MAX_CLOCK_DIFFERENCE_MS = 300_000;
const MAX_SLEEP_MS = 86_400_000;
const JITTER = 0.1;
const MAX_ERROR_BYTES = 400;

/** What became of a refresh. */
export interface RefreshEvent {
  readonly trustRoot: string;
  readonly result: 'updated' | 'unchanged' | 'failed';
  /** Why it failed, one clause. */
  readonly error?: string;
  /** The mirror's clock less ours, in milliseconds; absent when no answer told. */
  readonly clockDifferenceMs?: number;
}

/** How a TrustRoot is doing, for metrics and status. */
export interface TrustStatus {
  readonly trustRoot: string;
  readonly snapshot: TrustSnapshot | undefined;
  /** Time since the snapshot's source last vouched for it, in milliseconds. */
  readonly ageMs: number | undefined;
  readonly lastSuccess: Date | undefined;
  /** Why the latest refresh failed; undefined when it did not. */
  readonly lastError: string | undefined;
  readonly clockDifferenceMs: number | undefined;
}

/** Clock, timers and chance, so that tests own them. */
export interface TrackerEnvironment {
  now(): Date;
  /** Calls back once after a time in milliseconds, without keeping the process alive. @returns a canceller */
  schedule(delayMs: number, callback: () => void): () => void;
  /** A number from 0 up to 1. */
  random(): number;
}

/** How one TrustRoot is followed. */
export interface TrackerOptions {
  readonly trustRoot: string;
  /** The copy to start from, which is trusted until `expiresAt` without a refresh. */
  readonly shipped?: { readonly snapshot: TrustSnapshot; readonly bytes: Buffer };
  readonly readCache: () => Promise<VouchedTarget | undefined>;
  /** Undefined: never ask. */
  readonly refresh:
    ((signal: AbortSignal, onDate: (date: Date) => void) => Promise<VouchedTarget>) | undefined;
  /** Where the refreshes go, for messages. */
  readonly mirror: string;
  readonly refreshIntervalMs: number;
  readonly environment: TrackerEnvironment;
  readonly nextGeneration: () => number;
  /** Called when {@link TrustTracker.read} began to answer something else. */
  readonly onChange: () => void;
  readonly onRefresh: (event: RefreshEvent) => void;
}

/** Follows one TrustRoot until it is stopped. */
export class TrustTracker {
  /** Resolves when the first attempt to have a fresh root is over, whatever became of it. */
  readonly settled: Promise<void>;
  readonly #options: TrackerOptions;
  readonly #stop = new AbortController();
  #snapshot: TrustSnapshot | undefined;
  #digest = '';
  #version = 0;
  #lastSuccess: Date | undefined;
  #lastError: string | undefined;
  #clockDifferenceMs: number | undefined;
  #failures = 0;
  #flight: Promise<void> | undefined;
  #announced: string;
  #cancelRefresh: () => void = () => undefined;
  #cancelExpiry: () => void = () => undefined;

  constructor(options: TrackerOptions) {
    this.#options = options;
    this.#snapshot = options.shipped?.snapshot;
    this.#digest = options.shipped === undefined ? '' : sha256Hex(options.shipped.bytes);
    this.#announced = this.#describe();
    this.#watchExpiry();
    this.settled = this.#begin().catch((error: unknown) => void this.#note(error));
  }

  /** The snapshot in force. */
  read(): TrustReading {
    const snapshot = this.#snapshot;
    if (snapshot === undefined) return { ok: false, problem: `it has no root yet: ${this.#explain()}` };
    if (!this.#isExpired(snapshot)) return { ok: true, snapshot };
    const since = snapshot.expiresAt?.toISOString() ?? '';
    return { ok: false, problem: `its root expired at ${since}: ${this.#explain()}` };
  }

  status(): TrustStatus {
    const snapshot = this.#snapshot;
    const now = this.#options.environment.now().getTime();
    return {
      trustRoot: this.#options.trustRoot,
      snapshot,
      ageMs: snapshot === undefined ? undefined : Math.max(0, now - snapshot.fetchedAt.getTime()),
      lastSuccess: this.#lastSuccess,
      lastError: this.#lastError,
      clockDifferenceMs: this.#clockDifferenceMs,
    };
  }

  /** Refreshes now, or joins the refresh under way; never rejects. Without a mirror to ask it does nothing. */
  refresh(): Promise<void> {
    const { refresh } = this.#options;
    if (refresh === undefined || this.#stop.signal.aborted) return Promise.resolve();
    this.#flight ??= this.#run(refresh).finally(() => {
      this.#flight = undefined;
    });
    return this.#flight;
  }

  /** Ends timers and a refresh under way; the snapshot stays. */
  stop(): void {
    this.#stop.abort();
    this.#cancelRefresh();
    this.#cancelExpiry();
  }

  async #begin(): Promise<void> {
    const { readCache, refresh, environment, refreshIntervalMs } = this.#options;
    const cached = await readCache();
    let ageMs = Number.POSITIVE_INFINITY;
    if (cached !== undefined && this.#tryAdopt(cached)) {
      ageMs = environment.now().getTime() - cached.fetchedAt.getTime();
      this.#announce();
    }
    if (refresh === undefined || this.#stop.signal.aborted) return;
    // A process that restarts does not ask again what another one asked a minute ago.
    if (ageMs >= 0 && ageMs < refreshIntervalMs) this.#scheduleRefresh(refreshIntervalMs - ageMs);
    else await this.refresh();
  }

  #tryAdopt(target: VouchedTarget): boolean {
    try {
      this.#adopt(target);
      return true;
    } catch {
      return false;
    }
  }

  async #run(refresh: NonNullable<TrackerOptions['refresh']>): Promise<void> {
    const { trustRoot, onRefresh, environment } = this.#options;
    this.#cancelRefresh();
    let event: RefreshEvent;
    try {
      const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(REFRESH_DEADLINE_MS)]);
      const target = await refresh(signal, (date) => {
        this.#clockDifferenceMs = date.getTime() - environment.now().getTime();
      });
      const before = this.#snapshot?.generation;
      this.#adopt(target);
      this.#failures = 0;
      this.#lastError = undefined;
      this.#lastSuccess = environment.now();
      event = { trustRoot, result: this.#snapshot?.generation === before ? 'unchanged' : 'updated' };
    } catch (error) {
      this.#failures += 1;
      event = { trustRoot, result: 'failed', error: this.#note(error) };
    }
    if (this.#stop.signal.aborted) return;
    this.#scheduleRefresh(this.#toDelay());
    const clockDifferenceMs = this.#clockDifferenceMs;
    this.#tell(() => onRefresh(clockDifferenceMs === undefined ? event : { ...event, clockDifferenceMs }));
    this.#announce();
  }

  #note(error: unknown): string {
    this.#lastError = boundBytes(`${toErrorMessage(error)}${this.#suspectClock()}`, MAX_ERROR_BYTES);
    return this.#lastError;
  }

  // Nobody awaits what happens in the background: a listener that throws must not end the process.
  #tell(listener: () => void): void {
    try {
      listener();
    } catch (error) {
      this.#note(error);
    }
  }

  // Validate, build, swap: whatever throws here leaves the present snapshot as it is.
  #adopt(target: VouchedTarget): void {
    if (target.version < this.#version)
      throw new TufRefreshError(`targets.json went back from version ${this.#version} to ${target.version}`);
    const { shipped, nextGeneration } = this.#options;
    const digest = sha256Hex(target.bytes);
    const known = digest === this.#digest ? this.#snapshot : undefined;
    this.#snapshot = {
      root: known?.root ?? parseTrustedRoot(target.bytes),
      generation: known?.generation ?? nextGeneration(),
      source: 'tuf',
      fetchedAt: target.fetchedAt,
      expiresAt: later(target.expiresAt, shipped?.snapshot.expiresAt),
    };
    this.#digest = digest;
    this.#version = target.version;
    this.#watchExpiry();
  }

  #isExpired({ expiresAt }: TrustSnapshot): boolean {
    return expiresAt !== undefined && expiresAt <= this.#options.environment.now();
  }

  #explain(): string {
    const { refresh, mirror } = this.#options;
    if (refresh === undefined) return 'this process runs with --offline and has no copy that is still valid';
    if (this.#lastError !== undefined) return `the refresh failed: ${this.#lastError}`;
    return `the refresh from ${mirror} is under way`;
  }

  #suspectClock(): string {
    const difference = this.#clockDifferenceMs ?? 0;
    if (Math.abs(difference) <= MAX_CLOCK_DIFFERENCE_MS) return '';
    return ` (the mirror's clock and this machine's differ by ${Math.round(difference / 1000)} s: check the clock)`;
  }

  // Failing forever must not become asking forever faster than the interval, nor all replicas at the same instant.
  #toDelay(): number {
    const { refreshIntervalMs } = this.#options;
    if (this.#failures === 0) return refreshIntervalMs;
    return Math.min(refreshIntervalMs, FIRST_RETRY_MS * 2 ** Math.min(this.#failures - 1, 16));
  }

  #scheduleRefresh(delayMs: number): void {
    const { environment } = this.#options;
    const jittered = delayMs * (1 - JITTER + 2 * JITTER * environment.random());
    this.#cancelRefresh();
    this.#cancelRefresh = environment.schedule(Math.min(jittered, MAX_SLEEP_MS), () => void this.refresh());
  }

  #watchExpiry(): void {
    this.#cancelExpiry();
    const { environment } = this.#options;
    const expiresAt = this.#snapshot?.expiresAt;
    if (expiresAt === undefined || this.#stop.signal.aborted) return;
    const leftMs = expiresAt.getTime() - environment.now().getTime();
    if (leftMs <= 0) return;
    // Timers end after 24 days, and clocks are set: it looks again at least once a day.
    this.#cancelExpiry = environment.schedule(Math.min(leftMs, MAX_SLEEP_MS), () => {
      this.#announce();
      this.#watchExpiry();
    });
  }

  #announce(): void {
    const now = this.#describe();
    if (now === this.#announced) return;
    this.#announced = now;
    this.#tell(() => this.#options.onChange());
  }

  #describe(): string {
    const reading = this.read();
    return reading.ok ? `generation ${reading.snapshot.generation}` : reading.problem;
  }
}

// The shipped copy alone would be trusted until its own date, so what is newer than it is trusted no shorter.
function later(date: Date, other: Date | undefined): Date {
  return other !== undefined && other > date ? other : date;
}

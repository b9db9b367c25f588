// How is a verdict's worth of evaluations bounded without paying for a clock each time? Most rules cost next to nothing:
// they are tried with a small budget and no clock, and only those that want more are run again under deadline.ts, whose
// watchdog costs more than they do. Evaluation has no effects, so running it twice changes nothing.
import { withDeadline } from './deadline.ts';
import { TRIAL_COST } from './limits.ts';
import { tryWithin } from './meter.ts';

/**
 * Runs evaluations for at most that many milliseconds of processor time; throws DeadlineExceeded, or what `run` throws.
 * `run` may be called twice, and makes its own meters each time.
 */
export function runBounded<T>(milliseconds: number, run: () => T): T {
  const tried = tryWithin(TRIAL_COST, run);
  return tried.within ? tried.value : withDeadline(milliseconds, run);
}

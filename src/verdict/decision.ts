// What was decided about one request? The value that responses, records and metrics are made from.
import type { ModelReference } from '../model/model-reference.ts';
import type { ExceptionUse } from './exceptions.ts';
import type { ActedFinding, Verdict } from './fold.ts';
import type { PolicyResult } from './judge.ts';

/** Why a request is exempt; undefined in a decision when it was judged. */
export type Exemption = 'operation' | 'status' | 'kind' | 'unchanged';

/** One judged use with the digest that was judged. */
export interface JudgedUse {
  readonly use: ModelReference;
  readonly digest: string | undefined;
  readonly format: string | undefined;
  readonly results: readonly PolicyResult[];
}

/** Milliseconds by stage. */
export type Durations = Readonly<Record<string, number>>;

/** A complete decision. */
export interface Decision {
  readonly verdict: Verdict;
  /** Everything that was found, with its actions, before folding. */
  readonly acted: readonly ActedFinding[];
  readonly uses: readonly JudgedUse[];
  /** Names of the policies that selected anything, sorted. */
  readonly policies: readonly string[];
  /** Exceptions that admitted what a policy denies. */
  readonly exceptions: readonly ExceptionUse[];
  /** Warnings for the user beside those of findings, e.g. that a tag can move. */
  readonly notices: readonly string[];
  readonly exemption: Exemption | undefined;
  readonly durationsMs: Durations;
}

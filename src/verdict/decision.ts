// What was decided about one request? The value that responses, records and metrics are made from.
import type { ModelReference, UnnamedUse } from '../model/model-reference.ts';
import type { CompiledException } from '../policy/compile-exception.ts';
import type { CompiledPolicy } from '../policy/compiled.ts';
import type { ExceptionUse } from './exceptions.ts';
import type { ActedFinding, Verdict } from './fold.ts';
import type { PolicyResult } from './judge.ts';

/** Why a request is exempt; undefined in a decision when it was judged. */
export type Exemption = 'operation' | 'status' | 'kind' | 'unchanged';

/** One judged use with the digest that was judged. */
export interface JudgedUse {
  readonly use: ModelReference;
  readonly digest: string | undefined;
  /** The reference's own digest, or the one that a policy of the cluster resolved its tag to; no namespace's. */
  readonly clusterDigest: string | undefined;
  readonly format: string | undefined;
  readonly results: readonly PolicyResult[];
}

/** What a request was decided in, for explanations: nothing here is made for them. */
export interface DecidedWorld {
  readonly namespaceLabels: Readonly<Record<string, string>>;
  /** Every policy, those of other namespaces among them. */
  readonly policies: readonly CompiledPolicy[];
  /** Names of those that are about the namespace and whose conditions do not leave it out. */
  readonly asked: ReadonlySet<string>;
  readonly exceptions: readonly CompiledException[];
  /** Models that are used and have no reference that could be judged. */
  readonly unnamed: readonly UnnamedUse[];
  readonly now: Date;
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
  /** Absent where no policy was asked. */
  readonly world?: DecidedWorld;
  readonly durationsMs: Durations;
}

// Which mutants change nothing that anybody could see? Each by file, change and text, with the reason.
import type { Change } from './guards.ts';

export interface Equivalent {
  /** Below src. */
  readonly file: string;
  readonly change: Change;
  readonly text: string;
  readonly why: string;
}

export const EQUIVALENT: readonly Equivalent[] = [];

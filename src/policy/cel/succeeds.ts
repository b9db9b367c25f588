// Does a text parse? How the is… functions ask the parsers that throw.
import { EvaluationError } from 'cel-js';

/** Whether a call ends without an evaluation error; everything else that it throws passes through. */
export function succeeds(run: () => unknown): boolean {
  try {
    run();
    return true;
  } catch (error) {
    if (error instanceof EvaluationError) return false;
    throw error;
  }
}

// What does a name in a policy match? Either one exact text or a whole-string RE2 pattern, never both.
import { isTimeUp } from '../lib/allowance.ts';
import { createExactMatcher, type TextMatcher } from '../signature/identity.ts';
import { compileRegularExpression } from './cel/regular-expression.ts';

/** Longest text that a pattern is tried on, in characters; a longer one matches none (docs: limits). */
export const MAX_MATCHED_CHARS = 1024;

/** Compiles a value and its `…RegExp` twin; undefined when a problem was reported. */
export function compileText(
  exact: string | undefined,
  pattern: string | undefined,
  report: (problem: string) => void,
): TextMatcher | undefined {
  if ((exact === undefined) === (pattern === undefined)) {
    report('exactly one of the exact value and its RegExp must be set');
    return undefined;
  }
  if (exact !== undefined) return createExactMatcher(exact);
  const compiled = compileRegularExpression(pattern ?? '');
  if (compiled.ok)
    return {
      // What nobody has the time to try does not match.
      matches: (text) => text.length <= MAX_MATCHED_CHARS && !isTimeUp() && compiled.matches(text),
      describe: `/${pattern ?? ''}/`,
    };
  report(`the pattern is invalid: ${compiled.message}`);
  return undefined;
}

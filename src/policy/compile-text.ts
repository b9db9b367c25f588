// What does a name in a policy match? Either one exact text or a whole-string RE2 pattern, never both.
import { createExactMatcher, type TextMatcher } from '../signature/identity.ts';
import { compileRegularExpression } from './cel/regular-expression.ts';

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
  if (compiled.ok) return { matches: compiled.matches, describe: `/${pattern ?? ''}/` };
  report(`the pattern is invalid: ${compiled.message}`);
  return undefined;
}

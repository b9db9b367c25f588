// How is a policy's regular expression matched? With RE2 semantics in linear time, bounded and cached.
// Used for CEL's matches and find (unanchored) and for subjectRegExp and claimsRegExp (whole string).
import { RE2JS, type Matcher } from 're2js';
import { takeWork } from '../../lib/counted-work.ts';
import { estimateProgramSize } from './regular-expression-size.ts';
import { MAX_CACHED_PATTERNS, MAX_PATTERN_LENGTH, MAX_PROGRAM_SIZE } from './limits.ts';

/** A compiled pattern, or why it was refused (one line, no secrets: it quotes only the pattern's fault). */
export type RegularExpression =
  | {
      readonly ok: true;
      /** Whether the whole text matches. */
      readonly matches: (text: string) => boolean;
      /** Whether any part of the text matches. */
      readonly find: (text: string) => boolean;
      /** Every non-overlapping match, at most `limit`; `onMatch` hears the end of each and may throw to stop. */
      readonly findAll: (text: string, limit: number, onMatch: (end: number) => void) => string[];
      /** Size in RE2 instructions. */
      readonly programSize: number;
    }
  | { readonly ok: false; readonly message: string };

const cache = new Map<string, RegularExpression>();

/** Compiles an RE2 pattern of at most 1,024 characters and 4,000 instructions, which are counted as work; never throws. */
export function compileRegularExpression(pattern: string): RegularExpression {
  if (pattern.length <= MAX_PATTERN_LENGTH && !takeWork(estimateProgramSize(pattern)))
    return refuse('the patterns of these policies are too large together');
  const known = cache.get(pattern);
  if (known !== undefined) {
    // Refreshes the entry's age, so that what policies use stays and what a request brings goes.
    cache.delete(pattern);
    cache.set(pattern, known);
    return known;
  }
  const compiled = compile(pattern);
  if (pattern.length > MAX_PATTERN_LENGTH) return compiled;
  const [oldest] = cache.keys();
  if (cache.size >= MAX_CACHED_PATTERNS && oldest !== undefined) cache.delete(oldest);
  cache.set(pattern, compiled);
  return compiled;
}

function compile(pattern: string): RegularExpression {
  if (pattern.length > MAX_PATTERN_LENGTH) {
    return refuse(`longer than ${MAX_PATTERN_LENGTH} characters`);
  }
  // Estimated first: RE2JS needs most of a second for a program of a million instructions.
  if (estimateProgramSize(pattern) > MAX_PROGRAM_SIZE) return tooLarge();
  try {
    const regex = RE2JS.compile(pattern);
    const programSize = regex.programSize();
    if (programSize > MAX_PROGRAM_SIZE) return tooLarge();
    return {
      ok: true,
      matches: (text) => regex.testExact(text),
      find: (text) => regex.test(text),
      findAll: (text, limit, onMatch) => findAll(regex.matcher(text), limit, onMatch),
      programSize,
    };
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'not valid RE2';
    return refuse(reason.replace(/^error parsing regexp: /, '').slice(0, 200));
  }
}

function findAll(matcher: Matcher, limit: number, onMatch: (end: number) => void): string[] {
  const found: string[] = [];
  while (found.length < limit && matcher.find()) {
    found.push(matcher.group() ?? '');
    onMatch(matcher.end());
  }
  return found;
}

function tooLarge(): RegularExpression {
  return refuse(`larger than ${MAX_PROGRAM_SIZE} instructions`);
}

function refuse(reason: string): RegularExpression {
  return { ok: false, message: `regular expression refused: ${reason}` };
}

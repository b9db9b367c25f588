// Does a policy mean this repository? Anchored globs over `registry/repository`, compiled to a linear matcher:
// `*` stays inside a segment, `**` crosses segments, and the registry is a host, not a pattern.
import { parseRegistry } from '../model/reference.ts';

/** Tests canonical names. */
export type GlobMatcher = (name: string) => boolean;

/** A matcher, or what is wrong with the glob. */
export type GlobResult =
  /** `registry`: the only one that can match; absent: several can. */
  | { readonly ok: true; readonly matches: GlobMatcher; readonly registry?: string }
  | { readonly ok: false; readonly problem: string };

const SEGMENT = /^[a-z0-9._*-]+$/;
const MAX_SEGMENTS = 64;

/** Compiles a glob; `**` alone selects everything. */
export function compileGlob(glob: string): GlobResult {
  if (glob === '**') return { ok: true, matches: () => true };
  const [registry = '', ...segments] = glob.split('/');
  const compiled = compileRegistry(registry);
  if (compiled === undefined)
    return {
      ok: false,
      problem: 'it must begin with a registry host, in which only a whole leading label may be *',
    };
  const { matches: matchRegistry, ...only } = compiled;
  // As references do: docker.io/nginx is docker.io/library/nginx.
  if (matchRegistry('docker.io') && segments.length === 1 && !(segments[0] ?? '').includes('*'))
    segments.unshift('library');
  if (segments.length === 0)
    return { ok: false, problem: 'it names no repository; end it with /** for all of them' };
  const problem = findProblem(segments);
  if (problem !== undefined) return { ok: false, problem };
  return {
    ok: true,
    ...only,
    matches(name) {
      const [host = '', ...parts] = name.split('/');
      return matchRegistry(host) && matchSegments(segments, parts);
    },
  };
}

function findProblem(segments: readonly string[]): string | undefined {
  if (segments.length > MAX_SEGMENTS) return `it has more than ${MAX_SEGMENTS} segments`;
  for (const segment of segments) {
    if (segment === '**') continue;
    if (!SEGMENT.test(segment)) return 'a segment is empty or has characters that repositories cannot have';
    if (segment.includes('**')) return '** must be a whole segment';
  }
  return undefined;
}

function compileRegistry(
  text: string,
): { readonly matches: GlobMatcher; readonly registry?: string } | undefined {
  if (text.startsWith('*.')) {
    const suffix = parseRegistry(text.slice(2));
    if (suffix === undefined) return undefined;
    return {
      matches(host) {
        const dot = host.indexOf('.');
        return dot > 0 && host.slice(dot + 1) === suffix;
      },
    };
  }
  const registry = parseRegistry(text);
  const isHost = text.includes('.') || text.includes(':') || text.toLowerCase() === 'localhost';
  if (registry === undefined || !isHost) return undefined;
  return { registry, matches: (host) => host === registry };
}

// Segments: a trailing `**` stands for at least one, one in between for any number.
function matchSegments(pattern: readonly string[], parts: readonly string[]): boolean {
  const isTrailing = pattern.at(-1) === '**';
  return matchElements(isTrailing ? pattern.slice(0, -1) : pattern, parts, {
    star: '**',
    matches: matchSegment,
    isPrefix: isTrailing,
  });
}

function matchSegment(pattern: string, part: string): boolean {
  return matchElements(pattern.split(''), part.split(''), {
    star: '*',
    matches: (a, b) => a === b,
    isPrefix: false,
  });
}

interface Alphabet {
  readonly star: string;
  readonly matches: (pattern: string, text: string) => boolean;
  /** True when the pattern must leave at least one element of the text over. */
  readonly isPrefix: boolean;
}

// One row of reachable pattern positions per element of text: no backtracking, pattern × text steps at most.
function matchElements(pattern: readonly string[], text: readonly string[], alphabet: Alphabet): boolean {
  const { star, matches, isPrefix } = alphabet;
  let reached = skipStars(new Set([0]), pattern, star);
  for (const element of text) {
    // A finished prefix has one element left over here.
    if (isPrefix && reached.has(pattern.length)) return true;
    const next = new Set<number>();
    for (const index of reached) {
      if (pattern[index] === star) next.add(index);
      else if (matches(pattern[index] ?? '', element)) next.add(index + 1);
    }
    reached = skipStars(next, pattern, star);
  }
  return !isPrefix && reached.has(pattern.length);
}

function skipStars(reached: Set<number>, pattern: readonly string[], star: string): Set<number> {
  for (const index of reached) if (pattern[index] === star) reached.add(index + 1);
  return reached;
}

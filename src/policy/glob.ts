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
  const matchParts = compileSegments(segments);
  return {
    ok: true,
    ...only,
    matches(name) {
      const [host = '', ...parts] = name.split('/');
      return matchRegistry(host) && matchParts(parts);
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

type SegmentMatcher = (part: string) => boolean;

// A trailing `**` stands for at least one part, one in between for any number. What stands before the first is at the
// beginning, what stands after the last at the end, and each block between them as early as it can be: nothing is tried
// twice, however many stars there are.
function compileSegments(segments: readonly string[]): (parts: readonly string[]) => boolean {
  const [first = [], ...others] = toBlocks(segments);
  const last = others.pop();
  if (last === undefined) return (parts) => parts.length === first.length && matchBlock(first, parts, 0);
  return (parts) => {
    const end = parts.length - last.length;
    if (end < first.length || !matchBlock(first, parts, 0) || !matchBlock(last, parts, end)) return false;
    let from = first.length;
    for (const block of others) {
      while (from + block.length <= end && !matchBlock(block, parts, from)) from += 1;
      from += block.length;
    }
    return last.length === 0 ? from < end : from <= end;
  };
}

// What stands between the `**`, the first and the last of which may be empty.
function toBlocks(segments: readonly string[]): readonly (readonly SegmentMatcher[])[] {
  const blocks: SegmentMatcher[][] = [[]];
  for (const segment of segments)
    if (segment === '**') blocks.push([]);
    else blocks.at(-1)?.push(compileSegment(segment));
  return blocks;
}

function matchBlock(block: readonly SegmentMatcher[], parts: readonly string[], from: number): boolean {
  return (
    from + block.length <= parts.length && block.every((matches, index) => matches(parts[from + index] ?? ''))
  );
}

// The same inside of one part, where a star stands for any number of characters, also at the end.
function compileSegment(pattern: string): SegmentMatcher {
  const [first = '', ...others] = pattern.split('*');
  const last = others.pop();
  if (last === undefined) return (part) => part === pattern;
  return (part) => {
    const end = part.length - last.length;
    if (end < first.length || !part.startsWith(first) || !part.endsWith(last)) return false;
    let from = first.length;
    for (const piece of others) {
      const at = part.indexOf(piece, from);
      if (at === -1) return false;
      from = at + piece.length;
    }
    return from <= end;
  };
}

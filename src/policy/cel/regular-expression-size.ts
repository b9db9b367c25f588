// How large would RE2's program for a pattern be? An estimate made before compiling, which is the costly part.
// It only reads structure (atoms, groups, repetitions); whether the pattern is valid is the compiler's to say.

interface Sum {
  total: number;
  last: number;
}

/** Estimates the instructions RE2 would compile a pattern to; about right for valid patterns, never throws. */
export function estimateProgramSize(pattern: string): number {
  const open: Sum[] = [];
  let sum: Sum = { total: 2, last: 0 };
  for (let at = 0; at < pattern.length;) {
    const char = pattern[at];
    if (char === '(') {
      open.push(sum);
      sum = { total: 2, last: 0 };
      at += 1;
    } else if (char === ')') {
      sum = close(open, sum);
      at += 1;
    } else {
      at = readItem(pattern, at, sum);
    }
  }
  return open.reduce((total, outer) => total + outer.total, sum.total);
}

function close(open: Sum[], inner: Sum): Sum {
  const outer = open.pop();
  if (outer === undefined) return inner;
  add(outer, inner.total);
  return outer;
}

function add(sum: Sum, size: number): void {
  sum.total += size;
  sum.last = size;
}

function readItem(pattern: string, at: number, sum: Sum): number {
  const repeat = readRepeat(pattern, at);
  if (repeat !== undefined) {
    const size = sum.last * repeat.times + 1;
    sum.total += size - sum.last;
    sum.last = size;
    return repeat.end;
  }
  const end = endOfAtom(pattern, at);
  // A quoted run is as many atoms as it has characters; every other atom is one instruction.
  add(sum, pattern.startsWith('\\Q', at) ? end - at : 1);
  return end;
}

function readRepeat(pattern: string, at: number): { times: number; end: number } | undefined {
  const char = pattern[at];
  if (char === '*' || char === '+' || char === '?') return { times: 1, end: at + 1 };
  if (char !== '{') return undefined;
  const counts = /^\{(\d{1,5})(?:,(\d{0,5}))?\}/.exec(pattern.slice(at, at + 16));
  if (counts === null) return undefined;
  const least = Number(counts[1]);
  return { times: Math.max(1, least, Number(counts[2] ?? 0)), end: at + counts[0].length };
}

function endOfAtom(pattern: string, at: number): number {
  if (pattern[at] === '[') return endOfClass(pattern, at + 1);
  if (pattern[at] !== '\\') return at + 1;
  if (pattern[at + 1] === 'Q') return endAfter(pattern, '\\E', at + 2);
  const braces = /^\\[pPx]\{[^}]*\}/.exec(pattern.slice(at, at + 64));
  return at + (braces === null ? 2 : braces[0].length);
}

function endOfClass(pattern: string, start: number): number {
  let at = pattern[start] === '^' ? start + 1 : start;
  if (pattern[at] === ']') at += 1;
  while (at < pattern.length && pattern[at] !== ']') {
    if (pattern.startsWith('[:', at)) at = endOfNamedClass(pattern, at);
    else at += pattern[at] === '\\' ? 2 : 1;
  }
  return at + 1;
}

function endOfNamedClass(pattern: string, at: number): number {
  const name = /^\[:\^?[a-z]+:\]/.exec(pattern.slice(at, at + 16));
  return at + (name === null ? 1 : name[0].length);
}

function endAfter(pattern: string, text: string, from: number): number {
  const at = pattern.indexOf(text, from);
  return at < 0 ? pattern.length : at + text.length;
}

// Does this regular expression match more than its author meant? Patterns match the whole text, so wildcards at their ends
// and bare dots in host names are what makes them wide. Judged by their shape alone; whether they compile is asked elsewhere.

// One character for each item of a pattern that is no literal.
const ANY = '\ue000';
const ANYTHING = '\ue001';
const OTHER = '\ue002';

interface Shape {
  /** Literals as they are; `.`, `.*` and everything else as one character each; groups, anchors and quantifiers left out. */
  readonly text: string;
  readonly hasBareAlternative: boolean;
}

/** What is probably not meant about a whole-string pattern: one clause each, with the fix. */
export function lintPattern(pattern: string): readonly string[] {
  const { text, hasBareAlternative } = toShape(pattern);
  return [
    ...(hasBareAlternative
      ? ['| divides the whole pattern, each side of it a whole text; put the alternatives in a group: (a|b)']
      : []),
    ...lintEnds(text),
    ...lintHosts(text.replace(/\ue001$/, '')),
  ];
}

function lintEnds(text: string): readonly string[] {
  if (/^[\ue000\ue001]+$/.test(text)) return ['it matches everything; name the exact value'];
  const problems: string[] = [];
  if (text.startsWith(ANYTHING))
    problems.push(
      '.* at the start lets anything stand before; write out the start, or a class such as [^@/]+',
    );
  if (text.endsWith(ANYTHING) && !isFixed(text.slice(0, -1)))
    problems.push('.* at the end lets anything follow; fix host and owner, and end what is fixed with a /');
  return problems;
}

// Of a URL the host and the first segment of the path, or everything up to an @ behind the host; of a claim anything.
function isFixed(start: string): boolean {
  const [, rest] = split(start, '://');
  if (rest === undefined) return !start.includes('@');
  const [host = '', owner = '', ...deeper] = rest.split('/');
  if (rest.slice(host.length).includes('@')) return true;
  return /[^\ue000-\ue002]/.test(owner) && deeper.at(-1) === '';
}

function lintHosts(text: string): readonly string[] {
  const [scheme, rest] = split(text, '://');
  const host = rest === undefined ? (split(scheme, '@')[1] ?? '') : (rest.split('/')[0] ?? '');
  return [
    ...(host.includes(ANY) ? ['a bare . in the host name matches any character; write \\.'] : []),
    ...(host.includes(ANYTHING)
      ? ['.* in the host name also matches /, and so another host; write [^./]+']
      : []),
  ];
}

function split(text: string, separator: string): readonly [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + separator.length)];
}

const GROUP = /^\((?:\?(?:P?<[A-Za-z0-9_]+>|[imsU-]*[:)]))?/;
const CLASS = /^\[\^?\]?(?:\[:\^?[a-z]+:\]|\\[^]|[^\]\\])*\]/;
/** Items of one character that are no literal. */
const SIMPLE: Readonly<Record<string, string>> = {
  '.': ANY,
  '|': OTHER,
  ')': '',
  '^': '',
  $: '',
};
const QUANTIFIER = /^(?:[*+?]|\{\d+(?:,\d*)?\})\??/;
const QUOTED = /^\\Q([^]*?)(?:\\E|$)/;
const CLASS_ESCAPE = /^\\(?:[pP](?:\{[^}]*\}|.)|x(?:\{[^}]*\}|..)|[dDsSwWbBAzCafnrtv0-7])/;

function toShape(pattern: string): Shape {
  const state = { text: '', depth: 0, hasBareAlternative: false };
  for (let at = 0; at < pattern.length;) {
    const [width, item] = readItem(pattern.slice(at), state);
    at += width;
    const quantifier = QUANTIFIER.exec(pattern.slice(at))?.[0] ?? '';
    // A group and its quantifier leave the wildness to what is in it.
    at += quantifier.length;
    state.text += item === ANY && /^[*+{]/.test(quantifier) ? ANYTHING : item;
  }
  return state;
}

function readItem(rest: string, state: { depth: number; hasBareAlternative: boolean }): [number, string] {
  const char = rest[0] ?? '';
  if (char === '(') {
    const width = GROUP.exec(rest)?.[0].length ?? 1;
    // `(?i)` opens nothing.
    if (rest[width - 1] !== ')') state.depth += 1;
    return [width, ''];
  }
  if (char === ')') state.depth -= 1;
  if (char === '|' && state.depth === 0) state.hasBareAlternative = true;
  const item = SIMPLE[char];
  return item === undefined ? readAtom(rest, char) : [1, item];
}

function readAtom(rest: string, char: string): [number, string] {
  const set = CLASS.exec(rest)?.[0];
  if (set !== undefined) return [set.length, OTHER];
  const quoted = QUOTED.exec(rest);
  if (quoted !== null) return [quoted[0].length, quoted[1] ?? ''];
  const escape = CLASS_ESCAPE.exec(rest)?.[0];
  if (escape !== undefined) return [escape.length, OTHER];
  return char === '\\' ? [2, rest[1] ?? ''] : [1, char];
}

// Which CEL rule means what this CUE policy demands? Only fields with literal texts and truth values, which are exact;
// everything else is somebody's to translate.

const TOKEN = /\s*(?:\/\/[^\n]*|(?<text>"[^"\\\n]*")|(?<word>[A-Za-z][A-Za-z0-9_]*)|(?<mark>[:{},]))/y;
/** Words that CEL keeps for itself: such members are read by index. */
const RESERVED = new Set(
  'as break const continue else false for function if import in let loop package namespace null return true var void while'.split(
    ' ',
  ),
);
const MAX_CONDITIONS = 32;
const MAX_DEPTH = 32;

interface Condition {
  readonly path: readonly string[];
  readonly literal: string;
}

/**
 * Translates a policy; undefined when it says more than that.
 * @param roots what stands for the first member of a path, by its name
 */
export function migrateCue(source: string, roots: Readonly<Record<string, string>>): string | undefined {
  const tokens = tokenize(source);
  const conditions = tokens === undefined ? undefined : parse(tokens);
  if (conditions === undefined || conditions.length === 0 || conditions.length > MAX_CONDITIONS)
    return undefined;
  const texts = conditions.map(({ path: [first = '', ...rest], literal }) => {
    const root = Object.hasOwn(roots, first) ? roots[first] : undefined;
    return root === undefined ? undefined : `${[root, ...rest.map(toMember)].join('')} == ${literal}`;
  });
  return texts.includes(undefined) ? undefined : texts.join(' && ');
}

function toMember(name: string): string {
  return RESERVED.has(name) ? `[${JSON.stringify(name)}]` : `.${name}`;
}

function tokenize(source: string): readonly string[] | undefined {
  const tokens: string[] = [];
  const text = source.trimEnd();
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const match = TOKEN.exec(text);
    if (match === null) return undefined;
    const { text: literal, word, mark } = match.groups ?? {};
    const token = literal ?? word ?? mark;
    if (token !== undefined) tokens.push(token);
  }
  return tokens;
}

// Fields, one after the other: names with colons, then a literal or an opened struct.
function parse(tokens: readonly string[]): readonly Condition[] | undefined {
  const conditions: Condition[] = [];
  const opened: (readonly string[])[] = [];
  for (let index = 0; index < tokens.length && opened.length <= MAX_DEPTH; index += 1) {
    const token = tokens[index];
    if (token === ',' || (token === '}' && opened.pop() !== undefined)) continue;
    const { names, value, end } = readField(tokens, index);
    if (value === '{') opened.push(names);
    else if (isLiteral(value)) conditions.push({ path: [...opened.flat(), ...names], literal: value });
    else return undefined;
    index = end;
  }
  return opened.length === 0 ? conditions : undefined;
}

/** One field; its value is empty where it has no name or none. */
interface Field {
  readonly names: readonly string[];
  readonly value: string;
  readonly end: number;
}

function readField(tokens: readonly string[], start: number): Field {
  const names: string[] = [];
  let end = start;
  for (; tokens[end + 1] === ':' && /^[A-Za-z]/.test(tokens[end] ?? ''); end += 2)
    names.push(tokens[end] ?? '');
  return { names, value: names.length === 0 ? '' : (tokens[end] ?? ''), end };
}

function isLiteral(token: string): boolean {
  return token.startsWith('"') || token === 'true' || token === 'false';
}

// How do lists and maps hold entries that may be absent? `[?a]` and `{?k: v}`, which the library's parser does not know.
// The mark becomes a `!` of the same place before parsing, which binds tighter than any operator and so stands as the
// leftmost operand of its entry; after parsing it is taken out again and the entry remembered.
import { Optional } from 'cel-js';
import { isNode, nodesOf, type CelChecker, type CelEvaluator, type CelNode, type CelType } from './ast.ts';
import { celError } from './errors.ts';

/** A source whose marks are hidden from the parser, and where they were. */
export interface MarkedSource {
  readonly text: string;
  readonly marks: ReadonlySet<number>;
}

// Comments, strings with their prefix, names, numbers, and every other character by itself.
const TOKEN =
  /\/\/[^\n]*|(?:[rR][bB]?|[bB][rR]?)("""|'''|"|')|("""|'''|"|')|[A-Za-z_][A-Za-z0-9_]*|\d[\w.]*|\s+|[^]/g;

/** Hides the marks of optional entries; sources without a question mark are returned as they are. */
export function hideMarks(source: string): MarkedSource {
  const marks = source.includes('?') ? findMarks(source) : new Set<number>();
  if (marks.size === 0) return { text: source, marks };
  const text = Array.from({ length: source.length }, (_, at) => (marks.has(at) ? '!' : source.charAt(at)));
  return { text: text.join(''), marks };
}

function findMarks(source: string): Set<number> {
  const marks = new Set<number>();
  const brackets: string[] = [];
  let before = '';
  for (const [at, token] of tokensOf(source)) {
    if (token === '?' && brackets.at(-1) === 'literal' && /^[[{,]$/.test(before)) marks.add(at);
    if (/^[([{]$/.test(token)) brackets.push(kindOf(token, before));
    else if (/^[)\]}]$/.test(token)) brackets.pop();
    before = token;
  }
  return marks;
}

function kindOf(bracket: string, before: string): 'literal' | 'other' {
  if (bracket === '(' || (bracket === '[' && endsOperand(before))) return 'other';
  return 'literal';
}

// After a name, a literal or a closing bracket, a bracket is an index.
function endsOperand(token: string): boolean {
  return token !== 'in' && /^(?:[\w"')\]}])/.test(token);
}

function* tokensOf(source: string): Generator<readonly [number, string]> {
  TOKEN.lastIndex = 0;
  let at = 0;
  while (at < source.length) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(source);
    const text = match?.[0] ?? source.charAt(at);
    const quote = match?.[1] ?? match?.[2];
    const isSilent = /^(?:\s|\/\/)/.test(text);
    const end = quote === undefined ? at + text.length : endOfString(source, at + text.length, quote);
    if (!isSilent) yield [at, quote === undefined ? text : '"'];
    at = end;
  }
}

function endOfString(source: string, start: number, quote: string): number {
  for (let at = start; at < source.length; at += 1) {
    if (source.startsWith(quote, at)) return at + quote.length;
    // The library also skips the character after a backslash in raw strings.
    if (source[at] === '\\') at += 1;
  }
  return source.length;
}

/** Takes the marks out of a parsed expression, and makes lists and maps with marked entries honour them. */
export function restoreMarks(root: CelNode, marks: ReadonlySet<number>): void {
  if (marks.size === 0) return;
  for (const node of nodesOf(root)) {
    if (node.op === 'list') restoreList(node, marks);
    else if (node.op === 'map') restoreMap(node, marks);
  }
}

function restoreList(node: CelNode, marks: ReadonlySet<number>): void {
  const entries = node.args as CelNode[];
  const optional = new Set<number>();
  for (const at of entries.keys()) if (unwrap(entries, at, marks)) optional.add(at);
  if (optional.size === 0) return;
  node.setMeta('check', (checker: CelChecker, _node: CelNode, context: never) => {
    const types = entries.map((entry, at) =>
      entryType(checker, entry, checker.check(entry, context), optional.has(at)),
    );
    return checker.registry.getListType(common(checker, entries, types, 'heterogeneous_list_element'));
  });
  node.setMeta('evaluate', (evaluator: CelEvaluator, _node: CelNode, context: unknown) =>
    entries.flatMap((entry, at) => present(evaluator.run(entry, context), optional.has(at))),
  );
}

function restoreMap(node: CelNode, marks: ReadonlySet<number>): void {
  const entries = node.args as [CelNode, CelNode][];
  const optional = new Set<number>();
  for (const [at, entry] of entries.entries()) if (unwrap(entry, 0, marks)) optional.add(at);
  if (optional.size === 0) return;
  const [keys, values] = [entries.map(([key]) => key), entries.map(([, value]) => value)];
  node.setMeta('optionalEntries', optional);
  node.setMeta('check', (checker: CelChecker, _node: CelNode, context: never) => {
    const keyTypes = keys.map((key) => checker.check(key, context));
    const valueTypes = values.map((value, at) =>
      entryType(checker, value, checker.check(value, context), optional.has(at)),
    );
    return checker.registry.getMapType(
      common(checker, keys, keyTypes, 'heterogeneous_map_key'),
      common(checker, values, valueTypes, 'heterogeneous_map_value'),
    );
  });
}

/** An entry's values: itself, or what an optional entry holds. */
export function present(value: unknown, isOptional: boolean): unknown[] {
  if (!isOptional) return [value];
  if (!(value instanceof Optional)) throw celError('optional_expected');
  return value.hasValue() ? [value.value()] : [];
}

// The mark is the leftmost operand of the entry, however many operators stand above it.
function unwrap(holder: unknown[], at: number, marks: ReadonlySet<number>): boolean {
  for (let [parent, index] = [holder, at]; ;) {
    const node = parent[index];
    if (!isNode(node)) return false;
    if (node.op === '!_' && marks.has(node.start)) {
      parent[index] = node.args;
      return true;
    }
    if (!Array.isArray(node.args) || !isNode(node.args[0])) return false;
    [parent, index] = [node.args, 0];
  }
}

function entryType(checker: CelChecker, node: CelNode, type: CelType, isOptional: boolean): CelType {
  if (!isOptional || type.kind === 'dyn') return type;
  if (type.kind !== 'optional') {
    throw checker.createError(
      'optional_expected',
      `entry after '?' must be optional, got '${type.name}'`,
      node,
    );
  }
  return type.valueType ?? type;
}

function common(
  checker: CelChecker,
  nodes: readonly CelNode[],
  types: readonly CelType[],
  code: string,
): CelType {
  let [expected = checker.getType('dyn')] = types;
  for (const [at, type] of types.entries()) {
    if (isOpen(expected)) expected = type;
    const node = nodes[at];
    if (node !== undefined && type !== expected && !isOpen(type)) {
      throw checker.createError(code, `expected type '${expected.name}' but found '${type.name}'`, node);
    }
  }
  return expected;
}

// Empty lists, empty maps and optional.none() fit anywhere.
function isOpen(type: CelType): boolean {
  return type.kind === 'param' || type.valueType?.kind === 'param';
}

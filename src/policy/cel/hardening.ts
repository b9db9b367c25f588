// What does the library accept that a policy must not contain? Checks on the syntax tree around its type check.
// Before: names, functions, literals, has(). After: fields of declared types that the checker lets pass.
import {
  callOf,
  childrenOf,
  nodesOf,
  renameCall,
  stringLiteral,
  type CelCall,
  type CelChecker,
  type CelNode,
  type CelScopeContext,
  type CelType,
} from './ast.ts';
import { createDiagnostic, type CelDiagnostic } from './diagnostic.ts';
import { KEPT_CALLS, REPLACED_CALLS } from './functions.ts';
import { MAX_LITERAL_DEPTH } from './limits.ts';
import { hasMacro } from './macro-has.ts';
import { parseCidr, parseIp } from './ip-address.ts';
import { parseQuantity } from './quantity.ts';
import { compileRegularExpression } from './regular-expression.ts';
import { parseSemver } from './semver.ts';
import { succeeds } from './succeeds.ts';
import { parseDuration, parseTimestamp } from './time.ts';
import { parseUrl } from './url.ts';

// The node is where the fault is, when it is not the one that was looked at.
type Fault = readonly [code: string, message: string, at?: CelNode | undefined];

const MAX_INT = 2n ** 63n - 1n;
const LITERAL_PARAMETER: ReadonlyMap<
  string,
  { readonly at: number; readonly check: (text: string) => Fault | undefined }
> = new Map([
  ['rcall:matches/1', { at: 0, check: checkPattern }],
  ['rcall:find/1', { at: 0, check: checkPattern }],
  ['rcall:findAll/1', { at: 0, check: checkPattern }],
  ['rcall:findAll/2', { at: 0, check: checkPattern }],
  ['call:matches/2', { at: 1, check: checkPattern }],
  ['call:timestamp/1', { at: 0, check: checkTimestamp }],
  ['call:duration/1', { at: 0, check: checkDuration }],
  ['call:quantity/1', { at: 0, check: literalOf('quantity', 'such as 1.5Gi', parseQuantity) }],
  ['call:semver/1', { at: 0, check: literalOf('semver', 'such as 1.2.3', parseSemver) }],
  ['call:ip/1', { at: 0, check: literalOf('ip', 'such as 10.0.0.1 or ::1, without zone', parseIp) }],
  ['call:cidr/1', { at: 0, check: literalOf('cidr', 'such as 10.0.0.0/8', parseCidr) }],
  ['call:url/1', { at: 0, check: literalOf('url', 'such as https://example.com/a', parseUrl) }],
]);

/** Refuses what must not be and replaces what must be replaced; before the type check. */
export function prepareExpression(root: CelNode, source: string): CelDiagnostic[] {
  if (literalDepth(root) > MAX_LITERAL_DEPTH) {
    const message = `list and map literals are nested more than ${MAX_LITERAL_DEPTH} levels deep`;
    return [createDiagnostic(source, 'limit_exceeded', message, root)];
  }
  const leastInts = new Set(nodesOf(root).filter(isLeastInt).flatMap(childrenOf));
  const check = (node: CelNode): Fault | undefined =>
    checkName(node) ??
    (leastInts.has(node) ? undefined : checkNumber(node)) ??
    checkBytes(node, source) ??
    prepareSum(node) ??
    prepareCall(node);
  return collect(root, source, check);
}

/** Refuses fields the type check let pass; after the type check. */
export function inspectExpression(root: CelNode, source: string, types: CelTypeFields): CelDiagnostic[] {
  return collect(root, source, (node) => checkSelection(node, types));
}

/** Field names of the declared types. */
export type CelTypeFields = Readonly<Record<string, Readonly<Record<string, string>>>>;

function collect(
  root: CelNode,
  source: string,
  check: (node: CelNode) => Fault | undefined,
): CelDiagnostic[] {
  return nodesOf(root)
    .flatMap((node) => {
      const fault = check(node);
      if (fault === undefined) return [];
      const [code, message, at = node] = fault;
      return [createDiagnostic(source, code, message, { start: at.pos, end: at.end })];
    })
    .sort((a, b) => (a.range?.start ?? 0) - (b.range?.start ?? 0));
}

function literalDepth(root: CelNode): number {
  let deepest = 0;
  const pending: [CelNode, number][] = [[root, 0]];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const [node, outer] = next;
    const depth = node.op === 'list' || node.op === 'map' ? outer + 1 : outer;
    deepest = Math.max(deepest, depth);
    for (const child of childrenOf(node)) pending.push([child, depth]);
  }
  return deepest;
}

function checkName(node: CelNode): Fault | undefined {
  if (node.op !== 'id' || typeof node.args !== 'string') return undefined;
  return node.args.startsWith('__') ? reserved(node.args) : undefined;
}

function reserved(name: string): Fault {
  return [
    'reserved_identifier',
    `names that begin with two underscores are reserved: '${name.slice(2, 66)}'`,
  ];
}

function checkNumber(node: CelNode): Fault | undefined {
  return typeof node.args === 'bigint' && node.args > MAX_INT
    ? ['numeric_overflow', 'integer literal out of range']
    : undefined;
}

// The least int is written as the negation of a number one above the greatest.
function isLeastInt(node: CelNode): boolean {
  return node.op === '-_' && childrenOf(node)[0]?.args === MAX_INT + 1n;
}

// The library reads such characters as Latin-1 and CEL as UTF-8; escapes are read right.
function checkBytes(node: CelNode, source: string): Fault | undefined {
  if (node.op !== 'value' || !(node.args instanceof Uint8Array)) return undefined;
  const isAscii = /^\p{ASCII}*$/u.test(source.slice(node.start, node.end));
  return isAscii
    ? undefined
    : ['invalid_bytes', "bytes literals are ASCII, write other characters as bytes('…')"];
}

// A duration and a timestamp are a timestamp; the library takes the sum for a duration.
function prepareSum(node: CelNode): undefined {
  const { check } = node.meta;
  if (node.op !== '+' || check === undefined) return;
  node.setMeta('check', (checker: CelChecker, sum: CelNode, context: CelScopeContext) => {
    const type = check(checker, sum, context);
    const right = childrenOf(sum)[1]?.checkedType;
    return right?.name === 'google.protobuf.Timestamp' && type.name === 'google.protobuf.Duration'
      ? right
      : type;
  });
}

function prepareCall(node: CelNode): Fault | undefined {
  const call = callOf(node);
  if (call === undefined) return undefined;
  const { style, name, parameters } = call;
  const key = `${style}:${name}/${parameters.length}`;
  const isReplaced = REPLACED_CALLS.has(key);
  if (!isReplaced && !KEPT_CALLS.has(key)) return unknownFunction(call);
  const fault = checkLiteral(key, parameters);
  if (fault !== undefined) return fault;
  if (isReplaced) renameCall(node, `__${name}`);
  const [first] = parameters;
  if (key === 'rcall:format/1' && first !== undefined) allowMixtures(first);
  if (key === 'call:has/1' && first !== undefined)
    node.setMeta('macro', hasMacro(first)).setMeta('async', false);
  return undefined;
}

function unknownFunction({ style, name, parameters }: CelCall): Fault {
  if (name.startsWith('__')) return reserved(name);
  const shown = name.length > 64 ? `${name.slice(0, 64)}…` : name;
  const kind = style === 'call' ? 'function' : 'method';
  return ['unknown_function', `no ${kind} '${shown}' with ${parameters.length} argument(s)`];
}

function checkLiteral(key: string, parameters: readonly CelNode[]): Fault | undefined {
  const literal = LITERAL_PARAMETER.get(key);
  const node = literal && parameters[literal.at];
  const text = stringLiteral(node);
  const fault = text === undefined ? undefined : literal?.check(text);
  return fault && [fault[0], fault[1], node];
}

function checkPattern(pattern: string): Fault | undefined {
  const compiled = compileRegularExpression(pattern);
  return compiled.ok ? undefined : ['invalid_regular_expression', compiled.message];
}

function literalOf(
  name: string,
  example: string,
  parse: (text: string) => unknown,
): (text: string) => Fault | undefined {
  return (text) =>
    succeeds(() => parse(text)) ? undefined : [`invalid_${name}`, `${name}() needs a form ${example}`];
}

function checkTimestamp(text: string): Fault | undefined {
  return !succeeds(() => parseTimestamp(text))
    ? ['invalid_timestamp', 'timestamp() needs RFC 3339, such as 2026-01-31T00:00:00Z']
    : undefined;
}

function checkDuration(text: string): Fault | undefined {
  return !succeeds(() => parseDuration(text))
    ? ['invalid_duration', 'duration() needs a form such as 1h30m']
    : undefined;
}

// Kubernetes lets the arguments of a format string have different types, and literals within them.
function allowMixtures(argument: CelNode): void {
  for (const node of nodesOf(argument)) {
    if (node.op !== 'list' && node.op !== 'map') continue;
    const type = node.op === 'list' ? 'list<dyn>' : 'map<dyn, dyn>';
    node.setMeta('check', (checker: CelChecker, literal: CelNode, context: CelScopeContext) => {
      for (const child of childrenOf(literal)) checker.check(child, context);
      return checker.getType(type);
    });
  }
}

function checkSelection(node: CelNode, types: CelTypeFields): Fault | undefined {
  if (!['.?', '[?]', '[]'].includes(node.op) || !Array.isArray(node.args)) return undefined;
  const [operand, key] = node.args as [CelNode, CelNode | string];
  const type = declaredType(operand.checkedType);
  const fields = type === undefined ? undefined : types[type];
  if (fields === undefined) return undefined;
  if (typeof key !== 'string')
    return ['invalid_index_type', `type '${type}' has fields, select them with a dot`];
  return Object.hasOwn(fields, key) ? undefined : ['no_such_key', `type '${type}' has no field '${key}'`];
}

function declaredType(type: CelType | undefined): string | undefined {
  if (type?.kind === 'optional') return declaredType(type.valueType);
  return type?.kind === 'message' ? type.name : undefined;
}

// How can a JSON document be changed in one place? Every node deleted, nulled, emptied, flipped, counted up, negated,
// doubled and written twice; and every byte of a DER part turned. Shared by the mutation tests.
import { SignatureError } from '../../src/signature/error.ts';
import type { SignatureFacts } from '../../src/signature/facts.ts';
import { change, toBytes, valueAt, type Json, type Path } from './support.ts';

/** One changed document. */
export interface Mutant {
  readonly path: string;
  readonly what: string;
  readonly bytes: Buffer;
}

const FLIPS_PER_LEAF = 24;

/** Every node below the root. */
export function* nodesOf(value: Json, path: Path = []): Generator<{ path: Path; value: Json }> {
  if (path.length > 0) yield { path, value };
  if (value === null || typeof value !== 'object') return;
  const children: [string | number, Json][] = Array.isArray(value)
    ? [...value.entries()]
    : Object.entries(value);
  for (const [step, child] of children) yield* nodesOf(child, [...path, step]);
}

// One bit of one character, at places spread over the whole text, its ends among them.
function flipsOf(text: string): string[] {
  const count = Math.min(FLIPS_PER_LEAF, text.length);
  return Array.from({ length: count }, (_, n) => {
    const at = count === 1 ? 0 : Math.round((n * (text.length - 1)) / (count - 1));
    return text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ 1) + text.slice(at + 1);
  });
}

function valuesOf(value: Json): [string, unknown][] {
  const common: [string, unknown][] = [
    ['deleted', undefined],
    ['nulled', null],
    ['emptied to text', ''],
    ['made an object', {}],
    ['made a list', []],
  ];
  if (Array.isArray(value)) return [...common, ['doubled', [...value, ...value]]];
  if (typeof value === 'number') return [...common, ['plus one', value + 1], ['negated', -value]];
  if (typeof value !== 'string') return common;
  const flips = flipsOf(value).map((text): [string, unknown] => ['flipped', text]);
  const digits: [string, unknown][] = /^\d+$/.test(value)
    ? [
        ['plus one', String(Number(value) + 1)],
        ['negated', `-${value}`],
      ]
    : [];
  return [
    ...common,
    ...flips,
    ...digits,
    ['doubled', value + value],
    ['cut', value.slice(0, -1)],
    ['longer', `${value}A`],
  ];
}

/** Every mutant of a document. */
export function* mutantsOf(document: object): Generator<Mutant> {
  const good = JSON.stringify(document);
  for (const { path, value } of nodesOf(JSON.parse(good) as Json)) {
    for (const [what, next] of valuesOf(value)) {
      const bytes = toBytes(change(document, path, next));
      if (bytes.toString() !== good) yield { path: path.join('.'), what, bytes };
    }
    const name = path.at(-1);
    if (typeof name !== 'string') continue;
    // The same member twice: JSON.stringify cannot write that, so a marker makes room for it.
    const marked = JSON.stringify(change(document, path, '@HERE@'));
    const twice = `${JSON.stringify(value)},${JSON.stringify(name)}:${JSON.stringify(value)}`;
    const bytes = Buffer.from(marked.replace('"@HERE@"', () => twice));
    yield { path: path.join('.'), what: 'member twice', bytes };
  }
}

/** What became of some mutants. */
export interface Outcome {
  readonly mutants: number;
  /** What was accepted, `path: what`, each once, sorted. */
  readonly accepted: readonly string[];
  /** Accepted ones whose facts are others than those of the good document. */
  readonly changedFacts: readonly string[];
}

/** Verifies every mutant. @throws what is neither facts nor a SignatureError */
export function judgeMutants(
  mutants: Iterable<Mutant>,
  verify: (bytes: Buffer) => SignatureFacts,
  good: SignatureFacts,
): Outcome {
  const accepted = new Set<string>();
  const changedFacts: string[] = [];
  let count = 0;
  for (const { path, what, bytes } of mutants) {
    count += 1;
    try {
      const facts = verify(bytes);
      accepted.add(`${path}: ${what}`);
      if (JSON.stringify(facts) !== JSON.stringify(good)) changedFacts.push(`${path}: ${what}`);
    } catch (error) {
      if (!(error instanceof SignatureError)) throw error;
    }
  }
  return { mutants: count, accepted: [...accepted].toSorted(), changedFacts };
}

/** The document with the lowest bit of each byte of the base64 field turned. */
export function* flippedBytesOf(document: object, path: Path): Generator<Mutant> {
  const bytes = Buffer.from(valueAt(document, path) as string, 'base64');
  for (const [at, byte] of bytes.entries()) {
    const turned = Buffer.from(bytes);
    turned[at] = byte ^ 1;
    const changed = change(document, path, turned.toString('base64'));
    yield { path: path.join('.'), what: `byte ${at}`, bytes: toBytes(changed) };
  }
}

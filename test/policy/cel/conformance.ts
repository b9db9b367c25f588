// How does the engine answer one of cel-spec's simple tests? Runs it as a rule would run, with the test's own variables.
// Types are compared exactly: an int is no double.
import { readFileSync } from 'node:fs';
import { Optional } from 'cel-js';
import { Duration, UnsignedInt } from 'cel-js/evaluator';
import { createBaseEnvironment, withVariables } from '../../../src/policy/cel/environment.ts';
import { compileExpression } from '../../../src/policy/cel/expression.ts';
import { createCelMeter } from '../../../src/policy/cel/meter.ts';
import { durationOfNanoseconds, nanosecondsOf } from '../../../src/policy/cel/time.ts';
import { typeNameOf } from '../../../src/policy/cel/type-name.ts';

/** One test of the fixture: values are JSON, or a tag and its content. */
export interface SimpleTest {
  readonly name: string;
  readonly expression: string;
  readonly container?: string;
  readonly variables?: Readonly<Record<string, string>>;
  readonly bindings?: Readonly<Record<string, unknown>>;
  readonly error?: true;
  readonly value?: unknown;
}

/** All tests by file. */
export const SIMPLE_TESTS = JSON.parse(
  readFileSync(new URL('../../fixtures/cel-spec/simple-tests.json', import.meta.url), 'utf8'),
) as { readonly files: Readonly<Record<string, readonly SimpleTest[]>> };

const base = createBaseEnvironment();

/** What came out, in the fixture's notation: `error` stands for refusals and failures alike. */
export function answer(test: SimpleTest): string {
  const bindings = Object.entries(test.bindings ?? {}).map(([name, value]) => [name, decode(value)] as const);
  const undeclared = Object.fromEntries(bindings.map(([name]) => [name, 'dyn']));
  try {
    const environment = withVariables(base, { ...undeclared, ...test.variables });
    const compiled = compileExpression(environment, test.expression);
    if (!compiled.ok) return 'error';
    const outcome = compiled.expression.evaluate(new Map(bindings), createCelMeter());
    return outcome.within ? canonical(encode(outcome.value)) : 'budget';
  } catch {
    return 'error';
  }
}

/** What should come out. */
export function expectation({ error, value }: SimpleTest): string {
  return error === true ? 'error' : canonical(value);
}

// Maps have no order.
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) =>
    Array.isArray(item) && item[0] === 'map'
      ? ['map', (item[1] as unknown[]).map((entry) => JSON.parse(canonical(entry)) as unknown).sort(byText)]
      : item,
  );
}

function byText(a: unknown, b: unknown): number {
  return JSON.stringify(a) < JSON.stringify(b) ? -1 : 1;
}

function decode(value: unknown): unknown {
  if (!Array.isArray(value)) return value;
  const [tag, content] = value as [string, string & readonly unknown[]];
  const decoders: Readonly<Record<string, () => unknown>> = {
    int: () => BigInt(content),
    uint: () => new UnsignedInt(BigInt(content)),
    double: () => Number(content),
    bytes: () => Uint8Array.from(Buffer.from(content, 'hex')),
    list: () => content.map(decode),
    map: () =>
      new Map(content.map((entry) => (entry as [unknown, unknown]).map(decode) as [unknown, unknown])),
    timestamp: () => new Date(Number(BigInt(content) / 1_000_000n)),
    duration: () => durationOfNanoseconds(BigInt(content)),
  };
  return decoders[tag]?.();
}

function encode(value: unknown): unknown {
  if (typeof value === 'bigint') return ['int', String(value)];
  if (typeof value === 'number') return ['double', String(value)];
  if (Array.isArray(value)) return ['list', value.map(encode)];
  if (value instanceof Map)
    return ['map', Array.from(value as Map<unknown, unknown>, (entry) => entry.map(encode))];
  if (value instanceof UnsignedInt) return ['uint', String(value.valueOf())];
  if (value instanceof Uint8Array) return ['bytes', Buffer.from(value).toString('hex')];
  if (value instanceof Date) return ['timestamp', String(BigInt(value.getTime()) * 1_000_000n)];
  if (value instanceof Duration) return ['duration', String(nanosecondsOf(value))];
  if (value instanceof Optional) return ['optional', value.hasValue() ? encode(value.value()) : 'none'];
  return typeNameOf(value) === undefined ? value : ['type', typeNameOf(value)];
}

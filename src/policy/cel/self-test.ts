// Does the engine still do what hardening relies on? Run at start-up; a server whose engine fails must not serve.
// It guards against a changed library: each probe is a fault that the library has, or had, without us. No probe looks at
// a clock, so a busy machine fails none; only a probe that never ends is stopped.
import { createCelBindings, type CelBindings } from './bindings.ts';
import { withDeadline } from './deadline.ts';
import type { CelEngine, CelResult, CelScope } from './engine.ts';
import { createCelMeter } from './meter.ts';

interface Probe {
  readonly name: string;
  readonly expression: string;
  readonly expected: boolean | 'refused' | 'error' | 'budget';
}

const LOOP = 'request.list.all(a, request.list.all(b, request.list.all(c, request.list.all(d, d >= 0))))';
// All probes together need about a tenth of a second; a backtracking engine would not end.
const MAX_PROCESSOR_TIME_MS = 20_000;
const MAX_TIME_MS = 60_000;

// Small in memory, endless to walk.
const SHARED = `[1]${'.map(x, [x, x])'.repeat(40)}`;
const DOUBLING = `[request.long]${'.map(x, x + x)'.repeat(30)}.size() == 1`;

const PROBES: readonly Probe[] = [
  { name: 'true is true', expression: 'true', expected: true },
  { name: 'literal look-ahead is refused', expression: "'a'.matches('(?=a)')", expected: 'refused' },
  { name: 'dynamic look-ahead is an error', expression: "'a'.matches(request.lookahead)", expected: 'error' },
  { name: 'RE2 classes are known', expression: "'a'.matches('^[[:alpha:]]\\\\z')", expected: true },
  { name: 'matches is linear', expression: "request.long.matches('^(a+)+$')", expected: false },
  { name: 'global matches is linear', expression: "matches(request.long, '^(a+)+$')", expected: false },
  { name: 'budget stops loops', expression: LOOP, expected: 'budget' },
  { name: 'budget is not absorbed', expression: `${LOOP} || true`, expected: 'budget' },
  {
    name: 'misspelt has() is refused',
    expression: 'signatures.exists(s, has(s.isuer))',
    expected: 'refused',
  },
  { name: 'misspelt field is refused', expression: 'model.frmat == "Image"', expected: 'refused' },
  { name: 'absent field is an error', expression: 'model.mediaType == ""', expected: 'error' },
  { name: 'absent field is not there', expression: 'has(model.mediaType)', expected: false },
  { name: 'comparisons are charged', expression: `${SHARED} == ${SHARED}`, expected: 'budget' },
  { name: 'misspelt literal is refused', expression: "quantity('10Mo').sign() == 1", expected: 'refused' },
  { name: 'numbers are equal across types', expression: '[dyn(1)] == [dyn(1.0)]', expected: true },
  { name: 'optional entries may be absent', expression: '[?request.?nothing].size() == 0', expected: true },
  { name: 'shared texts are charged', expression: DOUBLING, expected: 'budget' },
  { name: 'Kelvin sign is not ASCII', expression: "'\\u212A'.lowerAscii() == 'k'", expected: false },
  { name: '|| absorbs errors', expression: 'request.list[100] == 1 || true', expected: true },
  { name: '|| keeps errors', expression: 'request.list[100] == 1 || false', expected: 'error' },
  { name: '&& absorbs errors', expression: 'request.list[100] == 1 && false', expected: false },
  { name: 'dyn result must be bool', expression: 'request.list[0]', expected: 'error' },
  { name: 'prototype is out of reach', expression: 'has(request.constructor)', expected: false },
];

/** Runs all probes on an engine: undefined when it is good, otherwise what failed. Never throws. */
export function celSelfTest(engine: Pick<CelEngine, 'compile'>): string | undefined {
  try {
    const bindings = createProbeBindings();
    const run = (): readonly (string | undefined)[] =>
      PROBES.map((probe) => failureOf(engine, bindings, probe));
    return withDeadline(MAX_PROCESSOR_TIME_MS, run, MAX_TIME_MS).find((failure) => failure !== undefined);
  } catch {
    return 'CEL self-test: unexpected exception';
  }
}

function failureOf(
  engine: Pick<CelEngine, 'compile'>,
  bindings: CelBindings,
  probe: Probe,
): string | undefined {
  const outcome = evaluate(engine, bindings, probe.expression);
  return outcome === probe.expected ? undefined : `CEL self-test: ${probe.name}: got ${outcome}`;
}

function evaluate(
  engine: Pick<CelEngine, 'compile'>,
  bindings: CelBindings,
  expression: string,
): Probe['expected'] | 'no bool' {
  const scope: CelScope = 'validation';
  const compiled = engine.compile(expression, scope);
  if (!compiled.ok) return 'refused';
  const result: CelResult = compiled.program.evaluate(bindings, createCelMeter());
  if (!result.ok) return result.kind;
  return typeof result.value === 'boolean' ? result.value : 'no bool';
}

function createProbeBindings(): CelBindings {
  const request = {
    list: Array.from({ length: 100 }, (_, at) => at),
    long: `${'a'.repeat(5000)}!`,
    lookahead: '(?=a)',
  };
  return createCelBindings({
    pod: {},
    object: {},
    oldObject: null,
    request,
    namespaceObject: {},
    signatures: [],
    now: new Date(0),
    model: {
      reference: { registry: '', repository: '', tag: '', digest: '', original: '' },
      source: '',
      fieldPath: '',
      format: 'Unknown',
      binding: 'Files',
      layers: [],
    },
  });
}

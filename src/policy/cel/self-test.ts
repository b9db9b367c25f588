// Does the engine still do what hardening relies on? Run at start-up; a server whose engine fails must not serve.
// It guards against a changed library: each probe is a fault that the library has, or had, without us.
import { createCelBindings, type CelBindings } from './bindings.ts';
import type { CelEngine, CelResult, CelScope } from './engine.ts';
import { createCelMeter } from './meter.ts';

interface Probe {
  readonly name: string;
  readonly expression: string;
  readonly expected: boolean | 'refused' | 'error' | 'budget';
}

const LOOP = 'request.list.all(a, request.list.all(b, request.list.all(c, request.list.all(d, d >= 0))))';
// Milliseconds; a backtracking engine would need longer than the universe's age.
const MAX_PROBE_TIME = 1000;

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
    return PROBES.map((probe) => failureOf(engine, bindings, probe)).find((failure) => failure !== undefined);
  } catch {
    return 'CEL self-test: unexpected exception';
  }
}

function failureOf(
  engine: Pick<CelEngine, 'compile'>,
  bindings: CelBindings,
  probe: Probe,
): string | undefined {
  const start = performance.now();
  const outcome = evaluate(engine, bindings, probe.expression);
  const took = performance.now() - start;
  if (outcome !== probe.expected) return `CEL self-test: ${probe.name}: got ${outcome}`;
  return took > MAX_PROBE_TIME ? `CEL self-test: ${probe.name}: took ${Math.round(took)} ms` : undefined;
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

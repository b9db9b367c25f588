// Shared by the CEL tests: one engine, typical bindings, and one-line helpers around compile and evaluate.
import { createCelBindings, type CelBindings, type CelInput } from '../../../src/policy/cel/bindings.ts';
import { createCelEngine, type CelResult, type CelScope } from '../../../src/policy/cel/engine.ts';
import { createCelMeter, type CelMeter } from '../../../src/policy/cel/meter.ts';

export const engine = createCelEngine();

const layer = { class: 'rawFile', digest: 'sha256:1', title: 'a.safetensors', size: 5 } as const;

export const input: CelInput = {
  pod: {
    metadata: { labels: JSON.parse('{"constructor": "x", "__proto__": "y", "team": "red"}') as unknown },
  },
  object: {
    list: [1, 2, 3],
    mixed: [1, 'a', null],
    big: Array.from({ length: 100 }, (_, at) => at),
    long: 'x'.repeat(1000),
    aaa: `${'a'.repeat(5000)}!`,
    nothing: null,
    secret: 'hunter2',
    deep: JSON.parse('['.repeat(200) + ']'.repeat(200)) as unknown,
    count: 3,
    ratio: 0.5,
    huge: 2 ** 60,
    pattern: '(?=a)',
  },
  oldObject: null,
  request: { operation: 'CREATE' },
  namespaceObject: { metadata: { name: 'prod', labels: { team: 'red' } } },
  now: new Date('2026-01-01T00:00:00Z'),
  model: {
    reference: {
      registry: 'r.example',
      repository: 'm/llm',
      tag: '',
      digest: 'sha256:1',
      original: 'r.example/m/llm',
    },
    source: 'image',
    fieldPath: 'spec.volumes[0].image',
    format: 'ORAS',
    binding: 'Manifest',
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    annotations: { a: 'b' },
    layers: [
      { ...layer, annotations: {} },
      { class: 'archive', digest: 'sha256:2' },
    ],
    size: 5,
  },
  signatures: [
    {
      authority: 'release',
      format: 'CosignBundle',
      issuer: 'https://issuer.example',
      subject: 'https://subject.example',
      claims: { sourceRepository: 'acme/models' },
      keyFingerprint: 'ab',
      certificate: { serial: '01', notBefore: new Date(0), notAfter: new Date(1000) },
      signedAt: new Date('2025-12-31T23:00:00Z'),
      timeSources: ['tsa'],
      logs: [{ origin: 'https://log.example', index: '12', witnesses: ['witness.example'] }],
      annotations: {},
    },
  ],
};

export const bindings: CelBindings = createCelBindings(input);

/** Compiles and evaluates; the first diagnostic's code stands for a refusal. */
export function run(
  source: string,
  scope: CelScope = 'validation',
  meter: CelMeter = createCelMeter(),
): CelResult {
  const compiled = engine.compile(source, scope);
  if (!compiled.ok) throw new Error(`refused: ${JSON.stringify(compiled.diagnostics)}`);
  return compiled.program.evaluate(bindings, meter);
}

/** The value of an expression, or `error` or `budget`. */
export function valueOf(source: string, scope: CelScope = 'validation'): boolean | string {
  const result = run(source, scope);
  return result.ok ? result.value : result.kind;
}

/** Codes of the diagnostics of a refused expression; empty when it compiles. */
export function codesOf(source: string, scope: CelScope = 'validation'): string[] {
  const compiled = engine.compile(source, scope);
  return compiled.ok ? [] : compiled.diagnostics.map(({ code }) => code);
}

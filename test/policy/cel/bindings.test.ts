import assert from 'node:assert/strict';
import {
  bindAttestation,
  createCelBindings,
  toCelValue,
  toReadAttestation,
  type CelBindings,
  type ReadAttestation,
} from '../../../src/policy/cel/bindings.ts';
import type { CelScope } from '../../../src/policy/cel/engine.ts';
import { createCelMeter } from '../../../src/policy/cel/meter.ts';
import { Unreadable } from '../../../src/policy/cel/value.ts';
import { engine, input } from './support.ts';

function valueIn(bindings: CelBindings, source: string, scope: CelScope = 'validation'): unknown {
  const compiled = engine.compile(source, scope);
  assert.ok(compiled.ok);
  const result = compiled.program.evaluate(bindings, createCelMeter());
  return result.ok ? result.value : result.kind;
}

function messageIn(bindings: CelBindings, source: string): string | undefined {
  const compiled = engine.compile(source, 'attestation');
  assert.ok(compiled.ok);
  const result = compiled.program.evaluate(bindings, createCelMeter());
  return result.ok ? undefined : result.message;
}

describe('toCelValue', () => {
  it('turns objects into maps and integers into int', () => {
    const json: unknown = JSON.parse(
      '{"a": [1, 1.5, null, true], "__proto__": {"b": 2}, "constructor": "x"}',
    );
    const value = toCelValue(json);
    assert.ok(value instanceof Map);
    assert.deepEqual(value.get('a'), [1n, 1.5, null, true]);
    assert.deepEqual(value.get('__proto__'), new Map([['b', 2n]]));
    assert.equal(value.get('constructor'), 'x');
  });

  it('leaves converted values as they are', () => {
    const value = toCelValue({ a: [1] });
    assert.equal(toCelValue(value), value);
    const list = toCelValue([1, ['a', 1.5, null]]);
    assert.deepEqual(toCelValue(list), list);
    const unreadable = new Unreadable();
    assert.equal(toCelValue(unreadable), unreadable);
  });

  it('keeps imprecise integers as double, drops undefined, writes dates as text', () => {
    assert.equal(toCelValue(2 ** 60), 2 ** 60);
    assert.deepEqual(
      toCelValue({ a: undefined, at: new Date(0) }),
      new Map([['at', '1970-01-01T00:00:00Z']]),
    );
  });
});

describe('createCelBindings', () => {
  it('reads an object only when a rule does, and once', () => {
    let reads = 0;
    const object = {
      get a() {
        reads += 1;
        return 1;
      },
    };
    const bindings = createCelBindings({ ...input, object });
    const compiled = engine.compile('object.a == 1', 'validation');
    assert.ok(compiled.ok);
    assert.equal(reads, 0);
    for (let i = 0; i < 3; i += 1) assert.ok(compiled.program.evaluate(bindings, createCelMeter()).ok);
    assert.equal(reads, 1);
  });

  it('leaves out a log index that is no number', () => {
    const [signature] = input.signatures;
    assert.ok(signature);
    const bindings = createCelBindings({
      ...input,
      signatures: [{ ...signature, logs: [{ origin: 'o', index: '-x', witnesses: [] }] }],
    });
    assert.equal(valueIn(bindings, 'has(signatures[0].logs[0].index)'), false);
  });

  it('leaves out a certificate that a signature has not', () => {
    const [signature] = input.signatures;
    assert.ok(signature);
    const { certificate: _, ...rest } = signature;
    const bindings = createCelBindings({ ...input, signatures: [rest] });
    assert.equal(valueIn(bindings, 'has(signatures[0].certificate)'), false);
  });

  it('leaves out sizes that are not there or no whole numbers', () => {
    const layer = { class: 'archive', digest: 'sha256:1' } as const;
    const layers = [{ ...layer, size: 5 }, layer, ...[1.5, 2 ** 60].map((size) => ({ ...layer, size }))];
    const bindings = createCelBindings({ ...input, model: { ...input.model, layers } });
    assert.equal(valueIn(bindings, 'model.layers.map(l, has(l.size)) == [true, false, false, false]'), true);
  });
});

describe('toReadAttestation()', () => {
  const [signature] = input.signatures;
  assert.ok(signature);
  const facts = (statement: unknown, hasPredicate = true): ReadAttestation =>
    toReadAttestation({
      predicateType: 'https://slsa.dev/provenance/v1',
      hasPredicate,
      statement: JSON.stringify(statement),
      authority: 'builder',
      signature: { ...signature, format: 'CosignBundle' },
    });
  const good = facts({ predicate: { builder: 'ab' }, subject: [{ name: 'llm' }] });

  it('is what rules read of attestations, and of the one that is judged', () => {
    const all = createCelBindings({ ...input, attestations: [{ ...good, name: 'slsa' }] });
    for (const source of [
      'attestations[0].name == "slsa" && attestations[0].predicateType.startsWith("https://slsa.dev/")',
      'has(attestations[0].predicate) && attestations[0].predicate.builder == "ab"',
      'attestations[0].statement.subject[0].name == "llm" && attestations[0].signature.authority == "builder"',
    ])
      assert.equal(valueIn(all, source), true, source);
    const one =
      'predicate.builder == "ab" && signature.authority == "builder" && statement.subject.size() == 1';
    const source = `${one} && predicateType.endsWith("/v1")`;
    assert.equal(valueIn(bindAttestation(all, good), source, 'attestation'), true);
    const direct = createCelBindings({ ...input, attestation: good });
    assert.equal(valueIn(direct, source, 'attestation'), true);
  });

  it('has no values where none is judged', () => {
    const none = createCelBindings(input);
    for (const source of [
      'predicate == 1',
      'statement == {}',
      'predicateType == ""',
      'signature.issuer == ""',
    ])
      assert.match(String(messageIn(none, source)), /^(?:variable has no value|value cannot)/, source);
    assert.equal(valueIn(none, 'attestations.size() == 0'), true);
  });

  it('has no predicate where the statement has none', () => {
    const bindings = createCelBindings({ ...input, attestations: [{ ...facts({}, false), name: 'slsa' }] });
    assert.equal(valueIn(bindings, 'has(attestations[0].predicate)'), false);
    assert.equal(valueIn(bindings, 'has(attestations[0].statement)'), true);
    assert.equal(valueIn(bindAttestation(bindings, facts([])), 'predicate == 1', 'attestation'), 'error');
  });

  it('parses its statement once', () => {
    assert.equal(good.readStatement(), good.readStatement());
  });

  it('shares with all attestations what is read once', () => {
    let reads = 0;
    const object = {
      get a() {
        reads += 1;
        return 1;
      },
    };
    const base = createCelBindings({ ...input, object });
    for (const attestation of [good, facts({ predicate: 2 })])
      assert.equal(valueIn(bindAttestation(base, attestation), 'object.a == 1', 'attestation'), true);
    assert.equal(reads, 1);
  });
});

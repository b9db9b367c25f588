import assert from 'node:assert/strict';
import { createCelBindings, toCelValue } from '../../../src/policy/cel/bindings.ts';
import { createCelMeter } from '../../../src/policy/cel/meter.ts';
import { engine, input } from './support.ts';

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
    const compiled = engine.compile('has(signatures[0].logs[0].index)', 'validation');
    assert.ok(compiled.ok);
    assert.deepEqual(compiled.program.evaluate(bindings, createCelMeter()), { ok: true, value: false });
  });
});

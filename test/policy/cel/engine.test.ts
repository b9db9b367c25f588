import assert from 'node:assert/strict';
import fc from 'fast-check';
import { createCelBindings, createMatchBindings, toCelValue } from '../../../src/policy/cel/bindings.ts';
import {
  createCelEngine,
  type CelVariableCompilation,
  type CelVariables,
} from '../../../src/policy/cel/engine.ts';
import { createCelMeter } from '../../../src/policy/cel/meter.ts';
import { bindings, codesOf, engine, input, run, valueOf } from './support.ts';

const LOOP4 =
  'object.big.all(a, object.big.all(b, object.big.all(c, object.big.all(d, a + b + c + d >= 0))))';

describe('CelEngine.compile', () => {
  const refusals: readonly (readonly [string, string])[] = [
    ['true &&', 'unexpected_token'],
    ['x == 1', 'unknown_variable'],
    ['variables.x == 1', 'unknown_variable'],
    ['model.frmat == "x"', 'no_such_key'],
    ['signatures.exists(s, s.isuer == "x")', 'no_such_key'],
    ['signatures.exists(s, has(s.isuer))', 'no_such_key'],
    ['has(signatures[0].certificate.serail)', 'no_such_key'],
    ['model.?frmat.hasValue()', 'no_such_key'],
    ['model["format"] == "x"', 'invalid_index_type'],
    ['has(model)', 'invalid_macro_argument'],
    ['has(model.format.x)', 'cannot_index_type'],
    ['1 + "a" == 2', 'no_such_overload'],
    ['1', 'invalid_result_type'],
    ['"a"', 'invalid_result_type'],
    ['signatures.all(s, s.issuer)', 'invalid_condition_type'],
    ['[1, "a"].size() == 2', 'heterogeneous_list_element'],
    ['"a".matches("(")', 'invalid_regular_expression'],
    ['"a".matches("(?=a)")', 'invalid_regular_expression'],
    ['matches("a", "\\\\1")', 'invalid_regular_expression'],
    ['"a".find("a{1001}") == ""', 'invalid_regular_expression'],
    ['timestamp("2026-02-30T00:00:00Z") < now', 'invalid_timestamp'],
    ['timestamp("January 1, 2026 UTC+1") < now', 'invalid_timestamp'],
    ['duration("1x") > duration("1s")', 'invalid_duration'],
    ['"a".__matches("a")', 'reserved_identifier'],
    ['__x == 1', 'reserved_identifier'],
    ['[1].all(__x, true)', 'reserved_identifier'],
    ['b"a".json() == {}', 'unknown_function'],
    ['b"a".hex() == ""', 'unknown_function'],
    ['b"a".base64() == ""', 'unknown_function'],
    ['b"a".at(0) == 1', 'unknown_function'],
    ['cel.bind(x, 1, x == 1)', 'unknown_function'],
    ['constructor("x")', 'unknown_function'],
    ['9223372036854775808 > 0', 'numeric_overflow'],
    ['-9223372036854775809 < 0', 'numeric_overflow'],
    [`${'['.repeat(9)}1${']'.repeat(9)}.size() == 1`, 'limit_exceeded'],
    ['('.repeat(1000), 'limit_exceeded'],
    ['!'.repeat(16_000), 'compile_error'],
    ['x'.repeat(1_000_000), 'limit_exceeded'],
    [Array.from({ length: 1500 }, () => 'true').join(' && '), 'limit_exceeded'],
    [`[${'1,'.repeat(300)}1].size() > 0`, 'limit_exceeded'],
  ];
  for (const [source, code] of refusals) {
    it(`refuses ${source.slice(0, 60)}`, () => {
      assert.equal(codesOf(source)[0], code);
    });
  }

  it('tells message, range and caret line', () => {
    const compiled = engine.compile('true\n  && model.frmat == "x"', 'validation');
    assert.ok(!compiled.ok);
    const [first] = compiled.diagnostics;
    assert.equal(first?.message, 'No such key: frmat');
    assert.deepEqual(first.range, { start: 16, end: 21 });
    assert.equal(first.caret, '  && model.frmat == "x"\n           ^');
  });

  it('keeps message on one bounded line and the caret on two', () => {
    const compiled = engine.compile(`"${'\\n'.repeat(700)}".matches(1) || ${'y'.repeat(900)}`, 'validation');
    assert.ok(!compiled.ok);
    for (const { message, caret } of compiled.diagnostics) {
      assert.ok(message.length <= 512 && !message.includes('\n'));
      assert.equal(caret?.split('\n').length, 2);
    }
  });

  it('names replaced functions as authors know them', () => {
    const compiled = engine.compile('1.matches("a") || "a".matches(1)', 'validation');
    assert.ok(!compiled.ok);
    assert.ok(!compiled.diagnostics.some(({ message }) => message.includes('__')));
  });

  it('gives each scope its variables and result type', () => {
    assert.deepEqual(codesOf('pod.x == 1', 'matchCondition'), ['unknown_variable']);
    assert.deepEqual(codesOf('signatures.size() == 1', 'matchCondition'), ['unknown_variable']);
    assert.deepEqual(codesOf('request.userInfo == 1', 'matchCondition'), ['no_such_key']);
    const condition = 'namespaceObject.metadata.name == "prod" && request.operation == "CREATE"';
    const compiled = engine.compile(condition, 'matchCondition');
    assert.ok(compiled.ok);
    const { namespaceObject } = input;
    const place = createMatchBindings({ namespaceObject, namespace: 'prod', operation: 'CREATE' });
    assert.deepEqual(compiled.program.evaluate(place, createCelMeter()), { ok: true, value: true });
    assert.equal(valueOf('"team " + namespaceObject.metadata.labels.team', 'message'), 'team red');
    assert.deepEqual(codesOf('true', 'message'), ['invalid_result_type']);
  });

  it('never throws on any text', () => {
    const token = fc.constantFrom(
      'model',
      '.',
      '(',
      ')',
      '[',
      ']',
      'x',
      ',',
      '"a"',
      '1',
      '+',
      '.all(',
      '__proto__',
      '?',
      ':',
    );
    const source = fc.oneof(
      fc.string(),
      fc.string({ unit: 'binary' }),
      fc.array(token).map((all) => all.join('')),
    );
    fc.assert(
      fc.property(source, (text) => {
        const compiled = engine.compile(text, 'validation');
        assert.ok(compiled.ok || compiled.diagnostics.length > 0);
        if (compiled.ok) compiled.program.evaluate(bindings, createCelMeter());
      }),
      { numRuns: 2000 },
    );
  });
});

describe('CelEngine.compileVariable', () => {
  const compileVariable = (expression: string, variables: CelVariables = []): CelVariableCompilation =>
    engine.compileVariable({ name: 'n', expression }, 'variable', variables);
  const typeOf = (expression: string): string | undefined => {
    const compiled = compileVariable(expression);
    return compiled.ok ? compiled.variable.type : undefined;
  };

  it('takes the type that the checker found, unless it left something open', () => {
    for (const [expression, type] of [
      ['1', 'int'],
      ['"a"', 'string'],
      ['signatures', 'list<Signature>'],
      ['{"a": [1]}', 'map<string, list<int>>'],
      ['pod', 'map<string, dyn>'],
      ['[]', 'dyn'],
      ['[[]]', 'dyn'],
      ['{"a": []}', 'dyn'],
      ['null', 'dyn'],
      ['[null]', 'dyn'],
      ['optional.none()', 'dyn'],
    ] as const)
      assert.equal(typeOf(expression), type, expression);
  });

  it('tells faults as of any expression', () => {
    const compiled = compileVariable('x + 1');
    assert.deepEqual(!compiled.ok && compiled.diagnostics.map(({ code }) => code), ['unknown_variable']);
  });

  it('is seen by the expressions that come after it, in every scope', () => {
    const first = compileVariable('object.count');
    assert.ok(first.ok);
    const variables = [first.variable];
    assert.ok(compileVariable('variables.n + 1', variables).ok);
    const compiled = engine.compile('variables.n == 3', 'validation', variables);
    assert.ok(compiled.ok);
    const bound = createCelBindings({ ...input, variables });
    assert.deepEqual(compiled.program.evaluate(bound, createCelMeter()), { ok: true, value: true });
    const misspelt = engine.compile('variables.m == 3', 'validation', variables);
    assert.deepEqual(!misspelt.ok && misspelt.diagnostics.map(({ code }) => code), ['no_such_key']);
  });
});

describe('CelProgram.evaluate', () => {
  const truths = [
    'signatures[0].issuer == "https://issuer.example"',
    'signatures.exists(s, s.claims.sourceRepository == "acme/models")',
    'signatures[0].certificate.serial == "01" && signatures[0].logs[0].index == 12',
    'signatures[0].timeSources == ["tsa"]',
    'signatures.exists(s, s.logs.exists(l, "witness.example" in l.witnesses && l.witnesses.size() == 1))',
    'now - signatures[0].signedAt == duration("1h")',
    'model.layers.exists(l, l.class == "rawFile" && l.title.endsWith(".safetensors"))',
    'model.layers.all(l, l.class != "rawFile" || l.size == 5)',
    'model.layers.size() == 2 && model.size == 5 && model.annotations["a"] == "b"',
    'model.reference.registry == "r.example" && model.reference.tag == ""',
    'has(signatures[0].signedAt) && !has(signatures[0].existedBy) && has(model.layers[0].title)',
    '!has(model.layers[1].title) && !has(object.absent) && has(object.nothing)',
    'model.?artifactType.orValue("none") == "none"',
    'object.?absent.orValue(5) == 5',
    'oldObject == null && object.nothing == null',
    'object.count + 1 == 4 && object.ratio * 2.0 == 1.0',
    'object.mixed[1] == "a" && 2 in object.list && !(9 in object.list)',
    'pod.metadata.labels.constructor == "x" && "__proto__" in pod.metadata.labels',
    'pod.metadata.labels["__proto__"] == "y" && !has(pod.constructor) && !("toString" in pod)',
    '{"constructor": 1}["constructor"] == 1 && {1: "a"}.exists(k, k == 1)',
    'namespaceObject.metadata.labels.team == pod.metadata.labels.team',
    '7 / 2 == 3 && -7 / 2 == -3 && 7 % 2 == 1',
    'object.absent == 1 || true',
    'true || object.absent == 1',
    '!(object.absent == 1 && false)',
    '[1, 2].exists(x, x == 2 || object.absent == x)',
    'object.big.all(i, v, i == v)',
    'pod.metadata.labels.exists(k, v, k == "team" && v == "red")',
    '[1, 2, 2].existsOne(i, v, v == 1) && ![1, 2, 2].existsOne(i, v, v == 2)',
    '[1, 2].all(x, x > 0) && [1, 2].exists_one(x, x == 1) && [1, 2].map(x, x * 2) == [2, 4]',
    '[1, 2, 3].map(x, x > 1, x + 1) == [3, 4] && [1, 2, 3].filter(x, x > 2) == [3]',
    'int("-12") == -12 && double("1.5") == 1.5 && string(1.5) == "1.5" && string(true) == "true"',
    '-9223372036854775808 < 0',
    'type(1) == int && dyn(1) == 1.0',
  ];
  for (const source of truths) {
    it(`holds ${source}`, () => {
      assert.deepEqual(run(source), { ok: true, value: true });
    });
  }

  const errors = [
    'model.layers[1].title == ""',
    'signatures[0].existedBy < now',
    'signatures[1].issuer == ""',
    'object.absent == 1',
    'object.absent == 1 || false',
    '!has(object.absent.field)',
    `[object.deep${'[0]'.repeat(40)}].map(x, x${'[0]'.repeat(23)})[0] == []`,
    'object.count',
    'object.list',
    'object.nothing',
    'model.size / 0 == 1',
    '9223372036854775807 + object.count > 0',
    '-(-9223372036854775807 - 1) > 0',
    'int("") == 0',
    'int("0x1") == 1',
    'double("") == 0.0',
    'int(1e99) > 0',
    '{"a": 1, "a": 2}.size() == 1',
    '{1.5: 1}.size() == 1',
    'object.secret.matches(object.pattern)',
    'timestamp(object.secret) < now',
    '[].min() == 1',
    '[1, 2].exists(x, object.absent == x)',
    'object.list.all(i, v, object.absent == v)',
    'dyn(object) ? true : false',
  ];
  for (const source of errors) {
    it(`fails on ${source}`, () => {
      assert.equal(valueOf(source), 'error');
    });
  }

  it('cannot read what is nested too deeply', () => {
    assert.equal(valueOf(`object.deep${'[0]'.repeat(50)} == []`), false);
    const nested = JSON.parse('['.repeat(2000) + ']'.repeat(2000)) as unknown;
    assert.doesNotThrow(() => toCelValue(nested));
  });

  it('tells an error by fixed text and place, never by value', () => {
    assert.deepEqual(run('model.layers[1].title == ""'), {
      ok: false,
      kind: 'error',
      message: 'no such key at 1:17: title',
    });
    for (const source of [
      'int(object.secret) == 1',
      'bool(object.secret)',
      'duration(object.secret) > duration("1s")',
    ]) {
      const result = run(source);
      assert.ok(!result.ok && !result.message.includes('hunter2') && result.message.length <= 256);
    }
    const long = run(`object["${'k'.repeat(2000)}"] == 1`);
    assert.ok(!long.ok && long.message.length <= 256);
  });

  it('gives the same result in any order of interleaved programs', () => {
    const sources = [
      'object.big.exists(x, x == 99)',
      LOOP4,
      'object.absent == 1',
      'object.list.map(x, x + 1)[0] == 2',
    ];
    const programs = sources.map((source) => engine.compile(source, 'validation'));
    const evaluateAll = (): unknown[] =>
      programs.map((compiled) => compiled.ok && compiled.program.evaluate(bindings, createCelMeter()));
    const first = evaluateAll();
    for (let i = 0; i < 3; i += 1) assert.deepEqual(evaluateAll(), first);
  });

  it('never throws, whatever the objects hold', () => {
    const sources = [
      'object.a.b == 1',
      'object.a == object.b',
      'object.all(k, object[k] == oldObject)',
      'object.a in object.b',
    ];
    const extra = [
      'object.a.matches(object.b)',
      'object.a + object.b == object.a',
      'object.a.exists(x, x < object.b)',
      'has(object.a.b)',
    ];
    const programs = [...sources, ...extra].map((source) => engine.compile(source, 'validation'));
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom('a', 'b', '__proto__'), fc.jsonValue()),
        fc.jsonValue(),
        (object, oldObject) => {
          const bound = createCelBindings({ ...input, object, oldObject });
          for (const compiled of programs) {
            assert.ok(compiled.ok);
            const result = compiled.program.evaluate(bound, createCelMeter());
            assert.ok(result.ok ? typeof result.value === 'boolean' : result.message.length <= 256);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('CEL budget', () => {
  const hostile = {
    'ten to the eighth steps': LOOP4,
    'errors in every step': 'object.big.exists(a, object.big.exists(b, object.big.exists(c, 1 / 0 > 1)))',
    'errors in a long source': `${' '.repeat(16_000)}object.big.exists(a, object.big.exists(b, object.big.exists(c, 1 / 0 > 1)))`,
    'absorbed by ||': `${LOOP4} || true`,
    'absorbed by &&': `${LOOP4} && false`,
    'absorbed by a quantifier': `[1].exists(x, !(${LOOP4})) || [1].all(x, true)`,
    'two-variable loops': 'object.big.all(i, a, object.big.all(j, b, object.big.all(k, c, 1 / 0 > 1)))',
    'nested map': 'object.big.map(a, object.big.map(b, object.big.map(c, a))).size() > 0',
    'nested filter':
      'object.big.filter(a, object.big.filter(b, object.big.filter(c, true) == []) == []) == []',
    'nested exists_one': 'object.big.exists_one(a, object.big.exists_one(b, object.big.exists_one(c, true)))',
    'list doubling': `[object.big]${'.map(x, x + x)'.repeat(30)}.size() == 1`,
    'string doubling': `[object.long]${'.map(x, x + x)'.repeat(30)}.size() == 1`,
    'bytes doubling': `[b"${'a'.repeat(100)}"]${'.map(x, x + x)'.repeat(30)}.size() == 1`,
    'joined doubling': `[object.long]${'.map(x, [x, x, x, x].join(x))'.repeat(12)}.size() == 1`,
    'replaced doubling': `[object.long]${'.map(x, x.replace("x", "xxxxxxxxx"))'.repeat(12)}.size() == 1`,
    'equality of shared structure': `[1]${'.map(x, [x, x])'.repeat(40)} == [1]${'.map(x, [x, x])'.repeat(40)}`,
    'membership of shared structure': `1 in [1]${'.map(x, dyn([x, x]))'.repeat(40)}`,
    'quadratic findAll': 'object.aaa.findAll("a*b|a").size() > 0',
    'patterns made at run time':
      'object.big.exists(a, object.big.exists(b, string(a * 100 + b).matches("x" + string(a * 100 + b) + "{900}")))',
  };
  for (const [name, source] of Object.entries(hostile)) {
    it(`stops ${name}`, () => {
      assert.equal(valueOf(source), 'budget');
    });
  }

  it('does not count a huge operand that a small one ends', () => {
    const huge = Array.from({ length: 300_000 }, (_, at) => at);
    const many = Array.from({ length: 2000 }, () => [1]);
    const bound = createCelBindings({ ...input, object: { huge, many } });
    const compiled = engine.compile('object.many.all(x, x != object.huge && object.huge != x)', 'validation');
    assert.ok(compiled.ok);
    assert.deepEqual(compiled.program.evaluate(bound, createCelMeter()), { ok: true, value: true });
  });

  it('is deterministic', () => {
    const cost = (source: string): number => {
      const meter = createCelMeter();
      run(source, 'validation', meter);
      return meter.remaining;
    };
    for (const source of ['object.big.exists(x, x == 42)', 'object.long.matches("^x+$")']) {
      assert.equal(cost(source), cost(source));
    }
  });

  it('is shared by a request, and once spent stays spent', () => {
    const meter = createCelMeter(150_000);
    assert.deepEqual(run('true', 'validation', meter), { ok: true, value: true });
    assert.equal(run(LOOP4, 'validation', meter).ok, false);
    assert.ok(meter.remaining > 0 && meter.remaining < 50_000);
    assert.equal(run(LOOP4, 'validation', meter).ok, false);
    assert.equal(meter.remaining, 0);
    const last = run('true', 'validation', meter);
    assert.ok(!last.ok && last.kind === 'budget');
  });

  it('counts a budget that is not a number as none', () => {
    const result = run('true', 'validation', createCelMeter(Number.NaN));
    assert.ok(!result.ok && result.kind === 'budget');
  });

  it('admits a rule over a thousand layers', () => {
    const layers = Array.from({ length: 1000 }, (_, at) => ({
      class: 'rawFile' as const,
      digest: 'sha256:1',
      title: `f${at}.json`,
    }));
    const bound = createCelBindings({ ...input, model: { ...input.model, layers } });
    const source =
      'model.layers.size() > 0 && model.layers.all(l, l.class == "rawFile" && l.title.matches("^[a-z0-9]+[.]json$"))';
    const compiled = engine.compile(source, 'validation');
    assert.ok(compiled.ok);
    assert.deepEqual(compiled.program.evaluate(bound, createCelMeter()), { ok: true, value: true });
  });
});

describe('createCelEngine', () => {
  it('makes engines that do not share state', () => {
    assert.ok(createCelEngine().compile('true', 'validation').ok);
    assert.ok(createCelEngine().compile('model.format == "ORAS"', 'validation').ok);
  });
});

// Do we read one document the one way that every other reader does, or not at all?
import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  MAX_JSON_DEPTH,
  MAX_JSON_NAMES,
  MAX_JSON_VALUES,
  parseStrictJson,
  parseStrictJsonText,
  StrictJsonError,
} from '../../src/lib/strict-json.ts';

const refuses = (text: string, why?: RegExp): void => {
  assert.throws(
    () => parseStrictJsonText(text),
    (error) => error instanceof StrictJsonError && (why === undefined || why.test(error.message)),
  );
};

describe('parseStrictJsonText()', () => {
  it('reads whatever JSON.stringify writes, as JSON.parse does', () => {
    const value = fc.jsonValue({ maxDepth: 8, stringUnit: 'binary' });
    fc.assert(
      fc.property(value, fc.constantFrom(undefined, 2), (written, indent) => {
        const text = JSON.stringify(written, undefined, indent);
        // The limit on digits is the one wish on which the two differ.
        fc.pre(!/\d{21}/.test(text));
        assert.deepEqual(parseStrictJsonText(text), JSON.parse(text));
      }),
      { numRuns: 300 },
    );
  });

  it('throws nothing but StrictJsonError on random text, and accepts nothing that JSON.parse refuses', () => {
    const unit = fc.constantFrom(...'{}[]":,\\ 0123eE+-.tfnul\t\n\u0000é\ud800'.split(''), '\\u0061', '"a"');
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit, maxLength: 60 }), fc.string({ unit: 'binary' })), (text) => {
        let parsed: unknown;
        try {
          parsed = parseStrictJsonText(text);
        } catch (error) {
          assert.ok(error instanceof StrictJsonError);
          return;
        }
        assert.deepEqual(parsed, JSON.parse(text));
      }),
      { numRuns: 3000 },
    );
  });

  it('refuses every document in which a member is given twice, however the name is escaped', () => {
    const name = fc.string({ unit: 'binary', maxLength: 6 });
    const escapeAll = (text: string): string =>
      `"${[...Array(text.length).keys()].map((i) => `\\u${text.charCodeAt(i).toString(16).padStart(4, '0')}`).join('')}"`;
    fc.assert(
      fc.property(
        name,
        fc.jsonValue({ maxDepth: 2 }),
        fc.constantFrom('', ' ', '\n\t\r '),
        (key, value, space) => {
          const inner = JSON.stringify(value);
          fc.pre(!/\d{21}/.test(inner));
          refuses(`{${JSON.stringify(key)}${space}:${inner},${escapeAll(key)}${space}:1}`, /twice/);
          refuses(
            `[{"x":{${escapeAll(key)}:${inner},"other":[],${JSON.stringify(key)}${space}:1}}]`,
            /twice/,
          );
        },
      ),
    );
  });

  const twice = [
    '{"a":1,"a":1}',
    '{"a":1,"\\u0061":2}',
    '{"\\u0061":1,"a":2}',
    '{"\\u0061":1,"\\u0061":2}',
    '{"\\u000a":1,"\\n":2}',
    '{"/":1,"\\/":2}',
    '{"é":1,"\\u00E9":2}',
    '{"\\u00e9":1,"\\u00E9":2}',
    '{"":1,"":2}',
    '{"__proto__":1,"__proto__":2}',
    '{"a":{"a":1},"b":[{"a":1}],"a":2}',
    '{"a" :1, "a"\t\r\n:2}',
    '{"\\\\":1,"\\u005c":2}',
    '{"\\"":1,"\\u0022":2}',
    '{"😀":1,"\\ud83d\\ude00":2}',
  ];
  for (const text of twice) it(`refuses twins in ${text}`, () => refuses(text, /twice/));

  it('tells names apart that only look alike', () => {
    for (const text of ['{"a":1,"A":2}', '{"é":1,"e\\u0301":2}', '{"a":{"a":{"a":1}}}', '[{"a":1},{"a":2}]'])
      assert.deepEqual(parseStrictJsonText(text), JSON.parse(text));
    assert.deepEqual(parseStrictJsonText('{"a":"a","b":["a","a"]}'), { a: 'a', b: ['a', 'a'] });
  });

  it('keeps __proto__ a member like any other', () => {
    const parsed = parseStrictJsonText(
      '{"__proto__":{"polluted":1},"constructor":{"prototype":{}}}',
    ) as object;
    assert.equal(Object.getPrototypeOf(parsed), Object.prototype);
    assert.ok(Object.hasOwn(parsed, '__proto__'));
    assert.equal('polluted' in {}, false);
  });

  it('counts the depth of objects and arrays together', () => {
    const nest = (depth: number): string => '[{"a":'.repeat(depth / 2) + '1' + '}]'.repeat(depth / 2);
    assert.ok(parseStrictJsonText(nest(MAX_JSON_DEPTH)));
    refuses(nest(MAX_JSON_DEPTH + 2), /deeper/);
    refuses('['.repeat(1_000_000), /deeper/);
    assert.ok(parseStrictJsonText(`[${'[],'.repeat(1000)}{}]`));
    assert.equal(parseStrictJsonText(JSON.stringify('['.repeat(1000))), '['.repeat(1000));
  });

  it('bounds the digits of a number, also in fractions and exponents', () => {
    assert.equal(parseStrictJsonText('9'.repeat(20)), 1e20);
    for (const text of [
      '9'.repeat(21),
      `0.${'1'.repeat(21)}`,
      `1e${'0'.repeat(21)}`,
      `[-${'1'.repeat(10_000)}]`,
    ])
      refuses(text, /digits/);
    assert.equal(parseStrictJsonText(`"${'9'.repeat(21)}"`), '9'.repeat(21));
  });

  const broken = [
    '',
    ' ',
    '{',
    '}',
    '{"a"}',
    '{"a":1,}',
    '[1,]',
    "{'a':1}",
    '{a:1}',
    '"\\x"',
    '"a',
    '"\\',
    '{"\\x":1}',
    '{"\\u00":1}',
    '01',
    '1.',
    'NaN',
    'Infinity',
    'undefined',
    '1 2',
    '{} {}',
    '// c\n1',
    '/**/1',
    '"\n"',
    '\ufeff{}',
    '{}\u0000',
    '\u00a0{}',
    '[}',
    '{]',
    ']'.repeat(100),
  ];
  for (const text of broken) it(`refuses ${JSON.stringify(text).slice(0, 30)}`, () => refuses(text));

  it('bounds the values of a document, whatever they are in', () => {
    const commas = MAX_JSON_VALUES - 1;
    const flat = (value: string): string => `[${`${value},`.repeat(commas)}${value}]`;
    for (const value of ['0', '""', 'null']) {
      assert.equal((parseStrictJsonText(flat(value)) as unknown[]).length, MAX_JSON_VALUES, value);
      refuses(`[${flat(value)}]`, /more than 100000 values/);
    }
    for (const value of ['[]', '{}', '{"a":0}']) refuses(flat(value), /more than 100000 values/);
  });

  it('bounds the different names of a document, not the members', () => {
    const names = (count: number): string =>
      `{${Array.from({ length: count }, (_, index) => `"m${index}":0`).join(',')}}`;
    assert.equal(Object.keys(parseStrictJsonText(names(MAX_JSON_NAMES)) as object).length, MAX_JSON_NAMES);
    refuses(names(MAX_JSON_NAMES + 1), /more than 20000 different member names/);
    const halves = names(MAX_JSON_NAMES / 2);
    assert.equal((parseStrictJsonText(`[${halves},${halves},${halves}]`) as unknown[]).length, 3);
    refuses(`[${names(MAX_JSON_NAMES)},{"n":0}]`, /different member names/);
  });

  it('reads megabytes of hostile text in linear time', () => {
    const hostile = [
      '"'.repeat(2e6),
      '\\'.repeat(2e6),
      '{"a":'.repeat(63) + '"\\"'.repeat(1e6),
      '"a" '.repeat(5e5),
    ];
    hostile.push(`["${'\\u0061'.repeat(3e5)}"`, `{"a"${' '.repeat(2e6)}`, '-'.repeat(2e6), '}'.repeat(2e6));
    for (const text of hostile) refuses(text);
  });

  it('names an offset, and escapes the name it quotes', () => {
    assert.throws(
      () => parseStrictJsonText('['.repeat(65)),
      (error) => error instanceof StrictJsonError && error.offset === 64,
    );
    refuses('{"\\u001b":1,"\\u001b":2}', /"\\u001b" twice/);
  });
});

describe('parseStrictJson()', () => {
  const read = (bytes: readonly number[] | string): unknown =>
    parseStrictJson(Buffer.from(bytes as string), 100);

  it('refuses bytes beyond the cap before reading them', () => {
    assert.throws(() => parseStrictJson(Buffer.alloc(101, 0x20), 100), /101 bytes exceeds 100/);
    assert.deepEqual(parseStrictJson(Buffer.from('[]'), 2), []);
  });

  const invalid: readonly (readonly [string, readonly number[]])[] = [
    ['a lone continuation byte', [0x22, 0x80, 0x22]],
    ['an overlong slash', [0x22, 0xc0, 0xaf, 0x22]],
    ['an overlong quote', [0xc0, 0xa2, 0x22]],
    ['an encoded surrogate', [0x22, 0xed, 0xa0, 0x80, 0x22]],
    ['a character beyond Unicode', [0x22, 0xf4, 0x90, 0x80, 0x80, 0x22]],
    ['a sequence that is cut off', [0x22, 0xe2, 0x82]],
    ['UTF-16', [0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00]],
  ];
  for (const [what, bytes] of invalid) {
    it(`refuses ${what}`, () => assert.throws(() => read(bytes), /not valid UTF-8/));
  }

  it('refuses a byte order mark, at the front and between tokens', () => {
    assert.throws(() => read('\ufeff{}'), StrictJsonError);
    assert.throws(() => read('{\ufeff}'), StrictJsonError);
    assert.equal(read('"\ufeff"'), '\ufeff');
  });
});

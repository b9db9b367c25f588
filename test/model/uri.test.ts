// Are model URIs found wherever they stand, whatever is around them?
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { findModelUris } from '../../src/model/uri.ts';

describe('findModelUris()', () => {
  const found: readonly (readonly [string, ...string[]])[] = [
    ['oci://reg.example/m', 'reg.example/m'],
    ['--model=oci://reg.example/m:v1', 'reg.example/m:v1'],
    ['--model oci://reg.example/m --x', 'reg.example/m'],
    ['OCI://Reg.Example/m', 'Reg.Example/m'],
    ['oCi://reg.example/m', 'reg.example/m'],
    ['oci+native://reg.example/m', 'reg.example/m'],
    ['OCI+Fetch://reg.example/m', 'reg.example/m'],
    ['kit://reg.example/m', 'reg.example/m'],
    ['\u212ait://reg.example/m', 'reg.example/m'],
    ['modelpack://reg.example/m', 'reg.example/m'],
    ['"oci://a.example/m","oci://b.example/m"', 'a.example/m', 'b.example/m'],
    ['oci://a.example/m,oci://b.example/m', 'a.example/m', 'b.example/m'],
    ['oci://a.example/m;kit://b.example/m', 'a.example/m', 'b.example/m'],
    ['use oci://reg.example/m.', 'reg.example/m'],
    ['(oci://reg.example/m)', 'reg.example/m'],
    ['${M:-oci://reg.example/m}', 'reg.example/m'],
    ['${M-oci://reg.example/m}', 'reg.example/m'],
    ['-moci://reg.example/m', 'reg.example/m'],
    ['run -Moci+native://reg.example/m', 'reg.example/m'],
    ['_oci://reg.example/m', 'reg.example/m'],
    ['m=oci://[::1]:5000/m', '[::1]:5000/m'],
    ['oci://', ''],
    ['oci:///etc', '/etc'],
    ['oci://"reg.example/m"', ''],
    ['oci://u:p@reg.example/m', 'u:p@reg.example/m'],
    ['oci://reg.example/$(X)', 'reg.example/$(X'],
    ['oci://reg.example/a\u200bb', 'reg.example/a'],
    ['\noci://reg.example/m\n', 'reg.example/m'],
    ['xoci:// oci://reg.example/m', 'reg.example/m'],
    ['https://x/?m=oci://reg.example/m', 'reg.example/m'],
  ];
  for (const [text, ...expected] of found) {
    it(`finds ${expected.length} in ${JSON.stringify(text)}`, () => {
      assert.deepEqual(findModelUris(text), expected);
    });
  }

  const others = [
    '',
    'oci:/reg/m',
    'oci: //reg/m',
    'xoci://reg/m',
    'webkit://reg/m',
    'https://reg/m',
    'git+oci://r/m',
  ];
  others.push('\u03bfci://reg/m', 'oсi://reg/m', 'oci：//reg/m', 'oci:／／reg/m', 'o\u200bci://reg/m');
  for (const text of others) {
    it(`finds none in ${JSON.stringify(text)}: no program would either`, () => {
      assert.deepEqual(findModelUris(text), []);
    });
  }

  it('leaves out no URI between any separators', () => {
    const separator = fc.constantFrom(
      ' ',
      '\n',
      ',',
      ';',
      '"',
      "'",
      '|',
      '&',
      '=',
      '\\',
      '`',
      '{',
      '}',
      '<',
      '>',
    );
    const name = fc.stringMatching(/^[a-z]{1,6}\.example\/[a-z]{1,6}$/);
    fc.assert(
      fc.property(fc.array(fc.tuple(separator, name), { maxLength: 6 }), (pieces) => {
        const text = pieces.map(([before, uri]) => `${before}oci://${uri}`).join('');
        assert.deepEqual(
          findModelUris(text),
          pieces.map(([, uri]) => uri),
        );
      }),
    );
  });

  it('keeps a nested URI inside the one that it spoils', () =>
    assert.deepEqual(findModelUris('oci://a.example/m:oci://b.example/m'), [
      'a.example/m:oci://b.example/m',
    ]));

  it('finds what begins where a run was cut', () => {
    const text = `oci://a.example/${'x'.repeat(2048 - 'a.example/'.length)}/oci://b.example/m`;
    assert.deepEqual(findModelUris(text).at(-1), 'b.example/m');
  });

  it('takes linear time on text made to be slow', () => {
    const slow = [
      ('oci://'.repeat(170) + ')'.repeat(1020) + 'a ').repeat(30),
      'oci://'.repeat(11_000),
      `oci://${'.'.repeat(65_000)}`,
      '://'.repeat(22_000),
      'oci+'.repeat(16_000) + '://',
      `oci://x${')'.repeat(2000)}y `.repeat(32),
    ];
    for (const text of slow) findModelUris(text);
  });
});

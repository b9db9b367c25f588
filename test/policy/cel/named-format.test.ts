// Is each fault of a name told, once, and for the part that has it?
import assert from 'node:assert/strict';
import { NAMED_FORMATS } from '../../../src/policy/cel/named-format.ts';

const LETTERS = 'must consist of letters, digits, -, _ and ., and begin and end with a letter or digit';
const LABELS = 'must consist of DNS labels joined by dots';

function check(format: string, text: string): readonly string[] {
  const found = NAMED_FORMATS.get(format);
  assert.ok(found !== undefined);
  return found.check(text);
}

describe('NAMED_FORMATS', () => {
  it('takes texts of just the length that is allowed', () => {
    assert.deepEqual(check('dns1123Label', 'a'.repeat(63)), []);
    assert.deepEqual(check('dns1123Subdomain', 'a'.repeat(253)), []);
  });

  it('says of a text that is too long no more than that', () => {
    assert.deepEqual(check('dns1123Label', 'A'.repeat(64)), ['must be no more than 63 characters']);
    assert.deepEqual(check('dns1123Subdomain', '.'.repeat(254)), ['must be no more than 253 characters']);
  });

  it('takes qualified names without a prefix', () => {
    assert.deepEqual(check('qualifiedName', 'My_name.x'), []);
    assert.deepEqual(check('qualifiedName', '_name'), [LETTERS]);
    assert.deepEqual(check('qualifiedName', ''), [LETTERS]);
  });

  it('checks the prefix and the name of a qualified name, each by its own rule', () => {
    assert.deepEqual(check('qualifiedName', 'example.com/My_name'), []);
    assert.deepEqual(check('qualifiedName', 'My_prefix/name'), [LABELS]);
    assert.deepEqual(check('qualifiedName', 'example.com/'), [LETTERS]);
    assert.deepEqual(check('qualifiedName', '/_'), [LABELS, LETTERS]);
    assert.deepEqual(check('qualifiedName', 'a/b/c'), ['must be a name with an optional prefix and a slash']);
  });

  it('takes real days alone as dates', () => {
    assert.deepEqual(check('date', '2024-02-29'), []);
    for (const text of ['2023-02-29', '2024-2-29', '2024-02-29T00:00:00Z', '2024-02-29T00:00:00+01:00', ''])
      assert.deepEqual(check('date', text), ['invalid date'], text);
  });
});

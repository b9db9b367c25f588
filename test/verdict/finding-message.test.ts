// Is every message one bounded line that says what to do?
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { MAX_FINDING_BYTES } from '../../src/lib/text.ts';
import { DENIAL_REASONS, REASONS } from '../../src/reason.ts';
import { createFinding } from '../../src/verdict/finding-message.ts';
import { USE } from './support.ts';

describe('createFinding()', () => {
  it('names reason, reference, field, policy, authority, problem and remedy', () => {
    const finding = createFinding('SignatureMissing', 'no signature', {
      use: USE,
      policy: 'prod',
      authority: 'release',
    });
    const { original } = USE.reference;
    assert.deepEqual(finding, {
      reason: 'SignatureMissing',
      message: `SignatureMissing: ${original} (${USE.fieldPath}) policy prod authority release: no signature; ${REASONS.SignatureMissing.action}`,
      field: USE.fieldPath,
      policy: 'prod',
      authority: 'release',
    });
  });

  it('ends every reason with its remedy', () => {
    for (const reason of DENIAL_REASONS) {
      const finding = createFinding(reason, 'problem');
      assert.equal(finding.message, `${reason}: problem; ${REASONS[reason].action}`);
      assert.ok(!('field' in finding) && !('policy' in finding) && !('authority' in finding));
    }
  });

  it('shows no control, format or line separating character', () => {
    for (const text of [
      '\u001b[31m',
      '\u0000',
      '\r',
      '\t',
      '\u007f',
      '\u009b',
      '\u202e',
      '\u2066',
      '\u200f',
      '\u200e',
      '\u061c',
      '\u2028',
      '\u2029',
      '\ufeff',
      '\u200b',
      '\ud800',
      '\u{e0041}',
    ]) {
      const { message } = createFinding('RuleViolated', `a${text}b`);
      assert.ok(!message.includes(text), JSON.stringify(text));
      assert.match(message, /a\ufffd(?:\[31m)?b/);
    }
  });

  it('joins lines', () => {
    assert.match(createFinding('PolicyInvalid', 'one \n  two\n\nthree').message, /one \| two \| three/);
  });

  it('stays within its bytes, as valid text, whatever it is told', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 3000 }), (problem) => {
        const { message } = createFinding('RuleViolated', problem, { use: USE });
        assert.ok(Buffer.byteLength(message) <= MAX_FINDING_BYTES);
        assert.ok(message.isWellFormed());
        assert.ok(!/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(message));
      }),
    );
  });

  it('is made fast from anything a workload can write', () => {
    for (const text of [' ', '\t', '\n', ' \n', '\u2028', 'x', '\u202e'])
      createFinding('RuleViolated', text.repeat(1_000_000), { use: USE });
  });

  it('bounds the reference', () => {
    const use = { ...USE, reference: { ...USE.reference, original: 'r'.repeat(800) } };
    const { message } = createFinding('SignatureMissing', 'none', { use });
    assert.ok(message.length < 500);
    assert.match(message, /none/);
  });
});

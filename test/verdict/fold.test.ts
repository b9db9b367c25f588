// Do findings become the right verdict, sorted and bounded?
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { ValidationAction } from '../../src/policy/types.ts';
import { DENIAL_REASONS, REASONS, type DenialReason, type Finding } from '../../src/reason.ts';
import { DENY_ONLY, fold, toStatusCode, type ActedFinding } from '../../src/verdict/fold.ts';
import { MAX_FINDINGS, MAX_FINDINGS_PER_REFERENCE } from '../../src/verdict/limits.ts';

const finding = (message: string, more: Partial<Finding> = {}): Finding => ({
  reason: 'SignatureMissing',
  message,
  ...more,
});
const acted = (found: Finding, ...actions: ValidationAction[]): ActedFinding => ({
  finding: found,
  actions: new Set(actions),
});

describe('fold()', () => {
  it('allows when nothing was found', () => {
    assert.deepEqual(fold([], true), { allowed: true, findings: [], warned: [], audited: [] });
  });

  const table: [ValidationAction[], boolean, 'findings' | 'warned' | 'audited'][] = [
    [['Deny'], false, 'findings'],
    [['Deny', 'Audit'], false, 'findings'],
    [['Warn'], true, 'warned'],
    [['Warn', 'Audit'], true, 'warned'],
    [['Audit'], true, 'audited'],
    [[], true, 'audited'],
  ];
  for (const [actions, allowed, where] of table)
    it(`puts what has the actions [${actions.join(', ')}] under ${where}`, () => {
      const verdict = fold([acted(finding('m'), ...actions)], true);
      assert.equal(verdict.allowed, allowed);
      for (const list of ['findings', 'warned', 'audited'] as const)
        assert.equal(verdict[list].length, list === where ? 1 : 0, list);
    });

  it('denies when one of many denies', () => {
    const many = [
      acted(finding('a'), 'Audit'),
      acted(finding('b'), 'Warn'),
      acted(finding('c'), 'Deny'),
      acted(finding('d'), 'Audit'),
    ];
    assert.equal(fold(many, true).allowed, false);
    assert.deepEqual(
      fold(many, true).findings.map(({ message }) => message),
      ['c'],
    );
  });

  it('warns instead of denying for workloads whose pods are judged again', () => {
    const verdict = fold(
      [
        { finding: finding('a'), actions: DENY_ONLY },
        acted(finding('b'), 'Warn'),
        acted(finding('c'), 'Audit'),
      ],
      false,
    );
    assert.equal(verdict.allowed, true);
    assert.deepEqual(verdict.findings, []);
    assert.deepEqual(
      verdict.warned.map(({ message }) => message),
      ['a', 'b'],
    );
    assert.equal(verdict.audited.length, 1);
  });

  it('says the same thing once', () => {
    assert.equal(fold([acted(finding('a'), 'Deny'), acted(finding('a'), 'Deny')], true).findings.length, 1);
  });

  it('shows 8 findings of a field and 32 of a request, and denies by all', () => {
    const of = (field: string, count: number): ActedFinding[] =>
      Array.from({ length: count }, (_, n) => acted(finding(`${field} ${n}`, { field }), 'Deny'));
    assert.equal(fold(of('a', 20), true).findings.length, MAX_FINDINGS_PER_REFERENCE);
    const many = Array.from({ length: 10 }, (_, n) => of(`f${n}`, 20)).flat();
    assert.equal(fold(many, true).findings.length, MAX_FINDINGS);
    assert.equal(fold(many, false).warned.length, MAX_FINDINGS);
    assert.equal(
      fold(
        Array.from({ length: 40 }, (_, n) => acted(finding(`no field ${n}`), 'Deny')),
        true,
      ).findings.length,
      MAX_FINDINGS_PER_REFERENCE,
    );
  });

  it('puts what somebody must change before what may pass', () => {
    const transient = finding('a', { reason: 'RegistryUnavailable', field: 'f' });
    const permanent = finding('b', { reason: 'SignatureInvalid', field: 'f' });
    assert.deepEqual(fold([acted(transient, 'Deny'), acted(permanent, 'Deny')], true).findings, [
      permanent,
      transient,
    ]);
  });

  it('allows exactly when nothing denies, in whatever order', () => {
    const found = fc
      .tuple(fc.constantFrom(...DENIAL_REASONS), fc.string({ maxLength: 2 }), fc.constantFrom('a', 'b'))
      // A message names its field, so one message never stands for two fields.
      .map(([reason, text, field]) => ({ reason, field, message: `${reason} (${field}) ${text}` }));
    const one = fc.record({
      finding: found,
      actions: fc.subarray<ValidationAction>(['Deny', 'Warn', 'Audit']).map((list) => new Set(list)),
    });
    fc.assert(
      fc.property(fc.array(one, { maxLength: 60 }), fc.boolean(), (list, enforce) => {
        const verdict = fold(list, enforce);
        assert.equal(verdict.allowed, !enforce || !list.some(({ actions }) => actions.has('Deny')));
        assert.equal(verdict.allowed, verdict.findings.length === 0);
        const keys = ({ message }: Finding): string => message;
        assert.deepEqual(fold(list.toReversed(), enforce).findings.map(keys), verdict.findings.map(keys));
      }),
    );
  });
});

describe('toStatusCode()', () => {
  const of = (...reasons: DenialReason[]): number =>
    toStatusCode(reasons.map((reason) => finding('m', { reason })));

  it('follows the weightiest finding', () => {
    assert.equal(of('RequestMalformed'), 400);
    assert.equal(of('RegistryUnavailable'), 503);
    assert.equal(of('RegistryUnavailable', 'RequestMalformed'), 503);
    assert.equal(of('RegistryUnavailable', 'SignatureMissing'), 403);
    assert.equal(of('SignatureMissing', 'RequestMalformed'), 403);
    assert.equal(of('SignatureMissing', 'InternalError', 'RegistryUnavailable'), 500);
  });

  it('has a code for every reason alone', () => {
    for (const reason of DENIAL_REASONS) assert.equal(of(reason), REASONS[reason].code);
  });
});

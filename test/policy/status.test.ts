// Do statuses say what the compiled world is?
import assert from 'node:assert/strict';
import {
  toBrokenExceptionStatus,
  toExceptionStatus,
  toPolicyStatus,
  toTrustRootStatus,
} from '../../src/policy/status.ts';
import { loadPublicGood } from '../../src/trust/public-good.ts';
import { NO_REVOCATIONS } from '../../src/trust/revocation.ts';

const DENY = new Set(['Deny'] as const);

const short = (conditions: readonly { type: string; status: string; reason: string }[]): readonly string[] =>
  conditions.map(({ type, status, reason }) => `${type} ${status} ${reason}`);

describe('toPolicyStatus()', () => {
  it('is ready when there is no problem', () => {
    assert.deepEqual(short(toPolicyStatus({ problems: [], actions: DENY }).conditions), [
      'Ready True Ready',
      'Compiled True Compiled',
      'TrustRootsReady True TrustRootsReady',
      'KeysReady True KeysReady',
    ]);
  });

  it('says which part is not, and that the policy denies', () => {
    const { conditions } = toPolicyStatus({
      problems: [
        { reason: 'TrustRootUnavailable', message: 'spec.authorities[0]: no root' },
        { reason: 'CredentialsUnavailable', message: 'spec.authorities[1]: no Secret' },
      ],
      actions: DENY,
    });
    assert.deepEqual(short(conditions), [
      'Ready False TrustRootUnavailable',
      'Compiled True Compiled',
      'TrustRootsReady False TrustRootUnavailable',
      'KeysReady False CredentialsUnavailable',
    ]);
    assert.equal(
      conditions[0]?.message,
      'denies what it selects: spec.authorities[0]: no root; spec.authorities[1]: no Secret',
    );
    assert.equal(conditions[3]?.message, 'spec.authorities[1]: no Secret');
  });

  for (const [actions, effect] of [
    [['Deny', 'Audit'], 'denies'],
    [['Warn', 'Audit'], 'warns about'],
    [['Audit'], 'records'],
  ] as const)
    it(`says that a policy that is to ${actions.join(' and ')} ${effect} what it selects`, () => {
      const problems = [{ reason: 'PolicyInvalid', message: 'no' }] as const;
      const [ready] = toPolicyStatus({ problems, actions: new Set(actions) }).conditions;
      assert.equal(ready?.message, `${effect} what it selects: no`);
    });

  it('bounds its messages', () => {
    const problems = Array.from({ length: 50 }, () => ({
      reason: 'PolicyInvalid' as const,
      message: 'é'.repeat(200),
    }));
    for (const { message } of toPolicyStatus({ problems, actions: DENY }).conditions)
      assert.ok(Buffer.byteLength(message) <= 1024);
  });
});

describe('toTrustRootStatus()', () => {
  it('says where its trust comes from, until when, and how much there is', () => {
    const { root, expiresAt } = loadPublicGood();
    const snapshot = { root, generation: 4, source: 'shipped' as const, fetchedAt: new Date(0), expiresAt };
    const requirements = { logEntries: 1, timestamps: 1, certificateTimestamps: 1 };
    const { conditions, fields } = toTrustRootStatus({
      ok: true,
      root,
      snapshot,
      requirements,
      revoked: NO_REVOCATIONS,
      witnesses: [],
    });
    assert.deepEqual(short(conditions), ['Ready True Ready']);
    assert.deepEqual(fields, {
      source: 'shipped',
      generation: 4,
      expires: expiresAt.toISOString().replace('.000Z', 'Z'),
      counts: {
        certificateAuthorities: root.certificateAuthorities.length,
        timestampAuthorities: root.timestampAuthorities.length,
        transparencyLogs: root.logs.length,
        certificateLogs: root.certificateLogs.length,
      },
    });
  });

  it('says why there is none', () => {
    const status = toTrustRootStatus({ ok: false, reason: 'TrustRootUnavailable', problem: 'it expired' });
    assert.deepEqual(status.conditions, [
      { type: 'Ready', status: 'False', reason: 'TrustRootUnavailable', message: 'it expired' },
    ]);
    assert.equal(status.fields, undefined);
  });
});

describe('toExceptionStatus()', () => {
  const endsAt = new Date('2026-12-01T00:00:00Z');

  it('is active until the instant of its end', () => {
    assert.deepEqual(short(toExceptionStatus({ endsAt }, new Date(endsAt.getTime() - 1)).conditions), [
      'Active True Active',
    ]);
    assert.deepEqual(toExceptionStatus({ endsAt }, endsAt).conditions, [
      { type: 'Active', status: 'False', reason: 'Expired', message: 'it ended at 2026-12-01T00:00:00Z' },
    ]);
  });

  it('is not when it has no effect', () => {
    assert.deepEqual(short(toBrokenExceptionStatus('spec.models[0]: no digest').conditions), [
      'Active False PolicyInvalid',
    ]);
  });
});

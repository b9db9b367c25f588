// Fault 42 and what exceptions are for: one admits what it names, where and until when it says, and nothing besides.
import assert from 'node:assert/strict';
import { startRegistry, type RegistryHandle } from '../../src/demo/registry.ts';
import type { ExceptionSource } from '../../src/policy/compile-exception.ts';
import {
  pushModel,
  pushSigned,
  startController,
  teamPolicy,
  type Answer,
  type Controller,
  type Policies,
} from '../support/controller.ts';
import { reviewOf, volumePod } from '../support/review.ts';

describe('exceptions', () => {
  let registry: RegistryHandle;
  let controller: Controller | undefined;
  before(async () => {
    registry = await startRegistry();
  });
  afterEach(async () => {
    await controller?.stop();
    controller = undefined;
  });
  after(() => registry.close());

  const soon = (): string => `${new Date(Date.now() + 3_600_000).toISOString().slice(0, 19)}Z`;
  const exception = (name: string, models: readonly string[], more: object = {}): ExceptionSource => ({
    name,
    spec: {
      policies: ['team'],
      namespaces: ['default'],
      models,
      reason: 'ticket SEC-1',
      requestedBy: 'jane@acme.example',
      expiresAt: soon(),
      ...more,
    },
  });

  async function ask(
    reference: string,
    exceptions: readonly ExceptionSource[],
    { policies, namespace = 'default' }: { policies?: Policies; namespace?: string } = {},
  ): Promise<Answer> {
    controller = await startController({
      registry,
      exceptions,
      policies: policies ?? { team: teamPolicy(registry) },
    });
    return controller.ask(reviewOf(volumePod(reference), { namespace }));
  }

  it('42: admits what it names with a warning, a record, an audit annotation and a count', async () => {
    const { reference } = pushModel(registry);
    const answer = await ask(reference, [exception('vendor', [reference])]);
    assert.equal(answer.allowed, true);
    assert.match(
      answer.warnings[0] ?? '',
      /^admitted by ModelPolicyException vendor until .*, "ticket SEC-1": SignatureMissing: /,
    );
    assert.equal(answer.annotations['modelpolicy.dev/exceptions'], 'vendor');
    assert.equal(answer.annotations['modelpolicy.dev/reasons'], 'SignatureMissing');
    assert.deepEqual(
      controller?.records[0]?.exceptions.map(({ exception: name, policy }) => [name, policy]),
      [['vendor', 'team']],
    );
    const metrics = (await controller?.metrics()) ?? '';
    assert.match(metrics, /model_policy_exceptions_used_total\{exception="vendor",policy="team"\} 1/);
    assert.match(
      metrics,
      /model_policy_decisions_total\{policy="team",.*action="Warn",reason="SignatureMissing"\} 1/,
    );
  });

  it('42: is not used where the policy passes', async () => {
    const { reference } = pushSigned(registry);
    const answer = await ask(reference, [exception('vendor', [reference])]);
    assert.equal(answer.allowed, true);
    assert.deepEqual(answer.warnings, []);
    assert.equal(answer.annotations['modelpolicy.dev/exceptions'], undefined);
  });

  const denied: readonly (readonly [string, (reference: string) => readonly ExceptionSource[], string?])[] = [
    ['of another namespace', (reference) => [exception('x', [reference], { namespaces: ['other'] })]],
    ['that has expired', (reference) => [exception('x', [reference], { expiresAt: '2026-01-01T00:00:00Z' })]],
    [
      'that was made more than 90 days ago',
      (reference) => [{ ...exception('x', [reference]), createdAt: '2026-01-01T00:00:00Z' }],
    ],
    ['of another digest', (reference) => [exception('x', [reference.replace(/.{64}$/, 'a'.repeat(64))])]],
    ['for another policy', (reference) => [exception('x', [reference], { policies: ['other'] })]],
    ['for every policy', (reference) => [exception('x', [reference], { policies: ['*'] })]],
    [
      'that overlaps with another one, neither of which fits',
      (reference) => [
        exception('x', [reference], { namespaces: ['other'] }),
        exception('y', [reference], { policies: ['other'] }),
      ],
    ],
    ['of a repository without anyDigest', (reference) => [exception('x', [reference.split('@')[0] ?? ''])]],
  ];
  for (const [what, toExceptions] of denied)
    it(`42: has no effect ${what}`, async () => {
      const { reference } = pushModel(registry);
      const answer = await ask(reference, toExceptions(reference));
      assert.equal(answer.allowed, false);
      assert.deepEqual(answer.reasons, ['SignatureMissing']);
    });

  it('42: leaves the denial of a policy that it does not cover', async () => {
    const { reference } = pushModel(registry);
    const policies = { team: teamPolicy(registry), other: teamPolicy(registry) };
    const answer = await ask(reference, [exception('x', [reference])], { policies });
    assert.equal(answer.allowed, false);
    assert.deepEqual(
      answer.causes.map(({ message }) => /policy (\S+):/.exec(message)?.[1]),
      ['other'],
    );
    await controller?.stop();
    const both = await ask(
      reference,
      [exception('x', [reference]), exception('y', [reference], { policies: ['other'] })],
      {
        policies,
      },
    );
    assert.equal(both.allowed, true);
    assert.equal(both.annotations['modelpolicy.dev/exceptions'], 'x,y');
  });

  it('42: never admits what was denied by name, nor other bytes', async () => {
    const { reference, digest } = pushModel(registry);
    const fail = teamPolicy(registry, { authorities: [{ name: 'no', static: { action: 'Fail' } }] });
    const byName = await ask(reference, [exception('x', [reference])], { policies: { team: fail } });
    assert.deepEqual([byName.allowed, byName.reasons], [false, ['StaticDeny']]);
    await controller?.stop();
    registry.replaceManifest(digest, Buffer.from('{"schemaVersion":2}'));
    const lying = await ask(reference, [exception('x', [reference])]);
    assert.deepEqual([lying.allowed, lying.reasons], [false, ['DigestMismatch']]);
  });

  it('42: does not stand in for a policy where none selects', async () => {
    const { reference } = pushModel(registry);
    const policies = { team: teamPolicy(registry, { models: [{ glob: 'registry.example.com/**' }] }) };
    const answer = await ask(reference, [exception('x', [reference])], { policies });
    assert.deepEqual([answer.allowed, answer.reasons], [false, ['NoMatchingPolicy']]);
  });
});

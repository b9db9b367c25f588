// Does a policy mean what it says about names, and can a rule or a pattern stop the process? Faults 7 and 8.
import assert from 'node:assert/strict';
import { startRegistry, type RegistryHandle } from '../../src/demo/registry.ts';
import {
  pushModel,
  pushSigned,
  startController,
  teamPolicy,
  type Controller,
} from '../support/controller.ts';
import { expectAllowed, expectDenied } from '../support/expect.ts';
import { podOf, reviewOf, volumePod } from '../support/review.ts';

const DIGEST = `sha256:${'0'.repeat(64)}`;

describe('faults of content: policies', () => {
  let registry: RegistryHandle;
  let controller: Controller;

  beforeEach(async () => {
    registry = await startRegistry();
    controller = await startController({ registry });
  });
  afterEach(async () => {
    await controller.stop();
    await registry.close();
  });

  const select = (glob: string): void =>
    controller.setPolicies({
      deny: { models: [{ glob }], authorities: [{ name: 'no', static: { action: 'Fail' } }] },
    });

  const globs: readonly (readonly [string, readonly string[], readonly string[]])[] = [
    [
      'ghcr.io/org/**',
      ['ghcr.io/org/m', 'ghcr.io/org/a/b'],
      ['ghcr.io/org-evil/m', 'ghcr.io/organisation/m'],
    ],
    ['ghcr.io/org*', ['ghcr.io/org', 'ghcr.io/org-evil'], ['ghcr.io/org/m', 'ghcr.io.evil.test/org']],
    [
      'ghcr.io/org/*',
      ['ghcr.io/org/m'],
      ['ghcr.io/org/a/b', 'ghcr.io.evil.test/org/m', 'evil.test/ghcr.io/org/m'],
    ],
    [
      '*.models.test/**',
      ['a.models.test/m'],
      ['models.test/m', 'a.b.models.test/m', 'a.models.test.evil.test/m', 'amodels.test/m'],
    ],
  ];
  for (const [glob, selected, others] of globs) {
    it(`7: ${glob} selects no neighbour`, async () => {
      select(glob);
      for (const name of selected)
        await expectDenied(controller, reviewOf(volumePod(`${name}@${DIGEST}`)), {
          code: 403,
          reasons: ['StaticDeny'],
        });
      for (const name of others)
        await expectDenied(controller, reviewOf(volumePod(`${name}@${DIGEST}`)), {
          code: 403,
          reasons: ['NoMatchingPolicy'],
        });
    });
  }

  for (const glob of ['*', '*/org/**', 'ghcr*/org/**', 'ghcr.io', 'https://ghcr.io/org/**', 'ghcr.io/org**'])
    it(`7: ${glob} is refused, and denies rather than selects nothing`, async () => {
      select(glob);
      await expectDenied(controller, reviewOf(volumePod(`ghcr.io/org/m@${DIGEST}`)), {
        code: 403,
        reasons: ['PolicyInvalid'],
      });
    });

  const ten = '[1,2,3,4,5,6,7,8,9,10]';
  const expensive: readonly (readonly [string, string])[] = [
    [
      'a comprehension without end',
      `${ten}.all(a, ${ten}.all(b, ${ten}.all(c, ${ten}.all(d, ${ten}.all(e, ${ten}.all(f, a+b+c+d+e+f > 0))))))`,
    ],
    [
      'a list that grows',
      `${ten}.map(a, ${ten}.map(b, ${ten}.map(c, ${ten}.map(d, ${ten}.map(e, 'x'))))).size() > 0`,
    ],
  ];
  for (const [what, expression] of expensive) {
    it(`8: ${what} denies that request as RuleFailed, while the others are answered`, async () => {
      const model = pushSigned(registry);
      const cheap = pushSigned(registry);
      controller.setPolicies({
        expensive: {
          ...teamPolicy(registry, { validations: [{ expression }] }),
          models: [{ glob: `${registry.address}/${model.repository}` }],
        },
        cheap: { ...teamPolicy(registry), models: [{ glob: `${registry.address}/${cheap.repository}` }] },
      });
      await expectDenied(controller, reviewOf(volumePod(model.reference)), {
        code: 403,
        reasons: ['RuleFailed'],
      });
      const answers = await Promise.all(
        Array.from({ length: 10 }, (_, index) =>
          controller.ask(reviewOf(volumePod(index % 2 === 0 ? model.reference : cheap.reference))),
        ),
      );
      assert.deepEqual(
        answers.map(({ allowed, reasons }) => [allowed, ...reasons]),
        answers.map((_, index) => (index % 2 === 0 ? [false, 'RuleFailed'] : [true])),
      );
    });
  }

  it('8: a pattern that backtracks elsewhere is linear here', async () => {
    const hostile = `${'a'.repeat(20_000)}!`;
    controller.setPolicies({
      team: teamPolicy(registry, {
        validations: [{ expression: "pod.metadata.labels['x'].matches('^(a+)+$')" }],
      }),
    });
    const model = pushSigned(registry);
    const pod = podOf({ ...volumePodSpec(model.reference) }, { labels: { x: hostile } });
    // By backtracking, the answer would take centuries.
    await expectDenied(controller, reviewOf(pod), { code: 403, reasons: ['RuleViolated'] });
    await expectDenied(controller, reviewOf(volumePod(pushModel(registry).reference)), {
      code: 403,
      reasons: ['SignatureMissing'],
    });
  });

  it('8: an expression that is too large is refused with its policy', async () => {
    const expression = `${'true && '.repeat(3000)}true`;
    controller.setPolicies({ team: teamPolicy(registry, { validations: [{ expression }] }) });
    const pod = volumePod(pushSigned(registry).reference);
    await expectDenied(controller, reviewOf(pod), { code: 403, reasons: ['PolicyInvalid'] });
    controller.setPolicies({ team: teamPolicy(registry) });
    await expectAllowed(controller, reviewOf(pod));
  });
});

function volumePodSpec(reference: string): object {
  return { volumes: [{ name: 'model', image: { reference } }] };
}

// Do policies join as docs/policies.md says? Every pair of things that a ClusterModelPolicy can be, beside everything that
// a ModelPolicy can be and each --no-match-policy, held to rules that are written here a second time.
import assert from 'node:assert/strict';
import { startRegistry, type RegistryHandle } from '../../src/demo/registry.ts';
import {
  pushSigned,
  startController,
  teamPolicy,
  type Answer,
  type Controller,
} from '../support/controller.ts';
import { reviewOf, volumePod } from '../support/review.ts';

interface Kind {
  /** What differs from a policy that the model satisfies. */
  readonly spec: object;
  /** The reason with which it denies. */
  readonly denies?: string;
  /** Whether it counts as a match where it is a ClusterModelPolicy. */
  readonly matches: boolean;
}

const VIOLATED = { validations: [{ expression: 'false' }] };
const FALSE = { name: 'no', expression: "request.operation == 'UPDATE'" };
const ERROR = { name: 'error', expression: "namespaceObject.metadata.labels['none'] == 'x'" };

const KINDS: Readonly<Record<string, Kind>> = {
  passes: { spec: {}, matches: true },
  fails: { spec: VIOLATED, denies: 'RuleViolated', matches: true },
  warns: { spec: { ...VIOLATED, validationActions: ['Warn'] }, matches: false },
  audits: { spec: { ...VIOLATED, validationActions: ['Audit'] }, matches: false },
  'audits what passes': { spec: { validationActions: ['Audit'] }, matches: false },
  'is about others': { spec: { ...VIOLATED, models: [{ glob: 'other.test/**' }] }, matches: false },
  'has a false condition': { spec: { ...VIOLATED, matchConditions: [FALSE] }, matches: false },
  'has a failing condition': { spec: { matchConditions: [ERROR] }, denies: 'RuleFailed', matches: false },
  'has both': { spec: { ...VIOLATED, matchConditions: [ERROR, FALSE] }, matches: false },
  'is broken': { spec: { validations: [{ expression: '1' }] }, denies: 'PolicyInvalid', matches: true },
};
const NO_POLICY: Kind = { spec: {}, matches: false };
const NAMES = Object.keys(KINDS);
const PAIRS = NAMES.flatMap((first, index) => NAMES.slice(index).map((second) => [first, second] as const));
const TENANTS = ['none', ...NAMES];
const NO_MATCH = ['Deny', 'Warn', 'Allow'] as const;

describe(`decision table of ${PAIRS.length * TENANTS.length * NO_MATCH.length} rows`, () => {
  let registry: RegistryHandle;
  let reference: string;
  let controller: Controller | undefined;

  before(async () => {
    registry = await startRegistry();
    ({ reference } = pushSigned(registry));
  });
  after(async () => registry.close());
  afterEach(async () => {
    await controller?.stop();
    controller = undefined;
  });

  for (const noMatchPolicy of NO_MATCH)
    for (const tenant of TENANTS)
      it(`holds for ${noMatchPolicy} beside a ModelPolicy that ${tenant}: ${PAIRS.length} rows`, async () => {
        const own = KINDS[tenant] ?? NO_POLICY;
        const modelPolicies = tenant === 'none' ? {} : { 'default/own': teamPolicy(registry, own.spec) };
        controller = await startController({ registry, modelPolicies, decisions: { noMatchPolicy } });
        for (const [first, second] of PAIRS) {
          const pair = [KINDS[first], KINDS[second]].map((kind) => kind ?? NO_POLICY);
          controller.setPolicies(
            Object.fromEntries(pair.map(({ spec }, n) => [`p${n}`, teamPolicy(registry, spec)])),
          );
          const answer: Answer = await controller.ask(reviewOf(volumePod(reference)));
          const denied = [...pair, own].flatMap(({ denies }) => denies ?? []);
          const isUnmatched = !pair.some(({ matches }) => matches);
          const reasons = [
            ...denied,
            ...(isUnmatched && noMatchPolicy === 'Deny' ? ['NoMatchingPolicy'] : []),
          ];
          const row = `${first}, ${second}: ${answer.message}`;
          assert.equal(answer.allowed, reasons.length === 0, row);
          assert.deepEqual([...answer.reasons].toSorted(), [...new Set(reasons)].toSorted(), row);
          const isWarned = answer.warnings.some((text) => text.includes('NoMatchingPolicy'));
          assert.equal(isWarned, isUnmatched && noMatchPolicy === 'Warn', row);
        }
      }).timeout(120_000);
});

// What do rules do with versions? Kubernetes' semver library over semver.ts.
import type { CelFunction } from './cel-function.ts';
import { compareSemvers, parseSemver, parseTolerantly, type Semver } from './semver.ts';
import { succeeds } from './succeeds.ts';

const SEMVER = 'kubernetes.Semver';
const COST = 40;
const PARTS = ['major', 'minor', 'patch'] as const;

/** Functions of kubernetes.Semver. */
export const semvers: readonly CelFunction[] = [
  { signature: `__semver(string): ${SEMVER}`, cost: COST, run: parseSemver },
  { signature: `__semver(string, bool): ${SEMVER}`, cost: COST, run: parse },
  {
    signature: '__isSemver(string): bool',
    cost: COST,
    run: (text: string) => succeeds(() => parseSemver(text)),
  },
  {
    signature: '__isSemver(string, bool): bool',
    cost: COST,
    run: (text: string, normalize: boolean) => succeeds(() => parse(text, normalize)),
  },
  ...PARTS.map((name, at) => ({
    signature: `${SEMVER}.__${name}(): int`,
    run: (version: Semver) => BigInt.asIntN(64, version.numbers[at] ?? 0n),
  })),
  {
    signature: `${SEMVER}.__compareTo(${SEMVER}): int`,
    cost: COST,
    run: (a: Semver, b: Semver) => BigInt(compareSemvers(a, b)),
  },
  {
    signature: `${SEMVER}.__isGreaterThan(${SEMVER}): bool`,
    cost: COST,
    run: (a: Semver, b: Semver) => compareSemvers(a, b) === 1,
  },
  {
    signature: `${SEMVER}.__isLessThan(${SEMVER}): bool`,
    cost: COST,
    run: (a: Semver, b: Semver) => compareSemvers(a, b) === -1,
  },
];

function parse(text: string, normalize: boolean): Semver {
  return normalize ? parseTolerantly(text) : parseSemver(text);
}

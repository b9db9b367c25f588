// What do rules do with quantities? Kubernetes' quantity library over quantity.ts.
import type { CelFunction } from './cel-function.ts';
import { celError } from './errors.ts';
import {
  addQuantities,
  approximate,
  compareQuantities,
  integerOf,
  negateQuantity,
  parseQuantity,
  quantityOfInteger,
  type Quantity,
} from './quantity.ts';
import { succeeds } from './succeeds.ts';

const QUANTITY = 'kubernetes.Quantity';
const COST = 40;

/** Functions of kubernetes.Quantity. */
export const quantities: readonly CelFunction[] = [
  { signature: `__quantity(string): ${QUANTITY}`, cost: COST, run: parseQuantity },
  {
    signature: '__isQuantity(string): bool',
    cost: COST,
    run: (text: string) => succeeds(() => parseQuantity(text)),
  },
  { signature: `${QUANTITY}.__sign(): int`, run: (q: Quantity) => signOf(q.unscaled) },
  { signature: `${QUANTITY}.__isInteger(): bool`, run: (q: Quantity) => integerOf(q) !== undefined },
  { signature: `${QUANTITY}.__asInteger(): int`, run: asInteger },
  { signature: `${QUANTITY}.__asApproximateFloat(): double`, cost: COST, run: approximate },
  ...arithmetic('add', (a, b) => addQuantities(a, b)),
  ...arithmetic('sub', (a, b) => addQuantities(a, negateQuantity(b))),
  ...comparison('isGreaterThan', 'bool', (order) => order === 1),
  ...comparison('isLessThan', 'bool', (order) => order === -1),
  ...comparison('compareTo', 'int', (order) => BigInt(order)),
];

function arithmetic(name: string, apply: (a: Quantity, b: Quantity) => Quantity): CelFunction[] {
  return [
    { signature: `${QUANTITY}.__${name}(${QUANTITY}): ${QUANTITY}`, cost: COST, run: apply },
    {
      signature: `${QUANTITY}.__${name}(int): ${QUANTITY}`,
      cost: COST,
      run: (a: Quantity, b: bigint) => apply(a, quantityOfInteger(b)),
    },
  ];
}

function comparison(name: string, type: string, read: (order: number) => unknown): CelFunction[] {
  const run = (a: Quantity, b: Quantity): unknown => read(compareQuantities(a, b));
  return [{ signature: `${QUANTITY}.__${name}(${QUANTITY}): ${type}`, cost: COST, run }];
}

function signOf(value: bigint): bigint {
  if (value === 0n) return 0n;
  return value < 0n ? -1n : 1n;
}

function asInteger(quantity: Quantity): bigint {
  const value = integerOf(quantity);
  if (value === undefined) throw celError('invalid_conversion');
  return value;
}

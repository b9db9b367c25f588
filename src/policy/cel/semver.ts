// Which version is newer? Semantic versions (semver.org 2.0.0) as Kubernetes' semver library reads and orders them.
import { celError } from './errors.ts';

/** A version; the build part is not kept, because it has no weight in any comparison. */
export class Semver {
  readonly numbers: readonly [major: bigint, minor: bigint, patch: bigint];
  readonly prerelease: readonly (string | bigint)[];

  constructor(numbers: readonly [bigint, bigint, bigint], prerelease: readonly (string | bigint)[]) {
    this.numbers = numbers;
    this.prerelease = prerelease;
  }
}

const MAX_TEXT_LENGTH = 256;
const MAX_NUMBER = 2n ** 64n - 1n;
const NUMBER = '(0|[1-9]\\d*)';
const IDENTIFIERS = '[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*';
const VERSION = new RegExp(`^${NUMBER}\\.${NUMBER}\\.${NUMBER}(?:-(${IDENTIFIERS}))?(?:\\+${IDENTIFIERS})?$`);

/** Reads `major.minor.patch[-prerelease][+build]` of at most 256 characters; throws an evaluation error. */
export function parseSemver(text: string): Semver {
  const match = text.length <= MAX_TEXT_LENGTH ? VERSION.exec(text) : null;
  if (match === null) throw celError('invalid_semver');
  const [, major, minor, patch, prerelease] = match;
  return new Semver(
    [toNumber(major), toNumber(minor), toNumber(patch)],
    prerelease === undefined ? [] : prerelease.split('.').map(toIdentifier),
  );
}

function toNumber(digits = ''): bigint {
  const value = BigInt(digits);
  if (value > MAX_NUMBER) throw celError('invalid_semver');
  return value;
}

function toIdentifier(text: string): string | bigint {
  if (!/^\d+$/.test(text)) return text;
  if (text.length > 1 && text.startsWith('0')) throw celError('invalid_semver');
  return toNumber(text);
}

/** Reads a version with a leading `v`, leading zeros, or without minor and patch numbers. */
export function parseTolerantly(text: string): Semver {
  if (text.length > MAX_TEXT_LENGTH) throw celError('invalid_semver');
  const parts = splitInThree(text.startsWith('v') ? text.slice(1) : text).map(withoutLeadingZeros);
  // What stands behind a - or + is no number any more: `1.0-rc` stays without a patch.
  while (parts.length < 3) parts.push('0');
  return parseSemver(parts.join('.'));
}

function splitInThree(text: string): string[] {
  const [major = '', minor, ...rest] = text.split('.');
  if (minor === undefined) return [major];
  return rest.length === 0 ? [major, minor] : [major, minor, rest.join('.')];
}

function withoutLeadingZeros(part: string): string {
  if (part.length <= 1) return part;
  const trimmed = part.replace(/^0+/, '');
  return /^\d/.test(trimmed) ? trimmed : `0${trimmed}`;
}

/** -1, 0 or 1 by precedence (semver.org, clause 11). */
export function compareSemvers(left: Semver, right: Semver): number {
  for (const [at, number] of left.numbers.entries()) {
    const order = compare(number, right.numbers[at] ?? 0n);
    if (order !== 0) return order;
  }
  return comparePrereleases(left.prerelease, right.prerelease);
}

function comparePrereleases(left: readonly (string | bigint)[], right: readonly (string | bigint)[]): number {
  // A version without a prerelease comes after all of its prereleases.
  if (left.length === 0 || right.length === 0) return Math.sign(right.length - left.length);
  for (const [at, identifier] of left.entries()) {
    const other = right[at];
    if (other === undefined) return 1;
    const order = compareIdentifiers(identifier, other);
    if (order !== 0) return order;
  }
  return left.length < right.length ? -1 : 0;
}

function compareIdentifiers(left: string | bigint, right: string | bigint): number {
  if (typeof left === typeof right) return compare(left, right);
  return typeof left === 'bigint' ? -1 : 1;
}

function compare(left: string | bigint, right: string | bigint): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

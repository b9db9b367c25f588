// Which address or network is meant, and of what kind? IPv4 and IPv6 as Go's net/netip reads, writes and sorts them,
// without zones and without IPv4 addresses in IPv6 clothes, which Kubernetes' ip and cidr libraries refuse.
import { celError } from './errors.ts';

/** An address: its value, in 32 bits for family 4 and 128 for family 6. */
export class IpAddress {
  readonly family: 4 | 6;
  readonly value: bigint;

  constructor(family: 4 | 6, value: bigint) {
    this.family = family;
    this.value = value;
  }
}

/** A network: an address and how many of its leading bits are fixed. */
export class Cidr {
  readonly address: IpAddress;
  readonly prefixLength: number;

  constructor(address: IpAddress, prefixLength: number) {
    this.address = address;
    this.prefixLength = prefixLength;
  }
}

const MAX_TEXT_LENGTH = 64;
const GROUPS = 8;
const IPV4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/;

/** Reads an address; throws an evaluation error, also for zones and IPv4-mapped addresses. */
export function parseIp(text: string): IpAddress {
  if (text.length > MAX_TEXT_LENGTH) throw celError('invalid_ip');
  return text.includes(':') ? new IpAddress(6, parseIpv6(text)) : new IpAddress(4, parseIpv4(text));
}

function parseIpv4(text: string): bigint {
  const match = IPV4.exec(text);
  if (match === null) throw celError('invalid_ip');
  let value = 0n;
  for (const field of match.slice(1)) {
    if (Number(field) > 255 || (field.length > 1 && field.startsWith('0'))) throw celError('invalid_ip');
    value = (value << 8n) | BigInt(field);
  }
  return value;
}

function parseIpv6(text: string): bigint {
  const halves = text.split('::');
  if (halves.length > 2) throw celError('invalid_ip');
  const [head = '', tail] = halves;
  const left = groupsOf(head, tail === undefined);
  const right = tail === undefined ? [] : groupsOf(tail, true);
  const missing = GROUPS - left.length - right.length;
  // Two colons stand for one group of zeros at least.
  if (tail === undefined ? missing !== 0 : missing < 1) throw celError('invalid_ip');
  const groups = [...left, ...Array.from({ length: missing }, () => 0n), ...right];
  const value = groups.reduce((sum, group) => (sum << 16n) | group, 0n);
  if (value >> 32n === 0xffffn) throw celError('invalid_ip');
  return value;
}

function groupsOf(text: string, isEnd: boolean): bigint[] {
  if (text === '') return [];
  const fields = text.split(':');
  return fields.flatMap((field, at) => {
    if (/^[0-9a-fA-F]{1,4}$/.test(field)) return [BigInt(`0x${field}`)];
    if (!isEnd || at !== fields.length - 1) throw celError('invalid_ip');
    const value = parseIpv4(field);
    return [value >> 16n, value & 0xffffn];
  });
}

/** Writes an address in its canonical form (RFC 5952). */
export function formatIp({ family, value }: IpAddress): string {
  const groups = (bits: bigint, count: number): bigint[] =>
    Array.from(
      { length: count },
      (_, at) => (value >> (bits * BigInt(count - 1 - at))) & ((1n << bits) - 1n),
    );
  if (family === 4) return groups(8n, 4).join('.');
  const text = groups(16n, GROUPS)
    .map((group) => group.toString(16))
    .join(':');
  const longest = longestZeros(text);
  if (longest === undefined) return text;
  const before = text.slice(0, longest.index).replace(/:$/, '');
  const after = text.slice(longest.index + longest.text.length).replace(/^:/, '');
  return `${before}::${after}`;
}

function longestZeros(text: string): { readonly index: number; readonly text: string } | undefined {
  let longest: { index: number; text: string } | undefined;
  for (const { 0: run, index } of text.matchAll(/\b0(?::0)+\b/g)) {
    if (run.length > (longest?.text.length ?? 0)) longest = { index, text: run };
  }
  return longest;
}

/** Reads a network such as `10.0.0.0/8`; bits after the prefix may be set. Throws an evaluation error. */
export function parseCidr(text: string): Cidr {
  const slash = text.lastIndexOf('/');
  const bits = text.slice(slash + 1);
  if (slash < 0 || !/^(?:0|[1-9]\d{0,2})$/.test(bits)) throw celError('invalid_cidr');
  const address = parseIp(text.slice(0, slash));
  if (Number(bits) > sizeOf(address)) throw celError('invalid_cidr');
  return new Cidr(address, Number(bits));
}

function sizeOf({ family }: IpAddress): number {
  return family === 4 ? 32 : 128;
}

/** Writes a network as it was given, its address in canonical form. */
export function formatCidr({ address, prefixLength }: Cidr): string {
  return `${formatIp(address)}/${prefixLength}`;
}

/** The network with all bits after its prefix cleared. */
export function maskCidr({ address, prefixLength }: Cidr): Cidr {
  const rest = BigInt(sizeOf(address) - prefixLength);
  return new Cidr(new IpAddress(address.family, (address.value >> rest) << rest), prefixLength);
}

/** Whether an address lies in a network of its family. */
export function matchIp({ address, prefixLength }: Cidr, ip: IpAddress): boolean {
  const rest = BigInt(sizeOf(address) - prefixLength);
  return address.family === ip.family && address.value >> rest === ip.value >> rest;
}

/** Whether a network lies within another of its family. */
export function matchCidr(outer: Cidr, inner: Cidr): boolean {
  return inner.prefixLength >= outer.prefixLength && matchIp(outer, inner.address);
}

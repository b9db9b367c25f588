// What do rules do with addresses and networks? Kubernetes' ip and cidr libraries over ip-address.ts.
import type { CelFunction } from './cel-function.ts';
import {
  formatCidr,
  formatIp,
  maskCidr,
  matchCidr,
  matchIp,
  parseCidr,
  parseIp,
  type Cidr,
  type IpAddress,
} from './ip-address.ts';
import { succeeds } from './succeeds.ts';

const IP = 'net.IP';
const CIDR = 'net.CIDR';
const COST = 60;

const loopback = [parseCidr('127.0.0.0/8'), parseCidr('::1/128')];
const multicast = [parseCidr('224.0.0.0/4'), parseCidr('ff00::/8')];
const linkLocalUnicast = [parseCidr('169.254.0.0/16'), parseCidr('fe80::/10')];
const broadcast = parseIp('255.255.255.255');
const linkLocalMulticast4 = parseCidr('224.0.0.0/24');

/** Functions of net.IP and net.CIDR. */
export const networks: readonly CelFunction[] = [
  { signature: `__ip(string): ${IP}`, cost: COST, run: parseIp },
  { signature: '__isIP(string): bool', cost: COST, run: (text: string) => succeeds(() => parseIp(text)) },
  {
    signature: 'IpNamespace.__isCanonical(string): bool',
    cost: COST,
    run: (_: unknown, text: string) => formatIp(parseIp(text)) === text,
  },
  { signature: `__string(${IP}): string`, cost: COST, run: formatIp },
  { signature: `${IP}.__family(): int`, run: (ip: IpAddress) => BigInt(ip.family) },
  ...test('isUnspecified', (ip) => ip.value === 0n),
  ...test('isLoopback', (ip) => isIn(loopback, ip)),
  ...test('isLinkLocalMulticast', isLinkLocalMulticast),
  ...test('isLinkLocalUnicast', (ip) => isIn(linkLocalUnicast, ip)),
  ...test('isGlobalUnicast', isGlobalUnicast),
  { signature: `__cidr(string): ${CIDR}`, cost: COST, run: parseCidr },
  { signature: '__isCIDR(string): bool', cost: COST, run: (text: string) => succeeds(() => parseCidr(text)) },
  { signature: `__string(${CIDR}): string`, cost: COST, run: formatCidr },
  { signature: `${CIDR}.__containsIP(${IP}): bool`, cost: COST, run: matchIp },
  {
    signature: `${CIDR}.__containsIP(string): bool`,
    cost: COST,
    run: (cidr: Cidr, text: string) => matchIp(cidr, parseIp(text)),
  },
  { signature: `${CIDR}.__containsCIDR(${CIDR}): bool`, cost: COST, run: matchCidr },
  {
    signature: `${CIDR}.__containsCIDR(string): bool`,
    cost: COST,
    run: (cidr: Cidr, text: string) => matchCidr(cidr, parseCidr(text)),
  },
  { signature: `${CIDR}.__ip(): ${IP}`, run: (cidr: Cidr) => cidr.address },
  { signature: `${CIDR}.__masked(): ${CIDR}`, cost: COST, run: maskCidr },
  { signature: `${CIDR}.__prefixLength(): int`, run: (cidr: Cidr) => BigInt(cidr.prefixLength) },
];

function test(name: string, run: (ip: IpAddress) => boolean): CelFunction[] {
  return [{ signature: `${IP}.__${name}(): bool`, cost: COST, run }];
}

function isIn(ranges: readonly Cidr[], ip: IpAddress): boolean {
  return ranges.some((range) => matchIp(range, ip));
}

function isLinkLocalMulticast(ip: IpAddress): boolean {
  if (ip.family === 4) return matchIp(linkLocalMulticast4, ip);
  // Any flags, scope 2 (RFC 4291, section 2.7).
  return ((ip.value >> 112n) & 0xff0fn) === 0xff02n;
}

function isGlobalUnicast(ip: IpAddress): boolean {
  const isBroadcast = ip.family === 4 && ip.value === broadcast.value;
  return ip.value !== 0n && !isBroadcast && ![loopback, multicast, linkLocalUnicast].some((r) => isIn(r, ip));
}

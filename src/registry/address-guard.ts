// May this address be dialled? Registries, redirects and token realms are named by strangers: none of them may lead
// to this machine or to the link-local network (cloud metadata). Checked after DNS, on every connection.
import { lookup as dnsLookup, type LookupAddress, type LookupOptions } from 'node:dns';
import { BlockList, isIP } from 'node:net';

const BLOCKED = new BlockList();
BLOCKED.addSubnet('0.0.0.0', 8); // "this network": Linux connects it to loopback
BLOCKED.addSubnet('127.0.0.0', 8);
BLOCKED.addSubnet('169.254.0.0', 16);
BLOCKED.addSubnet('fe80::', 10, 'ipv6');
// Ways to write IPv4 addresses in IPv6: compatible, NAT64, and 6to4 of what is blocked above.
BLOCKED.addSubnet('::', 96, 'ipv6');
BLOCKED.addSubnet('64:ff9b::', 96, 'ipv6');
BLOCKED.addSubnet('64:ff9b:1::', 48, 'ipv6');
BLOCKED.addSubnet('2002:7f00::', 24, 'ipv6');
BLOCKED.addSubnet('2002:a9fe::', 32, 'ipv6');
// Metadata services of clouds that are not link-local: AWS, Alibaba, Azure, Oracle.
BLOCKED.addAddress('fd00:ec2::254', 'ipv6');
BLOCKED.addAddress('100.100.100.200');
BLOCKED.addAddress('168.63.129.16');
BLOCKED.addAddress('192.0.0.192');

/** True for loopback, link-local, unspecified and metadata addresses, in every way of writing them. */
export function isBlockedAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 0) return true;
  return BLOCKED.check(address, family === 6 ? 'ipv6' : 'ipv4');
}

type LookupCallback = (
  error: NodeJS.ErrnoException | null,
  address: string | LookupAddress[],
  family?: number,
) => void;

/** A `dns.lookup` that fails for names which resolve to any blocked address. */
export function guardedLookup(hostname: string, options: LookupOptions, callback: LookupCallback): void {
  dnsLookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error !== null) {
      callback(error, '');
      return;
    }
    const first = addresses[0];
    if (first === undefined || addresses.some(({ address }) => isBlockedAddress(address))) {
      callback(Object.assign(new Error(BLOCKED_MESSAGE), { code: 'EBLOCKED' }), '');
      return;
    }
    if (options.all === true) callback(null, addresses);
    else callback(null, first.address, first.family);
  });
}

/** The text of the guard's error. */
export const BLOCKED_MESSAGE = 'the address is loopback or link-local, which only configured hosts may be';

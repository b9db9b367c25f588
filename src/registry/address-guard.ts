// May this address be dialled? Registries, redirects and token realms are named by strangers: none of them may lead
// to this machine or to the link-local network (cloud metadata). Checked after DNS, on every connection.
import { lookup as dnsLookup, type LookupAddress, type LookupOptions } from 'node:dns';
import { BlockList, isIP } from 'node:net';

const BLOCKED = new BlockList();
BLOCKED.addSubnet('0.0.0.0', 8); // "this network": Linux connects it to loopback
BLOCKED.addSubnet('127.0.0.0', 8);
BLOCKED.addSubnet('169.254.0.0', 16);
BLOCKED.addAddress('::', 'ipv6');
BLOCKED.addAddress('::1', 'ipv6');
BLOCKED.addSubnet('fe80::', 10, 'ipv6');
BLOCKED.addSubnet('64:ff9b::', 96, 'ipv6'); // NAT64 of any IPv4 address, metadata among them

/** True for loopback, link-local and unspecified addresses, IPv4-mapped forms included. */
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

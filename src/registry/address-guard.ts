// May this address be dialled? Registries, redirects and token realms are named by strangers: none of them may lead
// to this machine, to the link-local network (cloud metadata) or to ranges that the operator blocked, such as those of
// services and pods. Checked after DNS, on every connection: what is dialled is what was checked.
import { lookup as dnsLookup, type LookupAddress, type LookupOptions } from 'node:dns';
import { BlockList, isIP } from 'node:net';

/** A CIDR range. */
export interface AddressRange {
  readonly address: string;
  readonly prefixBits: number;
}

type LookupCallback = (
  error: NodeJS.ErrnoException | null,
  address: string | LookupAddress[],
  family?: number,
) => void;

/** The signature of `dns.lookup`, as connections use it. */
export type Lookup = (hostname: string, options: LookupOptions, callback: LookupCallback) => void;

/** Asks for all addresses of a name; the form of `dns.lookup` with `all`. */
export type Resolve = (
  hostname: string,
  options: LookupOptions & { all: true },
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/** Decides about addresses. */
export interface AddressGuard {
  /** True for loopback, link-local, unspecified, metadata and configured addresses, in every way of writing them. */
  readonly isBlocked: (address: string) => boolean;
  /** A `dns.lookup` that fails with `EBLOCKED` for names which resolve to any blocked address. */
  readonly lookup: Lookup;
}

/** The text of the guard's error. */
export const BLOCKED_MESSAGE =
  'its address is loopback, link-local or in a blocked range, which only configured hosts may be';

/** Reads `ADDRESS/BITS`; undefined when it is none. */
export function parseRange(text: string): AddressRange | undefined {
  const [, address = '', bits = ''] = /^([0-9a-fA-F:.]+)\/(\d{1,3})$/.exec(text) ?? [];
  const family = isIP(address);
  const prefixBits = Number(bits);
  if (family === 0 || prefixBits > (family === 6 ? 128 : 32)) return undefined;
  return { address, prefixBits };
}

/**
 * Creates a guard.
 * @param ranges blocked beside those that always are
 * @param resolve asks for the addresses of a name, by default the system
 */
export function createAddressGuard(
  ranges: readonly AddressRange[] = [],
  resolve: Resolve = dnsLookup,
): AddressGuard {
  const blocked = createBlockList(ranges);
  const isBlocked = (address: string): boolean => {
    const family = isIP(address);
    return family === 0 || blocked.check(address, family === 6 ? 'ipv6' : 'ipv4');
  };
  return {
    isBlocked,
    lookup(hostname, options, callback) {
      resolve(hostname, { ...options, all: true }, (error, addresses) => {
        if (error !== null) {
          callback(error, '');
          return;
        }
        const first = addresses[0];
        if (first === undefined || addresses.some(({ address }) => isBlocked(address))) {
          callback(Object.assign(new Error(BLOCKED_MESSAGE), { code: 'EBLOCKED' }), '');
          return;
        }
        if (options.all === true) callback(null, addresses);
        else callback(null, first.address, first.family);
      });
    },
  };
}

function createBlockList(ranges: readonly AddressRange[]): BlockList {
  const blocked = new BlockList();
  blocked.addSubnet('0.0.0.0', 8); // "this network": Linux connects it to loopback
  blocked.addSubnet('127.0.0.0', 8);
  blocked.addSubnet('169.254.0.0', 16);
  blocked.addSubnet('fe80::', 10, 'ipv6');
  // Ways to write IPv4 addresses in IPv6: compatible, translated, NAT64, 6to4 and Teredo. None leads to a registry.
  blocked.addSubnet('::', 96, 'ipv6');
  blocked.addSubnet('::ffff:0:0:0', 96, 'ipv6');
  blocked.addSubnet('64:ff9b::', 96, 'ipv6');
  blocked.addSubnet('64:ff9b:1::', 48, 'ipv6');
  blocked.addSubnet('2002::', 16, 'ipv6');
  blocked.addSubnet('2001::', 32, 'ipv6');
  // Metadata services of clouds that are not link-local: AWS, Alibaba, Azure, Oracle.
  blocked.addAddress('fd00:ec2::254', 'ipv6');
  blocked.addAddress('100.100.100.200');
  blocked.addAddress('168.63.129.16');
  blocked.addAddress('192.0.0.192');
  for (const { address, prefixBits } of ranges)
    blocked.addSubnet(address, prefixBits, isIP(address) === 6 ? 'ipv6' : 'ipv4');
  return blocked;
}

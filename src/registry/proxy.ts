// Which proxy leads to this host? HTTP_PROXY, HTTPS_PROXY and NO_PROXY as curl and Go read them. Only selects; the
// connections are made by pools.ts.
import { BlockList, isIP } from 'node:net';
import { parseRange } from './address-guard.ts';

/** Environment variables, by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The proxy for a URL; undefined for a direct connection. */
export type FindProxy = (url: URL) => URL | undefined;

/** Thrown for a proxy variable that cannot be used; the message holds no credentials. */
export class ProxyError extends Error {
  override readonly name = 'ProxyError';
}

const DEFAULT_PORTS: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' };

/**
 * Reads the variables, lower case before upper case.
 * @throws ProxyError for a proxy that is no http or https URL
 */
export function createProxyFinder(environment: Environment): FindProxy {
  const read = (name: string): string => (environment[name] || environment[name.toUpperCase()] || '').trim();
  const proxies: Readonly<Record<string, URL | undefined>> = {
    'http:': parseProxy(read('http_proxy'), 'HTTP_PROXY'),
    'https:': parseProxy(read('https_proxy'), 'HTTPS_PROXY'),
  };
  const isDirect = createBypass(read('no_proxy'));
  return (url) => {
    const proxy = proxies[url.protocol];
    return proxy === undefined || isDirect(url) ? undefined : proxy;
  };
}

function parseProxy(text: string, variable: string): URL | undefined {
  if (text === '') return undefined;
  let url: URL | undefined;
  try {
    url = new URL(text.includes('://') ? text : `http://${text}`);
  } catch {
    // Said below.
  }
  if (url === undefined || !Object.hasOwn(DEFAULT_PORTS, url.protocol))
    throw new ProxyError(`${variable} is no http or https URL`);
  // The library sends the proxy's host as TLS server name, which an address cannot be (RFC 6066 §3).
  if (url.protocol === 'https:' && isIP(url.hostname.replace(/^\[|\]$/g, '')) !== 0)
    throw new ProxyError(`${variable} is an https URL with an address: name the proxy's host instead`);
  return url;
}

type Rule = (host: string, port: string) => boolean;

function createBypass(list: string): (url: URL) => boolean {
  const rules = list
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .map((entry) => toRule(entry.toLowerCase()));
  return ({ hostname, protocol, port }) => {
    const host = hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
    // This machine is never behind a proxy.
    if (host === 'localhost' || isInRange('127.0.0.0', 8)(host) || host === '::1') return true;
    return rules.some((rule) => rule(host, port || (DEFAULT_PORTS[protocol] ?? '')));
  };
}

// `*`, an address range, an address, or a name that stands for itself and all below; each but a range with a port.
function toRule(entry: string): Rule {
  if (entry === '*') return () => true;
  const range = parseRange(entry);
  if (range !== undefined) return isInRange(range.address, range.prefixBits);
  // A bare IPv6 address has no port; with one it stands in brackets.
  const [, named = entry, wantedPort] = isIP(entry) === 6 ? [] : (/^(.*?)(?::(\d+))?$/.exec(entry) ?? []);
  const name = named.replace(/^\[|\]$/g, '');
  const matches = isIP(name) === 0 ? toNameRule(name) : isInRange(name, isIP(name) === 6 ? 128 : 32);
  return (host, port) => (wantedPort === undefined || wantedPort === port) && matches(host);
}

function toNameRule(name: string): (host: string) => boolean {
  const bare = name.replace(/^\*?\./, '').replace(/\.$/, '');
  const isOnlyBelow = name !== bare && /^\*?\./.test(name);
  return (host) => (host === bare && !isOnlyBelow) || host.endsWith(`.${bare}`);
}

function isInRange(address: string, prefixBits: number): (host: string) => boolean {
  const list = new BlockList();
  list.addSubnet(address, prefixBits, isIP(address) === 6 ? 'ipv6' : 'ipv4');
  return (host) => isIP(host) !== 0 && list.check(host, isIP(host) === 6 ? 'ipv6' : 'ipv4');
}

// What are the parts of a URL? Absolute URLs as Go's net/url reads and escapes them, which Kubernetes' url library uses.
// The platform's URL class follows WHATWG and would repair what Go refuses.
import { celError } from './errors.ts';

/** The parts of a URL: `host` with its port and `query` undecoded; `opaque` is what follows a scheme without a slash. */
export class Url {
  readonly scheme: string;
  readonly opaque: string;
  readonly user: string;
  readonly host: string;
  readonly escapedPath: string;
  readonly query: string;
  readonly fragment: string;
  /** All parts in one text, equal for equal URLs. */
  readonly text: string;

  constructor(parts: Omit<Url, 'text'>) {
    this.scheme = parts.scheme;
    this.opaque = parts.opaque;
    this.user = parts.user;
    this.host = parts.host;
    this.escapedPath = parts.escapedPath;
    this.query = parts.query;
    this.fragment = parts.fragment;
    this.text = JSON.stringify(Object.values(this));
  }
}

type Part = 'path' | 'host' | 'zone' | 'user' | 'query' | 'fragment';

const MAX_TEXT_LENGTH = 8192;
// Characters that stand for themselves, beside letters and digits.
const HOST_SAFE = '-_.~!$&\'()*+,;=:[]<>"';
const SAFE: Readonly<Record<Part, string>> = {
  path: '-_.~$&+,/:;=@',
  host: HOST_SAFE,
  zone: HOST_SAFE,
  user: '-_.~$&+,;=',
  query: '-_.~',
  fragment: '-_.~$&+,/:;=?@!()*',
};
const utf8 = new TextDecoder();

/** Reads an absolute URL or an absolute path of at most 8,192 characters; throws an evaluation error. */
export function parseUrl(text: string): Url {
  // eslint-disable-next-line no-control-regex
  if (text === '' || text.length > MAX_TEXT_LENGTH || /[\u0000-\u001f\u007f]/.test(text)) throw invalid();
  // Read twice, as Kubernetes does: a fragment must also be valid as the end of the path or query.
  parse(text, '', false);
  const [beforeFragment, fragment] = splitAt(text, '#');
  return parse(beforeFragment, fragment, !beforeFragment.startsWith('///'));
}

function invalid(): Error {
  return celError('invalid_url');
}

const NOTHING = { scheme: '', opaque: '', user: '', host: '', query: '' };

// Without a scheme, `//host/path` is a path when read first and names a host when read again.
function parse(text: string, fragment: string, mayOmitScheme: boolean): Url {
  const escapedFragment = escape(unescape(fragment, 'fragment'), 'fragment');
  if (text === '*') return new Url({ ...NOTHING, escapedPath: '*', fragment: escapedFragment });
  const [scheme, afterScheme] = splitScheme(text);
  const [rest, query] = splitAt(afterScheme, '?');
  const common = { ...NOTHING, scheme, query, fragment: escapedFragment };
  if (!rest.startsWith('/')) {
    if (scheme === '') throw invalid();
    return new Url({ ...common, opaque: rest, escapedPath: '' });
  }
  const hasAuthority = (scheme !== '' || mayOmitScheme) && rest.startsWith('//');
  if (!hasAuthority) return new Url({ ...common, escapedPath: escapePath(rest) });
  const slash = rest.indexOf('/', 2);
  const authority = slash < 0 ? rest.slice(2) : rest.slice(2, slash);
  const path = slash < 0 ? '' : rest.slice(slash);
  return new Url({ ...common, ...parseAuthority(authority), escapedPath: escapePath(path) });
}

function splitScheme(text: string): [string, string] {
  if (text.startsWith(':')) throw invalid();
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(text)?.[1];
  return scheme === undefined ? ['', text] : [scheme.toLowerCase(), text.slice(scheme.length + 1)];
}

function splitAt(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

function parseAuthority(authority: string): { user: string; host: string } {
  const at = authority.lastIndexOf('@');
  const user = authority.slice(0, Math.max(0, at));
  if (!/^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/.test(user)) throw invalid();
  unescape(user, 'user');
  return { user, host: parseHost(authority.slice(at + 1)) };
}

function parseHost(host: string): string {
  if (!host.startsWith('[')) {
    const colon = host.lastIndexOf(':');
    if (colon >= 0 && !isPort(host.slice(colon))) throw invalid();
    return decode(unescape(host, 'host'));
  }
  const end = host.lastIndexOf(']');
  if (end < 0 || !isPort(host.slice(end + 1))) throw invalid();
  const zone = host.slice(0, end).indexOf('%25');
  if (zone < 0) return decode(unescape(host, 'host'));
  const parts: readonly [string, Part][] = [
    [host.slice(0, zone), 'host'],
    [host.slice(zone, end), 'zone'],
    [host.slice(end), 'host'],
  ];
  return parts.map(([text, part]) => decode(unescape(text, part))).join('');
}

function isPort(text: string): boolean {
  return /^(?::\d*)?$/.test(text);
}

function escapePath(path: string): string {
  const decoded = unescape(path, 'path');
  return /^(?:[A-Za-z0-9\-_.~!$&'()*+,;=:@[\]%/])*$/.test(path) ? path : escape(decoded, 'path');
}

function unescape(text: string, part: Part): number[] {
  const source = Buffer.from(text);
  const bytes: number[] = [];
  for (let at = 0; at < source.length; at += 1) {
    const byte = source[at] ?? 0;
    if (byte === 0x25) {
      bytes.push(unescapeByte(source.toString('latin1', at + 1, at + 3), part));
      at += 2;
    } else {
      if ((part === 'host' || part === 'zone') && byte < 0x80 && !isSafe(byte, part)) throw invalid();
      bytes.push(part === 'query' && byte === 0x2b ? 0x20 : byte);
    }
  }
  return bytes;
}

function unescapeByte(digits: string, part: Part): number {
  if (!/^[0-9a-fA-F]{2}$/.test(digits)) throw invalid();
  const value = Number.parseInt(digits, 16);
  // Hosts may escape bytes beyond ASCII only, zones also what hosts allow unescaped (RFC 6874).
  if (part === 'host' && value < 0x80 && digits !== '25') throw invalid();
  if (part === 'zone' && digits !== '25' && value !== 0x20 && !isSafe(value, 'host')) throw invalid();
  return value;
}

function isSafe(byte: number, part: Part): boolean {
  const char = String.fromCharCode(byte);
  return /[A-Za-z0-9]/.test(char) || SAFE[part].includes(char);
}

function escape(bytes: readonly number[], part: Part): string {
  const hex = (byte: number): string => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  return bytes.map((byte) => (isSafe(byte, part) ? String.fromCharCode(byte) : hex(byte))).join('');
}

function decode(bytes: readonly number[]): string {
  return utf8.decode(Uint8Array.from(bytes));
}

/** A URL's host without port and brackets, and its port, empty when there is none. */
export function splitHost({ host }: Url): { readonly name: string; readonly port: string } {
  const colon = host.lastIndexOf(':');
  const hasPort = colon >= 0 && isPort(host.slice(colon));
  const name = hasPort ? host.slice(0, colon) : host;
  return {
    name: /^\[.*\]$/.test(name) ? name.slice(1, -1) : name,
    port: hasPort ? host.slice(colon + 1) : '',
  };
}

/** A URL's query parameters; malformed ones are left out. */
export function parseQuery({ query }: Url): Map<string, string[]> {
  const parameters = new Map<string, string[]>();
  for (const pair of query.split('&')) {
    if (pair === '' || pair.includes(';')) continue;
    const [key, value] = splitAt(pair, '=').map(decodeComponent);
    if (key === undefined || value === undefined) continue;
    const values = parameters.get(key);
    if (values === undefined) parameters.set(key, [value]);
    else values.push(value);
  }
  return parameters;
}

function decodeComponent(text: string): string | undefined {
  try {
    return decode(unescape(text, 'query'));
  } catch {
    return undefined;
  }
}

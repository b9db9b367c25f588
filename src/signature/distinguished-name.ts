// How is a distinguished name written as text? RFC 4514, so that a policy can name one: most specific part first,
// attribute types of its table by name and all others by number, every character that could mislead escaped.
import {
  childrenOf,
  DER_TAG,
  DerError,
  readDer,
  readDerChildren,
  toOid,
  type DerElement,
} from '../lib/der.ts';

/** RFC 4514 §3. */
const TYPES: Readonly<Record<string, string>> = {
  '2.5.4.3': 'CN',
  '2.5.4.7': 'L',
  '2.5.4.8': 'ST',
  '2.5.4.10': 'O',
  '2.5.4.11': 'OU',
  '2.5.4.6': 'C',
  '2.5.4.9': 'STREET',
  '0.9.2342.19200300.100.1.25': 'DC',
  '0.9.2342.19200300.100.1.1': 'UID',
};
const PRINTABLE_STRING = 0x13;
const IA5_STRING = 0x16;
const MAX_PARTS = 64;
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The DER of a Name as RFC 4514 text; an empty name is `""`. @throws DerError */
export function toDistinguishedName(der: Buffer): string {
  const parts = readDerChildren(readDer(der, DER_TAG.sequence).content);
  if (parts.length > MAX_PARTS) throw new DerError(`name of more than ${MAX_PARTS} parts`);
  // RFC 4514 §2.1: in the reverse order of the encoding.
  return parts.toReversed().map(toPart).join(',');
}

function toPart(part: DerElement): string {
  const attributes = childrenOf(part, DER_TAG.set);
  if (attributes.length === 0) throw new DerError('name with an empty part');
  return attributes.map(toAttribute).join('+');
}

function toAttribute(attribute: DerElement): string {
  const [type, value, ...others] = childrenOf(attribute, DER_TAG.sequence);
  const oid = toOid(type);
  if (value === undefined || others.length > 0) throw new DerError('name with a malformed attribute');
  const name = Object.hasOwn(TYPES, oid) ? TYPES[oid] : undefined;
  const text = toText(value);
  // RFC 4514 §2.4: a type by number, or a value that is no text, is written as the hex of its encoding.
  if (name === undefined || text === undefined) return `${name ?? oid}=#${value.bytes.toString('hex')}`;
  return `${name}=${escape(text)}`;
}

function toText({ tag, content }: DerElement): string | undefined {
  if (tag === PRINTABLE_STRING || tag === IA5_STRING) {
    if (content.some((byte) => byte > 0x7f)) throw new DerError('name with a character that is not ASCII');
    return content.toString('latin1');
  }
  if (tag !== DER_TAG.utf8String) return undefined;
  try {
    return UTF8.decode(content);
  } catch {
    throw new DerError('name that is not valid UTF-8');
  }
}

function escape(text: string): string {
  return (
    text
      .replaceAll(/[\\"+,;<>]|^[ #]| $/g, String.raw`\$&`)
      // RFC 4514 §2.4 demands it for NUL and allows it for all: no name brings its own line ends.
      .replaceAll(/\p{Cc}/gu, toHexPairs)
  );
}

function toHexPairs(character: string): string {
  return [...Buffer.from(character)].map((byte) => `\\${byte.toString(16).padStart(2, '0')}`).join('');
}

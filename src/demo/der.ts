// How are certificates, timestamps and their parts written? An encoder for the DER types that the kit needs.
// It writes what it is told, also nonsense; reading is not its business.

const TAGS = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  nullValue: 0x05,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** One element with any tag byte. */
export function element(tag: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([tag]), encodeLength(content.length), content]);
}

/** SEQUENCE of already encoded parts. */
export function sequence(...parts: readonly Buffer[]): Buffer {
  return element(TAGS.sequence, Buffer.concat(parts));
}

/** SET OF already encoded parts, in the order that DER demands. */
export function setOf(...parts: readonly Buffer[]): Buffer {
  return element(TAGS.set, Buffer.concat(parts.toSorted((a, b) => Buffer.compare(a, b))));
}

/** INTEGER from a number or from unsigned big-endian bytes. */
export function integer(value: number | Buffer): Buffer {
  const bytes = Buffer.isBuffer(value) ? value : numberBytes(value);
  const positive = ((bytes[0] ?? 0) & 0x80) === 0 ? bytes : Buffer.concat([Buffer.alloc(1), bytes]);
  return element(TAGS.integer, positive);
}

/** OBJECT IDENTIFIER from dotted notation. */
export function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [first * 40 + second, ...rest].flatMap((arc) => base128(arc));
  return element(TAGS.objectIdentifier, Buffer.from(bytes));
}

/** OCTET STRING. */
export function octetString(bytes: Buffer): Buffer {
  return element(TAGS.octetString, bytes);
}

/** BIT STRING with some unused bits at its end. */
export function bitString(bytes: Buffer, unusedBits = 0): Buffer {
  return element(TAGS.bitString, Buffer.concat([Buffer.from([unusedBits]), bytes]));
}

/** BOOLEAN. */
export function boolean(value: boolean): Buffer {
  return element(TAGS.boolean, Buffer.from([value ? 0xff : 0x00]));
}

/** NULL. */
export function nullValue(): Buffer {
  return element(TAGS.nullValue, Buffer.alloc(0));
}

/** UTF8String. */
export function utf8String(text: string): Buffer {
  return element(TAGS.utf8String, Buffer.from(text, 'utf8'));
}

/** Context-specific tag, constructed around encoded content (`explicit`, or an implicit SEQUENCE's content). */
export function tagged(number: number, content: Buffer): Buffer {
  return element(0xa0 | number, content);
}

/** Context-specific tag over primitive content. */
export function taggedPrimitive(number: number, content: Buffer): Buffer {
  return element(0x80 | number, content);
}

/** UTCTime, whole seconds; for years 1950 to 2049 only. */
export function utcTime(date: Date): Buffer {
  return element(TAGS.utcTime, Buffer.from(digits(date).slice(2)));
}

/** GeneralizedTime, whole seconds. */
export function generalizedTime(date: Date): Buffer {
  return element(TAGS.generalizedTime, Buffer.from(digits(date)));
}

/** The time of a certificate: UTCTime up to 2049, then GeneralizedTime. */
export function certificateTime(date: Date): Buffer {
  return date.getUTCFullYear() < 2050 ? utcTime(date) : generalizedTime(date);
}

function digits(date: Date): string {
  return `${date.toISOString().slice(0, 19).replaceAll(/[-T:]/gu, '')}Z`;
}

function encodeLength(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const bytes = numberBytes(length);
  return Buffer.concat([Buffer.from([0x80 | bytes.length]), bytes]);
}

function numberBytes(value: number): Buffer {
  const hex = value.toString(16);
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
}

function base128(arc: number): number[] {
  const groups = [arc % 128];
  for (let rest = Math.floor(arc / 128); rest > 0; rest = Math.floor(rest / 128)) {
    groups.unshift(0x80 | (rest % 128));
  }
  return groups;
}

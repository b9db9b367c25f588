// What does this DER say? A strict reader of tag-length-value elements (X.690 §10): one encoding for one value.
// It returns views of the bytes it was given; signed bytes are never written again.

/** The only error of this module. */
export class DerError extends Error {
  override readonly name = 'DerError';
}

/** One element: `bytes` with its header, `content` without. */
export interface DerElement {
  readonly tag: number;
  readonly bytes: Buffer;
  readonly content: Buffer;
}

/** Universal tags that certificates use. */
export const DER_TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

const MAX_ELEMENTS = 2000;

function readElementAt(bytes: Buffer, offset: number): DerElement {
  const tag = bytes[offset];
  if (tag === undefined) throw new DerError('DER ends where an element begins');
  if ((tag & 0x1f) === 0x1f) throw new DerError('DER tag of more than one byte');
  const { start, length } = readLength(bytes, offset + 1);
  const end = start + length;
  if (end > bytes.length) throw new DerError('DER element is longer than its container');
  return { tag, bytes: bytes.subarray(offset, end), content: bytes.subarray(start, end) };
}

// X.690 §8.1.3 and §10.1: definite, in as few bytes as possible; three length bytes are 16 MiB, beyond every cap.
function readLength(bytes: Buffer, offset: number): { start: number; length: number } {
  const first = bytes[offset];
  if (first === undefined) throw new DerError('DER ends inside an element');
  if (first < 0x80) return { start: offset + 1, length: first };
  const count = first & 0x7f;
  const start = offset + 1 + count;
  if (count === 0 || count > 3 || start > bytes.length)
    throw new DerError('DER length is indefinite, too long or cut off');
  const length = bytes.readUIntBE(offset + 1, count);
  if (length < 0x80 || length < 2 ** (8 * (count - 1))) throw new DerError('DER length is not minimal');
  return { start, length };
}

/** Reads exactly one element of the given tag. @throws DerError also for trailing bytes */
export function readDer(bytes: Buffer, tag: number): DerElement {
  const element = readElementAt(bytes, 0);
  if (element.bytes.length !== bytes.length) throw new DerError('DER has trailing bytes');
  return requireTag(element, tag);
}

/** The elements inside a constructed element's content. @throws DerError */
export function readDerChildren(content: Buffer): readonly DerElement[] {
  const children: DerElement[] = [];
  for (let offset = 0; offset < content.length;) {
    const child = readElementAt(content, offset);
    children.push(child);
    if (children.length > MAX_ELEMENTS) throw new DerError(`DER of more than ${MAX_ELEMENTS} elements`);
    offset += child.bytes.length;
  }
  return children;
}

/** The element itself when it is there and has the tag. @throws DerError */
export function requireTag(element: DerElement | undefined, tag: number): DerElement {
  if (element?.tag !== tag)
    throw new DerError(
      `DER tag 0x${tag.toString(16)} expected, found ${element === undefined ? 'nothing' : `0x${element.tag.toString(16)}`}`,
    );
  return element;
}

/** An object identifier in dotted form. @throws DerError */
export function toOid(element: DerElement | undefined): string {
  const { content } = requireTag(element, DER_TAG.oid);
  if (content.length === 0 || content.length > 64)
    throw new DerError('DER object identifier has no usable length');
  const arcs: number[] = [];
  let value = 0;
  let isStart = true;
  for (const byte of content) {
    if (isStart && byte === 0x80) throw new DerError('DER object identifier is not minimal');
    value = value * 128 + (byte & 0x7f);
    if (!Number.isSafeInteger(value)) throw new DerError('DER object identifier arc is too large');
    isStart = (byte & 0x80) === 0;
    if (isStart) {
      arcs.push(value);
      value = 0;
    }
  }
  if (!isStart) throw new DerError('DER object identifier is cut off');
  const first = arcs[0] ?? 0;
  const root = Math.min(2, Math.floor(first / 40));
  return [root, first - root * 40, ...arcs.slice(1)].join('.');
}

/** The children of a constructed element of the given tag. @throws DerError */
export function childrenOf(element: DerElement | undefined, tag: number): readonly DerElement[] {
  return readDerChildren(requireTag(element, tag).content);
}

/** The only child of a constructed element, such as an explicit tag. @throws DerError */
export function onlyChildOf(element: DerElement | undefined, tag: number): DerElement {
  const [child, ...others] = childrenOf(element, tag);
  if (child === undefined || others.length > 0) throw new DerError('DER element holds not exactly one other');
  return child;
}

/** The content of an INTEGER in its one encoding (X.690 §8.3.2). @throws DerError */
export function toInteger(element: DerElement | undefined): Buffer {
  const { content } = requireTag(element, DER_TAG.integer);
  const [first, second] = content;
  const isPadded = second !== undefined && (first === 0 ? second < 0x80 : first === 0xff && second >= 0x80);
  if (first === undefined || isPadded) throw new DerError('DER integer is empty or not minimal');
  return content;
}

/** An INTEGER from 0 to 2³¹ − 1. @throws DerError */
export function toSmallInteger(element: DerElement | undefined): number {
  const content = toInteger(element);
  if (content.length > 4 || (content[0] ?? 0) >= 0x80) throw new DerError('DER integer is out of range');
  return content.readUIntBE(0, content.length);
}

/** A BOOLEAN: 0xff or 0x00 and nothing else (X.690 §11.1). @throws DerError */
export function toBoolean(element: DerElement | undefined): boolean {
  const { content } = requireTag(element, DER_TAG.boolean);
  if (content.length !== 1 || (content[0] !== 0xff && content[0] !== 0))
    throw new DerError('DER boolean is neither true nor false');
  return content[0] === 0xff;
}

/** The bytes of a BIT STRING without unused bits. @throws DerError */
export function toBitStringBytes(element: DerElement | undefined): Buffer {
  const { content } = requireTag(element, DER_TAG.bitString);
  if (content[0] !== 0) throw new DerError('DER bit string is not made of whole bytes');
  return content.subarray(1);
}

/** Writes one element around content: used only to cut an extension out of a certificate's signed part. */
export function writeDer(tag: number, content: Buffer): Buffer {
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content]);
  const size = length < 0x100 ? 1 : length < 0x10000 ? 2 : 3;
  const header = Buffer.alloc(2 + size);
  header.writeUInt8(tag, 0);
  header.writeUInt8(0x80 | size, 1);
  header.writeUIntBE(length, 2, size);
  return Buffer.concat([header, content]);
}

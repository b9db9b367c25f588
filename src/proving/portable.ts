// How do values cross to another thread and back? Bytes are copied out of the pools they share with strangers' bytes,
// and become Buffers again on the other side; everything else is left to structured cloning.
import { KeyObject } from 'node:crypto';

/** A copy that owns its bytes: a pooled Buffer would take its whole pool along, and what its neighbours wrote there. */
export function toPortable(value: unknown): unknown {
  return map(value, (bytes) => new Uint8Array(bytes));
}

/** What the other side gets, with Buffers where there were some. */
export function revive(value: unknown): unknown {
  return map(value, ({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength));
}

// What crosses as it is; shared memory is not even copied.
function isWhole(value: object): boolean {
  return value instanceof Date || value instanceof KeyObject || value instanceof SharedArrayBuffer;
}

function map(value: unknown, mapBytes: (bytes: Uint8Array) => Uint8Array): unknown {
  if (typeof value !== 'object' || value === null || isWhole(value)) return value;
  if (value instanceof Uint8Array) return mapBytes(value);
  if (Array.isArray(value)) return value.map((entry) => map(entry, mapBytes));
  if (value instanceof Set) return new Set([...value].map((entry) => map(entry, mapBytes)));
  if (value instanceof Map)
    return new Map([...value].map(([key, entry]) => [map(key, mapBytes), map(entry, mapBytes)]));
  // Own members only, by definition: a member called __proto__ stays one.
  return Object.fromEntries(Object.entries(value).map(([member, entry]) => [member, map(entry, mapBytes)]));
}

const sharedTexts = new WeakMap<object, SharedArrayBuffer>();

/** A value as JSON text that threads share, made once: whoever sends large values often must not copy them as often. */
export function toSharedJson(value: object): SharedArrayBuffer {
  const known = sharedTexts.get(value);
  if (known !== undefined) return known;
  const bytes = Buffer.from(JSON.stringify(value));
  const shared = new SharedArrayBuffer(bytes.length);
  new Uint8Array(shared).set(bytes);
  sharedTexts.set(value, shared);
  return shared;
}

/** The value of {@link toSharedJson}. */
export function fromSharedJson(shared: SharedArrayBuffer): unknown {
  return JSON.parse(Buffer.from(shared).toString('utf8')) as unknown;
}

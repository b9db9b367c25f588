// How does JSON become a CEL value? Objects become maps, whole numbers int, and what is too deep unreadable.
// Maps also keep keys such as "constructor" and "__proto__" plain data.
import { MAX_VALUE_DEPTH } from './limits.ts';

/** A converted value; make it once per request with toCelValue and pass it to createCelBindings often. */
export type CelValue =
  | string
  | bigint
  | number
  | boolean
  | null
  | readonly CelValue[]
  | ReadonlyMap<string, CelValue>
  | Unreadable;

// Not registered with the engine, so reading a value of this class is an error there.
/** A value that is nested too deeply; reading it is an error. */
export class Unreadable {
  readonly reason = 'nested too deeply';
}

const UNREADABLE = new Unreadable();

/**
 * Converts JSON: objects to maps, safe integers to int, other numbers to double; undefined members are left out.
 * Converted values are returned as they are. Values nested deeper than 64 levels become unreadable.
 */
export function toCelValue(json: unknown): CelValue {
  return convert(json, MAX_VALUE_DEPTH);
}

function convert(json: unknown, depth: number): CelValue {
  if (typeof json === 'string' || typeof json === 'boolean' || typeof json === 'bigint') return json;
  // Beyond 2^53 the parser has already lost digits: such a number stays a double.
  if (typeof json === 'number') return Number.isSafeInteger(json) ? BigInt(json) : json;
  return typeof json === 'object' ? convertObject(json, depth) : UNREADABLE;
}

function convertObject(json: object | null, depth: number): CelValue {
  if (json === null || isConverted(json)) return json;
  if (json instanceof Date) return json.toISOString().replace('.000Z', 'Z');
  if (depth === 0) return UNREADABLE;
  if (Array.isArray(json)) return json.map((item) => convert(item, depth - 1));
  const map = new Map<string, CelValue>();
  for (const [key, value] of Object.entries(json)) {
    if (value !== undefined) map.set(key, convert(value, depth - 1));
  }
  return map;
}

// JSON has no maps: a map was made here before.
function isConverted(value: object): value is ReadonlyMap<string, CelValue> | Unreadable {
  return value instanceof Map || value instanceof Unreadable;
}

// How does a large JSON document become a CEL value without being converted as a whole? Objects become maps that convert
// one level when they are first looked into. What the values are is value.ts's to say.
import { toCelValue, type CelValue } from './value.ts';

/** As toCelValue for JSON of at most 64 levels, in time that grows with what is read. */
export function toLazyValue(json: unknown): CelValue {
  if (Array.isArray(json)) return json.map(toLazyValue);
  return typeof json === 'object' && json !== null ? new LazyMap(json) : toCelValue(json);
}

class LazyMap extends Map<string, CelValue> {
  #source: object | undefined;

  constructor(source: object) {
    super();
    this.#source = source;
  }

  #filled(): this {
    const source = this.#source;
    if (source === undefined) return this;
    this.#source = undefined;
    for (const [key, value] of Object.entries(source)) super.set(key, toLazyValue(value));
    return this;
  }

  override get size(): number {
    return this.#source === undefined ? super.size : Object.keys(this.#source).length;
  }

  override get(key: string): CelValue | undefined {
    this.#filled();
    return super.get(key);
  }

  override has(key: string): boolean {
    this.#filled();
    return super.has(key);
  }

  override keys(): MapIterator<string> {
    this.#filled();
    return super.keys();
  }

  override values(): MapIterator<CelValue> {
    this.#filled();
    return super.values();
  }

  override entries(): MapIterator<[string, CelValue]> {
    this.#filled();
    return super.entries();
  }

  override forEach(visit: (value: CelValue, key: string, map: Map<string, CelValue>) => void): void {
    this.#filled();
    super.forEach(visit);
  }

  override [Symbol.iterator](): MapIterator<[string, CelValue]> {
    return this.entries();
  }
}

// The engine tells values apart by their constructor, and knows maps only.
Object.defineProperty(LazyMap.prototype, 'constructor', { value: Map });

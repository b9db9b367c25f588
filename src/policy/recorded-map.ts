// What did a compilation look up? A view of a map that remembers every answer, so that what was made of them can be kept
// for as long as the answers are the same.

/** Answers by key; undefined where there was none. */
export type Answers<V> = ReadonlyMap<string, V | undefined>;

/** A map that only answers get(), and remembers what it said. */
export class RecordedMap<V> extends Map<string, V> {
  readonly answers = new Map<string, V | undefined>();
  readonly #source: ReadonlyMap<string, V>;

  constructor(source: ReadonlyMap<string, V>) {
    super();
    this.#source = source;
  }

  override get(key: string): V | undefined {
    const value = this.#source.get(key);
    this.answers.set(key, value);
    return value;
  }
}

/** True when a map would still give the same answers. */
export function matchAnswers<V>(
  answers: Answers<V>,
  source: ReadonlyMap<string, V>,
  isSame: (left: V | undefined, right: V | undefined) => boolean,
): boolean {
  return [...answers].every(([key, value]) => isSame(value, source.get(key)));
}

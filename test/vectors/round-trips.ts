// How often does a client wait for a registry before it can ask on? Holds answers back until nothing more is asked:
// what arrives meanwhile is one round, however many requests it has.

/** Counts the rounds of one client. */
export class RoundTrips {
  readonly #quietMs: number;
  #rounds = 0;
  #round: PromiseWithResolvers<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** @param quietMs a round is over when nothing arrived for so long */
  constructor(quietMs: number) {
    this.#quietMs = quietMs;
  }

  /** Rounds so far. */
  get count(): number {
    return this.#rounds;
  }

  /** Takes a request in; resolves when its round is over. */
  enter(): Promise<void> {
    if (this.#round === undefined) {
      this.#rounds += 1;
      this.#round = Promise.withResolvers();
    }
    const round = this.#round;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#round = undefined;
      round.resolve();
    }, this.#quietMs);
    return round.promise;
  }
}

// What is a function for the engine? The shape that functions-*.ts fill and environment.ts registers.

/** Signature in the library's notation, a synchronous implementation that throws evaluation errors, and its price. */
export interface CelFunction {
  readonly signature: string;
  readonly run: (...values: never[]) => unknown;
  /** Units for a call, beside those for the size of its operands and result; default 0. */
  readonly cost?: number;
  /** Further units for each character of the text operands; default 0. */
  readonly costPerCharacter?: number;
}

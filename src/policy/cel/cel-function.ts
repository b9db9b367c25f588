// What is a function for the engine? The shape that functions-*.ts fill and environment.ts registers.

/** Signature in the library's notation, and a synchronous implementation that throws evaluation errors. */
export interface CelFunction {
  readonly signature: string;
  readonly run: (...values: never[]) => unknown;
}

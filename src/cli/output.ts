// Where does text go? Answers to standard output, everything else to standard error.

/** The two streams of a command. */
export interface Output {
  /** A line of the answer. */
  answer(line: string): void;
  /** A line beside it. */
  note(line: string): void;
}

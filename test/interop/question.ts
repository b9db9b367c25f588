// What is a question of the comparison, and what an answer? One bundle under one trust, put to our command and to every
// tool that can be asked the same thing.

/** What a tool said. `absent`: the tool could not be installed; `notApplicable`: it has no words for the question. */
export interface Answer {
  readonly verdict: 'accept' | 'reject' | 'notApplicable' | 'absent';
  /** The tool's own words, one bounded line. */
  readonly why: string;
}

export const TOOLS = ['cosign', 'sigstore-go', 'model_signing'] as const;
export type Tool = (typeof TOOLS)[number];

/** One question with the ways to ask it; a tool without a way has no words for it. */
export interface Question {
  /** Which collection it comes from. */
  readonly set: string;
  readonly label: string;
  readonly ours: () => Promise<Answer>;
  readonly theirs: Readonly<Partial<Record<Tool, () => Promise<Answer>>>>;
}

/** A question with everybody's answer. */
export interface Answered {
  readonly set: string;
  readonly label: string;
  readonly ours: Answer;
  readonly theirs: ReadonlyMap<Tool, Answer>;
}

export const NOT_APPLICABLE: Answer = { verdict: 'notApplicable', why: '' };

/** Accepted when one of the ways accepts; ways are tried in turn. */
export async function anyAccepts(ways: readonly (() => Promise<Answer>)[]): Promise<Answer> {
  let last = NOT_APPLICABLE;
  for (const way of ways) {
    last = await way();
    if (last.verdict === 'accept') return last;
  }
  return last;
}

/** The same answer, asked for once. */
export function once(way: () => Promise<Answer>): () => Promise<Answer> {
  let answer: Promise<Answer> | undefined;
  return () => (answer ??= way());
}

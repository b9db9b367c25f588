// Who agrees with whom? Sorts every pair of answers into agreement, explained and unexplained difference, and writes the
// result as text and as a document.
import { EXPLANATIONS, findExplanation, type Explanation } from './explained.ts';
import { TOOLS, type Answered, type Tool } from './question.ts';
import { VERSIONS } from './tools.ts';

/** One pair of answers that differ. */
export interface Difference {
  readonly tool: Tool;
  readonly answered: Answered;
  readonly explanation: Explanation | undefined;
}

/** How often a tool was asked in a set, and how often it agreed. */
interface Count {
  readonly set: string;
  readonly tool: Tool;
  readonly asked: number;
  readonly agreed: number;
  readonly accepted: number;
}

/** Everything that the answers show. */
export interface Comparison {
  readonly answered: readonly Answered[];
  readonly counts: readonly Count[];
  readonly differences: readonly Difference[];
}

/** Compares every answer with ours. */
export function compare(answered: readonly Answered[]): Comparison {
  const differences = answered.flatMap((one) =>
    TOOLS.filter((tool) => isAsked(one, tool) && one.theirs.get(tool)?.verdict !== one.ours.verdict).map(
      (tool) => ({ tool, answered: one, explanation: findExplanation(one, tool) }),
    ),
  );
  const sets = [...new Set(answered.map(({ set }) => set))];
  const counts = sets.flatMap((set) => TOOLS.map((tool) => count(answered, set, tool)));
  return { answered, counts: counts.filter(({ asked }) => asked > 0), differences };
}

function isAsked({ theirs }: Answered, tool: Tool): boolean {
  const verdict = theirs.get(tool)?.verdict;
  return verdict === 'accept' || verdict === 'reject';
}

function count(answered: readonly Answered[], set: string, tool: Tool): Count {
  const asked = answered.filter((one) => one.set === set && isAsked(one, tool));
  const agreed = asked.filter(({ ours, theirs }) => ours.verdict === theirs.get(tool)?.verdict);
  return {
    set,
    tool,
    asked: asked.length,
    agreed: agreed.length,
    accepted: agreed.filter(({ ours }) => ours.verdict === 'accept').length,
  };
}

/** The explanations that nothing needs any more, of tools and sets that were asked. */
export function findStale({ counts, differences }: Comparison): readonly Explanation[] {
  return EXPLANATIONS.filter(
    (known) =>
      counts.some(({ set, tool }) => set === known.set && tool === known.tool) &&
      !differences.some(({ explanation }) => explanation === known),
  );
}

/** One line for each question: everybody's verdict. */
export function toTable({ answered }: Comparison): string {
  const width = Math.max(...answered.map(({ set, label }) => `${set}: ${label}`.length));
  const row = (cells: readonly string[]): string =>
    cells.map((cell, index) => cell.padEnd(index === 0 ? width : 15)).join(' ');
  const rows = answered.map(({ set, label, ours, theirs }) =>
    row([`${set}: ${label}`, ours.verdict, ...TOOLS.map((tool) => toShown(theirs.get(tool)?.verdict))]),
  );
  return [row(['question', 'ours', ...TOOLS]), ...rows].join('\n');
}

function toShown(verdict: string | undefined): string {
  return verdict === undefined || verdict === 'notApplicable' ? '-' : verdict;
}

/** Every rejection in the words of who rejected: an agreement for a reason that has nothing to do with it shows here. */
export function toReasons({ answered }: Comparison): string {
  return answered
    .flatMap(({ set, label, ours, theirs }) =>
      [['ours', ours] as const, ...theirs].map(([who, { verdict, why }]) => ({
        set,
        label,
        who,
        verdict,
        why,
      })),
    )
    .filter(({ verdict }) => verdict === 'reject')
    .map(({ set, label, who, why }) => `${set}: ${label}: ${who}: ${why}\n`)
    .join('');
}

/** The unexplained differences with both sides' words. */
export function toFailures({ differences }: Comparison): readonly string[] {
  return differences
    .filter(({ explanation }) => explanation === undefined)
    .map(({ tool, answered: { set, label, ours, theirs } }) => {
      const { verdict, why } = theirs.get(tool) ?? { verdict: 'absent', why: '' };
      return `UNEXPLAINED ${set}: ${label}: ours ${ours.verdict} (${ours.why}), ${tool} ${verdict} (${why})`;
    });
}

/** The result as a document. @param missing why a tool was not asked @param date of the run, YYYY-MM-DD */
export function toMarkdown(comparison: Comparison, missing: ReadonlyMap<Tool, string>, date: string): string {
  const { answered, counts, differences } = comparison;
  const pairs = counts.reduce((sum, { asked }) => sum + asked, 0);
  const explained = differences.filter(({ explanation }) => explanation !== undefined).length;
  return [
    '# The same bundles, other verifiers',
    '',
    `Written by \`npm run interop -- OMS_DIR OCI_DIR CONFORMANCE_DIR --work DIR --markdown docs/interop.md\` on ${date}.`,
    'Every question is one bundle or artifact under one trust, put to our commands and to every tool that has words for',
    'it, offline. Verdicts are compared, not reasons. A difference that is not listed here fails the run.',
    '',
    `${answered.length} questions, ${pairs} comparisons: ${pairs - differences.length} agree, ${explained} differ for a reason` +
      ` given below, ${differences.length - explained} differ without one.`,
    '',
    '## Tools',
    '',
    ...toToolRows(missing),
    '',
    '## Counts',
    '',
    '| questions | tool | asked | agree | of these both accept | differ |',
    '| --- | --- | --- | --- | --- | --- |',
    ...counts.map(
      ({ set, tool, asked, agreed, accepted }) =>
        `| ${set} | ${tool} | ${asked} | ${agreed} | ${accepted} | ${asked - agreed} |`,
    ),
    '',
    ...SETS,
    '',
    ...NOT_ASKED,
    '',
    '## Differences',
    '',
    ...toDifferenceRows(differences),
    '',
  ].join('\n');
}

const SETS = [
  '- **conformance**: the bundles of the Sigstore client conformance suite, each with the file and with its digest.',
  '- **layouts**: artifacts made by cosign, model_signing, rh_model_signing and packers, served as they were recorded;',
  '  cosign asks the same registry, sigstore-go gets the bundles, model_signing the files that the layers carry.',
  '- **layouts, as files**: the same files and bundles for `verify-files`.',
  '- **files**: recorded model_signing bundles with their files, changed files and other trust, and the vectors of its schema.',
];

const HOW: Readonly<Record<Tool, string>> = {
  cosign:
    'built by `go install`; `verify` at a registry on loopback, `verify-blob`, `verify-blob-attestation`',
  'sigstore-go': 'a program of `test/interop/sigstore-go`; 1.4.0 needs Go 1.27 and was not asked',
  model_signing:
    'from PyPI; `verify key`, `verify certificate`, `verify sigstore` with a trust configuration',
};

const NOT_ASKED = [
  'Not asked: attestations and log entries of key signatures, for which our policies have no words, and rh_model_signing.',
  'sigstore-go is asked about files only where they are the signed ones, since it judges the signer alone, and not about',
  'annotations; cosign is not asked about model signing.',
];

function toToolRows(missing: ReadonlyMap<Tool, string>): readonly string[] {
  return [
    '| tool | version | how |',
    '| --- | --- | --- |',
    ...TOOLS.map((tool) => {
      const problem = missing.get(tool);
      const how = problem === undefined ? HOW[tool] : `not installed: ${problem}`;
      return `| ${tool} | ${VERSIONS[tool]} | ${how} |`;
    }),
  ];
}

function toDifferenceRows(differences: readonly Difference[]): readonly string[] {
  const rows = EXPLANATIONS.flatMap((known) => {
    const meant = differences.filter(({ explanation }) => explanation === known);
    if (meant.length === 0) return [];
    const cases = [...new Set(meant.map(({ answered }) => answered.label.split(' ')[0] ?? ''))];
    const stricter = known.ours === 'reject' ? 'ours' : known.tool;
    return [
      `| ${known.tool} | ${known.set} | ${stricter} | ${meant.length} | ${cases.join(', ')} | ${known.reason} |`,
    ];
  });
  return [
    '| tool | questions | stricter | times | cases | why |',
    '| --- | --- | --- | --- | --- | --- |',
    ...rows,
  ];
}

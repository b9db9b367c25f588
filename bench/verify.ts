// How fast is a verification, and what does the second opinion cost? The core alone, the core with its witness, plain
// @sigstore/verify as its README uses it, and sigstore-go where there is a Go toolchain, on the same bundles in
// alternating rounds. Prints ratios; asserts nothing about time.
// Run: npm run bench -- [milliseconds of processor time per measurement] [directory of conformance bundles, instead of the kit's]
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import path from 'node:path';
import { readScenarios } from './recorded.ts';
import { createScenarios, WAYS, type Scenario } from './scenario.ts';
import { startSigstoreGo, type SigstoreGo } from './sigstore-go.ts';

const ROUNDS = 5;
const WARM_UP_ROUNDS = 1;
const milliseconds = Number(process.argv[2] ?? 300);

/** Rates of every round by way, in verifications per second of processor time. */
type Rates = ReadonlyMap<string, readonly number[]>;

/** Verifications per second of processor time, collector and compiler included. */
function measure(run: () => void): number {
  const before = process.cpuUsage();
  let count = 0;
  let usedMicroseconds = 0;
  // Of processor time, so that a busy machine makes it longer and not worse.
  while (usedMicroseconds < milliseconds * 1000) {
    run();
    count += 1;
    const { user, system } = process.cpuUsage(before);
    usedMicroseconds = user + system;
  }
  return (count * 1_000_000) / usedMicroseconds;
}

async function measureRounds(
  scenario: Scenario,
  foreign: ((milliseconds: number) => Promise<number>) | undefined,
): Promise<Rates> {
  const rates = new Map<string, number[]>();
  for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round += 1) {
    const taken: (readonly [string, number])[] = [];
    if (foreign !== undefined) taken.push(['sigstore-go', await foreign(milliseconds)]);
    for (const way of WAYS) taken.push([way, measure(scenario.runs[way])]);
    if (round < 0) continue;
    for (const [way, rate] of taken) rates.set(way, [...(rates.get(way) ?? []), rate]);
  }
  return rates;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** Median of the ratios, each within one round, and how far they spread. */
function toRatio(rates: Rates, way: string, base: string): string {
  const of = (name: string): readonly number[] => rates.get(name) ?? [];
  const ratios = of(way).map((rate, round) => rate / (of(base)[round] ?? Number.NaN));
  const [least, most] = [Math.min(...ratios), Math.max(...ratios)];
  return `${median(ratios).toFixed(2)} (${least.toFixed(2)}–${most.toFixed(2)})`;
}

function toRow(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

const [, , , recorded] = process.argv;
const scenarios = recorded === undefined ? await createScenarios() : readScenarios(recorded);
const scratch = mkdtempSync(path.join(tmpdir(), 'bench-'));
let go: SigstoreGo | string | undefined;
try {
  go = startSigstoreGo(scenarios, scratch);
  const foreign = typeof go === 'string' ? undefined : go;
  if (typeof go === 'string') console.log(`sigstore-go is left out: ${go}\n`);
  const base = foreign === undefined ? '@sigstore/verify' : 'sigstore-go';
  const others = WAYS.filter((way) => way !== base);
  console.log(
    `${cpus()[0]?.model ?? 'unknown processor'}, Node ${process.versions.node}; ratios to ${base},`,
  );
  console.log(`median (least–most) of ${ROUNDS} rounds of ${milliseconds} ms of processor time\n`);
  console.log(toRow(['bundle', `${base}, per CPU second`, ...others]));
  console.log(toRow(['bundle', base, ...others].map(() => '---')));
  for (const [index, scenario] of scenarios.entries()) {
    const rates = await measureRounds(scenario, foreign && ((ms) => foreign.measure(index, ms)));
    const perSecond = median(rates.get(base) ?? []).toFixed(0);
    console.log(toRow([scenario.name, perSecond, ...others.map((way) => toRatio(rates, way, base))]));
  }
} finally {
  if (typeof go === 'object') go.close();
  rmSync(scratch, { recursive: true });
}

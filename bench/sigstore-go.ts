// How fast is sigstore-go on the same bundles? Builds its program where a Go toolchain is found, hands it the bundles in a
// directory, and asks it for one measurement at a time, so that rounds alternate with those of this process.
import { execFileSync, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Scenario } from './scenario.ts';

const PROGRAM = path.resolve(import.meta.dirname, 'sigstore-go');

/** A running program. */
export interface SigstoreGo {
  /** Verifications per second of processor time. @throws when a bundle is rejected */
  readonly measure: (scenario: number, milliseconds: number) => Promise<number>;
  readonly close: () => void;
}

/** Builds and starts the program. @param scratch an existing directory @returns why not, where it cannot be had */
export function startSigstoreGo(scenarios: readonly Scenario[], scratch: string): SigstoreGo | string {
  const program = path.join(scratch, 'sigstore-go');
  try {
    execFileSync('go', ['build', '-o', program, '.'], { cwd: PROGRAM, stdio: ['ignore', 'ignore', 'pipe'] });
  } catch (error) {
    return error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
  }
  for (const [index, { bundle, foreign }] of scenarios.entries()) {
    writeFileSync(path.join(scratch, `${index}.json`), bundle);
    writeFileSync(path.join(scratch, `${index}.scenario.json`), JSON.stringify(foreign));
  }
  const child = spawn(program, [scratch], {
    env: { ...process.env, GOMAXPROCS: '1' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    measure: async (scenario, milliseconds) => {
      child.stdin.write(`${scenario} ${milliseconds}\n`);
      const { value, done } = await lines.next();
      if (done === true) throw new Error('sigstore-go ended');
      return Number(value);
    },
    close: () => child.stdin.end(),
  };
}

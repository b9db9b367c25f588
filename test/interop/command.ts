// How does a verifier answer that is a command? Exit 0 accepts, an exit that the caller expects rejects; everything that
// blames the set-up is an error, never a rejection.
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import type { Answer } from './question.ts';

/** Far more than any verdict takes. */
const TIMEOUT_MS = 120_000;
const SHOWN_CHARS = 300;
/** Words of a tool that was called wrongly or looked for something that is not there. */
const SET_UP = /unknown (?:flag|command)|connection refused|no such (?:host|file)|dial tcp|Usage:/iu;

/** What a command printed. */
export interface Ran {
  readonly code: number | string;
  readonly output: string;
  readonly errors: string;
}

interface RunOptions {
  /** Beside PATH, and nothing else. */
  readonly environment?: Record<string, string>;
  readonly directory?: string | undefined;
  readonly timeoutMs?: number;
}

/** Runs a program to its end. */
export async function run(
  program: string,
  parameters: readonly string[],
  { environment = {}, directory, timeoutMs = TIMEOUT_MS }: RunOptions = {},
): Promise<Ran> {
  const child = spawn(program, parameters, {
    stdio: ['ignore', 'pipe', 'pipe'],
    // Not `timeout`: its timer outlives a program that could not be started.
    signal: AbortSignal.timeout(timeoutMs),
    env: { PATH: process.env['PATH'] ?? '', ...environment },
    cwd: directory,
  });
  const exited = new Promise<number | string>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code ?? signal ?? 'unknown'));
  });
  const [code, output, errors] = await Promise.all([exited, text(child.stdout), text(child.stderr)]);
  return { code, output, errors };
}

/** The verdict of a command. @throws when it was called wrongly, was killed, or blames the set-up */
export async function ask(
  program: string,
  parameters: readonly string[],
  options: { environment?: Record<string, string>; isAnswer?: (ran: Ran) => boolean } = {},
): Promise<Answer> {
  const { environment = {}, isAnswer = ({ code }) => typeof code === 'number' && code !== 2 } = options;
  const ran = await run(program, parameters, { environment });
  if (ran.code === 0) return { verdict: 'accept', why: '' };
  const said = lastLine(ran.errors) || lastLine(ran.output);
  if (!isAnswer(ran) || SET_UP.test(ran.errors))
    throw new Error(`${program} ${parameters.join(' ')}: exit ${ran.code}: ${said}`);
  return { verdict: 'reject', why: said };
}

/** The last line that says something, bounded. */
export function lastLine(output: string): string {
  return (output.trim().split('\n').at(-1) ?? '').trim().slice(0, SHOWN_CHARS);
}

// What does our own command line say? The real program as a child process, its exit code as the verdict and its finding
// as the reason.
import path from 'node:path';
import { run, lastLine } from './command.ts';
import type { Answer } from './question.ts';

const PROGRAM = path.resolve(import.meta.dirname, '../../bin/model-policy');

interface JsonAnswer {
  readonly findings?: readonly { readonly reason: string; readonly message: string }[];
  readonly code?: string;
  readonly reason?: string;
}

/** Runs a command that answers with one line of JSON. @throws when it gives no verdict */
export async function askOurs(parameters: readonly string[]): Promise<Answer> {
  const { code, output, errors } = await run(PROGRAM, parameters);
  if (code === 0) return { verdict: 'accept', why: '' };
  if (code !== 1) throw new Error(`model-policy ${parameters.join(' ')}: exit ${code}: ${lastLine(errors)}`);
  const { findings, code: reason, reason: message } = JSON.parse(output) as JsonAnswer;
  const [first] = findings ?? [];
  // The message of a finding opens with its reason.
  const why = first === undefined ? `${reason ?? ''}: ${message ?? ''}` : first.message;
  return { verdict: 'reject', why: lastLine(why.split('\n')[0] ?? '') };
}

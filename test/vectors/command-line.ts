// What does the real command line answer? Runs `bin/model-policy verify` as a child process, the way a person does,
// and reads its one line of JSON. Leaves judging the answer to check.ts.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { text } from 'node:stream/consumers';

const PROGRAM = path.resolve(import.meta.dirname, '../../bin/model-policy');
/** Far more than any verdict takes, in milliseconds. */
const TIMEOUT_MS = 60_000;
/** Of a failing command's standard error, as much as a line of output bears. */
const SHOWN_CHARS = 400;

/** One signature that the answer reports as verified. */
export interface AnsweredSignature {
  readonly format: string;
  readonly issuer: string;
  readonly subject: string;
}

/** The answer of `verify --json`. */
export interface Answer {
  readonly allowed: boolean;
  readonly findings: readonly { readonly reason: string; readonly message: string }[];
  readonly references: readonly {
    readonly digest: string;
    readonly signatures: readonly AnsweredSignature[];
    readonly attestations?: readonly (AnsweredSignature & { readonly predicateType: string })[];
  }[];
}

/** What is to be verified: `reference` at the plain-HTTP registry `address`. */
export interface Question {
  readonly address: string;
  readonly reference: string;
  readonly policyFile: string;
}

/** Asks for a verdict. @throws when the command answers with anything but one */
export async function askVerify({ address, reference, policyFile }: Question): Promise<Answer> {
  const parameters = ['verify', reference, '--policy', policyFile, '--plain-http', address, '--json'];
  const child = spawn(PROGRAM, parameters, { stdio: ['ignore', 'pipe', 'pipe'], timeout: TIMEOUT_MS });
  const exited = new Promise<number | string>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code ?? signal ?? 'unknown'));
  });
  const [code, output, errors] = await Promise.all([exited, text(child.stdout), text(child.stderr)]);
  if (code !== 0 && code !== 1) throw new Error(`exit ${code}: ${toShown(errors)}`);
  const answer = parseAnswer(output);
  if (answer === undefined) throw new Error(`exit ${code} with no verdict: ${toShown(output || errors)}`);
  if (answer.allowed !== (code === 0)) throw new Error(`exit ${code}, and yet allowed is ${answer.allowed}`);
  return answer;
}

function parseAnswer(output: string): Answer | undefined {
  if (!/^\{.*\}\n$/u.test(output)) return undefined;
  try {
    const answer = JSON.parse(output) as Partial<Answer>;
    const isWhole =
      typeof answer.allowed === 'boolean' &&
      Array.isArray(answer.findings) &&
      Array.isArray(answer.references);
    return isWhole ? (answer as Answer) : undefined;
  } catch {
    return undefined;
  }
}

function toShown(output: string): string {
  return JSON.stringify(output.trim().slice(-SHOWN_CHARS));
}

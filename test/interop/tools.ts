// Where do the other verifiers come from? Installs cosign, sigstore-go and model_signing, each in one pinned version, into
// a work directory, and says with the installer's own words what could not be had.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { ask, lastLine, run } from './command.ts';
import type { Answer, Tool } from './question.ts';

export const VERSIONS: Readonly<Record<Tool, string>> = {
  cosign: '3.1.3',
  // 1.4.0 needs Go 1.27.
  'sigstore-go': '1.3.0',
  model_signing: '1.1.1',
};
/** model_signing 1.1.1 imports it without naming it. */
const PYOPENSSL = 'pyOpenSSL==26.4.0';
/** Building cosign from source takes minutes. */
const INSTALL_TIMEOUT_MS = 1_800_000;
const GO_PROGRAM = path.resolve(import.meta.dirname, 'sigstore-go');

/** One question for sigstore-go; files by absolute path, absent members are zero. */
export interface SigstoreGoQuestion {
  readonly bundle: string;
  readonly key?: string;
  readonly ed25519ph?: boolean;
  readonly trustedRoot?: string | undefined;
  readonly subject?: string;
  readonly issuer?: string;
  readonly anyIssuer?: boolean;
  readonly artifact?: string;
  /** Hex SHA-256. */
  readonly digest?: string;
  readonly logEntries?: number;
  readonly timestamps?: number;
  readonly certificateTimestamps?: number;
  readonly predicateType?: string;
  readonly allowChain?: boolean;
}

/** The installed verifiers; each answers `absent` when it could not be installed. */
export interface Tools {
  readonly cosign: (parameters: readonly string[]) => Promise<Answer>;
  readonly sigstoreGo: (question: SigstoreGoQuestion) => Promise<Answer>;
  readonly modelSigning: (parameters: readonly string[]) => Promise<Answer>;
  /** Why a tool is missing, by tool. */
  readonly missing: ReadonlyMap<Tool, string>;
  readonly close: () => void;
}

/** Installs what is not there yet. @param work directory that keeps the tools between runs */
export async function installTools(work: string): Promise<Tools> {
  mkdirSync(work, { recursive: true });
  const missing = new Map<Tool, string>();
  const note = (tool: Tool, problem: string | undefined): boolean => {
    if (problem !== undefined) missing.set(tool, problem);
    return problem === undefined;
  };
  const cosign = path.join(work, `cosign-${VERSIONS.cosign}`, 'cosign');
  const program = path.join(work, 'sigstore-go');
  const python = path.join(work, `model_signing-${VERSIONS.model_signing}`);
  const hasCosign = note('cosign', await installCosign(cosign, work));
  const hasGo = note('sigstore-go', await build(program, work));
  const hasPython = note('model_signing', await installModelSigning(python));
  const conversation = hasGo ? startSigstoreGo(program) : undefined;
  // A home of its own: no TUF cache, no keyring, no configuration of whoever runs this.
  const environment = { HOME: path.join(work, 'home'), NO_COLOR: '1' };
  mkdirSync(environment.HOME, { recursive: true });
  const absent = (tool: Tool): Promise<Answer> =>
    Promise.resolve({ verdict: 'absent', why: missing.get(tool) ?? '' });
  return {
    missing,
    cosign: (parameters) => (hasCosign ? ask(cosign, parameters, { environment }) : absent('cosign')),
    sigstoreGo: (question) => conversation?.ask(question) ?? absent('sigstore-go'),
    modelSigning: (parameters) =>
      hasPython
        ? ask(path.join(python, 'bin', 'model_signing'), parameters, {
            environment,
            isAnswer: ({ code, output, errors }) =>
              code === 1 && /Verification failed with error|Traceback/u.test(output + errors),
          })
        : absent('model_signing'),
    close: () => conversation?.close(),
  };
}

async function installCosign(binary: string, work: string): Promise<string | undefined> {
  if (existsSync(binary)) return undefined;
  const module = `github.com/sigstore/cosign/v3/cmd/cosign@v${VERSIONS.cosign}`;
  return attempt('go', ['install', '-ldflags', '-s -w', module], {
    environment: toGoEnvironment(work, path.dirname(binary)),
  });
}

async function build(binary: string, work: string): Promise<string | undefined> {
  return attempt('go', ['build', '-o', binary, '.'], {
    environment: toGoEnvironment(work),
    directory: GO_PROGRAM,
  });
}

// The caller's module cache is used when there is one; installing says nothing else about the machine.
function toGoEnvironment(work: string, bin?: string): Record<string, string> {
  const home = process.env['HOME'] ?? work;
  return { HOME: home, GOFLAGS: '-mod=readonly', ...(bin === undefined ? {} : { GOBIN: bin }) };
}

async function installModelSigning(environment: string): Promise<string | undefined> {
  if (existsSync(path.join(environment, 'bin', 'model_signing'))) return undefined;
  const made = await attempt('python3', ['-m', 'venv', environment], {});
  if (made !== undefined) return made;
  const packages = [`model-signing==${VERSIONS.model_signing}`, PYOPENSSL];
  return attempt(path.join(environment, 'bin', 'pip'), ['install', '--quiet', ...packages], {});
}

async function attempt(
  program: string,
  parameters: readonly string[],
  options: { environment?: Record<string, string>; directory?: string },
): Promise<string | undefined> {
  const shown = `${program} ${parameters.join(' ')}`;
  const inherited = Object.entries(process.env).filter(([name]) => /^(?:GO|PIP_|HOME$)/u.test(name));
  const environment = {
    ...Object.fromEntries(inherited.map(([name, value]) => [name, value ?? ''])),
    ...options.environment,
  };
  try {
    const ran = await run(program, parameters, { ...options, environment, timeoutMs: INSTALL_TIMEOUT_MS });
    return ran.code === 0 ? undefined : `${shown}: exit ${ran.code}: ${lastLine(ran.errors)}`;
  } catch (error) {
    return `${shown}: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** A process that answers questions one after the other. */
function startSigstoreGo(program: string): {
  readonly ask: (question: SigstoreGoQuestion) => Promise<Answer>;
  readonly close: () => void;
} {
  const child = spawn(program, { stdio: ['pipe', 'pipe', 'inherit'] });
  const waiting: { resolve: (answer: Answer) => void; reject: (error: Error) => void }[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    const { accepted, reason = '' } = JSON.parse(line) as { accepted: boolean; reason?: string };
    waiting.shift()?.resolve({ verdict: accepted ? 'accept' : 'reject', why: lastLine(reason) });
  });
  child.once('close', (code) => {
    for (const { reject } of waiting) reject(new Error(`sigstore-go ended with ${code}`));
  });
  return {
    ask: (question) =>
      new Promise((resolve, reject) => {
        waiting.push({ resolve, reject });
        child.stdin.write(`${JSON.stringify(question)}\n`);
      }),
    close: () => child.stdin.end(),
  };
}

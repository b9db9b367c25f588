// How is the command line called? As a user does: bin/model-policy from another directory, by whatever Node is first
// in the PATH of the machine.
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const BIN = fileURLToPath(new URL('../../bin/model-policy', import.meta.url));
/** Every command compiles the same sources: shared, they start in half the time. */
const COMPILE_CACHE = join(tmpdir(), 'model-policy-test-cache');
/** Longest that any command here may take, in milliseconds. */
const HANG_MS = 45_000;

/** What a command said. */
export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** How a command is called. */
export interface RunOptions {
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** A directory of its own for one suite's files. */
export interface Workspace {
  readonly path: string;
  /** Writes a file and returns its name, which commands read relative to the directory. */
  write(name: string, text: string): string;
  run(args: readonly string[], options?: RunOptions): Promise<Outcome>;
  start(args: readonly string[], options?: RunOptions): Running;
  remove(): void;
}

/** A command that runs until it is told to stop. */
export interface Running {
  readonly process: ChildProcessWithoutNullStreams;
  readonly output: { stdout: string; stderr: string };
  /** Resolves with the text on standard error from the first match on. */
  waitFor(pattern: RegExp): Promise<string>;
  /** Signals and waits for the end. */
  stop(signal?: NodeJS.Signals): Promise<Outcome>;
}

/** Makes a directory under the system's temporary one. */
export function createWorkspace(): Workspace {
  const path = mkdtempSync(join(tmpdir(), 'model-policy-'));
  const start = (args: readonly string[], options: RunOptions = {}): Running =>
    startCommand(path, args, options);
  return {
    path,
    write(name, text) {
      writeFileSync(join(path, name), text);
      return name;
    },
    start,
    async run(args, options = {}) {
      const running = start(args, options);
      const timer = setTimeout(() => running.process.kill('SIGKILL'), HANG_MS);
      running.process.stdin.on('error', () => undefined);
      running.process.stdin.end(options.stdin ?? '');
      const [code] = (await once(running.process, 'close')) as [number | null];
      clearTimeout(timer);
      return { code, ...running.output };
    },
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}

function startCommand(cwd: string, args: readonly string[], options: RunOptions): Running {
  const path = (process.env['PATH'] ?? '').split(':').filter((folder) => !folder.includes('node_modules'));
  const child = spawn(BIN, args, {
    cwd: options.cwd ?? cwd,
    env: { PATH: path.join(':'), HOME: cwd, NODE_COMPILE_CACHE: COMPILE_CACHE, ...options.env },
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (output.stdout += chunk.toString('utf8')));
  child.stderr.on('data', (chunk: Buffer) => (output.stderr += chunk.toString('utf8')));
  const ended = once(child, 'close') as Promise<[number | null]>;
  return {
    process: child,
    output,
    async waitFor(pattern) {
      const end = Date.now() + HANG_MS;
      while (Date.now() < end && child.exitCode === null) {
        if (pattern.test(output.stderr)) return output.stderr.slice(output.stderr.search(pattern));
        await sleep(20);
      }
      throw new Error(`${String(pattern)} did not come; standard error: ${output.stderr.slice(-2000)}`);
    },
    async stop(signal = 'SIGTERM') {
      child.kill(signal);
      const timer = setTimeout(() => child.kill('SIGKILL'), HANG_MS);
      const [code] = await ended;
      clearTimeout(timer);
      return { code, ...output };
    },
  };
}

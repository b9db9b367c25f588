// How do programs run beside the tests? Children with their output in a file and an end that is certain: asked,
// waited for with a bound, then killed, and killed too when the test process itself ends.
// What a program needs, and when it is ready, is left to control-plane.ts and service.ts.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const LOG_TAIL_LINES = 25;
const POLL_MS = 100;

const running = new Set<ChildProcess>();

/** `directory` takes the log, `NAME.log`. */
export interface ProcessOptions {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly directory: string;
}

export interface RunningProcess {
  readonly name: string;
  /** True once it has ended, however. */
  readonly hasExited: () => boolean;
  /** Everything it wrote so far. */
  readonly log: () => string;
  /** SIGTERM, and SIGKILL for all of its process group after `boundMs`; returns when it is gone. */
  readonly stop: (boundMs: number) => Promise<void>;
  /** SIGKILL at once: it has no time for anything. */
  readonly kill: () => void;
}

/** Starts a program in a process group of its own: a launcher takes what it started along. */
export function startProcess({ name, command, args, directory }: ProcessOptions): RunningProcess {
  const logFile = join(directory, `${name}.log`);
  const descriptor = openSync(logFile, 'a');
  const child = spawn(command, args, { stdio: ['ignore', descriptor, descriptor], detached: true });
  closeSync(descriptor);
  const ended = Promise.withResolvers<void>();
  const state = { hasExited: false, failure: '' };
  const end = (failure = ''): void => {
    Object.assign(state, { hasExited: true, failure });
    ended.resolve();
  };
  child.once('exit', () => end());
  child.once('error', (error) => end(`${error.message}\n`));
  running.add(child);
  killWithTests();
  return {
    name,
    hasExited: () => state.hasExited,
    log: () => state.failure + readFileSync(logFile, 'utf8'),
    kill: () => killGroup(child),
    stop: async (boundMs) => {
      const bound = new AbortController();
      child.kill('SIGTERM');
      await Promise.race([
        ended.promise,
        sleep(boundMs, undefined, { signal: bound.signal }).catch(() => undefined),
      ]);
      bound.abort();
      killGroup(child);
      running.delete(child);
      await ended.promise;
    },
  };
}

// In groups of their own the children hear nothing of Ctrl-C, nor of the end of the tests.
function killWithTests(): void {
  if (process.listeners('exit').includes(killAll)) return;
  process.on('exit', killAll);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      killAll();
      process.exit(1);
    });
  }
}

function killAll(): void {
  for (const child of running) killGroup(child);
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // ESRCH: nobody of the group is left.
  }
}

/** The last lines of what a program wrote, for a message. */
export function logTail({ name, log }: RunningProcess): string {
  return `${name}:\n${log().split('\n').slice(-LOG_TAIL_LINES).join('\n')}`;
}

/**
 * Waits until `condition` holds, asking every 100 ms; a throw counts as false.
 * @throws Error with `what`, the last throw, and the log of `program`, after `boundMs` or when `program` ended.
 */
export async function waitFor(
  what: string,
  condition: () => Promise<boolean>,
  { boundMs, program }: { boundMs: number; program?: RunningProcess },
): Promise<void> {
  const untilMs = performance.now() + boundMs;
  let last = '';
  while (performance.now() < untilMs && !program?.hasExited()) {
    try {
      if (await condition()) return;
    } catch (error) {
      last = `: ${error instanceof Error ? error.message : String(error)}`;
    }
    await sleep(POLL_MS);
  }
  const why = program?.hasExited() ? 'the program ended' : `not within ${boundMs} ms`;
  throw new Error(`${what}: ${why}${last}${program ? `\n${logTail(program)}` : ''}`);
}

/** Ports of 127.0.0.1 that were free just now, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = servers.map((server) => {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address ? address.port : 0);
    });
    return promise;
  });
  const found = await Promise.all(ports);
  for (const server of servers) server.close();
  return found;
}

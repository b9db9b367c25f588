// Which registries that others wrote are at hand, and how is one run? Starts a program on loopback with its contents in a
// directory of its own, and takes it down again.
import { spawn, type ChildProcess } from 'node:child_process';
import { accessSync, constants, mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Names of the distribution registry, which are looked for; any program that is started the same way will do. */
const PROGRAMS = ['docker-registry', 'registry'] as const;
const START_ATTEMPTS = 100;
const ATTEMPT_PAUSE_MS = 100;

/** A running registry. */
export interface RealRegistry {
  readonly name: string;
  /** `host:port`. */
  readonly address: string;
  readonly url: string;
  stop(): Promise<void>;
}

/** Registry programs in the directories of PATH. */
export function findRegistryPrograms(searchPath: string): readonly string[] {
  return PROGRAMS.flatMap((name) => {
    const found = searchPath
      .split(path.delimiter)
      .map((directory) => path.join(directory, name))
      .find(isExecutable);
    return found === undefined ? [] : [found];
  });
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Starts a registry program. @param scratch directory for its files @throws when it does not answer */
export async function startRealRegistry(program: string, scratch: string): Promise<RealRegistry> {
  const name = path.basename(program);
  const directory = path.join(scratch, `registry-${name}`);
  mkdirSync(directory, { recursive: true });
  const port = await findPort();
  const file = path.join(directory, 'config.json');
  // JSON is YAML, which the distribution registry reads.
  writeFileSync(file, JSON.stringify(toConfig(directory, port)));
  const child = spawn(program, ['serve', file], { stdio: 'ignore', cwd: directory });
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  const address = `127.0.0.1:${port}`;
  const stop = async (): Promise<void> => {
    child.kill();
    await exited;
  };
  if (!(await answers(`http://${address}/v2/`, child))) {
    await stop();
    throw new Error(`${program} did not answer as a registry`);
  }
  return { name, address, url: `http://${address}`, stop };
}

function toConfig(directory: string, port: number): object {
  return {
    version: '0.1',
    log: { accesslog: { disabled: true }, level: 'error' },
    storage: { filesystem: { rootdirectory: path.join(directory, 'data') } },
    http: { addr: `127.0.0.1:${port}` },
  };
}

async function answers(url: string, child: ChildProcess): Promise<boolean> {
  for (let attempt = 0; attempt < START_ATTEMPTS && child.exitCode === null; attempt += 1) {
    const status = await fetch(url).then(
      (response) => response.status,
      () => 0,
    );
    if (status === 200) return true;
    await sleep(ATTEMPT_PAUSE_MS);
  }
  return false;
}

function findPort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}

// What does this credential helper say? Runs a program that the operator's docker config names, by the docker-credential
// protocol: no shell, the exact host on standard input, little of our environment, bounded output and time.
// Specification: docker/docker-credential-helpers, "Development".
import { spawn } from 'node:child_process';
import { createCache } from '../lib/cache.ts';
import { waitWithin } from '../lib/deadline.ts';
import { parseStrictJson } from '../lib/strict-json.ts';
import { quote, toRecord, toText } from '../lib/text.ts';
import { parseRegistry } from '../model/reference.ts';
import type { DockerConfig } from './docker-config.ts';
import { NOTHING_FOUND, type CredentialSource, type FoundCredentials } from './keychain.ts';

/** Time for one run of a helper, in milliseconds (docs: limits). */
export const HELPER_TIMEOUT_MS = 5000;
/** Largest output of a helper, in bytes (docs: limits). */
export const MAX_HELPER_OUTPUT_BYTES = 64 * 1024;
/** How long an answer is believed, in milliseconds (docs: limits). */
export const HELPER_TTL_MS = 60_000;
/** Helpers that run at once (docs: limits). */
export const MAX_HELPERS_AT_ONCE = 4;
const MAX_ANSWERS = 256;
const PROGRAM = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
/** Docker Hub's name in helpers, from before there were others. */
const DOCKER_HUB_KEY = 'https://index.docker.io/v1/';
/** The text by which helpers say that they have nothing. */
const NOT_FOUND = /credentials not found/i;
/** What a helper said: `status` is null when it had to be ended. */
export interface HelperOutput {
  readonly status: number | null;
  readonly stdout: string;
}

/** Runs a program with text on standard input. */
export type RunHelper = (program: string, input: string) => Promise<HelperOutput>;

/** The source that the helpers of a docker config are: `credHelpers` for their hosts, `credsStore` for all others. */
export function createHelperSource(
  { helpers, store }: Pick<DockerConfig, 'helpers' | 'store'>,
  run: RunHelper,
): CredentialSource {
  const answers = createCache<FoundCredentials>({ maxWeight: MAX_ANSWERS, ttlMs: HELPER_TTL_MS });
  let running = 0;
  async function ask(helper: string, registry: string): Promise<FoundCredentials> {
    if (!PROGRAM.test(helper)) throw new HelperError('its name is no program');
    if (running >= MAX_HELPERS_AT_ONCE) throw new HelperError('too many helpers are running');
    running += 1;
    try {
      const server = registry === 'docker.io' ? DOCKER_HUB_KEY : registry;
      return readAnswer(await run(`docker-credential-${helper}`, server), registry);
    } finally {
      running -= 1;
    }
  }
  return {
    isShared: true,
    async find({ registry }, signal) {
      const helper = helpers.get(registry) ?? store;
      if (helper === undefined) return NOTHING_FOUND;
      // A failure is not kept: the cache knows only answers.
      const answer = answers
        .fetch(registry, () => ask(helper, registry))
        .catch((error: unknown) => {
          if (!(error instanceof HelperError)) throw error;
          const failure = `credential helper ${quote(helper, 64)} failed for ${quote(registry)}: ${error.message}`;
          return { ...NOTHING_FOUND, failures: [failure] };
        });
      return waitWithin(answer, signal);
    },
  };
}

/** A helper that gave no answer; the message never holds its output. */
class HelperError extends Error {
  override readonly name = 'HelperError';
}

function readAnswer({ status, stdout }: HelperOutput, registry: string): FoundCredentials {
  if (status === null) throw new HelperError('it did not end in time, or said too much');
  if (status !== 0) {
    if (NOT_FOUND.test(stdout)) return NOTHING_FOUND;
    throw new HelperError(`exit code ${status}`);
  }
  let answer: Record<string, unknown>;
  try {
    answer = toRecord(parseStrictJson(Buffer.from(stdout), MAX_HELPER_OUTPUT_BYTES));
  } catch {
    throw new HelperError('its answer is no JSON');
  }
  const username = toText(answer['Username']) ?? '';
  // Identity tokens come with the user name that they have everywhere here.
  const secret = toText(answer['Secret']) ?? '';
  if (secret === '') return NOTHING_FOUND;
  if (!isAbout(toText(answer['ServerURL']) ?? '', registry))
    throw new HelperError('its answer is about another server');
  return { ...NOTHING_FOUND, credentials: [{ username, password: secret }] };
}

// Some helpers leave the server out, none may name another one.
function isAbout(server: string, registry: string): boolean {
  if (server === '') return true;
  const [host = ''] = server.replace(/^https?:\/\//, '').split('/');
  return parseRegistry(host) === registry;
}

/**
 * Creates the runner of real programs.
 * @param environment all that they see of ours; `PATH` is where they are found
 * @param timeoutMs time for one run, default {@link HELPER_TIMEOUT_MS}
 */
export function createHelperRunner(
  environment: Readonly<Record<string, string>>,
  timeoutMs: number = HELPER_TIMEOUT_MS,
): RunHelper {
  return (program, input) =>
    new Promise((resolve) => {
      const child = spawn(program, ['get'], {
        env: environment,
        shell: false,
        stdio: ['pipe', 'pipe', 'ignore'],
        timeout: timeoutMs,
        killSignal: 'SIGKILL',
      });
      const chunks: Buffer[] = [];
      let size = 0;
      const end = (status: number | null): void => {
        // A process that the helper left behind may hold its output open: nobody waits for that.
        child.stdout.destroy();
        resolve({ status, stdout: Buffer.concat(chunks).toString('utf8') });
      };
      child.stdout.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size <= MAX_HELPER_OUTPUT_BYTES) chunks.push(chunk);
        else child.kill('SIGKILL');
      });
      child.on('error', () => end(127));
      child.on('exit', (status) => {
        if (status === null) end(null);
      });
      child.on('close', (status) => end(size > MAX_HELPER_OUTPUT_BYTES ? null : status));
      // A helper that does not read its input closes the pipe under us.
      child.stdin.on('error', () => undefined);
      child.stdin.end(input);
    });
}

// How does the product run in these suites? As its users start it: bin/model-policy serve against the cluster of
// a kubeconfig, with its own certificate. What it must answer is left to the suites.
import { existsSync, readFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { freePorts, startProcess, waitFor } from './processes.ts';

const BINARY = join(import.meta.dirname, '../../bin/model-policy');
const START_BOUND_MS = 30_000;
/** More than the drain of a deadline of 10 s. */
const STOP_BOUND_MS = 15_000;

/** `plainHttp`: registries (`host:port`) that speak HTTP; `directory` takes log and CA. */
export interface ServiceOptions {
  readonly kubeconfig: string;
  readonly directory: string;
  readonly plainHttp: readonly string[];
  readonly args?: readonly string[];
}

export interface Service {
  /** `https://127.0.0.1:PORT`. */
  readonly url: string;
  /** PEM of the CA that was made at start; empty when it was not. */
  readonly ca: string;
  /** What it logged so far. */
  readonly log: () => string;
  readonly metrics: () => Promise<string>;
  /** Whether `/readyz` says so now; rejects when nobody answers there. */
  readonly isReady: () => Promise<boolean>;
  readonly stop: () => Promise<void>;
  /** Ends it as a crash would. */
  readonly kill: () => void;
}

/** Returns when `/readyz` answers 200. @throws Error with the end of its log when it does not within 30 s. */
export async function startService({
  kubeconfig,
  directory,
  plainHttp,
  args = [],
}: ServiceOptions): Promise<Service> {
  const [port = 0, metricsPort = 0] = await freePorts(2);
  const caFile = join(directory, 'webhook-ca.crt');
  const metricsUrl = `http://127.0.0.1:${metricsPort}`;
  const flags = [
    ['--kubeconfig', kubeconfig],
    ['--listen', `127.0.0.1:${port}`],
    ['--metrics-listen', `127.0.0.1:${metricsPort}`],
    ['--ca-out', caFile],
    ...plainHttp.map((address) => ['--plain-http', address]),
  ].flat();
  const program = startProcess({
    name: 'model-policy',
    command: BINARY,
    args: ['serve', ...flags, ...args],
    directory,
  });
  const stop = (): Promise<void> => program.stop(STOP_BOUND_MS);
  try {
    const isReady = async (): Promise<boolean> => (await fetchText(`${metricsUrl}/readyz`)).status === 200;
    await waitFor('model-policy serve', isReady, { boundMs: START_BOUND_MS, program });
    return {
      url: `https://127.0.0.1:${port}`,
      ca: existsSync(caFile) ? readFileSync(caFile, 'utf8') : '',
      log: program.log,
      metrics: async () => (await fetchText(`${metricsUrl}/metrics`)).text,
      isReady,
      stop,
      kill: program.kill,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function fetchText(url: string): Promise<{ status: number; text: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>();
  const request = get(url, { agent: false, timeout: 5000 }, (response) => {
    let text = '';
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => (text += chunk));
    response.on('error', reject);
    response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
  });
  request.on('timeout', () => request.destroy(new Error(`${url}: no answer`)));
  request.on('error', reject);
  return promise;
}

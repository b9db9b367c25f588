// How long does a controller keep everybody else waiting? A controller in a thread of its own, so that only its own work is
// measured, and a timer in it that notices every stretch during which nothing else could run.
import { parentPort, workerData } from 'node:worker_threads';
import type { RegistryHandle } from '../src/demo/registry.ts';
import { startController, type Policies } from '../test/support/controller.ts';

/** What the thread is started with. */
export interface ControllerSetting {
  readonly registryAddress: string;
  readonly policies: Policies;
  readonly trustRoots: Readonly<Record<string, unknown>>;
}

/** Longest stretches since the last question, in milliseconds. */
export interface Stretch {
  /** By the clock on the wall: other processes on the machine are in it. */
  readonly wallMs: number;
  /** Processor time of the thread alone. */
  readonly processorMs: number;
}

const setting = workerData as ControllerSetting;
const port = parentPort;
if (port === null) throw new Error('this is started by bench/hostile.ts');

let worst: Stretch = { wallMs: 0, processorMs: 0 };
let wall = performance.now();
let processor = process.threadCpuUsage();
const toMs = ({ user, system }: NodeJS.CpuUsage): number => (user + system) / 1000;

function look(): void {
  const [wallNow, processorNow] = [performance.now(), process.threadCpuUsage()];
  worst = {
    wallMs: Math.max(worst.wallMs, wallNow - wall),
    processorMs: Math.max(worst.processorMs, toMs(processorNow) - toMs(processor)),
  };
  [wall, processor] = [wallNow, processorNow];
}

const controller = await startController({
  // Only its address is used: the registry itself is in the other thread.
  registry: { address: setting.registryAddress } as RegistryHandle,
  policies: setting.policies,
  trustRoots: setting.trustRoots,
});
setInterval(look, 1);
port.on('message', () => {
  look();
  port.postMessage(worst);
  worst = { wallMs: 0, processorMs: 0 };
});
port.postMessage({ address: controller.address, ca: controller.ca });

// Does hostile input hold up other requests? Posts every input of test/support/hostile-inputs.ts to a real controller in
// another thread and prints the answer and the longest stretch in which it could do nothing else. Asserts nothing.
// Run: node bench/hostile.ts [rounds] [part of a name]
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { startRegistry } from '../src/demo/registry.ts';
import { post, type HttpAnswer, type Server } from '../test/support/https-client.ts';
import { createHostileWorld, HOSTILE_INPUTS, toHostilePolicies } from '../test/support/hostile-inputs.ts';
import type { ControllerSetting, Stretch } from './hostile-controller.ts';

const WARM_UPS = 20;
const rounds = Number(process.argv[2] ?? 3);
const part = process.argv[3] ?? '';

const registry = await startRegistry();
const world = await createHostileWorld(registry);
const setting: ControllerSetting = { registryAddress: registry.address, ...toHostilePolicies(world) };
const worker = new Worker(new URL('hostile-controller.ts', import.meta.url), { workerData: setting });
const [server] = (await once(worker, 'message')) as [Server];

function toAnswer({ status, text }: HttpAnswer): string {
  if (status !== 200) return `HTTP ${status}`;
  const { response } = JSON.parse(text) as {
    response: { allowed: boolean; status?: { details: { causes: readonly { reason: string }[] } } };
  };
  const reasons = response.status?.details.causes.map(({ reason }) => reason) ?? [];
  return response.allowed ? 'admitted' : [...new Set(reasons)].join(', ');
}

async function readStretch(): Promise<Stretch> {
  worker.postMessage('read', []);
  const [stretch] = (await once(worker, 'message')) as [Stretch];
  return stretch;
}

/** Posts one body; a connection that the server ends while it is still being sent to is an answer as well. */
async function measure(body: string | Buffer): Promise<{ answer: string; stretch: Stretch }> {
  await readStretch();
  const answer = await post(server, body).then(toAnswer, () => 'connection closed');
  return { answer, stretch: await readStretch() };
}

const [harmless] = HOSTILE_INPUTS;
if (harmless === undefined) throw new Error('there are no inputs');
for (let round = 0; round < WARM_UPS; round += 1) await measure(await harmless.build(world));
console.log(`| input | answer | longest stretch, processor ms | by the clock, ms |`);
console.log(`| ----- | ------ | ----------------------------: | ---------------: |`);
for (const { name, build } of HOSTILE_INPUTS) {
  if (!name.includes(part)) continue;
  const runs: { answer: string; stretch: Stretch }[] = [];
  for (let round = 0; round < rounds; round += 1) runs.push(await measure(await build(world)));
  const worst = (of: (stretch: Stretch) => number): string =>
    Math.max(...runs.map(({ stretch }) => of(stretch))).toFixed(1);
  const answers = [...new Set(runs.map(({ answer }) => answer))].join(' / ');
  console.log(`| ${name} | ${answers} | ${worst((s) => s.processorMs)} | ${worst((s) => s.wallMs)} |`);
}
await worker.terminate();
await registry.close();

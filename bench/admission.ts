// What does an answer cost? The real `serve` process, asked over HTTPS on connections that stay open, as an API server
// asks: for pods without a model, label updates, models that were proven before, and models never seen. Shown is the
// processor time of the whole process for an answer, and that as a ratio to a pod without a model in the same round.
// Prints; asserts nothing about time. Run: node bench/admission.ts [rounds]
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import { freePorts } from '../e2e/support/processes.ts';
import { attachBundle, packModel, type PackedModel } from '../src/demo/artifacts.ts';
import { generateSigningKey } from '../src/demo/keys.ts';
import { startRegistry } from '../src/demo/registry.ts';
import { signBundleWithKey } from '../src/demo/sign-with-key.ts';
import { createSigstore } from '../src/demo/sigstore.ts';
import { cosignSignStatement } from '../src/demo/statement.ts';
import { ALICE, keylessAuthority, pinned, TRUST_ROOT } from '../test/support/keyless.ts';
import { podOf, reviewOf, updateOf, volumePod } from '../test/support/review.ts';

const rounds = Number(process.argv[2] ?? 5);
const WARM_ANSWERS = 400;
const COLD_ANSWERS = 60;
const AT_ONCE = 16;

const registry = await startRegistry();
const key = generateSigningKey('p256');
const sigstore = await createSigstore();

function push(repository: string, name: string): PackedModel {
  const files: Record<string, string> = { 'config.json': name };
  for (let shard = 0; shard < 12; shard += 1) files[`model-${shard}.safetensors`] = `${name} ${shard}`;
  return packModel(registry, repository, files);
}

function pushKeyed(name: string): PackedModel {
  const model = push('keyed/chat', name);
  attachBundle(registry, model, signBundleWithKey(cosignSignStatement(model.digest), key));
  return model;
}

async function pushKeyless(name: string): Promise<PackedModel> {
  const model = push('keyless/chat', name);
  attachBundle(registry, model, await sigstore.signKeyless(cosignSignStatement(model.digest), ALICE));
  return model;
}

const API = { apiVersion: 'modelpolicy.dev/v1alpha1' };
const SAFE_FILES =
  "model.layers.all(l, l.class == 'rawFile' && (l.title.endsWith('.safetensors') || l.title.endsWith('.json')))";
const documents = [
  { kind: 'TrustRoot', metadata: { name: TRUST_ROOT }, spec: pinned(sigstore.trustedRootJson()) },
  ...[
    ['keyed', { name: 'key', key: { pem: key.publicKeyPem } }],
    ['keyless', keylessAuthority()],
  ].map(([name, authority]) => ({
    kind: 'ClusterModelPolicy',
    metadata: { name },
    spec: {
      models: [{ glob: `${registry.address}/${name as string}/**` }],
      authorities: [authority],
      validations: [{ expression: SAFE_FILES }],
    },
  })),
].map((document) => stringify({ ...API, ...document }));

const directory = mkdtempSync(join(tmpdir(), 'bench-admission-'));
writeFileSync(join(directory, 'policies.yaml'), documents.join('---\n'));
const [port = 0, metricsPort = 0] = await freePorts(2);
const flags = {
  policies: directory,
  listen: `127.0.0.1:${port}`,
  'metrics-listen': `127.0.0.1:${metricsPort}`,
  'ca-out': join(directory, 'ca.crt'),
  'plain-http': registry.address,
};
const args = Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, value]);
const service = spawn(process.execPath, [join(import.meta.dirname, '../src/main.ts'), 'serve', ...args], {
  stdio: 'ignore',
});
const metrics = async (): Promise<string> => (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
const isReady = (): Promise<boolean> =>
  fetch(`http://127.0.0.1:${metricsPort}/readyz`).then(
    ({ ok }) => ok,
    () => false,
  );
while (!(await isReady())) await sleep(100);
const agent = new Agent({
  keepAlive: true,
  maxSockets: AT_ONCE,
  ca: readFileSync(join(directory, 'ca.crt'), 'utf8'),
});

function ask(review: object): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json' };
    const path = '/validate?timeout=10s';
    const outgoing = request({ host: '127.0.0.1', port, path, method: 'POST', headers, agent }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (part: string) => (text += part));
      answer.on('error', reject);
      answer.on('end', () =>
        resolve((JSON.parse(text) as { response: { allowed: boolean } }).response.allowed),
      );
    });
    outgoing.on('error', reject);
    outgoing.end(JSON.stringify(review));
  });
}

async function processorMs(): Promise<number> {
  return Number(/^process_cpu_seconds_total ([\d.e-]+)/mu.exec(await metrics())?.[1]) * 1000;
}

/** Processor time of one answer, in milliseconds. */
async function measure(reviews: readonly object[]): Promise<number> {
  const waiting = [...reviews];
  const before = await processorMs();
  const client = async (): Promise<void> => {
    for (let review = waiting.pop(); review !== undefined; review = waiting.pop())
      if (!(await ask(review))) throw new Error('a pod was denied that should not be');
  };
  await Promise.all(Array.from({ length: AT_ONCE }, client));
  return ((await processorMs()) - before) / reviews.length;
}

const repeat = (count: number, review: () => object): readonly object[] =>
  Array.from({ length: count }, review);
const podOfModel = ({ reference }: PackedModel): object => reviewOf(volumePod(reference));
const keyed = ['first', 'second', 'third'].map(pushKeyed);
const keyless = await pushKeyless('known');
const three = volumePod(...keyed.map(({ reference }) => reference));
const labelled = { ...podOf({}), metadata: { name: 'pod', namespace: 'default', labels: { a: 'b' } } };
const [one] = keyed as [PackedModel, ...PackedModel[]];

const SCENARIOS: Readonly<Record<string, (round: number) => Promise<readonly object[]>>> = {
  'a pod without a model': async () => repeat(WARM_ANSWERS, () => reviewOf(podOf({}))),
  'a label of a pod': async () => repeat(WARM_ANSWERS, () => updateOf(podOf({}), labelled)),
  'a known model, by key': async () => repeat(WARM_ANSWERS, () => podOfModel(one)),
  'a known model, keyless': async () => repeat(WARM_ANSWERS, () => podOfModel(keyless)),
  'three known models': async () => repeat(WARM_ANSWERS, () => reviewOf(three)),
  'a new model, by key': async (round) =>
    Array.from({ length: COLD_ANSWERS }, (_, n) => podOfModel(pushKeyed(`new ${round} ${n}`))),
  'a new model, keyless': (round) =>
    Promise.all(
      Array.from({ length: COLD_ANSWERS }, async (_, n) =>
        podOfModel(await pushKeyless(`new ${round} ${n}`)),
      ),
    ),
};

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
const results = new Map<string, number[]>(Object.keys(SCENARIOS).map((name) => [name, []]));
try {
  // The first is to warm up.
  for (let round = 0; round <= rounds; round += 1) {
    const costs = new Map<string, number>();
    for (const [name, reviews] of Object.entries(SCENARIOS))
      costs.set(name, await measure(await reviews(round)));
    if (round > 0) costs.forEach((cost, name) => results.get(name)?.push(cost));
  }
  const [base = []] = results.values();
  console.log(
    '| what is asked about | ms of processor time | times a pod without a model |\n| --- | --- | --- |',
  );
  for (const [name, costs] of results) {
    const ratios = costs.map((cost, index) => cost / (base[index] ?? NaN)).toSorted((a, b) => a - b);
    const range = `${ratios[0]?.toFixed(1)}–${ratios.at(-1)?.toFixed(1)}`;
    console.log(`| ${name} | ${median(costs).toFixed(2)} | ${median(ratios).toFixed(1)} (${range}) |`);
  }
} finally {
  service.kill();
  agent.destroy();
  await registry.close();
  rmSync(directory, { recursive: true });
}

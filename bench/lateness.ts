// Does verifying hold up the event loop? Timers of one millisecond on the answering thread, while cold keyless bundles
// are proven at 50 a second, evenly and in bursts of ten: by plain @sigstore/verify on the same thread, by our own
// verification there, and by a verifying thread. Then how fast a known proof is. Prints; asserts nothing about time.
// Run: node bench/lateness.ts [seconds per measurement]
import { setTimeout as sleep } from 'node:timers/promises';
import { bundleFromJSON } from '@sigstore/bundle';
import { TrustedRoot } from '@sigstore/protobuf-specs';
import { toSignedEntity, toTrustMaterial, Verifier } from '@sigstore/verify';
import { createInlineExecutor, type Executor } from '../src/proving/executor.ts';
import { createProver, type Prover } from '../src/proving/prover.ts';
import { createThreadExecutor } from '../src/proving/thread-executor.ts';
import type { Evidence } from '../src/evidence/evidence.ts';
import { createWorld, DIGEST, toBytes, toManifest } from '../test/signature/support.ts';

const seconds = Number(process.argv[2] ?? 8);
const PER_SECOND = 50;
const SILENT = { lookedUp: () => undefined, disagreed: () => undefined };
const { authority, sigstore, sign } = await createWorld('v2');
const manifest = toManifest();

const toEvidence = (bundle: object): Evidence => ({
  digest: DIGEST,
  manifest,
  bundles: [{ place: 'referrer', referrer: DIGEST, bytes: toBytes(bundle) }],
  simpleSignatures: [],
  problems: [],
});

async function prove(prover: Prover, evidence: Evidence): Promise<void> {
  const proof = await prover.prove(evidence, { authorities: [authority], wanted: [] }, new Date(), {
    namespace: '',
    signal: AbortSignal.timeout(9000),
  });
  if (proof.authorities[0]?.signatures.length !== 1) throw new Error('a good bundle was not proven');
}

interface Lateness {
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

// How late a timer of one millisecond fires, sampled all the time.
function startSampling(): () => Lateness {
  const late: number[] = [];
  let isRunning = true;
  let due = performance.now() + 1;
  const sample = (): void => {
    late.push(performance.now() - due);
    due = performance.now() + 1;
    if (isRunning) setTimeout(sample, 1);
  };
  setTimeout(sample, 1);
  return () => {
    isRunning = false;
    const sorted = late.toSorted((a, b) => a - b);
    const at = (share: number): number => Math.max(0, sorted[Math.floor(share * (sorted.length - 1))] ?? 0);
    return { p50: at(0.5), p99: at(0.99), p999: at(0.999), max: at(1) };
  };
}

async function measure(work: (bundle: object) => Promise<void> | void, burst: number): Promise<Lateness> {
  const bundles = await Promise.all(Array.from({ length: PER_SECOND * seconds + 20 }, () => sign()));
  for (const bundle of bundles.splice(0, 20)) await work(bundle);
  await sleep(200);
  const stop = startSampling();
  const pending: Promise<void>[] = [];
  const started = performance.now();
  for (let count = 0; bundles.length > 0; count += 1) {
    await sleep(Math.max(0, started + (count * burst * 1000) / PER_SECOND - performance.now()));
    for (const bundle of bundles.splice(0, burst)) pending.push(Promise.resolve(work(bundle)));
  }
  await Promise.all(pending);
  return stop();
}

function show(name: string, even: Lateness, bursts: Lateness): void {
  const cells = ({ p50, p99, p999, max }: Lateness): string =>
    [p50, p99, p999, max].map((ms) => ms.toFixed(1)).join(' / ');
  console.log(`| ${name} | ${cells(even)} | ${cells(bursts)} |`);
}

const verifier = new Verifier(toTrustMaterial(TrustedRoot.fromJSON(JSON.parse(sigstore.trustedRootJson()))));
const plain = (bundle: object): void =>
  void verifier.verify(toSignedEntity(bundleFromJSON(JSON.parse(JSON.stringify(bundle)))));
const withExecutor =
  (executor: Executor) =>
  (bundle: object): Promise<void> =>
    prove(createProver(executor, SILENT), toEvidence(bundle));

console.log(
  '| lateness of 1 ms timers, ms: p50 / p99 / p99.9 / max | even | bursts of 10 |\n| --- | --- | --- |',
);
const idle = await measure(() => undefined, 1);
show('nothing', idle, await measure(() => undefined, 10));
show('@sigstore/verify on the same thread', await measure(plain, 1), await measure(plain, 10));
const inline = withExecutor(createInlineExecutor());
show('ours with second opinion, same thread', await measure(inline, 1), await measure(inline, 10));
const executor = await createThreadExecutor(1, { restarted: () => undefined, waiting: () => undefined });
const threaded = withExecutor(executor);
show(
  'ours with second opinion, one verifying thread',
  await measure(threaded, 1),
  await measure(threaded, 10),
);

const prover = createProver(executor, SILENT);
const known = toEvidence(await sign());
await prove(prover, known);
const started = performance.now();
let count = 0;
for (; performance.now() - started < 2000; count += 1) await prove(prover, known);
console.log(`\nknown proofs: ${Math.round(count / ((performance.now() - started) / 1000))} a second`);
await executor.close();

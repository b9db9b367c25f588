// Do threads prove what the caller's own thread proves, and does nothing that evidence does take the process with it?
import assert from 'node:assert/strict';
import { writeFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { createInlineExecutor, OverloadedError } from '../../src/proving/executor.ts';
import { createThreadExecutor, MAX_WAIT_MS, MAX_WAITING_JOBS } from '../../src/proving/thread-executor.ts';
import { startProofThread, type ProofThread } from '../../src/proving/thread.ts';
import type { ItemOutcome } from '../../src/verdict/prove-item.ts';
import type { ProofJob } from '../../src/verdict/prove.ts';
import { generateSigningKey } from '../../src/demo/keys.ts';
import { signBundleWithKey } from '../../src/demo/sign-with-key.ts';
import { modelSigningStatement } from '../../src/demo/statement.ts';
import { createPki, pkiAuthority, signAs } from '../signature/pki.ts';
import { createWorld, keyAuthority, toManifest } from '../signature/support.ts';
import { answer, describeOutcome, KEY, NOW, toJob } from './support.ts';

const SILENT = { restarted: () => undefined, waiting: () => undefined };

async function withScript(lines: string, run: (script: URL) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(path.join(tmpdir(), 'proof-thread-'));
  const file = path.join(directory, 'thread.mjs');
  writeFileSync(file, `import { parentPort } from 'node:worker_threads';\n${lines}`);
  try {
    await run(pathToFileURL(file));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const READY = `parentPort.postMessage({ say: 'ready' });\n`;

describe('createThreadExecutor()', function () {
  this.timeout(30_000);

  it('proves what the own thread proves, for every kind of authority and evidence', async () => {
    const pki = createPki();
    const worlds = await Promise.all([createWorld('v1'), createWorld('v2')]);
    const keyless = await Promise.all(
      worlds.map(async ({ authority, sign }) => toJob(await sign(), authority)),
    );
    const jobs = [
      toJob(),
      toJob(undefined, keyAuthority(generateSigningKey('p256').publicKeyPem)),
      toJob(undefined, undefined, { digest: `sha256:${'0'.repeat(64)}` }),
      toJob(Buffer.from('{')),
      toJob(Buffer.from('{"mediaType":"\u0000"}')),
      ...keyless,
      toJob(signAs(pki.intermediate).bundle, pkiAuthority([pki.root.certificate])),
    ];
    const options = { now: new Date() };
    const executor = await createThreadExecutor(2, SILENT);
    try {
      const outcomes = await Promise.all(jobs.map((job) => executor.run(job, options, 'a')));
      assert.deepEqual(
        outcomes,
        jobs.map((job) => answer(job, options)),
      );
      assert.deepEqual(outcomes.map(describeOutcome), [
        'proven',
        'SignerNotTrusted',
        'proven',
        'SignatureInvalid',
        'SignatureInvalid',
        'proven',
        'proven',
        'proven',
      ]);
      const inline = createInlineExecutor();
      assert.deepEqual(await Promise.all(jobs.map((job) => inline.run(job, options, 'a'))), outcomes);
    } finally {
      await executor.close();
    }
  });

  it('reads the manifest where files are signed', async () => {
    const digest = 'a'.repeat(64);
    const title = { 'org.opencontainers.image.title': 'weights' };
    const mediaType = 'application/octet-stream';
    const manifest = toManifest([{ mediaType, digest: `sha256:${digest}`, size: 1, annotations: title }]);
    const authority = keyAuthority(KEY.publicKeyPem, {
      signatureFormats: new Set(['CosignBundle', 'ModelSigning']),
    });
    const files = signBundleWithKey(modelSigningStatement('model', [{ name: 'weights', digest }]), KEY);
    const executor = await createThreadExecutor(1, SILENT);
    try {
      for (const [about, reason] of [
        [manifest, undefined],
        [toManifest(), 'FileSetMismatch'],
      ] as const) {
        const job = toJob(files, authority, { manifest: about });
        const outcome = await executor.run(job, { now: NOW }, 'a');
        assert.deepEqual(outcome, answer(job, { now: NOW }));
        assert.ok(outcome.kind === 'proven');
        assert.equal(outcome.signature.subjectProblem?.reason, reason);
      }
    } finally {
      await executor.close();
    }
  });

  it('shares a manifest with its threads instead of copying it for each signature', async () => {
    const tell = `parentPort.on('message', ({ say, subject, manifest }) => {
      if (say !== 'prove') return;
      const message = [manifest instanceof SharedArrayBuffer, 'manifest' in subject].join();
      parentPort.postMessage({ say: 'outcome', outcome: { kind: 'refused', problem: { reason: 'Revoked', message } } });
    });`;
    await withScript(READY + tell, async (script) => {
      const thread = await startProofThread({ script, jobTimeoutMs: 5000 });
      for (const [format, expected] of [
        ['ModelSigning', 'true,false'],
        ['CosignBundle', 'false,false'],
      ] as const) {
        const authority = keyAuthority(KEY.publicKeyPem, { signatureFormats: new Set([format]) });
        const outcome = await thread.run(toJob(undefined, authority), { now: NOW });
        assert.equal('problem' in outcome ? outcome.problem.message : '', expected);
      }
      await thread.close();
    });
  });

  it('answers for evidence that takes a thread down, replaces the thread, and goes on', async () => {
    let restarts = 0;
    let starts = 0;
    await withScript(`${READY}parentPort.on('message', () => process.exit(1));`, async (script) => {
      const start = (): Promise<ProofThread> => {
        starts += 1;
        return starts === 1 ? startProofThread({ script, jobTimeoutMs: 5000 }) : startProofThread();
      };
      const executor = await createThreadExecutor(1, { ...SILENT, restarted: () => (restarts += 1) }, start);
      try {
        const [first, second] = await Promise.all([
          executor.run(toJob(), { now: NOW }, 'a'),
          executor.run(toJob(), { now: NOW }, 'a'),
        ]);
        assert.equal(describeOutcome(first), 'InternalError');
        assert.equal(describeOutcome(second), 'proven');
        assert.equal(restarts, 1);
      } finally {
        await executor.close();
      }
    });
  });

  it('ends a thread that does not come back, and names that', async () => {
    await withScript(`${READY}parentPort.on('message', () => { for (;;); });`, async (script) => {
      const thread = await startProofThread({ script, jobTimeoutMs: 100 });
      const outcome = await thread.run(toJob(), { now: NOW });
      assert.equal(describeOutcome(outcome), 'DeadlineExceeded');
      assert.match('problem' in outcome ? outcome.problem.message : '', /more than 100 ms/);
      await thread.ended;
    });
  });

  it('ends a thread that takes all memory, and nothing else', async () => {
    const fill = `${READY}parentPort.on('message', () => { const all = []; for (;;) all.push(new Array(1e5).fill(Math.random())); });`;
    await withScript(fill, async (script) => {
      const thread = await startProofThread({ script, jobTimeoutMs: 20_000 });
      assert.equal(describeOutcome(await thread.run(toJob(), { now: NOW })), 'InternalError');
      await thread.ended;
    });
  });

  it('does not start on a self-test that fails, nor on a thread that cannot start', async () => {
    const failing = `parentPort.postMessage({ say: 'ready', problem: 'a good bundle is not accepted' });\nparentPort.on('message', () => {});`;
    for (const [script, message] of [
      [failing, /self-test failed: a good bundle/],
      ['throw new Error("broken");', /ended before it was ready/],
    ] as const)
      await withScript(script, async (url) => {
        const start = (): Promise<ProofThread> => startProofThread({ script: url, jobTimeoutMs: 5000 });
        await assert.rejects(createThreadExecutor(1, SILENT, start), message);
      });
  });

  it('leaves out what nobody waits for any more, so that a flood ends with those who made it', async () => {
    let clock = 0;
    const finish: (() => void)[] = [];
    const slow: ProofThread = {
      run: () =>
        new Promise<ItemOutcome>((resolve) => {
          finish.push(() => resolve({ kind: 'nothing' }));
        }),
      ended: new Promise(() => undefined),
      close: () => Promise.resolve(),
    };
    const executor = await createThreadExecutor(
      1,
      SILENT,
      () => Promise.resolve(slow),
      () => clock,
    );
    const job = toJob();
    const run = (): Promise<ItemOutcome> => executor.run(job, { now: NOW }, 'a');
    const first = run();
    const flood = Promise.allSettled(Array.from({ length: MAX_WAITING_JOBS }, run));
    clock += MAX_WAIT_MS + 1;
    const honest = run();
    finish[0]?.();
    await first;
    assert.ok(
      (await flood).every((end) => end.status === 'rejected' && end.reason instanceof OverloadedError),
    );
    finish[1]?.();
    assert.deepEqual(await honest, { kind: 'nothing' });
    await executor.close();
  });

  it('lets owners take turns, and keeps room for those who have nothing waiting', async () => {
    const finish: (() => void)[] = [];
    const slow: ProofThread = {
      run: () =>
        new Promise<ItemOutcome>((resolve) => {
          finish.push(() => resolve({ kind: 'nothing' }));
        }),
      ended: new Promise(() => undefined),
      close: () => Promise.resolve(),
    };
    const executor = await createThreadExecutor(1, SILENT, () => Promise.resolve(slow));
    const job = toJob();
    const done: string[] = [];
    const run = (owner: string): Promise<unknown> =>
      executor.run(job, { now: NOW }, owner).then(() => done.push(owner));
    const flood = Promise.allSettled(Array.from({ length: 2 * MAX_WAITING_JOBS }, () => run('flood')));
    void run('quiet');
    for (let count = 0; count < 4; count += 1) {
      finish[count]?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.deepEqual(done, ['flood', 'flood', 'quiet', 'flood']);
    await executor.close();
    finish[4]?.();
    const refused = (await flood).filter(
      (end) => end.status === 'rejected' && end.reason instanceof OverloadedError,
    );
    assert.ok(refused.length > MAX_WAITING_JOBS, String(refused.length));
  });

  it('refuses more than it will do in time, and rejects what waits when it is closed', async () => {
    const stuck: ProofThread = {
      run: () => new Promise<ItemOutcome>(() => undefined),
      ended: new Promise(() => undefined),
      close: () => Promise.resolve(),
    };
    const executor = await createThreadExecutor(1, SILENT, () => Promise.resolve(stuck));
    const job: ProofJob = toJob();
    void executor.run(job, { now: NOW }, 'a');
    const waiting = Array.from({ length: MAX_WAITING_JOBS }, () => executor.run(job, { now: NOW }, 'a'));
    await assert.rejects(executor.run(job, { now: NOW }, 'a'), OverloadedError);
    await executor.close();
    const ends = await Promise.allSettled(waiting);
    assert.ok(ends.every(({ status }) => status === 'rejected'));
  });
});

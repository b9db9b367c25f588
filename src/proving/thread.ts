// How is one proving thread kept? Started, given one job at a time, watched, ended. A job that takes too long or takes
// the thread down is answered as refused evidence: it is the evidence's doing, and spoils nothing else.
import { Worker } from 'node:worker_threads';
import type { DenialReason } from '../reason.ts';
import type { VerifyOptions } from '../signature/facts.ts';
import type { ItemOutcome } from '../verdict/prove-item.ts';
import type { ProofJob } from '../verdict/prove.ts';
import type { Question, Reply } from './messages.ts';
import { revive, toPortable, toSharedJson } from './portable.ts';

/** Longest time for one item, in milliseconds: hostile evidence at every limit takes a tenth of it. */
export const JOB_TIMEOUT_MS = 4000;
/** Memory of one thread, in MiB: what hostile evidence may take before it takes only the thread down. */
const MAX_HEAP_MIB = 512;
// Compiled code has another extension; the compiler does not rewrite names that are no imports.
const SCRIPT = new URL(`./proof-thread.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url);

/** A thread that is ready. */
export interface ProofThread {
  /** Answers one job; never two at once. */
  run(job: ProofJob, options: VerifyOptions): Promise<ItemOutcome>;
  /** Resolves when the thread has ended, for whatever reason. */
  readonly ended: Promise<void>;
  close(): Promise<void>;
}

/** How a thread is run. */
export interface ThreadOptions {
  readonly script: URL;
  readonly jobTimeoutMs: number;
}

const DEFAULTS: ThreadOptions = { script: SCRIPT, jobTimeoutMs: JOB_TIMEOUT_MS };

/** Starts a thread and waits for its self-test. @throws Error when it fails */
export async function startProofThread({ script, jobTimeoutMs } = DEFAULTS): Promise<ProofThread> {
  const worker = new Worker(script, {
    env: {},
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MIB },
    name: 'prove',
  });
  const answers = createAnswers(worker);
  const ready = await answers.next();
  if (ready === undefined) throw new Error('the proving thread ended before it was ready');
  if (ready.say !== 'ready' || ready.problem !== undefined) {
    await worker.terminate();
    throw new Error(
      `the self-test failed: ${ready.say === 'ready' ? (ready.problem ?? '') : 'unexpected answer'}`,
    );
  }
  // An idle thread keeps no process alive.
  worker.unref();
  const learned = new Set<string>();
  const forget = new FinalizationRegistry<string>((id) => {
    if (learned.delete(id)) worker.postMessage({ say: 'forget', id } satisfies Question);
  });

  return {
    async run({ item, material, subject, predicateTypes }, options) {
      if (!learned.has(material.id)) {
        learned.add(material.id);
        forget.register(material, material.id);
        send(worker, { say: 'learn', id: material.id, material: material.material });
      }
      // Only signatures of files read the manifest, which may be large: as large for each of many signatures.
      const { manifest, ...bare } = subject;
      const readsFiles = item.kind === 'bundle' && material.material.signatureFormats.has('ModelSigning');
      send(worker, {
        say: 'prove',
        item,
        materialId: material.id,
        subject: bare,
        manifest: readsFiles && manifest !== undefined ? toSharedJson(manifest) : undefined,
        predicateTypes,
        options,
      });
      const timer = setTimeout(() => void worker.terminate(), jobTimeoutMs);
      const started = performance.now();
      const reply = await answers.next();
      clearTimeout(timer);
      if (reply?.say === 'outcome') return reply.outcome;
      if (reply?.say === 'fault') throw new Error(reply.message);
      return performance.now() - started >= jobTimeoutMs
        ? refused('DeadlineExceeded', `verifying it took more than ${jobTimeoutMs} ms`)
        : refused('InternalError', 'verifying it ended the verifying thread');
    },
    ended: answers.ended,
    async close() {
      await worker.terminate();
    },
  };
}

function send(worker: Worker, question: Question): void {
  worker.postMessage(toPortable(question));
}

function refused(reason: DenialReason, message: string): ItemOutcome {
  return { kind: 'refused', problem: { reason, message } };
}

interface Answers {
  /** The next answer; undefined when the thread ended instead. */
  next(): Promise<Reply | undefined>;
  readonly ended: Promise<void>;
}

function createAnswers(worker: Worker): Answers {
  const waiting: ((reply: Reply | undefined) => void)[] = [];
  const arrived: Reply[] = [];
  let isEnded = false;
  worker.on('message', (message: unknown) => {
    const reply = revive(message) as Reply;
    const wait = waiting.shift();
    if (wait === undefined) arrived.push(reply);
    else wait(reply);
  });
  // Its memory was spent, or its code threw: `exit` follows.
  worker.on('error', () => undefined);
  const ended = new Promise<void>((resolve) => {
    worker.once('exit', () => {
      isEnded = true;
      for (const wait of waiting.splice(0)) wait(undefined);
      resolve();
    });
  });
  return {
    next() {
      const reply = arrived.shift();
      if (reply !== undefined || isEnded) return Promise.resolve(reply);
      return new Promise((resolve) => waiting.push(resolve));
    },
    ended,
  };
}

// Was this proven before? Remembers outcomes by everything that went in: the evidence with its annotations, the
// authority's material, the subject, and how. A proof counts again only within the time for which it holds.
import { createHash } from 'node:crypto';
import { createCache, type CacheObserver } from '../lib/cache.ts';
import type { VerifyOptions } from '../signature/facts.ts';
import { isWithin } from '../trust/trusted-root.ts';
import type { EvidenceItem, ItemOutcome } from '../verdict/prove-item.ts';
import type { ProofJob } from '../verdict/prove.ts';
import type { Executor } from './executor.ts';

/** What is remembered, in bytes, roughly. */
const MAX_CACHED_BYTES = 32 * 1024 * 1024;
const FACTS_BYTES = 2048;
/** What does not count may count soon: clocks, windows, and faults of ours. In milliseconds. */
const NEGATIVE_TTL_MS = 5000;

/** Told about the cache and about what must be looked into. */
export interface FactsObserver {
  readonly lookedUp: CacheObserver;
  /** Our own core accepted what @sigstore/verify refuses. @param evidence digest of the evidence */
  readonly disagreed: (evidence: string, message: string) => void;
}

/** How new evidence is verified: `after` answers first and asks for the second opinion then. */
export type SecondOpinionMode = 'before' | 'after' | 'off';

/** Remembers what an executor proved; one flight per key, whoever asks. */
export function createFactsCache(
  executor: Executor,
  mode: SecondOpinionMode,
  observer: FactsObserver,
): (job: ProofJob, now: Date) => Promise<ItemOutcome> {
  const cache = createCache<ItemOutcome>({
    maxWeight: MAX_CACHED_BYTES,
    weigh: () => FACTS_BYTES,
    ttlMs: (outcome) => (outcome.kind === 'refused' || outcome.kind === 'unreadable' ? NEGATIVE_TTL_MS : 0),
    isKept: (outcome) => !isDisagreement(outcome),
    observe: observer.lookedUp,
  });

  const run = async (job: ProofJob, options: VerifyOptions): Promise<ItemOutcome> => {
    const outcome = await executor.run(job, options);
    if (isDisagreement(outcome)) observer.disagreed(toEvidenceDigest(job.item), outcome.problem.message);
    return outcome;
  };
  const load = async (key: string, job: ProofJob, now: Date): Promise<ItemOutcome> => {
    const outcome = await run(job, { now, secondOpinion: mode === 'before' ? 'before' : 'off' });
    if (mode === 'after' && outcome.kind === 'proven') {
      const ask = async (): Promise<void> => {
        if (isDisagreement(await run(job, { now, secondOpinion: 'before' }))) cache.drop(key);
      };
      // Whoever asked has the answer already: faults of this are the executor's to tell.
      void ask().catch(() => undefined);
    }
    return outcome;
  };

  return async (job, now) => {
    const key = toKey(job);
    const known = cache.peek(key);
    if (known?.kind === 'proven' && !isWithin(now, known.signature.validity)) cache.drop(key);
    return cache.fetch(key, () => load(key, job, now));
  };
}

function isDisagreement(outcome: ItemOutcome): outcome is ItemOutcome & { kind: 'refused' } {
  return outcome.kind === 'refused' && outcome.isDisagreement === true;
}

function toKey({ item, material, subject }: ProofJob): string {
  return [toEvidenceDigest(item), material.id, subject.digest, subject.signatureLayer ?? ''].join(' ');
}

// Evidence is immutable, and the bytes of one blob are asked about by every pod that uses it.
const digests = new WeakMap<object, string>();

function toEvidenceDigest({ kind, found }: EvidenceItem): string {
  const known = digests.get(found);
  if (known !== undefined) return known;
  const hash = createHash('sha256');
  // Where it was found is named in messages, and a layer is read in another way.
  hash.update(JSON.stringify([kind, found.place, found.referrer]));
  if ('bytes' in found) hash.update(found.bytes);
  else hash.update(JSON.stringify(toSorted(found.annotations))).update(found.payload);
  const digest = `sha256:${hash.digest('hex')}`;
  digests.set(found, digest);
  return digest;
}

function toSorted(annotations: object): readonly (readonly [string, unknown])[] {
  return Object.entries(annotations).toSorted(([left], [right]) => (left < right ? -1 : 1));
}

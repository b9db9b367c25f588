// Was this proven before? Remembers outcomes by everything that went in: the evidence with its annotations, the
// authority's material, the subject, and how. A proof counts again only within the time for which it holds.
import { createHash } from 'node:crypto';
import { createCache, type CacheObserver } from '../lib/cache.ts';
import type { VerifyOptions } from '../signature/facts.ts';
import type { ProvenAttestation } from '../signature/attestation.ts';
import { isWithin, type Validity } from '../trust/trusted-root.ts';
import type { EvidenceItem, ItemOutcome, Refusal } from '../verdict/prove-item.ts';
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
): (job: ProofJob, now: Date, owner: string) => Promise<ItemOutcome> {
  const cache = createCache<ItemOutcome>({
    maxWeight: MAX_CACHED_BYTES,
    weigh: toWeight,
    ttlMs: (outcome) => (isFailure(outcome) ? NEGATIVE_TTL_MS : 0),
    isKept: (outcome) => findDisagreement(outcome) === undefined,
    observe: observer.lookedUp,
  });

  const run = async (job: ProofJob, options: VerifyOptions, owner: string): Promise<ItemOutcome> => {
    const outcome = await executor.run(job, options, owner);
    const disagreement = findDisagreement(outcome);
    if (disagreement !== undefined)
      observer.disagreed(toEvidenceDigest(job.item), disagreement.problem.message);
    return outcome;
  };
  const load = async (key: string, job: ProofJob, now: Date, owner: string): Promise<ItemOutcome> => {
    const outcome = await run(job, { now, secondOpinion: mode === 'before' ? 'before' : 'off' }, owner);
    if (mode === 'after' && findValidity(outcome) !== undefined) {
      const ask = async (): Promise<void> => {
        const second = await run(job, { now, secondOpinion: 'before' }, owner);
        if (findDisagreement(second) !== undefined) cache.drop(key);
      };
      // Whoever asked has the answer already: faults of this are the executor's to tell.
      void ask().catch(() => undefined);
    }
    return outcome;
  };

  return async (job, now, owner) => {
    const key = toKey(job);
    const known = cache.peek(key);
    const validity = known === undefined ? undefined : findValidity(known);
    if (validity !== undefined && !isWithin(now, validity)) cache.drop(key);
    return cache.fetch(key, () => load(key, job, now, owner));
  };
}

function toRefusal(outcome: ItemOutcome): Refusal | undefined {
  if (outcome.kind === 'refused') return outcome;
  return outcome.kind === 'attestation' && outcome.result !== undefined && 'problem' in outcome.result
    ? outcome.result
    : undefined;
}

function findDisagreement(outcome: ItemOutcome): Refusal | undefined {
  const refusal = toRefusal(outcome);
  return refusal?.isDisagreement === true ? refusal : undefined;
}

function isFailure(outcome: ItemOutcome): boolean {
  return outcome.kind === 'unreadable' || toRefusal(outcome) !== undefined;
}

function findAttestation(outcome: ItemOutcome): ProvenAttestation | undefined {
  return outcome.kind === 'attestation' && outcome.result !== undefined && 'attestation' in outcome.result
    ? outcome.result.attestation
    : undefined;
}

function findValidity(outcome: ItemOutcome): Validity | undefined {
  return outcome.kind === 'proven' ? outcome.signature.validity : findAttestation(outcome)?.validity;
}

// A statement is kept as text, up to two bytes a character.
function toWeight(outcome: ItemOutcome): number {
  return FACTS_BYTES + 2 * (findAttestation(outcome)?.facts.statement.length ?? 0);
}

function toKey({ item, material, subject, predicateTypes }: ProofJob): string {
  const { digest, signatureLayer = '' } = subject;
  return [
    toEvidenceDigest(item),
    material.id,
    digest,
    signatureLayer,
    ...predicateTypes.map(encodeURIComponent),
  ].join(' ');
}

// Evidence is immutable, and the bytes of one blob are asked about by every pod that uses it.
const digests = new WeakMap<object, string>();

function toEvidenceDigest({ kind, found }: EvidenceItem): string {
  const known = digests.get(found);
  if (known !== undefined) return known;
  const hash = createHash('sha256');
  // Where it was found is named in messages, and a layer is read in another way.
  hash.update(JSON.stringify([kind, found.place, found.referrer, found.repository]));
  if ('annotations' in found) hash.update(JSON.stringify(toSorted(found.annotations)));
  hash.update('bytes' in found ? found.bytes : found.payload);
  const digest = `sha256:${hash.digest('hex')}`;
  digests.set(found, digest);
  return digest;
}

function toSorted(annotations: object): readonly (readonly [string, unknown])[] {
  return Object.entries(annotations).toSorted(([left], [right]) => (left < right ? -1 : 1));
}

// How are a registry's answers kept, and given again? A client that writes down what another one answers, and a client
// that knows nothing but what was written down. Digests are checked again: a recording can be edited.
import { isDigest, matchDigest } from '../lib/digest.ts';
import { quote } from '../lib/text.ts';
import type { RegistryClient } from './client.ts';
import { RegistryError } from './error.ts';
import { fromRecordedBytes, toRecordedBytes, type RecordedAnswer, type Recording } from './recording.ts';
import type { FetchedManifest, RepositoryName } from './resource.ts';

const toQuestion = (what: string, { registry, repository }: RepositoryName, target: string): string =>
  `${what} ${registry}/${repository} ${target}`;

/** Wraps a client; every answer, errors included, goes into `recording`. */
export function createRecordingClient(
  inner: RegistryClient,
  recording: Map<string, RecordedAnswer>,
): RegistryClient {
  async function record<T>(
    question: string,
    ask: () => Promise<T>,
    toAnswer: (value: T) => RecordedAnswer,
  ): Promise<T> {
    try {
      const value = await ask();
      recording.set(question, toAnswer(value));
      return value;
    } catch (error) {
      if (error instanceof RegistryError)
        recording.set(question, { kind: 'error', error: error.kind, message: error.message });
      throw error;
    }
  }
  const toManifest = ({ digest, bytes }: FetchedManifest): RecordedAnswer => ({
    kind: 'manifest',
    digest,
    bytes: toRecordedBytes(bytes),
  });
  return {
    fetchManifest: (name, target, signal, maxBytes) =>
      record(
        toQuestion('manifest', name, target),
        () => inner.fetchManifest(name, target, signal, maxBytes),
        toManifest,
      ),
    findTag: (name, tag, signal) =>
      record(
        toQuestion('tag', name, tag),
        () => inner.findTag(name, tag, signal),
        (found) => (found === undefined ? { kind: 'absent' } : toManifest(found)),
      ),
    listReferrers: (name, digest, signal) =>
      record(
        toQuestion('referrers', name, digest),
        () => inner.listReferrers(name, digest, signal),
        ({ descriptors, isTruncated }) => ({ kind: 'referrers', descriptors, isTruncated }),
      ),
    fetchBlob: (name, blob, limit) =>
      record(
        toQuestion('blob', name, blob.digest),
        () => inner.fetchBlob(name, blob, limit),
        (bytes) => ({ kind: 'blob', bytes: toRecordedBytes(bytes) }),
      ),
  };
}

/** A client that answers from a recording. What was not recorded is trouble, never absence. */
export function createRecordedClient(recording: Recording): RegistryClient {
  function answer<Kind extends RecordedAnswer['kind']>(
    question: string,
    kinds: readonly Kind[],
  ): RecordedAnswer & { kind: Kind } {
    const recorded = recording.get(question);
    if (recorded === undefined)
      throw new RegistryError(
        'unreachable',
        `nothing is recorded for ${quote(question, 300)}: record it with model-policy record`,
      );
    if (recorded.kind === 'error') throw new RegistryError(recorded.error, recorded.message);
    if ((kinds as readonly string[]).includes(recorded.kind))
      return recorded as RecordedAnswer & { kind: Kind };
    throw new RegistryError('invalid', `the recording holds a ${recorded.kind} for ${quote(question, 300)}`);
  }
  const toManifest = (recorded: RecordedAnswer & { kind: 'manifest' }, target: string): FetchedManifest => {
    const bytes = fromRecordedBytes(recorded.bytes);
    requireDigest(bytes, isDigest(target) ? target : recorded.digest);
    return { bytes, digest: isDigest(target) ? target : recorded.digest };
  };
  return {
    fetchManifest: async (name, target) =>
      toManifest(answer(toQuestion('manifest', name, target), ['manifest']), target),
    findTag: async (name, tag) => {
      const found = answer(toQuestion('tag', name, tag), ['manifest', 'absent']);
      return found.kind === 'absent' ? undefined : toManifest(found, tag);
    },
    listReferrers: async (name, digest) => {
      const { descriptors, isTruncated } = answer(toQuestion('referrers', name, digest), ['referrers']);
      return { descriptors, isTruncated };
    },
    fetchBlob: async (name, blob) => {
      const bytes = fromRecordedBytes(answer(toQuestion('blob', name, blob.digest), ['blob']).bytes);
      requireDigest(bytes, blob.digest);
      return bytes;
    },
  };
}

function requireDigest(bytes: Buffer, digest: string): void {
  if (!matchDigest(bytes, digest))
    throw new RegistryError('mismatch', `the recorded bytes do not hash to ${quote(digest, 80)}`);
}

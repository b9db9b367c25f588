// What can be had about this digest? Manifest, referrers and tags in parallel, then what they name; bounded in
// number, bytes and time. With a digest at hand three requests in a row at most, where the registry lists referrers.
import { DeadlineError } from '../lib/deadline.ts';
import { ManifestError, parseManifest, type ImageIndex, type ImageManifest } from '../model/manifest.ts';
import type { RegistryClient } from '../registry/client.ts';
import type { RepositoryName } from '../registry/resource.ts';
import { readSignatureAnnotations } from './annotations.ts';
import {
  findAtReferrers,
  findInArtifact,
  findUnderAttestationTag,
  findUnderTag,
  type Located,
  type Subject,
} from './discover.ts';
import {
  type BundleEvidence,
  type EnvelopeEvidence,
  type Evidence,
  type EvidenceProblem,
  type EvidenceResult,
  type SimpleSigningEvidence,
} from './evidence.ts';
import { gatherChildren, requireManifest } from './gather-children.ts';
import { maxBytesOf, WHOLE_BUDGET, withinLimits, type ByteBudget } from './limits.ts';
import { attempt, isProblem, toProblem } from './problem.ts';

/** Gathers what signs one digest; never throws for anything a registry does. */
export function gatherEvidence(
  client: RegistryClient,
  name: RepositoryName,
  digest: string,
  signal: AbortSignal,
): Promise<EvidenceResult> {
  return gatherAbout({ client, name, digest, signal, wantsAttestations: false });
}

/** As {@link gatherEvidence}, for policies that demand attestations too. */
export function gatherWithAttestations(
  client: RegistryClient,
  name: RepositoryName,
  digest: string,
  signal: AbortSignal,
): Promise<EvidenceResult> {
  return gatherAbout({ client, name, digest, signal, wantsAttestations: true });
}

async function gatherAbout(subject: Subject): Promise<EvidenceResult> {
  try {
    const manifest = fetchSubject(subject);
    // Children wait for the index alone, not for what signs it.
    const [found, children] = await Promise.all([
      gatherSigned(subject, manifest, WHOLE_BUDGET),
      manifest.then((it) => (it.kind === 'index' ? gatherIndex(it, subject) : undefined)),
    ]);
    return { ok: true, evidence: { ...found, ...(children && { children }) } };
  } catch (error) {
    if (error instanceof ListingError) return { ok: false, problem: error.problem };
    return { ok: false, problem: toProblem(error) };
  }
}

/** A listing that cannot be had, where no other place has a signature. */
class ListingError extends Error {
  override readonly name = 'ListingError';
  readonly problem: EvidenceProblem;
  constructor(problem: EvidenceProblem) {
    super(problem.message);
    this.problem = problem;
  }
}

async function gatherSigned(
  subject: Subject,
  fetched: Promise<ImageManifest | ImageIndex>,
  budget: ByteBudget,
): Promise<Evidence> {
  const [manifest, atReferrers, underTag, attested] = await Promise.all([
    fetched,
    settle(findAtReferrers(subject), subject.signal),
    findUnderTag(subject),
    subject.wantsAttestations ? findUnderAttestationTag(subject) : NOTHING,
  ]);
  const inArtifact = manifest.kind === 'manifest' ? findInArtifact(manifest) : NOTHING;
  const elsewhere = [underTag, inArtifact, attested].flatMap(({ signatures }) => signatures).length;
  // A listing that cannot be had spoils no signature that is elsewhere.
  if (isProblem(atReferrers) && elsewhere === 0) throw new ListingError(atReferrers);
  const referrers: Located = isProblem(atReferrers)
    ? { signatures: [], problems: [atReferrers] }
    : atReferrers;
  const places = [inArtifact, referrers, underTag, attested];
  const { envelopes, attestationProblems, ...found } = await fetchSignatures(subject, places, budget);
  const tagged = { envelopes, problems: [...attested.problems, ...attestationProblems] };
  return {
    digest: subject.digest,
    manifest,
    ...found,
    problems: [...found.problems, ...[inArtifact, referrers, underTag].flatMap(({ problems }) => problems)],
    ...(subject.wantsAttestations && { tagged }),
  };
}

const NOTHING: Located = { signatures: [], problems: [] };

function gatherIndex(index: ImageIndex, about: Subject): Promise<readonly Evidence[]> {
  const toSubject = (digest: string): Subject => ({ ...about, digest });
  return gatherChildren(index, {
    fetchManifest: ({ digest, size }) => fetchSubject(toSubject(digest), size),
    gather: ({ digest, size }, budget) => {
      const subject = toSubject(digest);
      return gatherSigned(subject, fetchSubject(subject, size).then(requireManifest), budget);
    },
  });
}

/** Resolves a tag to the digest of the bytes it names; never throws for anything a registry does. */
export async function resolveTag(
  client: RegistryClient,
  name: RepositoryName,
  tag: string,
  signal: AbortSignal,
): Promise<
  { readonly ok: true; readonly digest: string } | { readonly ok: false; readonly problem: EvidenceProblem }
> {
  try {
    return { ok: true, digest: (await client.fetchManifest(name, tag, signal)).digest };
  } catch (error) {
    return { ok: false, problem: toProblem(error) };
  }
}

async function fetchSubject(
  { client, name, digest, signal }: Subject,
  size?: number,
): Promise<ImageManifest | ImageIndex> {
  const { bytes } = await client.fetchManifest(name, digest, signal);
  // Sizes that an index declares bound what all its children may cost.
  if (size !== undefined && bytes.length !== size)
    throw new ManifestError(`${digest.slice(0, 19)}… has ${bytes.length} bytes where its index says ${size}`);
  return parseManifest(bytes);
}

async function settle(listing: Promise<Located>, signal: AbortSignal): Promise<Located | EvidenceProblem> {
  try {
    return await listing;
  } catch (error) {
    if (error instanceof DeadlineError && signal.aborted) throw error;
    return toProblem(error);
  }
}

interface Found {
  readonly bundles: readonly BundleEvidence[];
  readonly simpleSignatures: readonly SimpleSigningEvidence[];
  readonly envelopes: readonly EnvelopeEvidence[];
  readonly problems: readonly EvidenceProblem[];
  /** Trouble with what the attestation tag names. */
  readonly attestationProblems: readonly EvidenceProblem[];
}

async function fetchSignatures(
  subject: Subject,
  places: readonly Located[],
  budget: ByteBudget,
): Promise<Found> {
  const lists = places.map(({ signatures }) => signatures);
  const { kept, problems: surplus } = withinLimits(lists, budget);
  const { client, name, signal } = subject;
  const fetched = await Promise.all(
    kept.map(async (signature) => {
      const { kind, layer } = signature;
      const hasAnnotations = kind === 'simpleSigning' || kind === 'envelope';
      const outcome = await attempt(signal, signature, async () => ({
        annotations: hasAnnotations ? readSignatureAnnotations(layer) : {},
        bytes: await client.fetchBlob(name, layer, { maxBytes: maxBytesOf(signature), signal }),
      }));
      return { signature, outcome };
    }),
  );
  const bundles: BundleEvidence[] = [];
  const simpleSignatures: SimpleSigningEvidence[] = [];
  const envelopes: EnvelopeEvidence[] = [];
  const problems: EvidenceProblem[] = [...surplus];
  const attestationProblems: EvidenceProblem[] = [];
  for (const { signature, outcome } of fetched) {
    const { place, referrer, kind } = signature;
    if (isProblem(outcome)) (kind === 'envelope' ? attestationProblems : problems).push(outcome);
    else if (kind === 'envelope') envelopes.push({ place, referrer, ...outcome });
    else if (kind === 'simpleSigning')
      simpleSignatures.push({ place, referrer, payload: outcome.bytes, annotations: outcome.annotations });
    else bundles.push({ place, referrer, bytes: outcome.bytes });
  }
  return { bundles, simpleSignatures, envelopes, problems, attestationProblems };
}

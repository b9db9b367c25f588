// What can be had about this digest? Manifest, referrers and signature tag in parallel, then what they name; bounded in
// number, bytes and time. With a digest at hand three requests in a row at most, where the registry lists referrers.
import { DeadlineError } from '../lib/deadline.ts';
import { ManifestError, parseManifest, type ImageIndex, type ImageManifest } from '../model/manifest.ts';
import type { RegistryClient } from '../registry/client.ts';
import type { RepositoryName } from '../registry/resource.ts';
import { readSignatureAnnotations } from './annotations.ts';
import { findAtReferrers, findInArtifact, findUnderTag, type Located, type Subject } from './discover.ts';
import {
  MAX_BUNDLES_BYTES,
  type BundleEvidence,
  type Evidence,
  type EvidenceProblem,
  type EvidenceResult,
  type SimpleSigningEvidence,
} from './evidence.ts';
import { gatherChildren, requireManifest } from './gather-children.ts';
import { maxBytesOf, withinLimits } from './limits.ts';
import { attempt, isProblem, toProblem } from './problem.ts';

/** Gathers the evidence of one digest; never throws for anything a registry does. */
export async function gatherEvidence(
  client: RegistryClient,
  name: RepositoryName,
  digest: string,
  signal: AbortSignal,
): Promise<EvidenceResult> {
  const subject = { client, name, digest, signal };
  try {
    const manifest = fetchSubject(subject);
    // Children wait for the index alone, not for what signs it.
    const [found, children] = await Promise.all([
      gatherSigned(subject, manifest, MAX_BUNDLES_BYTES),
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
  maxBytes: number,
): Promise<Evidence> {
  const [manifest, atReferrers, underTag] = await Promise.all([
    fetched,
    settle(findAtReferrers(subject), subject.signal),
    findUnderTag(subject),
  ]);
  const inArtifact = manifest.kind === 'manifest' ? findInArtifact(manifest) : NOTHING;
  const elsewhere = underTag.signatures.length + inArtifact.signatures.length;
  // A listing that cannot be had spoils no signature that is elsewhere.
  if (isProblem(atReferrers) && elsewhere === 0) throw new ListingError(atReferrers);
  const referrers: Located = isProblem(atReferrers)
    ? { signatures: [], problems: [atReferrers] }
    : atReferrers;
  const found = await fetchSignatures(subject, [inArtifact, referrers, underTag], maxBytes);
  return { digest: subject.digest, manifest, ...found };
}

const NOTHING: Located = { signatures: [], problems: [] };

function gatherIndex(index: ImageIndex, { client, name, signal }: Subject): Promise<readonly Evidence[]> {
  const toSubject = (digest: string): Subject => ({ client, name, digest, signal });
  return gatherChildren(index, {
    fetchManifest: ({ digest, size }) => fetchSubject(toSubject(digest), size),
    gather: ({ digest, size }, maxBundlesBytes) => {
      const subject = toSubject(digest);
      return gatherSigned(subject, fetchSubject(subject, size).then(requireManifest), maxBundlesBytes);
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
  readonly problems: readonly EvidenceProblem[];
}

async function fetchSignatures(
  subject: Subject,
  places: readonly Located[],
  maxBytes: number,
): Promise<Found> {
  const lists = places.map(({ signatures }) => signatures);
  const { kept, problems: surplus } = withinLimits(lists, maxBytes);
  const { client, name, signal } = subject;
  const fetched = await Promise.all(
    kept.map((signature) =>
      attempt(signal, signature, async () => ({
        signature,
        annotations: signature.kind === 'bundle' ? {} : readSignatureAnnotations(signature.layer),
        bytes: await client.fetchBlob(name, signature.layer, { maxBytes: maxBytesOf(signature), signal }),
      })),
    ),
  );
  const bundles: BundleEvidence[] = [];
  const simpleSignatures: SimpleSigningEvidence[] = [];
  for (const outcome of fetched) {
    if (isProblem(outcome)) continue;
    const { place, referrer, kind } = outcome.signature;
    if (kind === 'bundle') bundles.push({ place, referrer, bytes: outcome.bytes });
    else
      simpleSignatures.push({
        place,
        referrer,
        payload: outcome.bytes,
        annotations: outcome.annotations,
      });
  }
  const problems = [
    ...surplus,
    ...places.flatMap((place) => place.problems),
    ...fetched.filter((outcome) => isProblem(outcome)),
  ];
  return { bundles, simpleSignatures, problems };
}

// What can be had about this digest? Manifest, referrers and signature tag in parallel, then what they name; bounded in
// number, bytes and time. With a digest at hand three requests in a row at most, where the registry lists referrers.
import { DeadlineError } from '../lib/deadline.ts';
import { parseManifest, type ImageManifest } from '../model/manifest.ts';
import type { RegistryClient } from '../registry/client.ts';
import type { RepositoryName } from '../registry/resource.ts';
import { readSignatureAnnotations } from './annotations.ts';
import {
  findAtReferrers,
  findInArtifact,
  findUnderTag,
  type Located,
  type LocatedSignature,
  type Subject,
} from './discover.ts';
import {
  type BundleEvidence,
  type EvidenceProblem,
  type EvidenceResult,
  type SimpleSigningEvidence,
} from './evidence.ts';
import { maxBytesOf, withinLimits } from './limits.ts';
import { attempt, isProblem, toProblem, UnsupportedError } from './problem.ts';

/** Gathers the evidence of one digest; never throws for anything a registry does. */
export async function gatherEvidence(
  client: RegistryClient,
  name: RepositoryName,
  digest: string,
  signal: AbortSignal,
): Promise<EvidenceResult> {
  const subject = { client, name, digest, signal };
  try {
    const [manifest, atReferrers, underTag] = await Promise.all([
      fetchSubject(subject),
      settle(findAtReferrers(subject), signal),
      findUnderTag(subject),
    ]);
    const inArtifact = findInArtifact(manifest);
    const elsewhere = underTag.signatures.length + inArtifact.signatures.length;
    // A listing that cannot be had spoils no signature that is elsewhere.
    if (isProblem(atReferrers) && elsewhere === 0) return { ok: false, problem: atReferrers };
    const referrers: Located = isProblem(atReferrers)
      ? { signatures: [], problems: [atReferrers] }
      : atReferrers;
    const found = await fetchSignatures(subject, [inArtifact, referrers, underTag]);
    return { ok: true, evidence: { digest, manifest, ...found } };
  } catch (error) {
    return { ok: false, problem: toProblem(error) };
  }
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

async function fetchSubject({ client, name, digest, signal }: Subject): Promise<ImageManifest> {
  const { bytes } = await client.fetchManifest(name, digest, signal);
  const manifest = parseManifest(bytes);
  if (manifest.kind === 'index')
    throw new UnsupportedError('it is an image index, which this version does not judge');
  return manifest;
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

async function fetchSignatures(subject: Subject, places: readonly Located[]): Promise<Found> {
  const { kept, problems: surplus } = withinLimits(places.map(({ signatures }) => signatures));
  const fetchOnce = createBlobFetcher(subject);
  const fetched = await Promise.all(
    kept.map((signature) =>
      attempt(subject.signal, signature, async () => ({
        signature,
        annotations: signature.kind === 'bundle' ? {} : readSignatureAnnotations(signature.layer),
        bytes: await fetchOnce(signature),
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

// Two keys that sign one digest sign the same payload bytes.
function createBlobFetcher({
  client,
  name,
  signal,
}: Subject): (signature: LocatedSignature) => Promise<Buffer> {
  const flights = new Map<string, Promise<Buffer>>();
  return (signature) => {
    const { digest, size } = signature.layer;
    const id = `${signature.kind} ${digest} ${size}`;
    const flight =
      flights.get(id) ?? client.fetchBlob(name, signature.layer, { maxBytes: maxBytesOf(signature), signal });
    flights.set(id, flight);
    return flight;
  };
}

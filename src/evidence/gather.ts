// What can be had about this digest? Manifest, referrers and bundles in parallel, bounded in number, bytes and time.
// The only place that turns errors of the registry edge into findings' reasons.
import { DeadlineError } from '../lib/deadline.ts';
import { quote } from '../lib/text.ts';
import { ManifestError, parseManifest, type Descriptor, type ImageManifest } from '../model/manifest.ts';
import type { RegistryClient } from '../registry/client.ts';
import { REGISTRY_ERROR_REASONS, RegistryError } from '../registry/error.ts';
import { MAX_REFERRERS } from '../registry/referrers.ts';
import type { RepositoryName } from '../registry/resource.ts';
import {
  MAX_BUNDLE_BYTES,
  type BundleEvidence,
  type EvidenceProblem,
  type EvidenceResult,
} from './evidence.ts';

const BUNDLE_LAYER = /^application\/vnd\.dev\.sigstore\.bundle(?:\.v\d|\+json)/;
/** Signature formats that are recognised and not supported, by the referrer's artifact or layer type. */
const UNSUPPORTED_TYPES: Readonly<Record<string, string>> = {
  'application/vnd.cncf.notary.signature': 'Notation signatures',
  'application/vnd.dev.cosign.artifact.sig.v1+json': 'cosign v2 signatures as referrers',
};

/** Gathers the evidence of one digest; never throws for anything a registry does. */
export async function gatherEvidence(
  client: RegistryClient,
  name: RepositoryName,
  digest: string,
  signal: AbortSignal,
): Promise<EvidenceResult> {
  try {
    const [manifest, found] = await Promise.all([
      fetchSubject(client, name, digest, signal),
      gatherBundles(client, name, digest, signal),
    ]);
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

async function fetchSubject(
  client: RegistryClient,
  name: RepositoryName,
  digest: string,
  signal: AbortSignal,
): Promise<ImageManifest> {
  const { bytes } = await client.fetchManifest(name, digest, signal);
  const manifest = parseManifest(bytes);
  if (manifest.kind === 'index')
    throw new UnsupportedError('it is an image index, which this version does not judge');
  return manifest;
}

class UnsupportedError extends Error {
  override readonly name = 'UnsupportedError';
}

interface Found {
  readonly bundles: readonly BundleEvidence[];
  readonly problems: readonly EvidenceProblem[];
}

async function gatherBundles(
  client: RegistryClient,
  name: RepositoryName,
  digest: string,
  signal: AbortSignal,
): Promise<Found> {
  const { descriptors, isTruncated } = await client.listReferrers(name, digest, signal);
  const bundles: BundleEvidence[] = [];
  const problems: EvidenceProblem[] = [];
  if (isTruncated)
    problems.push({
      reason: 'TooManySignatures',
      message: `it has more than ${MAX_REFERRERS} referrers, the rest was not read`,
    });
  const outcomes = await Promise.all(
    descriptors.map((descriptor) => fetchBundle({ client, name, digest, signal }, descriptor)),
  );
  for (const outcome of outcomes) {
    if (outcome === undefined) continue;
    if ('bytes' in outcome) bundles.push(outcome);
    else problems.push(outcome);
  }
  return { bundles, problems };
}

interface Subject {
  readonly client: RegistryClient;
  readonly name: RepositoryName;
  readonly digest: string;
  readonly signal: AbortSignal;
}

// One broken, foreign or unreachable candidate never spoils another; only the deadline ends all.
async function fetchBundle(
  subject: Subject,
  descriptor: Descriptor,
): Promise<BundleEvidence | EvidenceProblem | undefined> {
  try {
    const layer = await findBundleLayer(subject, descriptor.digest);
    if (layer === undefined) return undefined;
    const { client, name, signal } = subject;
    return {
      referrer: descriptor.digest,
      bytes: await client.fetchBlob(name, layer, { maxBytes: MAX_BUNDLE_BYTES, signal }),
    };
  } catch (error) {
    if (error instanceof DeadlineError && subject.signal.aborted) throw error;
    const { reason, message } = toProblem(error);
    // A signature that vanished between listing and fetching is no missing model.
    const honest = reason === 'ArtifactNotFound' ? 'RegistryUnavailable' : reason;
    return { reason: honest, message: `referrer ${descriptor.digest.slice(0, 19)}…: ${message}` };
  }
}

async function findBundleLayer(
  { client, name, digest, signal }: Subject,
  referrer: string,
): Promise<Descriptor | undefined> {
  const manifest = parseManifest((await client.fetchManifest(name, referrer, signal)).bytes);
  if (manifest.kind === 'index') return undefined;
  refuseUnsupported(manifest);
  const [layer, ...others] = manifest.layers;
  if (layer === undefined || !BUNDLE_LAYER.test(layer.mediaType)) return undefined;
  if (others.length > 0) throw new ManifestError('a bundle referrer has more than one layer');
  // The listing is only a claim: an index under the fallback tag can name anybody's signature.
  if (manifest.subject?.digest !== digest) throw new SubjectError(manifest.subject?.digest ?? 'nothing');
  return layer;
}

function refuseUnsupported(manifest: ImageManifest): void {
  const type = manifest.artifactType ?? manifest.config.mediaType;
  const unsupported = Object.hasOwn(UNSUPPORTED_TYPES, type) ? UNSUPPORTED_TYPES[type] : undefined;
  if (unsupported !== undefined) throw new UnsupportedError(`${unsupported} are not supported`);
}

class SubjectError extends Error {
  override readonly name = 'SubjectError';
  constructor(actual: string) {
    super(`it refers to ${actual}`);
  }
}

function toProblem(error: unknown): EvidenceProblem {
  if (error instanceof RegistryError)
    return { reason: REGISTRY_ERROR_REASONS[error.kind], message: error.message };
  if (error instanceof DeadlineError)
    return {
      reason: 'DeadlineExceeded',
      message: 'the registry had not answered when the time for this request was up',
    };
  if (error instanceof ManifestError)
    return { reason: 'ManifestInvalid', message: `the manifest is invalid: ${quote(error.message, 300)}` };
  if (error instanceof UnsupportedError) return { reason: 'UnsupportedFormat', message: error.message };
  if (error instanceof SubjectError) return { reason: 'SubjectMismatch', message: error.message };
  throw error;
}

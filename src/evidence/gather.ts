// What can be had about this digest? Manifest, referrers and bundles in parallel, bounded in number, bytes and time.
// The only place that turns errors of the registry edge into findings' reasons.
import { DeadlineError } from '../lib/deadline.ts';
import { quote } from '../lib/text.ts';
import {
  ManifestError,
  parseManifest,
  type Descriptor,
  type ImageIndex,
  type ImageManifest,
} from '../model/manifest.ts';
import type { RegistryClient } from '../registry/client.ts';
import { REGISTRY_ERROR_REASONS, RegistryError } from '../registry/error.ts';
import { MAX_REFERRERS } from '../registry/referrers.ts';
import type { RepositoryName } from '../registry/resource.ts';
import {
  MAX_BUNDLE_BYTES,
  MAX_BUNDLES_BYTES,
  type BundleEvidence,
  type Evidence,
  type EvidenceProblem,
  type EvidenceResult,
} from './evidence.ts';
import { gatherChildren, requireManifest } from './gather-children.ts';

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
    const subject = { client, name, digest, signal };
    const fetched = fetchSubject(subject);
    // Children wait for the index alone, not for what signs it.
    const [manifest, found, children] = await Promise.all([
      fetched,
      gatherBundles(subject, MAX_BUNDLES_BYTES),
      fetched.then((it) => (it.kind === 'index' ? gatherIndex(it, subject) : undefined)),
    ]);
    return { ok: true, evidence: { digest, manifest, ...found, ...(children && { children }) } };
  } catch (error) {
    return { ok: false, problem: toProblem(error) };
  }
}

function gatherIndex(index: ImageIndex, { client, name, signal }: Subject): Promise<readonly Evidence[]> {
  const toSubject = (digest: string): Subject => ({ client, name, digest, signal });
  return gatherChildren(index, {
    fetchManifest: ({ digest, size }) => fetchSubject(toSubject(digest), size),
    gather: async ({ digest, size }, maxBundlesBytes) => {
      const subject = toSubject(digest);
      const [manifest, found] = await Promise.all([
        fetchSubject(subject, size),
        gatherBundles(subject, maxBundlesBytes),
      ]);
      return { digest, manifest: requireManifest(manifest), ...found };
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

class UnsupportedError extends Error {
  override readonly name = 'UnsupportedError';
}

interface Found {
  readonly bundles: readonly BundleEvidence[];
  readonly problems: readonly EvidenceProblem[];
}

async function gatherBundles(subject: Subject, maxBytes: number): Promise<Found> {
  const { client, name, digest, signal } = subject;
  const { descriptors, isTruncated } = await client.listReferrers(name, digest, signal);
  const bundles: BundleEvidence[] = [];
  const problems: EvidenceProblem[] = [];
  if (isTruncated)
    problems.push({
      reason: 'TooManySignatures',
      message: `it has more than ${MAX_REFERRERS} referrers, the rest was not read`,
    });
  const layers = await Promise.all(
    descriptors.map((descriptor) =>
      attempt(signal, descriptor.digest, () => findBundleLayer(subject, descriptor)),
    ),
  );
  const { kept, surplus } = withinBudget(
    layers.filter((layer) => layer !== undefined && 'referrer' in layer),
    maxBytes,
  );
  if (surplus > 0)
    problems.push({
      reason: 'TooManySignatures',
      message: `its bundles are larger than ${maxBytes} bytes together, ${surplus} were not read`,
    });
  const fetched = await Promise.all(
    kept.map(({ referrer, layer }) =>
      attempt(signal, referrer, async () => ({
        referrer,
        bytes: await client.fetchBlob(name, layer, { maxBytes: MAX_BUNDLE_BYTES, signal }),
      })),
    ),
  );
  for (const outcome of fetched) if ('bytes' in outcome) bundles.push(outcome);
  for (const outcome of [...layers, ...fetched])
    if (outcome !== undefined && 'reason' in outcome) problems.push(outcome);
  return { bundles, problems };
}

interface BundleLayer {
  readonly referrer: string;
  readonly layer: Descriptor;
}

// Smallest first, so that nobody hides a signature behind large ones; a bundle over its own cap is refused by itself.
function withinBudget(
  layers: readonly BundleLayer[],
  maxBytes: number,
): { kept: readonly BundleLayer[]; surplus: number } {
  let left = maxBytes;
  const kept = layers
    .toSorted((a, b) => a.layer.size - b.layer.size)
    .filter(({ layer }) => layer.size > MAX_BUNDLE_BYTES || (left -= layer.size) >= 0);
  return { kept, surplus: layers.length - kept.length };
}

interface Subject {
  readonly client: RegistryClient;
  readonly name: RepositoryName;
  readonly digest: string;
  readonly signal: AbortSignal;
}

// One broken, foreign or unreachable candidate never spoils another; only the request's own deadline ends all.
async function attempt<T>(
  signal: AbortSignal,
  referrer: string,
  run: () => Promise<T>,
): Promise<T | EvidenceProblem> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof DeadlineError && signal.aborted) throw error;
    const { reason, message } = toProblem(error);
    // A signature that vanished between listing and fetching is no missing model.
    const honest = reason === 'ArtifactNotFound' ? 'RegistryUnavailable' : reason;
    return { reason: honest, message: `referrer ${referrer.slice(0, 19)}…: ${message}` };
  }
}

async function findBundleLayer(
  { client, name, digest, signal }: Subject,
  { digest: referrer }: Descriptor,
): Promise<BundleLayer | undefined> {
  const manifest = parseManifest((await client.fetchManifest(name, referrer, signal)).bytes);
  if (manifest.kind === 'index') return undefined;
  refuseUnsupported(manifest);
  const [layer, ...others] = manifest.layers;
  if (layer === undefined || !BUNDLE_LAYER.test(layer.mediaType)) return undefined;
  if (others.length > 0) throw new ManifestError('a bundle referrer has more than one layer');
  // The listing is only a claim: an index under the fallback tag can name anybody's signature.
  if (manifest.subject?.digest !== digest) throw new SubjectError(manifest.subject?.digest ?? 'nothing');
  return { referrer, layer };
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

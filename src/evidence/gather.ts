// What can be had about this digest? Its manifest, and what signs it in its own repository and in others that policies
// name, all in parallel. With a digest at hand three requests in a row at most, where registries list referrers.
import { ManifestError, parseManifest, type ImageIndex, type ImageManifest } from '../model/manifest.ts';
import type { RegistryClient } from '../registry/client.ts';
import type { RepositoryName } from '../registry/resource.ts';
import { findInArtifact, type Subject } from './discover.ts';
import type { Evidence, EvidenceProblem, EvidenceResult, FoundEvidence } from './evidence.ts';
import { gatherChildren, requireManifest } from './gather-children.ts';
import { gatherElsewhere, gatherInArtifact, gatherSignatures, NOTHING_LOCATED } from './gather-signatures.ts';
import { WHOLE_BUDGET, type ByteBudget } from './limits.ts';
import { toProblem } from './problem.ts';
import type { EvidenceWish } from './signature-repository.ts';

/** Whose signatures are looked for, and until when. */
export interface EvidenceRequest {
  readonly client: RegistryClient;
  readonly name: RepositoryName;
  readonly digest: string;
  readonly signal: AbortSignal;
}

const OWN: EvidenceWish = { wantsOwn: true, wantsAttestations: false, elsewhere: [] };

/** Gathers what signs one digest in its own repository; never throws for anything a registry does. */
export function gatherEvidence(
  client: RegistryClient,
  name: RepositoryName,
  digest: string,
  signal: AbortSignal,
): Promise<EvidenceResult> {
  return gatherWished({ client, name, digest, signal }, OWN);
}

/** As {@link gatherEvidence}, for policies that demand attestations too. */
export function gatherWithAttestations(
  client: RegistryClient,
  name: RepositoryName,
  digest: string,
  signal: AbortSignal,
): Promise<EvidenceResult> {
  return gatherWished({ client, name, digest, signal }, { ...OWN, wantsAttestations: true });
}

/** Gathers a manifest, and what signs it wherever it is wished for; never throws for anything a registry does. */
export async function gatherWished(request: EvidenceRequest, wish: EvidenceWish): Promise<EvidenceResult> {
  const { wantsAttestations } = wish;
  const wished: WishedSubject = { subject: { ...request, wantsAttestations }, wish };
  try {
    const manifest = fetchSubject(wished.subject);
    // Children wait for the index alone, not for what signs it.
    const [found, children] = await Promise.all([
      gatherSigned(wished, manifest, WHOLE_BUDGET),
      manifest.then((it) => (it.kind === 'index' ? gatherIndex(it, wished) : undefined)),
    ]);
    return { ok: true, evidence: { ...found, ...(children && { children }) } };
  } catch (error) {
    if (error instanceof ListingError) return { ok: false, problem: error.problem };
    return { ok: false, problem: toProblem(error) };
  }
}

/** A subject in its own repository, and where else it is asked about. */
interface WishedSubject {
  readonly subject: Subject;
  readonly wish: EvidenceWish;
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
  { subject, wish }: WishedSubject,
  fetched: Promise<ImageManifest | ImageIndex>,
  budget: ByteBudget,
): Promise<Evidence> {
  const { digest } = subject;
  const [manifest, own, elsewhere] = await Promise.all([
    fetched,
    gatherOwn({ subject, wish }, fetched, budget),
    Promise.all(
      wish.elsewhere.map(async ({ repository, client, wantsAttestations }) => {
        const there = { ...subject, client, name: repository, wantsAttestations };
        return [repository.id, await gatherElsewhere(there, budget)] as const;
      }),
    ),
  ]);
  return { digest, manifest, ...own, ...(elsewhere.length > 0 && { elsewhere: new Map(elsewhere) }) };
}

// The layer `model.sig` is the model's, whoever looks for signatures elsewhere: it says which files are to be signed.
async function gatherOwn(
  { subject, wish }: WishedSubject,
  fetched: Promise<ImageManifest | ImageIndex>,
  budget: ByteBudget,
): Promise<FoundEvidence> {
  const inArtifact = fetched.then((manifest) =>
    manifest.kind === 'manifest' ? findInArtifact(manifest) : NOTHING_LOCATED,
  );
  if (!wish.wantsOwn) return gatherInArtifact(subject, inArtifact, budget);
  const { found, lost } = await gatherSignatures(subject, inArtifact, budget);
  // Of those who look elsewhere, nobody is denied for it.
  if (lost !== undefined && wish.elsewhere.length === 0) throw new ListingError(lost);
  return found;
}

function gatherIndex(
  index: ImageIndex,
  { subject: about, wish }: WishedSubject,
): Promise<readonly Evidence[]> {
  const toSubject = (digest: string): Subject => ({ ...about, digest });
  return gatherChildren(index, {
    fetchManifest: ({ digest, size }) => fetchSubject(toSubject(digest), size),
    gather: ({ digest, size }, budget) => {
      const subject = toSubject(digest);
      return gatherSigned({ subject, wish }, fetchSubject(subject, size).then(requireManifest), budget);
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

// What does one repository hold about this digest? Referrers and tags in parallel, then what they name; bounded in
// number and bytes. Says of each trouble that it was there, and ends for nothing but the request's own deadline.
import { DeadlineError } from '../lib/deadline.ts';
import { readSignatureAnnotations } from './annotations.ts';
import {
  findAtReferrers,
  findUnderAttestationTag,
  findUnderTag,
  type Located,
  type Subject,
} from './discover.ts';
import type {
  BundleEvidence,
  EnvelopeEvidence,
  EvidenceProblem,
  FoundEvidence,
  SignatureOrigin,
  SimpleSigningEvidence,
} from './evidence.ts';
import { maxBytesOf, withinLimits, type ByteBudget } from './limits.ts';
import { attempt, isProblem, toProblem } from './problem.ts';
import { toRepositoryText } from './signature-repository.ts';

/** A place that holds nothing. */
export const NOTHING_LOCATED: Located = { signatures: [], problems: [] };

/** What was found, and whether the listing could not be had while no other place had anything. */
export interface GatheredSignatures {
  readonly found: FoundEvidence;
  readonly lost: EvidenceProblem | undefined;
}

/**
 * Gathers what a repository holds about a subject.
 * @param inArtifact what the model itself holds; read with the rest
 * @throws what `inArtifact` throws, and DeadlineError when the request's time is up
 */
export async function gatherSignatures(
  subject: Subject,
  inArtifact: Promise<Located>,
  budget: ByteBudget,
): Promise<GatheredSignatures> {
  const [inModel, atReferrers, underTag, attested] = await Promise.all([
    inArtifact,
    settle(findAtReferrers(subject), subject.signal),
    findUnderTag(subject),
    subject.wantsAttestations ? findUnderAttestationTag(subject) : NOTHING_LOCATED,
  ]);
  const others = [underTag, inModel, attested].flatMap(({ signatures }) => signatures).length;
  // A listing that cannot be had spoils no signature that is elsewhere.
  const lost = isProblem(atReferrers) && others === 0 ? atReferrers : undefined;
  const referrers: Located = isProblem(atReferrers)
    ? { signatures: [], problems: [atReferrers] }
    : atReferrers;
  const places = [inModel, referrers, underTag, attested];
  const { envelopes, attestationProblems, ...found } = await fetchSignatures(subject, places, budget);
  const tagged = { envelopes, problems: [...attested.problems, ...attestationProblems] };
  const problems = [...found.problems, ...[inModel, referrers, underTag].flatMap((place) => place.problems)];
  return { found: { ...found, problems, ...(subject.wantsAttestations && { tagged }) }, lost };
}

/** Reads what the model itself holds, and asks for nothing else. @throws as {@link gatherSignatures} */
export async function gatherInArtifact(
  subject: Subject,
  inArtifact: Promise<Located>,
  budget: ByteBudget,
): Promise<FoundEvidence> {
  const place = await inArtifact;
  const { bundles, simpleSignatures, problems } = await fetchSignatures(subject, [place], budget);
  return { bundles, simpleSignatures, problems };
}

/** As {@link gatherSignatures} for a repository that is not the model's: everything found says where it was. */
export async function gatherElsewhere(subject: Subject, budget: ByteBudget): Promise<FoundEvidence> {
  const { found } = await gatherSignatures(subject, Promise.resolve(NOTHING_LOCATED), budget);
  const repository = toRepositoryText(subject.name);
  const named = <T extends SignatureOrigin>(items: readonly T[]): readonly T[] =>
    items.map((item) => ({ ...item, repository }));
  const said = (problems: readonly EvidenceProblem[]): readonly EvidenceProblem[] =>
    problems.map(({ reason, message }) => ({ reason, message: `signatures in ${repository}: ${message}` }));
  return {
    bundles: named(found.bundles),
    simpleSignatures: named(found.simpleSignatures),
    problems: said(found.problems),
    ...(found.tagged && {
      tagged: { envelopes: named(found.tagged.envelopes), problems: said(found.tagged.problems) },
    }),
  };
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

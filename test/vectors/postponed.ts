// Which recorded verdicts are not asked of this version, and which must be? Three tables: what is still to come, what
// must be there and run, and what was decided where a vector leaves the verdict open or ours differs on purpose.
import type { Expectation, VectorCase } from './cases.ts';

/** One reason not to run an expectation yet. */
interface Postponement {
  /** Case names; `*` stands for any text. */
  readonly pattern: string;
  /** Which of the case's expectations are meant; absent: all. */
  readonly when?: (expectation: Expectation, vector: VectorCase) => boolean;
  readonly reason: string;
}

const POSTPONED: readonly Postponement[] = [
  {
    pattern: '*',
    when: ({ trust }) => trust.allowIgnoredPaths === true,
    reason: 'not applicable: no policy field honours ignore_paths, on purpose',
  },
];

/** Why an expectation is not run; undefined when it is. */
export function findPostponement(vector: VectorCase, expectation: Expectation): string | undefined {
  return POSTPONED.find(
    ({ pattern, when }) => matches(pattern, vector.id) && (when?.(expectation, vector) ?? true),
  )?.reason;
}

/** Cases that must be in the directory and run whole; a pattern needs at least one. */
export const REQUIRED: readonly string[] = [
  'c3-key-p256',
  'c3-key-p256-fallback',
  'c3-key-p256-ggcr',
  'c3-key-p256*',
  'c3-key-p384',
  'c3-key-ed25519*',
  'c3-key-annotations',
  'c3-two-signers',
  'kl-c3-email',
  'kl-c3-ci',
  'kl-c3-ci-fallback',
  'kl-c3-ci*',
  'c3-pki-chain',
  'c3-index-*',
  'pkg-docker-manifest-list',
  'pkg-index-two-platforms',
  'pkg-modelcar-olot-modelpack',
  'oms-cert-*',
  'neg-*-cert-*',
  'oms-key-p256',
  'oms-key-p256-fallback',
  'oms-key-p256*',
  'oms-key-p384',
  'pkg-oras-plain',
  'pkg-oras-plain-fallback',
  'pkg-oras-plain*',
  'neg-c3-wrong-key',
  'neg-c3-bundle-copied',
  'neg-c3-fallback-foreign',
  'neg-oms-wrong-key',
  'neg-oms-layer-swapped',
  'neg-oms-extra-layer',
  'neg-oms-missing-layer',
  'c2-key-p256',
  'c2-key-p256-fallback',
  'c2-key-p384',
  'c2-key-p384-old',
  'c2-key-ed25519*',
  'c2-two-signers',
  'c2-and-c3-mixed',
  'kl-c2-tsa',
  'kl-key-tlog',
  'neg-c2-payload-edited',
  'neg-c2-sig-copied',
  'neg-c2-wrong-key',
  'c2-attest-slsa',
  'c3-attest-slsa',
  'c3-attest-mlbom',
  'c3-sign-and-attest',
  'kl-c3-attest-slsa',
  'rh-tag',
  'rh-tag-fallback',
  'oms-in-artifact-modelpack',
  'oms-in-artifact-oras',
  'odd-no-mediatype',
  'odd-pretty-manifest',
  'odd-*',
];

interface Decision {
  readonly pattern: string;
  readonly verdict: 'accept' | 'reject';
  readonly why: string;
}

/** Verdicts of ours where a vector says `implementation-defined`. */
const DECIDED: readonly Decision[] = [
  { pattern: 'c3-key-ed25519*', verdict: 'accept', why: 'Ed25519ph, as cosign writes it, is accepted' },
  { pattern: 'c2-key-ed25519', verdict: 'accept', why: 'Ed25519ph, as cosign writes it, is accepted' },
  { pattern: 'rh-modelcar-plain', verdict: 'reject', why: 'an opaque layer has no files to compare' },
];

/** Verdicts of ours where a vector says accept. */
const DIFFERENT: readonly Decision[] = [
  { pattern: 'rh-modelpack', verdict: 'reject', why: 'the names that the layers carry are unsigned' },
];

/** Whether an expectation is to be accepted, and why where that is our decision; undefined when nobody decided. */
export function decide(
  vector: VectorCase,
  { verdict, why }: Expectation,
): { readonly accepts: boolean; readonly why: string | undefined } | undefined {
  const find = (table: readonly Decision[]): Decision | undefined =>
    table.find(({ pattern }) => matches(pattern, vector.id));
  if (verdict === 'reject') return { accepts: false, why };
  const decision = find(verdict === 'accept' ? DIFFERENT : DECIDED);
  if (decision !== undefined) return { accepts: decision.verdict === 'accept', why: decision.why };
  return verdict === 'accept' ? { accepts: true, why } : undefined;
}

/** Expectations of ours beside the recorded ones: the other half where a case shows only one. */
export const ADDED: readonly (Expectation & { readonly pattern: string })[] = [
  {
    pattern: 'c3-key-annotations',
    method: 'cosign-v3-signature',
    trust: { publicKeys: ['trust/cosign-p256.pub'], annotations: { stage: 'prod', dataset: 'v7' } },
    verdict: 'accept',
    why: 'these annotations were signed',
  },
  {
    pattern: 'c3-key-annotations',
    method: 'cosign-v3-signature',
    trust: { publicKeys: ['trust/cosign-p256.pub'], annotations: { unheard: 'of' } },
    verdict: 'reject',
    why: 'no such annotation was signed',
  },
];

/** Whether a case name fits a pattern, in which `*` stands for any text. */
export function matches(pattern: string, id: string): boolean {
  const source = pattern
    .split('*')
    .map((part) => part.replaceAll(/[^a-z0-9-]/gu, String.raw`\$&`))
    .join('.*');
  return new RegExp(`^${source}$`, 'u').test(id);
}

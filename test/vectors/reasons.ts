// For which reason must an artifact be rejected? A rejection for another reason hides the next bug, so every recorded
// rejection has its row; reasons that blame the set-up are wrong for all of them.
import { REASONS, type DenialReason } from '../../src/reason.ts';
import type { Expectation, Method, Trust } from './cases.ts';
import { matches } from './postponed.ts';

/** The reason that must be among the findings, then those that may be. */
export type ExpectedReasons = readonly [DenialReason, ...DenialReason[]];

interface ReasonRow {
  readonly pattern: string;
  readonly method?: Method;
  readonly when?: (trust: Trust) => boolean;
  /** Only under this way of discovery. */
  readonly way?: string;
  readonly reasons: ExpectedReasons;
}

/** Not transient, and yet never about the artifact. */
const NEVER: ReadonlySet<string> = new Set<DenialReason>([
  'PolicyInvalid',
  'NoMatchingPolicy',
  'RuleFailed',
  'ReferenceInvalid',
  'DigestRequired',
  'UnresolvableReference',
  'RequestMalformed',
  'ArtifactNotFound',
]);

const namesOtherKey = ({ publicKeys = [] }: Trust): boolean =>
  publicKeys.some((file) => /attacker|wrong/u.test(file));
const namesOtherIdentity = ({ san, issuer }: Trust): boolean =>
  /\belse\.test\b/u.test(`${san ?? ''} ${issuer ?? ''}`);
const namesOtherRoot = ({ trustedRoot = '' }: Trust): boolean => trustedRoot.includes('other_');
const namesOtherPki = ({ roots = [] }: Trust): boolean => roots.some((file) => file.includes('other'));
const asksForLogEntries = ({ tlogThreshold }: Trust): boolean => tlogThreshold !== 0;
const namesOtherDigest = ({ reference }: Trust): boolean => reference !== undefined;

// The first row that fits is meant.
const ROWS: readonly ReasonRow[] = [
  { pattern: 'pkg-*', reasons: ['SignatureMissing'] },
  { pattern: 'rh-referrers-fallback', reasons: ['SignatureMissing'] },
  { pattern: 'neg-unsigned-sibling', reasons: ['SignatureMissing'] },
  { pattern: 'c3-index-signed', when: namesOtherDigest, reasons: ['SignatureMissing'] },
  { pattern: 'c3-index-child-only', reasons: ['SignatureMissing'] },
  { pattern: 'c2-oci11-referrers', reasons: ['UnsupportedFormat'] },
  { pattern: 'c2-and-c3-mixed', method: 'cosign-v3-signature', reasons: ['SignerNotTrusted'] },
  {
    pattern: '*attest*',
    when: ({ predicateType = '' }) => predicateType.includes('vuln'),
    reasons: ['AttestationMissing'],
  },
  {
    pattern: '*attest*',
    when: ({ predicateType }) => predicateType !== undefined,
    reasons: ['AttestationRejected'],
  },
  { pattern: 'c2-attest-*', reasons: ['SignatureMissing'] },
  // The signature is there, in a format that the policy does not list.
  { pattern: 'c2-*', method: 'cosign-v3-signature', reasons: ['SignerNotTrusted'] },
  {
    pattern: 'c2-two-signers',
    when: (trust) => trust.annotations !== undefined,
    reasons: ['RuleViolated'],
  },
  // Nothing beside the signature names a key: one over other bytes is one by nobody.
  { pattern: 'neg-c2-payload-edited', reasons: ['SignerNotTrusted'] },
  { pattern: 'neg-c2-sig-copied', reasons: ['SubjectMismatch'] },
  { pattern: 'neg-c2-wrong-key', reasons: ['SignerNotTrusted'] },
  { pattern: 'kl-c2-tsa', when: asksForLogEntries, reasons: ['TransparencyLogInvalid'] },
  { pattern: 'c3-attest-*', method: 'cosign-v3-signature', reasons: ['SignatureMissing'] },
  { pattern: 'c3-sign-and-attest', method: 'cosign-v3-signature', reasons: ['SignerNotTrusted'] },
  {
    pattern: 'c3-key-annotations',
    when: (trust) => trust.annotations !== undefined,
    reasons: ['RuleViolated'],
  },
  { pattern: 'neg-c3-wrong-key', reasons: ['SignerNotTrusted'] },
  { pattern: 'neg-c3-bundle-copied', reasons: ['SubjectMismatch'] },
  // The API does not list what only the tag of a hostile registry lists.
  { pattern: 'neg-c3-fallback-foreign', way: 'tag schema', reasons: ['SubjectMismatch'] },
  { pattern: 'neg-c3-fallback-foreign', reasons: ['SignatureMissing'] },
  {
    pattern: 'neg-junk-referrers',
    reasons: ['SignerNotTrusted', 'SignatureInvalid', 'ManifestInvalid', 'UnsupportedFormat'],
  },
  { pattern: 'neg-oms-wrong-key', reasons: ['SignerNotTrusted'] },
  { pattern: 'neg-oms-layer-swapped', reasons: ['FileSetMismatch'] },
  { pattern: 'neg-oms-extra-layer', reasons: ['FileSetMismatch'] },
  { pattern: 'neg-oms-missing-layer', reasons: ['FileSetMismatch'] },
  { pattern: 'neg-oms-title-vs-filepath', reasons: ['FileSetMismatch'] },
  { pattern: 'neg-oms-mediatype', reasons: ['OpaqueLayer'] },
  { pattern: 'neg-oms-payload-edited', reasons: ['SignatureInvalid'] },
  { pattern: 'neg-modelcar-layer-swapped', reasons: ['OpaqueLayer'] },
  { pattern: 'oms-ignored-readme', reasons: ['FileSetMismatch'] },
  { pattern: 'oms-shards', reasons: ['UnsupportedFormat'] },
  { pattern: 'oms-modelpack-tar', reasons: ['OpaqueLayer'] },
  { pattern: 'kl-c3-no-tlog', reasons: ['TransparencyLogInvalid'] },
  { pattern: 'kl-foreign-rekor', reasons: ['TransparencyLogInvalid'] },
  { pattern: 'kl-tlog-swapped', reasons: ['TransparencyLogInvalid'] },
  { pattern: 'kl-proof-removed', reasons: ['TransparencyLogInvalid'] },
  { pattern: 'kl-no-sct', reasons: ['CertificateInvalid'] },
  // The root of another deployment knows neither CA nor log; logs are counted first.
  { pattern: 'kl-other-stack', reasons: ['TransparencyLogInvalid'] },
  { pattern: '*-cert-*', reasons: ['CertificateInvalid'] },
  { pattern: '*', when: namesOtherPki, reasons: ['CertificateInvalid'] },
  { pattern: '*', when: namesOtherKey, reasons: ['SignerNotTrusted'] },
  { pattern: 'rh-modelcar-*', method: 'oms', reasons: ['OpaqueLayer'] },
  { pattern: 'rh-modelpack', method: 'oms', reasons: ['FileSetMismatch'] },
  // Files are signed, and the policy asks for the manifest.
  { pattern: '*oms-*', method: 'cosign-v3-signature', reasons: ['SignerNotTrusted'] },
  { pattern: '*', when: namesOtherRoot, reasons: ['TransparencyLogInvalid'] },
  { pattern: '*', when: namesOtherIdentity, reasons: ['IdentityMismatch'] },
];

/** The reasons a rejection must have; undefined where no row says so. */
export function findReasons(
  id: string,
  way: string,
  { method, trust }: Expectation,
): ExpectedReasons | undefined {
  return ROWS.find(
    (row) =>
      matches(row.pattern, id) &&
      (row.method ?? method) === method &&
      (row.way ?? way) === way &&
      (row.when?.(trust) ?? true),
  )?.reasons;
}

/** Whether a reason blames policy, registry or controller: no recorded artifact may be rejected for it. */
export function blamesTheSetUp(reason: string): boolean {
  if (!isKnown(reason)) return true;
  return REASONS[reason].transient || NEVER.has(reason);
}

function isKnown(reason: string): reason is DenialReason {
  return Object.hasOwn(REASONS, reason);
}

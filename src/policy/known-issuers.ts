// Whose tokens do the well-known certificate authorities take? An identity of any other issuer can never be certified by
// them. Only for advice: certificates are judged by what stands in them.

/**
 * Issuers of Sigstore's public-good Fulcio, as of 2026-11: `oidc-issuers` and, with a sample in place of each `*`,
 * `meta-issuers` of config/identity/config.yaml in github.com/sigstore/fulcio; and what its Dex
 * (oauth2.sigstore.dev) puts in its own place, as docs.sigstore.dev lists for people who sign in.
 */
export const PUBLIC_GOOD_ISSUERS: readonly string[] = [
  'https://accounts.google.com',
  'https://github.com/login/oauth',
  'https://login.microsoftonline.com',
  'https://oauth2.sigstore.dev/auth',
  'https://agent.buildkite.com',
  'https://auth.eclipse.org/auth/realms/foundation-service-accounts',
  'https://dev.gitlab.org',
  'https://gitlab.archlinux.org',
  'https://gitlab.com',
  'https://issuer.enforce.dev',
  'https://issuer.chainops.dev',
  'https://issuer.hello.coop',
  'https://www.kaggle.com/api/v1/models/signing',
  'https://oidc.circleci.com',
  'https://oidc.codefresh.io',
  'https://ops.gitlab.net',
  'https://token.actions.githubusercontent.com',
  'https://sigstore.verify.ibm.com/oauth2',
  'https://eastus.oic.prod-aks.azure.com/tenant',
  'https://container.googleapis.com/v1/projects/project/locations/europe-west1/clusters/cluster',
  'https://oidc.circleci.com/org/organization',
  'https://oidc.eks.eu-west-1.amazonaws.com/id/CLUSTER',
  'https://oidc.prod-aks.azure.com/tenant',
  'https://token.actions.githubusercontent.com/enterprise',
];

/** The same issuers for exact values: `[^./]+` for a `*` in a host, `.+` for one in a path. */
const PUBLIC_GOOD_PATTERNS: readonly RegExp[] = [
  /^https:\/\/[^./]+\.oic\.prod-aks\.azure\.com\/.+$/,
  /^https:\/\/container\.googleapis\.com\/v1\/projects\/[^/]+\/locations\/[^/]+\/clusters\/[^/]+$/,
  /^https:\/\/oidc\.circleci\.com\/org\/.+$/,
  /^https:\/\/oidc\.eks\.[^./]+\.amazonaws\.com\/id\/.+$/,
  /^https:\/\/oidc\.prod-aks\.azure\.com\/.+$/,
  /^https:\/\/token\.actions\.githubusercontent\.com\/.+$/,
];

/** Issuers of GitHub's own instance: Actions, with an enterprise's path, or of an enterprise with its own domain. */
export const GITHUB_ISSUERS: readonly string[] = [
  'https://token.actions.githubusercontent.com',
  'https://token.actions.githubusercontent.com/enterprise',
  'https://token.actions.enterprise.ghe.com',
];

const GITHUB_PATTERNS: readonly RegExp[] = [
  /^https:\/\/token\.actions\.githubusercontent\.com\/[^/]+$/,
  /^https:\/\/token\.actions\.[^./]+\.ghe\.com$/,
];

/** A certificate authority whose issuers are known. */
export interface KnownIssuers {
  readonly name: string;
  readonly samples: readonly string[];
  /** True for an issuer whose tokens it takes. */
  readonly takes: (issuer: string) => boolean;
}

const createKnown = (
  name: string,
  samples: readonly string[],
  patterns: readonly RegExp[],
): KnownIssuers => ({
  name,
  samples,
  takes: (issuer) => samples.includes(issuer) || patterns.some((pattern) => pattern.test(issuer)),
});

const PUBLIC_GOOD = createKnown("Sigstore's public-good instance", PUBLIC_GOOD_ISSUERS, PUBLIC_GOOD_PATTERNS);
const GITHUB = createKnown("GitHub's own instance", GITHUB_ISSUERS, GITHUB_PATTERNS);

/** The issuers of a TrustRoot's spec, where its source says which they are. */
export function findKnownIssuers(spec: Readonly<Record<string, unknown>>): KnownIssuers | undefined {
  if (spec['sigstorePublicGood'] !== undefined) return PUBLIC_GOOD;
  return spec['github'] === undefined ? undefined : GITHUB;
}

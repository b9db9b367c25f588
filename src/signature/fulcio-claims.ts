// What did the identity provider say about the signer? Fulcio's certificate extensions under their documented names.
// Specification: fulcio docs/oid-info.md, arc 1.3.6.1.4.1.57264.1.
import { DER_TAG, readDer } from '../lib/der.ts';
import { SignatureError } from './error.ts';

const ARC = '1.3.6.1.4.1.57264.1.';
const MAX_CLAIM_BYTES = 4096;

/** .1–.6 hold raw bytes, all later ones a DER UTF8String; .7 lives in the subject alternative name. */
const RAW_CLAIMS: Readonly<Record<string, string>> = {
  1: 'issuerV1',
  2: 'githubWorkflowTrigger',
  3: 'githubWorkflowSha',
  4: 'githubWorkflowName',
  5: 'githubWorkflowRepository',
  6: 'githubWorkflowRef',
};
const CLAIMS: Readonly<Record<string, string>> = {
  8: 'issuer',
  9: 'buildSignerURI',
  10: 'buildSignerDigest',
  11: 'runnerEnvironment',
  12: 'sourceRepositoryURI',
  13: 'sourceRepositoryDigest',
  14: 'sourceRepositoryRef',
  15: 'sourceRepositoryIdentifier',
  16: 'sourceRepositoryOwnerURI',
  17: 'sourceRepositoryOwnerIdentifier',
  18: 'buildConfigURI',
  19: 'buildConfigDigest',
  20: 'buildTrigger',
  21: 'runInvocationURI',
  22: 'sourceRepositoryVisibilityAtSigning',
  23: 'deploymentEnvironment',
  24: 'tokenSubject',
};

// "Source Repository Owner URI" is written sourceRepositoryOwner as well as sourceRepositoryOwnerURI in the field.
function toSpellings(name: string): readonly string[] {
  return name.endsWith('URI') ? [name, name.slice(0, -'URI'.length)] : [name];
}

/** Every claim name that a certificate or a policy can have. */
export const CLAIM_NAMES: ReadonlySet<string> = new Set(
  [...Object.values(RAW_CLAIMS), ...Object.values(CLAIMS)].flatMap(toSpellings),
);

/** The issuer and every claim. @throws SignatureError `CertificateInvalid`, and DerError for broken encodings */
export function readClaims(extensions: ReadonlyMap<string, { readonly value: Buffer }>): {
  issuer: string;
  claims: Readonly<Record<string, string>>;
} {
  const claims: { issuer?: string; issuerV1?: string } & Record<string, string> = {};
  for (const [oid, { value }] of extensions) {
    if (oid.startsWith(ARC)) addClaim(claims, oid.slice(ARC.length), value);
  }
  const { issuer, issuerV1 } = claims;
  // Two issuers that differ would let one reader see the one and another the other.
  if (issuer !== undefined && issuerV1 !== undefined && issuer !== issuerV1)
    throw refuse('has two OIDC issuers');
  const only = issuer ?? issuerV1;
  if (only === undefined || only === '') throw refuse('has no OIDC issuer');
  return { issuer: only, claims };
}

function addClaim(claims: Record<string, string>, number: string, value: Buffer): void {
  const raw = RAW_CLAIMS[number];
  const name = raw ?? CLAIMS[number];
  if (name === undefined) return;
  const text = decodeClaim(raw === undefined ? readDer(value, DER_TAG.utf8String).content : value, name);
  for (const spelling of toSpellings(name)) claims[spelling] = text;
}

const refuse = (message: string): SignatureError =>
  new SignatureError('CertificateInvalid', `the signing certificate ${message}`);

function decodeClaim(bytes: Buffer, name: string): string {
  if (bytes.length > MAX_CLAIM_BYTES) throw refuse(`has a ${name} of more than ${MAX_CLAIM_BYTES} bytes`);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw refuse(`has a ${name} that is not valid UTF-8`);
  }
}

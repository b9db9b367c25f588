// How does a certificate say who signed? The extensions that Fulcio writes for an OIDC identity.
// Leaves issuing to certificate-authority.ts and the moment of signing to sigstore.ts.
import * as der from './der.ts';
import { extendedKeyUsage, extension, KEY_PURPOSE, keyUsage } from './certificate.ts';

const FULCIO_ARC = '1.3.6.1.4.1.57264.1';
const ISSUER = `${FULCIO_ARC}.1`;
const ISSUER_V2 = `${FULCIO_ARC}.8`;

// The first five are deprecated and hold raw text, the others a DER UTF8String.
const RAW_CLAIMS: Readonly<Record<string, number>> = {
  githubWorkflowTrigger: 2,
  githubWorkflowSha: 3,
  githubWorkflowName: 4,
  githubWorkflowRepository: 5,
  githubWorkflowRef: 6,
};
const CLAIMS: Readonly<Record<string, number>> = {
  buildSigner: 9,
  buildSignerDigest: 10,
  runnerEnvironment: 11,
  sourceRepository: 12,
  sourceRepositoryDigest: 13,
  sourceRepositoryRef: 14,
  sourceRepositoryIdentifier: 15,
  sourceRepositoryOwner: 16,
  sourceRepositoryOwnerIdentifier: 17,
  buildConfig: 18,
  buildConfigDigest: 19,
  buildTrigger: 20,
  runInvocation: 21,
  sourceRepositoryVisibilityAtSigning: 22,
  deploymentEnvironment: 23,
  tokenSubject: 24,
};

/** Who signs, as an OIDC provider would say it. */
export interface Identity {
  readonly issuer: string;
  /** An email address, or anything else as a URI. */
  readonly subject: string;
  /** Fulcio extensions by documented name in lowerCamelCase; a trailing `Uri` or `URI` may be left out. */
  readonly claims?: Readonly<Record<string, string>>;
}

/** The extensions of an identity certificate, without key identifiers and SCTs. */
export function identityExtensions(
  identity: Identity,
  purposes: readonly string[] = [KEY_PURPOSE.codeSigning],
): Buffer[] {
  return [
    keyUsage('digitalSignature'),
    ...(purposes.length === 0 ? [] : [extendedKeyUsage(purposes)]),
    subjectAlternativeName(identity.subject),
    extension(ISSUER, Buffer.from(identity.issuer)),
    extension(ISSUER_V2, der.utf8String(identity.issuer)),
    ...Object.entries(claimsOf(identity)).map(([name, value]) => claimExtension(name, value)),
  ];
}

// Fulcio repeats an email identity as the token's subject.
function claimsOf({ subject, claims = {} }: Identity): Readonly<Record<string, string>> {
  return subject.includes('://') ? claims : { tokenSubject: subject, ...claims };
}

function subjectAlternativeName(subject: string): Buffer {
  const form = subject.includes('://') || !subject.includes('@') ? 6 : 1;
  return extension('2.5.29.17', der.sequence(der.taggedPrimitive(form, Buffer.from(subject))), true);
}

function claimExtension(name: string, value: string): Buffer {
  const raw = RAW_CLAIMS[name];
  if (raw !== undefined) return extension(`${FULCIO_ARC}.${raw}`, Buffer.from(value));
  const arc = CLAIMS[name.replace(/Uri$|URI$/u, '')];
  if (arc === undefined) throw new Error(`no Fulcio extension has the name ${name}`);
  return extension(`${FULCIO_ARC}.${arc}`, der.utf8String(value));
}

// Which policy says what a recorded verdict assumes? Turns the trust of an expectation into our own documents, as the
// contract maps them. Leaves to postponed.ts what this version has no words for.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { stringify } from 'yaml';
import {
  API_VERSION,
  type AuthoritySpec,
  type ClusterModelPolicySpec,
  type ObserversSpec,
  type TrustRootSpec,
} from '../../src/policy/types.ts';
import type { Expectation, Method, Trust, VectorCase } from './cases.ts';

const AUTHORITY = 'signer';
const TRUST_ROOT = 'stack';
/** The key of artifacts that nobody signed: any will do, as none may satisfy. */
const UNUSED_KEY = path.join('..', '_keys', 'cosign-p256.pub');

type SignatureFormats = NonNullable<AuthoritySpec['signatureFormats']>;

const FORMATS: Readonly<Partial<Record<Method, SignatureFormats>>> = {
  'cosign-v3-signature': ['CosignBundle'],
  'cosign-v2-signature': ['CosignSimpleSigning'],
  oms: ['ModelSigning'],
  any: ['CosignBundle', 'CosignSimpleSigning', 'ModelSigning'],
};

/** The format in which a method finds attestations; undefined for methods that look at signatures. */
export function toAttestationFormat(method: Method): string | undefined {
  if (method === 'cosign-attestation') return 'CosignBundle';
  return method === 'cosign-v2-attestation' ? 'CosignAttestation' : undefined;
}

/** The signature formats that a method looks at; undefined for methods that look at attestations. */
export function toSignatureFormats(method: Method): SignatureFormats | undefined {
  return FORMATS[method];
}

/** The policy of an expectation as a file of YAML documents. @throws for what cannot be expressed */
export function toPolicyFile(vector: VectorCase, { method, trust }: Expectation): string {
  const signatureFormats = toSignatureFormats(method);
  const spec = {
    authorities: [{ ...toAuthority(vector, trust), ...(signatureFormats && { signatureFormats }) }],
    ...(signatureFormats === undefined && toAttestation(trust)),
    ...(trust.annotations === undefined ? {} : { validations: toValidations(trust.annotations) }),
  };
  const documents: object[] = [
    { apiVersion: API_VERSION, kind: 'ClusterModelPolicy', metadata: { name: 'vector' }, spec },
  ];
  if (trust.trustedRoot !== undefined)
    documents.push({
      apiVersion: API_VERSION,
      kind: 'TrustRoot',
      metadata: { name: TRUST_ROOT },
      spec: toTrustRoot(vector, trust, trust.trustedRoot),
    });
  return documents.map((document) => `---\n${stringify(document)}`).join('');
}

function toAttestation({
  predicateType,
}: Trust): Pick<ClusterModelPolicySpec, 'minAuthorities' | 'attestations'> {
  if (predicateType === undefined) throw new Error('an attestation without a predicate type');
  const demanded = { name: 'demanded', predicateTypes: [predicateType], authorities: [AUTHORITY] };
  return { minAuthorities: 0, attestations: [demanded] };
}

function toAuthority(vector: VectorCase, trust: Trust): AuthoritySpec {
  const { publicKeys, trustedRoot, issuer, san, roots } = trust;
  if (roots !== undefined) return { name: AUTHORITY, certificate: toCertificate(vector, roots, san) };
  if (publicKeys !== undefined || trustedRoot === undefined) {
    const files = publicKeys ?? [UNUSED_KEY];
    const pem = files.map((file) => readText(vector, file)).join('\n');
    return { name: AUTHORITY, key: { pem, ...toObservers(trust) } };
  }
  if (issuer === undefined || san === undefined) throw new Error('a keyless trust names no identity');
  return {
    name: AUTHORITY,
    keyless: { identities: [{ issuer, subject: san }], trustRootRef: { name: TRUST_ROOT } },
  };
}

// Beside keys, a trusted root is there for its logs and timestamp authorities.
function toObservers({ trustedRoot, tlogThreshold, timestampThreshold }: Trust): ObserversSpec {
  if (trustedRoot === undefined) return {};
  return {
    trustRootRef: { name: TRUST_ROOT },
    ...(tlogThreshold === undefined ? {} : { minLogEntries: tlogThreshold }),
    ...(timestampThreshold === undefined ? {} : { minTimestamps: timestampThreshold }),
  };
}

// Where a verdict names nobody, every owner of a certificate under the roots is meant.
function toCertificate(
  vector: VectorCase,
  roots: readonly string[],
  san: string | undefined,
): NonNullable<AuthoritySpec['certificate']> {
  return {
    roots: { pem: roots.map((file) => readText(vector, file)).join('\n') },
    identities: [san === undefined ? { spkiRegExp: '.*' } : { subjectEmail: san }],
  };
}

function toTrustRoot(vector: VectorCase, trust: Trust, trustedRoot: string): TrustRootSpec {
  const { tlogThreshold, ctlogThreshold, timestampThreshold } = trust.publicKeys === undefined ? trust : {};
  const requirements = {
    ...(tlogThreshold === undefined ? {} : { logEntries: tlogThreshold }),
    ...(timestampThreshold === undefined ? {} : { timestamps: timestampThreshold }),
    ...(ctlogThreshold === undefined ? {} : { certificateTimestamps: ctlogThreshold }),
  };
  return {
    trustedRoot: { json: readText(vector, trustedRoot) },
    ...(Object.keys(requirements).length === 0 ? {} : { requirements }),
  };
}

// A signature without the annotation must make the rule false, not fail it.
function toValidations(annotations: Readonly<Record<string, string>>): { expression: string }[] {
  const parts = Object.entries(annotations).map(
    ([key, value]) => `${toCel(key)} in s.annotations && s.annotations[${toCel(key)}] == ${toCel(value)}`,
  );
  return [{ expression: `signatures.exists(s, ${parts.join(' && ')})` }];
}

// The escapes of JSON strings are escapes of CEL strings too.
function toCel(text: string): string {
  return JSON.stringify(text);
}

function readText({ directory }: VectorCase, file: string): string {
  return readFileSync(path.join(directory, file), 'utf8');
}

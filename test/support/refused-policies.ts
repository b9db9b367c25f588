// Which objects can never be saved? Each with who refuses it and the words; the unit tests hold our compiler to them, the
// e2e suite a real API server with the shipped CRDs and the webhook.
import { generateKeyPairSync } from 'node:crypto';
import { certificatePem } from '../../src/demo/certificate.ts';
import { createRootAuthority } from '../../src/demo/certificate-authority.ts';
import { generateSigningKey } from '../../src/demo/keys.ts';
import type { CheckedKind } from '../../src/policy/validate.ts';

/** An object that is refused. */
export interface RefusedObject {
  readonly name: string;
  readonly kind: CheckedKind;
  readonly spec: Readonly<Record<string, unknown>>;
  /** What our compiler says, all of it; what the webhook says where the schema cannot know. */
  readonly says: string;
  /** What the API server says without the webhook; absent: the webhook refuses. */
  readonly schema?: string;
}

const { publicKeyPem: KEY, privateKey } = generateSigningKey('p256');
const PRIVATE_KEY = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const SHORT_KEY = generateKeyPairSync('rsa', { modulusLength: 1024 })
  .publicKey.export({ type: 'spki', format: 'pem' })
  .toString();
const WITNESS = generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }).toString();
const ROOT = certificatePem(createRootAuthority('root').certificate);
const SECRET = { name: 'signer', key: 'cosign.pub' };
const IDENTITY = { issuer: 'https://issuer.example', subject: 'jane@example.com' };
const DIGEST = `registry.example.com/m@sha256:${'0'.repeat(64)}`;
const good = { name: 'a', key: { pem: KEY } };
const second = { ...good, name: 'b' };
const keyless = (...identities: readonly object[]): object => ({
  name: 'a',
  keyless: { identities, trustRootRef: { name: 'good' } },
});
const certificate = (more: object): object => ({
  authorities: [
    { name: 'a', certificate: { roots: { pem: ROOT }, identities: [{ subjectDNS: 'x' }], ...more } },
  ],
});
const exception = (more: object): object => ({
  policies: ['prod'],
  namespaces: ['team-a'],
  models: [DIGEST],
  reason: 'SEC-1',
  requestedBy: 'jane@example.com',
  expiresAt: '2099-01-01T00:00:00Z',
  ...more,
});

type Row = readonly [name: string, spec: object, says: string, schema?: string];

const rows = (kind: CheckedKind, list: readonly Row[]): readonly RefusedObject[] =>
  list.map(([name, spec, says, schema]) => ({
    name,
    kind,
    spec: spec as RefusedObject['spec'],
    says,
    ...(schema !== undefined && { schema }),
  }));

const policy = (...authorities: readonly object[]): { authorities: readonly object[] } => ({ authorities });

/** Every one of them. */
export const REFUSED_OBJECTS: readonly RefusedObject[] = [
  ...rows('ClusterModelPolicy', [
    ['no authorities', {}, 'spec: authorities is required', 'spec.authorities: Required value'],
    [
      'an empty list of authorities',
      policy(),
      'spec.authorities: must NOT have fewer than 1 items',
      'spec.authorities: Invalid value: 0: spec.authorities in body should have at least 1 items',
    ],
    [
      'an authority that is only a name',
      policy({ name: 'a' }),
      'spec.authorities[0]: exactly one of key, keyless, certificate, static, tenant must be set',
      'spec.authorities[0]: Invalid value: exactly one of key, keyless, certificate, static, tenant must be set',
    ],
    [
      'an authority without a name',
      policy({ key: { pem: KEY } }),
      'spec.authorities[0]: name is required',
      'spec.authorities[0].name: Required value',
    ],
    [
      'a key and an identity in one authority',
      policy({ ...good, ...keyless(IDENTITY) }),
      'spec.authorities[0]: exactly one of key, keyless, certificate, static, tenant must be set',
      'spec.authorities[0]: Invalid value: exactly one of key, keyless, certificate, static, tenant must be set',
    ],
    [
      'a key without a source',
      policy({ name: 'a', key: {} }),
      'spec.authorities[0].key: exactly one source of bytes must be set: the text itself, secretKeyRef or configMapKeyRef',
      'spec.authorities[0].key: Invalid value: exactly one of pem, secretKeyRef, configMapKeyRef must be set',
    ],
    [
      'a key from two sources',
      policy({ name: 'a', key: { pem: KEY, secretKeyRef: SECRET } }),
      'spec.authorities[0].key: exactly one source of bytes must be set: the text itself, secretKeyRef or configMapKeyRef',
      'spec.authorities[0].key: Invalid value: exactly one of pem, secretKeyRef, configMapKeyRef must be set',
    ],
    [
      'a key of a key management service',
      policy({ name: 'a', key: { kms: 'awskms:///alias/x' } }),
      'spec.authorities[0].key.kms: unknown field "kms"',
      'unknown field "spec.authorities[0].key.kms"',
    ],
    [
      'a key that is no key',
      policy({ name: 'a', key: { pem: 'no key' } }),
      'spec.authorities[0].key: it holds no PEM block',
    ],
    [
      'a private key',
      policy({ name: 'a', key: { pem: PRIVATE_KEY } }),
      'spec.authorities[0].key: a PEM block is "PRIVATE KEY", not PUBLIC KEY',
    ],
    [
      'a key of too few bits',
      policy({ name: 'a', key: { pem: SHORT_KEY } }),
      'spec.authorities[0].key: a key of type rsa with 1024 bits is not supported',
    ],
    [
      'a Secret without a key',
      policy({ name: 'a', key: { secretKeyRef: { name: 'x' } } }),
      'spec.authorities[0].key.secretKeyRef: key is required',
      'spec.authorities[0].key.secretKeyRef.key: Required value',
    ],
    [
      'an empty keyless authority',
      policy({ name: 'a', keyless: {} }),
      'spec.authorities[0].keyless: identities is required\nspec.authorities[0].keyless: trustRootRef is required',
      'spec.authorities[0].keyless.identities: Required value',
    ],
    [
      'no identities',
      policy(keyless()),
      'spec.authorities[0].keyless.identities: must NOT have fewer than 1 items',
      'spec.authorities[0].keyless.identities: Invalid value: 0: spec.authorities[0].keyless.identities in body should have at least 1 items',
    ],
    [
      'an identity without an issuer',
      policy(keyless({ subject: 'x' })),
      'spec.authorities[0].keyless.identities[0].issuer: exactly one of the exact value and its RegExp must be set',
      'spec.authorities[0].keyless.identities[0]: Invalid value: exactly one of issuer, issuerRegExp must be set',
    ],
    [
      'an identity without a subject',
      policy(keyless({ issuer: 'x' })),
      'spec.authorities[0].keyless.identities[0].subject: exactly one of the exact value and its RegExp must be set',
      'spec.authorities[0].keyless.identities[0]: Invalid value: exactly one of subject, subjectRegExp must be set',
    ],
    [
      'an issuer exactly and as a pattern',
      policy(keyless({ ...IDENTITY, issuerRegExp: 'x' })),
      'spec.authorities[0].keyless.identities[0].issuer: exactly one of the exact value and its RegExp must be set',
      'spec.authorities[0].keyless.identities[0]: Invalid value: exactly one of issuer, issuerRegExp must be set',
    ],
    [
      'a subject exactly and as a pattern',
      policy(keyless({ ...IDENTITY, subjectRegExp: 'x' })),
      'spec.authorities[0].keyless.identities[0].subject: exactly one of the exact value and its RegExp must be set',
      'spec.authorities[0].keyless.identities[0]: Invalid value: exactly one of subject, subjectRegExp must be set',
    ],
    [
      'a pattern for issuers that does not parse',
      policy(keyless({ issuerRegExp: '(', subject: 'x' })),
      'spec.authorities[0].keyless.identities[0].issuerRegExp: the pattern is invalid: regular expression refused: missing closing ): `(`',
    ],
    [
      'a pattern for subjects that does not parse',
      policy(keyless({ issuer: 'x', subjectRegExp: 'a{2,1}' })),
      'spec.authorities[0].keyless.identities[0].subjectRegExp: the pattern is invalid: regular expression refused: invalid repeat count: `{2,1}`',
    ],
    [
      'a back reference',
      policy(keyless({ issuer: 'x', subjectRegExp: String.raw`(a)\1` })),
      'spec.authorities[0].keyless.identities[0].subjectRegExp: the pattern is invalid: regular expression refused: invalid escape sequence: `\\1`',
    ],
    [
      'a claim that Fulcio does not have',
      policy(keyless({ ...IDENTITY, claims: { repo: 'x' } })),
      'spec.authorities[0].keyless.identities[0].claims: "repo" is no Fulcio extension',
    ],
    [
      'a claim exactly and as a pattern',
      policy(
        keyless({
          ...IDENTITY,
          claims: { sourceRepositoryRef: 'x' },
          claimsRegExp: { sourceRepositoryRef: 'x' },
        }),
      ),
      'spec.authorities[0].keyless.identities[0].claims: "sourceRepositoryRef" is set twice',
      'spec.authorities[0].keyless.identities[0]: Invalid value: no claim may be in both claims and claimsRegExp',
    ],
    [
      'a TrustRoot whose name cannot exist',
      policy({ name: 'a', keyless: { identities: [IDENTITY], trustRootRef: { name: 'Public_Good' } } }),
      'spec.authorities[0].keyless.trustRootRef.name: must match pattern "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"',
      'spec.authorities[0].keyless.trustRootRef.name: Invalid value: "Public_Good"',
    ],
    [
      'a glob without a registry',
      { ...policy(good), models: [{ glob: 'models/**' }] },
      'spec.models[0].glob: it must begin with a registry host, in which only a whole leading label may be *',
    ],
    [
      'a glob with ** inside a segment',
      { ...policy(good), models: [{ glob: 'a.test/m**' }] },
      'spec.models[0].glob: ** must be a whole segment',
    ],
    [
      'a glob with characters of a pattern',
      { ...policy(good), models: [{ glob: 'a.test/[a-z]+' }] },
      'spec.models[0].glob: a segment is empty or has characters that repositories cannot have',
    ],
    [
      'an empty list of models',
      { ...policy(good), models: [] },
      'spec.models: must NOT have fewer than 1 items',
      'spec.models: Invalid value: 0: spec.models in body should have at least 1 items',
    ],
    [
      'an exclusion that is listed twice',
      { ...policy(good), models: [{ exclude: ['a.test/x', 'a.test/x'] }] },
      'spec.models[0].exclude: nothing may be listed twice',
      'spec.models[0].exclude[1]: Duplicate value: "a.test/x"',
    ],
    [
      'a source that is a kind of object',
      { ...policy(good), models: [{ sources: ['Deployment'] }] },
      'spec.models[0].sources[0]: must be equal to one of the allowed values: ImageVolume, ContainerImage, KServeModelCar, CSI, KServeStorageInitializer, KServeResource, KitOps, KAITO, URI',
      'spec.models[0].sources[0]: Unsupported value: "Deployment": supported values: "ImageVolume", "ContainerImage", "KServeModelCar", "CSI", "KServeStorageInitializer", "KServeResource", "KitOps", "KAITO", "URI"',
    ],
    [
      'an action that does not exist',
      { ...policy(good), validationActions: ['Enforce'] },
      'spec.validationActions[0]: must be equal to one of the allowed values: Deny, Warn, Audit',
      'spec.validationActions[0]: Unsupported value: "Enforce": supported values: "Deny", "Warn", "Audit"',
    ],
    [
      'Deny beside Warn',
      { ...policy(good), validationActions: ['Deny', 'Warn'] },
      'spec.validationActions: Deny and Warn exclude each other',
      'spec.validationActions: Invalid value: Deny and Warn exclude each other',
    ],
    [
      'no actions',
      { ...policy(good), validationActions: [] },
      'spec.validationActions: must NOT have fewer than 1 items',
      'spec.validationActions: Invalid value: 0: spec.validationActions in body should have at least 1 items',
    ],
    [
      'a format that does not exist',
      policy({ ...good, signatureFormats: ['SHA512'] }),
      'spec.authorities[0].signatureFormats[0]: must be equal to one of the allowed values: CosignBundle, CosignSimpleSigning, ModelSigning',
      'spec.authorities[0].signatureFormats[0]: Unsupported value: "SHA512": supported values: "CosignBundle", "CosignSimpleSigning", "ModelSigning"',
    ],
    [
      'two authorities of one name',
      policy(good, good),
      'spec.authorities: two authorities have the same name',
      'spec.authorities[1]: Duplicate value: {"name":"a"}',
    ],
    [
      'one key in two authorities that both count',
      { ...policy(good, second), minAuthorities: 2 },
      'spec.authorities: two authorities have the same key, which cannot count twice',
    ],
    [
      'more authorities than there are',
      { ...policy(good), minAuthorities: 2 },
      'spec.minAuthorities: it is larger than the number of authorities',
      'spec: Invalid value: minAuthorities must not be larger than the number of authorities',
    ],
    [
      'no signature and no attestation',
      { ...policy(good), minAuthorities: 0 },
      'spec.minAuthorities: 0 needs attestations, each of which names its authorities',
      'spec: Invalid value: minAuthorities 0 needs attestations, each of which names its authorities',
    ],
    [
      'a static authority beside another',
      policy(good, { name: 's', static: { action: 'Pass' } }),
      'spec.authorities: a static authority must be the only one',
      'spec: Invalid value: a static authority must be the only one',
    ],
    [
      'a static authority without an action',
      policy({ name: 's', static: { message: 'x' } }),
      'spec.authorities[0].static: action is required',
      'spec.authorities[0].static.action: Required value',
    ],
    [
      'a static authority that warns',
      policy({ name: 's', static: { action: 'Warn' } }),
      'spec.authorities[0].static.action: must be equal to one of the allowed values: Pass, Fail',
      'spec.authorities[0].static.action: Unsupported value: "Warn": supported values: "Pass", "Fail"',
    ],
    [
      'an attestation beside a static authority',
      {
        ...policy({ name: 's', static: { action: 'Pass' } }),
        attestations: [{ name: 'p', predicateTypes: ['x'] }],
      },
      'spec.attestations: a static authority signs nothing, so no attestation can be demanded beside it',
      'spec: Invalid value: a static authority signs nothing, so no attestation can be demanded beside it',
    ],
    [
      'an attestation of an unknown authority',
      { ...policy(good), attestations: [{ name: 'p', predicateTypes: ['x'], authorities: ['b'] }] },
      'spec.attestations[0].authorities[0]: the policy has no authority "b"',
      'spec: Invalid value: attestations must name authorities of the policy',
    ],
    [
      'an attestation without a type',
      { ...policy(good), attestations: [{ name: 'p' }] },
      'spec.attestations[0]: predicateTypes is required',
      'spec.attestations[0].predicateTypes: Required value',
    ],
    [
      'an attestation that is a signature',
      {
        ...policy(good),
        attestations: [{ name: 'p', predicateTypes: ['https://sigstore.dev/cosign/sign/v1'] }],
      },
      'spec.attestations[0].predicateTypes[0]: "https://sigstore.dev/cosign/sign/v1" is the predicate type of a signature, which authorities are for',
    ],
    [
      'two attestations of one name',
      {
        ...policy(good),
        attestations: [
          { name: 'p', predicateTypes: ['x'] },
          { name: 'p', predicateTypes: ['y'] },
        ],
      },
      'spec.attestations: two attestations have the same name',
      'spec.attestations[1]: Duplicate value: {"name":"p"}',
    ],
    [
      'an expression that does not parse',
      { ...policy(good), validations: [{ expression: 'model.size >' }] },
      'spec.validations[0].expression: Unexpected token: EOF\nmodel.size >\n            ^',
    ],
    [
      'an expression that is no bool',
      { ...policy(good), validations: [{ expression: 'model.size' }] },
      'spec.validations[0].expression: expression must be bool, but is int\nmodel.size\n^',
    ],
    [
      'an expression with a field that does not exist',
      { ...policy(good), validations: [{ expression: 'model.sice > 0' }] },
      'spec.validations[0].expression: No such key: sice\nmodel.sice > 0\n      ^',
    ],
    [
      'a message that is no string',
      { ...policy(good), validations: [{ expression: 'true', messageExpression: '1' }] },
      'spec.validations[0].messageExpression: expression must be string, but is int\n1\n^',
    ],
    [
      'a rule of an attestation about attestations',
      {
        ...policy(good),
        attestations: [
          { name: 'p', predicateTypes: ['x'], validations: [{ expression: 'attestations.size() > 0' }] },
        ],
      },
      'spec.attestations[0].validations[0].expression: Unknown variable: attestations\nattestations.size() > 0\n^',
    ],
    [
      'a label requirement without values',
      { ...policy(good), namespaceSelector: { matchExpressions: [{ key: 'k', operator: 'In' }] } },
      'spec.namespaceSelector: In needs values',
      'spec.namespaceSelector.matchExpressions[0]: Invalid value: In and NotIn need values, Exists and DoesNotExist take none',
    ],
    [
      'an operator that does not exist',
      {
        ...policy(good),
        namespaceSelector: { matchExpressions: [{ key: 'k', operator: 'Like', values: ['x'] }] },
      },
      'spec.namespaceSelector.matchExpressions[0].operator: must be equal to one of the allowed values: In, NotIn, Exists, DoesNotExist',
      'spec.namespaceSelector.matchExpressions[0].operator: Unsupported value: "Like": supported values: "In", "NotIn", "Exists", "DoesNotExist"',
    ],
    [
      'a private PKI without roots',
      certificate({ roots: undefined }),
      'spec.authorities[0].certificate: roots is required',
      'spec.authorities[0].certificate.roots: Required value',
    ],
    [
      'a root that is no certificate',
      certificate({ roots: { pem: KEY } }),
      'spec.authorities[0].certificate.roots: a PEM block is "PUBLIC KEY", not CERTIFICATE',
    ],
    [
      'an owner without a name',
      certificate({ identities: [{}] }),
      'spec.authorities[0].certificate.identities[0]: at least one name must be set',
      'spec.authorities[0].certificate.identities[0]: Invalid value: at least one name must be set',
    ],
    [
      '30 February',
      certificate({ notAfter: '2027-02-30T00:00:00Z' }),
      'spec.authorities[0].certificate.notAfter: it is no RFC 3339 time in UTC',
      'spec.authorities[0].certificate.notAfter: Invalid value: "2027-02-30T00:00:00Z": spec.authorities[0].certificate.notAfter in body must be of type date-time: "2027-02-30T00:00:00Z"',
    ],
    [
      'times that nobody vouches for',
      certificate({ minTimestamps: 1 }),
      'spec.authorities[0].certificate.minTimestamps: it needs trustRootRef: a TrustRoot says whose timestamps count',
      'spec.authorities[0].certificate: Invalid value: minTimestamps needs trustRootRef',
    ],
    [
      'a field that does not exist',
      { ...policy(good), mode: 'enforce' },
      'spec.mode: unknown field "mode"',
      'unknown field "spec.mode"',
    ],
  ]),
  ...rows('TrustRoot', [
    [
      'no source',
      {},
      'spec: exactly one of sigstorePublicGood, github, tuf, trustedRoot must be set',
      'spec: Invalid value: exactly one of sigstorePublicGood, github, tuf, trustedRoot must be set',
    ],
    [
      'two sources',
      { github: {}, sigstorePublicGood: {} },
      'spec: exactly one of sigstorePublicGood, github, tuf, trustedRoot must be set',
      'spec: Invalid value: exactly one of sigstorePublicGood, github, tuf, trustedRoot must be set',
    ],
    [
      'a pinned root that is none',
      { trustedRoot: { json: '{}' } },
      'spec.trustedRoot: mediaType "" is not supported',
    ],
    [
      'a mirror that is no URL',
      { tuf: { mirror: 'tuf.example.com', root: { json: '{}' } } },
      'spec.tuf.mirror: must match pattern "^https?://[^/?#@\\s]+(/[^?#\\s]*)?$"',
      'spec.tuf.mirror: Invalid value: "tuf.example.com"',
    ],
    [
      'refreshes by the second',
      { tuf: { mirror: 'https://a.test', root: { json: '{}' }, refreshInterval: '10s' } },
      'spec.tuf.refreshInterval: it must be from 1m to 24h',
    ],
    [
      'a revocation without a reason',
      { sigstorePublicGood: {}, revoked: [{ certificateSerial: 'ab' }] },
      'spec.revoked[0]: reason is required',
      'spec.revoked[0].reason: Required value',
    ],
    [
      'a revocation of two things',
      { sigstorePublicGood: {}, revoked: [{ certificateSerial: 'ab', spki: 'ab'.repeat(32), reason: 'x' }] },
      'spec.revoked[0]: exactly one of spki, certificateSerial, artifactDigest must be set',
      'spec.revoked[0]: Invalid value: exactly one of spki, certificateSerial, artifactDigest must be set',
    ],
    [
      'more witnesses than there are',
      { sigstorePublicGood: {}, requirements: { witnesses: 1 } },
      'spec.requirements.witnesses: it is 1, and spec.witnesses lists 0',
      'spec: Invalid value: requirements.witnesses must not be larger than the number of witnesses',
    ],
    [
      'a witness whose key is none',
      { sigstorePublicGood: {}, witnesses: [{ name: 'w', key: 'none' }] },
      'spec.witnesses[0].key: it is neither a PUBLIC KEY in PEM nor name+keyid+base64',
    ],
    [
      'one key as two witnesses',
      {
        sigstorePublicGood: {},
        witnesses: [
          { name: 'v', key: WITNESS },
          { name: 'w', key: WITNESS },
        ],
      },
      'spec.witnesses[1].key: it is the key of another witness',
    ],
  ]),
  ...rows('ModelPolicyException', [
    [
      'an exception from every policy',
      exception({ policies: ['*'] }),
      'spec.policies[0]: must match pattern "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"',
      'spec.policies[0]: Invalid value: "*"',
    ],
    [
      'an exception without a digest',
      exception({ models: ['a.test/m'] }),
      'spec.models[0]: a model must be named by digest, or anyDigest must be true',
      'spec: Invalid value: models must be named by digest, or anyDigest must be true',
    ],
    [
      'an exception for a broken digest',
      exception({ models: ['a.test/m@sha256:12'] }),
      'spec.models[0]: "a.test/m@sha256:12" is no reference: what follows @ is no sha256 or sha512 digest in lower case',
    ],
    [
      'an exception for a glob without a registry',
      exception({ models: ['m/**'], anyDigest: true }),
      'spec.models[0]: it must begin with a registry host, in which only a whole leading label may be *',
    ],
    [
      'an exception without a reason',
      exception({ reason: undefined }),
      'spec: reason is required',
      'spec.reason: Required value',
    ],
    [
      'an exception by local time',
      exception({ expiresAt: '2027-01-01T00:00:00' }),
      'spec.expiresAt: must match pattern "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d{1,9})?Z$"',
      'spec.expiresAt: Invalid value: "2027-01-01T00:00:00"',
    ],
    [
      'an exception until 30 February',
      exception({ expiresAt: '2027-02-30T00:00:00Z' }),
      'spec.expiresAt: it is no RFC 3339 time in UTC',
      'spec.expiresAt: Invalid value: "2027-02-30T00:00:00Z": spec.expiresAt in body must be of type date-time: "2027-02-30T00:00:00Z"',
    ],
  ]),
];

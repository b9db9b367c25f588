// Which objects can be saved, and without a word? The counterpart of refused-policies.ts: the unit tests hold our compiler
// to them, the e2e suite a real API server with the shipped CRDs and the webhook.
import { certificatePem } from '../../src/demo/certificate.ts';
import { createRootAuthority } from '../../src/demo/certificate-authority.ts';
import { generateSigningKey } from '../../src/demo/keys.ts';
import type { CheckedKind } from '../../src/policy/validate.ts';

/** An object that is saved. */
export interface AcceptedObject {
  readonly name: string;
  readonly kind: CheckedKind;
  readonly spec: object;
  /** What is said about it all the same, one pattern each; none by default. */
  readonly warnings: readonly RegExp[];
}

const KEY = generateSigningKey('p256').publicKeyPem;
const OTHER_KEY = generateSigningKey('p384').publicKeyPem;
const ROOT = certificatePem(createRootAuthority('root').certificate);
const good = { name: 'a', key: { pem: KEY } };
const MODELS = [{ glob: 'registry.example.com/models/**' }];
const GITHUB = 'https://token.actions.githubusercontent.com';
const DIGEST = `registry.example.com/m@sha256:${'0'.repeat(64)}`;
const keyless = (identity: object, name = 'a'): object => ({
  name,
  keyless: { identities: [{ issuer: GITHUB, ...identity }], trustRootRef: { name: 'good' } },
});
const exception = (more: object): object => ({
  policies: ['prod'],
  namespaces: ['team-a'],
  models: [DIGEST],
  reason: 'SEC-1',
  requestedBy: 'jane@example.com',
  ...more,
});

type Row = readonly [name: string, spec: object, ...warnings: RegExp[]];

const rows = (kind: CheckedKind, list: readonly Row[]): readonly AcceptedObject[] =>
  list.map(([name, spec, ...warnings]) => ({ name, kind, spec, warnings }));

/** Every one of them; a TrustRoot `good` and a ClusterModelPolicy `prod` exist. */
export const ACCEPTED_OBJECTS: readonly AcceptedObject[] = [
  ...rows('ClusterModelPolicy', [
    ['a key', { models: MODELS, authorities: [good] }],
    [
      'a key and its successor',
      { models: MODELS, authorities: [{ name: 'a', key: { pem: KEY + OTHER_KEY } }] },
    ],
    [
      'a key in a Secret that is not there yet',
      {
        models: MODELS,
        authorities: [{ name: 'a', key: { secretKeyRef: { name: 'signer', key: 'cosign.pub' } } }],
      },
      /Secret model-policy-system\/signer does not exist; until it is there, nothing that this selects passes/,
    ],
    [
      'an identity, exactly',
      {
        models: MODELS,
        authorities: [
          keyless({ subject: 'https://github.com/acme/m/.github/workflows/r.yaml@refs/heads/main' }),
        ],
      },
    ],
    [
      'an identity by a narrow pattern and claims',
      {
        models: MODELS,
        authorities: [
          keyless({
            subjectRegExp: String.raw`https://github\.com/acme/m/\.github/workflows/r\.yaml@refs/tags/v.*`,
            claims: { sourceRepositoryOwnerIdentifier: '12345' },
            claimsRegExp: { sourceRepositoryRef: 'refs/tags/v.*' },
          }),
        ],
      },
    ],
    [
      'two parties at once',
      { models: MODELS, authorities: [good, keyless({ subject: 'x' }, 'b')], minAuthorities: 2 },
    ],
    [
      'globs with exclusions and sources',
      {
        models: [
          {
            glob: '*.example.com/*/models/**',
            exclude: ['a.example.com/x/models/y'],
            sources: ['ImageVolume'],
          },
          { sources: ['CSI', 'KitOps'] },
        ],
        authorities: [good],
      },
    ],
    [
      'namespaces by their names',
      {
        namespaceSelector: {
          matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values: ['a', 'b'] }],
        },
        authorities: [good],
      },
    ],
    [
      'namespaces by a label',
      { namespaceSelector: { matchLabels: { tier: 'prod' } }, authorities: [good] },
      /^spec\.namespaceSelector: whoever may label a namespace/,
    ],
    [
      'a denial without looking',
      { models: MODELS, authorities: [{ name: 's', static: { action: 'Fail', message: 'closed' } }] },
    ],
    [
      'an admission without looking',
      { models: MODELS, authorities: [{ name: 's', static: { action: 'Pass' } }] },
      /^spec\.authorities\[0\]\.static\.action: Pass admits every model/,
    ],
    [
      'a denial that is also audited',
      { models: MODELS, authorities: [good], validationActions: ['Deny', 'Audit'] },
    ],
    [
      'a warning',
      { models: [{ glob: 'other.example.com/**' }], authorities: [good], validationActions: ['Warn'] },
      /^spec\.validationActions: this policy only reports, while "prod" denies/,
    ],
    ['signed files', { models: MODELS, authorities: [{ ...good, signatureFormats: ['ModelSigning'] }] }],
    [
      'a private PKI',
      {
        models: MODELS,
        authorities: [
          {
            name: 'a',
            certificate: {
              roots: { pem: ROOT },
              identities: [{ subjectDNS: 'x' }],
              notAfter: '2999-01-01T00:00:00Z',
            },
          },
        ],
      },
    ],
    [
      'provenance alone',
      {
        models: MODELS,
        authorities: [good],
        minAuthorities: 0,
        attestations: [
          {
            name: 'p',
            predicateTypes: ['https://slsa.dev/provenance/v1'],
            authorities: ['a'],
            validations: [{ expression: "predicate.buildDefinition.buildType == 'x'" }],
          },
        ],
      },
    ],
    [
      'rules with messages',
      {
        models: MODELS,
        authorities: [good],
        validations: [
          { expression: 'model.layers.size() > 0', message: 'no layers' },
          {
            expression: "signatures.exists(s, s.authority == 'a')",
            messageExpression: "'for ' + pod.metadata.name",
          },
        ],
      },
    ],
    [
      'a rule that holds when evidence is withheld',
      { models: MODELS, authorities: [good], validations: [{ expression: 'attestations.all(a, false)' }] },
      /^spec\.validations\[0\]\.expression: `attestations\.all\(a, false\)`: it also holds/,
    ],
    [
      'tags that are resolved',
      {
        models: MODELS,
        authorities: [good],
        digest: 'Resolve',
        requireModel: true,
        unverifiableSources: 'Warn',
      },
    ],
  ]),
  ...rows('TrustRoot', [
    ["Sigstore's public-good instance", { sigstorePublicGood: {} }],
    ["GitHub's instance", { github: {} }],
    [
      'a TUF repository',
      {
        tuf: { mirror: 'https://tuf.example.com/', root: { json: '{"signed":{}}' }, refreshInterval: '30m' },
      },
    ],
    [
      'revocations and demands',
      {
        sigstorePublicGood: {},
        requirements: { logEntries: 2, timestamps: 1 },
        revoked: [{ certificateSerial: '3a:9f:01', reason: 'lost' }],
      },
    ],
  ]),
  ...rows('ModelPolicyException', [
    [
      'a digest for longer than 90 days',
      exception({ expiresAt: '2999-01-01T00:00:00Z' }),
      /^spec\.expiresAt: it ends on .*, 90 days after it was made, not on 2999-01-01/,
    ],
    [
      'an exception that ended',
      exception({ expiresAt: '2026-01-01T00:00:00Z' }),
      /^spec\.expiresAt: it ended on 2026-01-01 and has no effect/,
    ],
    [
      'whatever is in a repository, from a policy that is not there',
      exception({
        models: ['a.test/**'],
        anyDigest: true,
        policies: ['prd'],
        expiresAt: '2026-01-01T00:00:00Z',
      }),
      /^spec\.policies\[0\]: there is no ClusterModelPolicy "prd"/,
      /^spec\.anyDigest: whatever is pushed/,
      /^spec\.expiresAt: it ended/,
    ],
  ]),
];

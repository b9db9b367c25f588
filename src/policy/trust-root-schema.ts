// Which shape has a TrustRoot? Its structural schema, with the text that kubectl explain shows.
import { exactlyOne, keyReference, object, text, type Schema } from './schema.ts';

const MAX_WITNESSES = 32;

const jsonSource = (description: string): Schema =>
  object(
    description,
    {
      json: text('The document.', 1_048_576),
      secretKeyRef: keyReference('Secret'),
      configMapKeyRef: keyReference('ConfigMap'),
    },
    { 'x-kubernetes-validations': exactlyOne(['json', 'secretKeyRef', 'configMapKeyRef']) ?? [] },
  );

const count = (description: string, minimum: number): Schema => ({
  type: 'integer',
  description,
  minimum,
  maximum: 8,
});

const TUF = object(
  'A TUF repository that serves a Sigstore trusted_root.json.',
  {
    mirror: text('Base URL of the repository: its metadata, and its targets below targets/.', 512, {
      pattern: '^https?://[^/?#@\\s]+(/[^?#\\s]*)?$',
    }),
    root: jsonSource('The root.json that is trusted first; later versions are followed from it.'),
    trustedRootTarget: text('Name of the target (default trusted_root.json).', 253, {
      pattern: '^[A-Za-z0-9][-A-Za-z0-9._]*(/[A-Za-z0-9][-A-Za-z0-9._]*)*$',
    }),
    refreshInterval: text('Time between refreshes, from 1m to 24h (default 1h), less or more a tenth.', 32, {
      pattern: '^([0-9]+(\\.[0-9]+)?(ms|s|m|h))+$',
    }),
  },
  { required: ['mirror', 'root'] },
);

const REVOCATION = object(
  'One thing that is not trusted any more.',
  {
    spki: text(
      "SHA-256 of a public key's SubjectPublicKeyInfo, hex, with or without sha256: before it.",
      71,
      {
        pattern: '^(sha256:)?[0-9a-fA-F]{64}$',
      },
    ),
    certificateSerial: text('Serial number of a certificate, hex, with or without colons.', 63, {
      pattern: '^[0-9a-fA-F]+(:[0-9a-fA-F]+)*$',
    }),
    artifactDigest: text('Digest of a manifest, sha256:… or sha512:….', 135, {
      pattern: '^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$',
    }),
    reason: text('Why, for whoever is denied.', 512),
  },
  {
    required: ['reason'],
    'x-kubernetes-validations': exactlyOne(['spki', 'certificateSerial', 'artifactDigest']) ?? [],
  },
);

const WITNESS = object(
  'Somebody who watches logs and cosigns their checkpoints.',
  {
    name: text('Name on its signatures.', 255, { pattern: '^[^+\\s]+$' }),
    key: text('Its Ed25519 key: name+keyid+base64 as witnesses publish it, or a PUBLIC KEY in PEM.', 1024),
  },
  { required: ['name', 'key'] },
);

/** Spec of TrustRoot. */
export const TRUST_ROOT_SPEC: Schema = object(
  'Whose certificates, logs and timestamps are believed.',
  {
    sigstorePublicGood: object(
      "Sigstore's public-good instance: the root shipped with the controller, refreshed by TUF.",
      {},
    ),
    github: object(
      "GitHub's own instance, which signs attestations of private repositories: timestamps, no logs. Fetched by TUF.",
      {},
    ),
    tuf: TUF,
    trustedRoot: jsonSource('A pinned Sigstore trusted_root.json, never refreshed.'),
    requirements: object(
      'Evidence that every keyless signature under this root must carry; each counts distinct parties. `witnesses` is about every log entry, of keys too.',
      {
        logEntries: count('Transparency logs (default 1, for github 0).', 0),
        timestamps: count('Trusted times (default 1).', 1),
        certificateTimestamps: count('Signed certificate timestamps (default 1, for github 0).', 0),
        witnesses: {
          type: 'integer',
          description:
            'Witnesses of this TrustRoot that must have cosigned the checkpoint of a log entry for it to count (default 0).',
          minimum: 0,
          maximum: MAX_WITNESSES,
        },
      },
    ),
    revoked: {
      type: 'array',
      description: 'What is denied although this root would trust it.',
      items: REVOCATION,
      maxItems: 1024,
      'x-kubernetes-list-type': 'atomic',
    },
    witnesses: {
      type: 'array',
      description: "Witnesses whose cosignatures on logs' checkpoints are counted.",
      items: WITNESS,
      maxItems: MAX_WITNESSES,
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
    },
  },
  {
    'x-kubernetes-validations': [
      ...(exactlyOne(['sigstorePublicGood', 'github', 'tuf', 'trustedRoot']) ?? []),
      {
        rule: '!has(self.requirements) || !has(self.requirements.witnesses) || self.requirements.witnesses == 0 || (has(self.witnesses) && self.requirements.witnesses <= self.witnesses.size())',
        message: 'requirements.witnesses must not be larger than the number of witnesses',
      },
    ],
  },
);

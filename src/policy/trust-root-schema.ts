// Which shape has a TrustRoot? Its structural schema, with the text that kubectl explain shows.
import { exactlyOne, keyReference, object, text, type Schema } from './schema.ts';

/** Spec of TrustRoot. */
export const TRUST_ROOT_SPEC: Schema = object(
  'Whose certificates, logs and timestamps are believed.',
  {
    sigstorePublicGood: object(
      "Sigstore's public-good instance, from the root shipped with the controller.",
      {},
    ),
    trustedRoot: object(
      'A pinned Sigstore trusted_root.json.',
      {
        json: text('The document.', 1_048_576),
        secretKeyRef: keyReference('Secret'),
        configMapKeyRef: keyReference('ConfigMap'),
      },
      { 'x-kubernetes-validations': exactlyOne(['json', 'secretKeyRef', 'configMapKeyRef']) ?? [] },
    ),
    requirements: object(
      'Evidence that every keyless signature under this root must carry; each counts distinct parties.',
      {
        logEntries: {
          type: 'integer',
          description: 'Transparency logs.',
          minimum: 0,
          maximum: 8,
          default: 1,
        },
        timestamps: { type: 'integer', description: 'Trusted times.', minimum: 1, maximum: 8, default: 1 },
        certificateTimestamps: {
          type: 'integer',
          description: 'Signed certificate timestamps.',
          minimum: 0,
          maximum: 8,
          default: 1,
        },
      },
    ),
  },
  { 'x-kubernetes-validations': exactlyOne(['sigstorePublicGood', 'trustedRoot']) ?? [] },
);

// What may be changed in a signature without anybody noticing? The closed list of fields that nothing authenticates, by
// kind of signature, with what the mutation suite counted. docs/verification.md is held to it.

/** The signatures that are mutated. */
export type Kind =
  | 'key'
  | 'key with log and timestamp'
  | 'keyless, Rekor v1'
  | 'keyless, Rekor v1 and timestamp'
  | 'keyless, Rekor v2 and timestamp'
  | 'model signing by key'
  | 'private PKI chain'
  | 'simple signing by key'
  | 'simple signing, keyless';

/** One field. */
export interface Unauthenticated {
  /** Kinds whose signatures have the field. */
  readonly kinds: readonly Kind[];
  readonly path: string;
  /** What the mutation suite may do to it, sorted. */
  readonly changes: readonly string[];
  readonly why: string;
}

/** Mutants of one good signature of each kind: every one that is not listed below is refused. */
export const MUTANTS: Readonly<Record<Kind, number>> = {
  key: 195,
  'key with log and timestamp': 556,
  'keyless, Rekor v1': 563,
  'keyless, Rekor v1 and timestamp': 614,
  'keyless, Rekor v2 and timestamp': 556,
  'model signing by key': 206,
  'private PKI chain': 245,
  'simple signing by key': 57,
  'simple signing, keyless': 265,
};

const BY_KEY: readonly Kind[] = ['key', 'key with log and timestamp', 'model signing by key'];
const TWO_TIMES: readonly Kind[] = ['keyless, Rekor v1 and timestamp'];
const STAMPS = 'verificationMaterial.timestampVerificationData';

export const UNAUTHENTICATED: readonly Unauthenticated[] = [
  {
    kinds: BY_KEY,
    path: 'verificationMaterial.publicKey',
    changes: ['made an object'],
    why: 'an object without a hint is a key signature all the same',
  },
  {
    kinds: BY_KEY,
    path: 'verificationMaterial.publicKey.hint',
    changes: ['cut', 'deleted', 'doubled', 'emptied to text', 'flipped', 'longer', 'nulled'],
    why: 'it chooses between two words of a refusal; every key of the policy is tried',
  },
  {
    kinds: ['model signing by key'],
    path: 'dsseEnvelope.signatures.0.keyid',
    changes: ['deleted', 'longer', 'nulled'],
    why: 'it is not read; model_signing writes an empty one',
  },
  {
    kinds: ['model signing by key'],
    path: 'verificationMaterial.tlogEntries',
    changes: ['deleted', 'nulled'],
    why: 'no entries are no entries, however it is written',
  },
  {
    kinds: TWO_TIMES,
    path: 'verificationMaterial.tlogEntries.0.inclusionPromise',
    changes: ['deleted', 'nulled'],
    why: 'the proof and the timestamp are enough; one time less is reported',
  },
  {
    kinds: TWO_TIMES,
    path: STAMPS,
    changes: ['deleted', 'made an object', 'nulled'],
    why: 'the promise is enough; one time less is reported',
  },
  {
    kinds: TWO_TIMES,
    path: `${STAMPS}.rfc3161Timestamps`,
    changes: ['deleted', 'made a list', 'nulled'],
    why: 'the promise is enough; one time less is reported',
  },
  {
    kinds: TWO_TIMES,
    path: `${STAMPS}.rfc3161Timestamps.0`,
    changes: ['deleted'],
    why: 'the promise is enough; one time less is reported',
  },
  {
    kinds: TWO_TIMES,
    path: `${STAMPS}.rfc3161Timestamps.0.signedTimestamp`,
    changes: ['flipped'],
    why: 'it may then name an authority that the root does not know: left out, and one time less is reported',
  },
  {
    kinds: ['private PKI chain'],
    path: 'verificationMaterial.x509CertificateChain.certificates',
    changes: ['doubled'],
    why: 'intermediates help to find a path and are not trusted; a copy changes nothing',
  },
  {
    kinds: ['simple signing, keyless'],
    path: 'annotations.dev.sigstore.cosign/certificate',
    changes: ['cut'],
    why: 'the line break after the last line of PEM',
  },
  {
    kinds: ['simple signing, keyless'],
    path: 'annotations.dev.sigstore.cosign/chain',
    changes: ['cut', 'deleted', 'doubled', 'emptied to text', 'flipped'],
    why: 'chains of the trust root count, not those of the signer; it only has to be PEM',
  },
];

// What does a referrer say it is: a signature of the model or an attestation about it? Predicate types, and the
// annotation in which cosign repeats them. A hint for choosing what to read: nothing is decided by it.

/** Predicate of `cosign sign` since v3. */
export const COSIGN_SIGN_PREDICATE = 'https://sigstore.dev/cosign/sign/v1';
/** Predicate of OpenSSF Model Signing v1.0. */
export const MODEL_SIGNING_PREDICATE = 'https://model_signing/signature/v1.0';
/** What every predicate type of model signing, of any version, begins with. */
export const MODEL_SIGNING_PREFIX = 'https://model_signing/';
/** Where cosign, and whoever writes bundles as it does, repeats the predicate type of a bundle. */
export const PREDICATE_TYPE_ANNOTATION = 'dev.sigstore.bundle.predicateType';

/** True for the predicate types of signatures, which are never attestations. */
export function isSignaturePredicate(predicateType: string): boolean {
  return predicateType === COSIGN_SIGN_PREDICATE || predicateType.startsWith(MODEL_SIGNING_PREFIX);
}

/** True when the annotations of a manifest, or of its descriptor in a listing, announce an attestation. */
export function announcesAttestation(annotations: Readonly<Record<string, string>>): boolean {
  const announced = Object.hasOwn(annotations, PREDICATE_TYPE_ANNOTATION)
    ? annotations[PREDICATE_TYPE_ANNOTATION]
    : undefined;
  return announced !== undefined && announced !== '' && !isSignaturePredicate(announced);
}

// Which annotations are part of a cosign v2 signature? Picks them from a layer's descriptor, capped before anything
// reads them; every other annotation is left where it is.
import type { Descriptor } from '../model/manifest.ts';
import { RegistryError } from '../registry/error.ts';
import { MAX_ANNOTATION_CHARS, type SimpleSigningAnnotations } from './evidence.ts';

// cosign specs/SIGNATURE_SPEC.md and pkg/oci/static/options.go.
const NAMES: Readonly<Record<keyof SimpleSigningAnnotations, string>> = {
  signature: 'dev.cosignproject.cosign/signature',
  certificate: 'dev.sigstore.cosign/certificate',
  chain: 'dev.sigstore.cosign/chain',
  logBundle: 'dev.sigstore.cosign/bundle',
  timestamp: 'dev.sigstore.cosign/rfc3161timestamp',
};

/** Reads the annotations of a signature. @throws RegistryError `tooLarge` */
export function readSignatureAnnotations({ annotations }: Descriptor): SimpleSigningAnnotations {
  return Object.fromEntries(
    Object.entries(NAMES).flatMap(([part, name]) => {
      const text = Object.hasOwn(annotations, name) ? (annotations[name] ?? '') : '';
      if (text.length > MAX_ANNOTATION_CHARS)
        throw new RegistryError(
          'tooLarge',
          `annotation ${name} of ${text.length} characters exceeds ${MAX_ANNOTATION_CHARS}`,
        );
      // cosign writes an empty chain where there is none.
      return text === '' ? [] : [[part, text]];
    }),
  );
}

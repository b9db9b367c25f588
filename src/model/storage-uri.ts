// What does a KServe storage URI point at? Registries give references; buckets, hubs, claims and web sites give
// nothing that a signature could be found for. Schemes: kserve pkg/utils/storage.go, python/storage (v0.20).
import { quote } from '../lib/text.ts';
import type { ModelSource } from './model-reference.ts';
import type { Sighting } from './sighting.ts';

// The mode after the plus says how the model gets into the pod; it is normalised away before the pod is made.
const REGISTRY_SCHEMES = /^(oci(?:\+[a-z]{1,16})?|kit|modelpack):\/\/(.*)$/is;
const SCHEME = /^([a-z][a-z0-9+.-]{0,31}):\/\//i;

/** Where a storage URI stands. */
export interface StoragePlace {
  readonly source: ModelSource;
  readonly fieldPath: string;
  /** Schemes whose puller takes whatever the registry serves. */
  readonly lenientSchemes: ReadonlySet<string>;
}

/** What a storage URI means, whatever it is. */
export function toStorageSighting(
  uri: string,
  { source, fieldPath, lenientSchemes }: StoragePlace,
): Sighting {
  const [, scheme = '', text = ''] = REGISTRY_SCHEMES.exec(uri) ?? [];
  if (scheme !== '') {
    const isLenient = lenientSchemes.has(scheme.toLowerCase());
    return { text, source, fieldPath, ...(isLenient ? { lenientPuller: 'the storage initializer' } : {}) };
  }
  const [, other] = SCHEME.exec(uri) ?? [];
  const problem = `takes its model from ${quote(uri)}: ${
    other === undefined ? 'no registry' : `${other.toLowerCase()}:// is no registry`
  }, nothing there can be checked`;
  return { reason: 'UnverifiableSource', problem, written: uri, source, fieldPath };
}

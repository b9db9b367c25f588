// Which models do KServe's own resources name? Read for early feedback: what counts is the pod that KServe makes.
// Fields: kserve pkg/apis/serving, v1beta1 InferenceService and v1alpha1, v1alpha2 LLMInferenceService.
import { quote, toRecord, toText } from '../../lib/text.ts';
import { toRuntimes } from '../kserve-component.ts';
import { findPlaces, type Placed, type Workload } from '../pod-template.ts';
import type { Sighting } from '../sighting.ts';
import { toStorageSighting } from '../storage-uri.ts';

const SOURCE = 'KServeResource';
// Plain oci:// becomes a ModelCar or an image volume unless the operator of KServe decides otherwise.
const LENIENT_SCHEMES: ReadonlySet<string> = new Set(['oci+fetch']);
const COMPONENTS = [
  ['spec', 'predictor'],
  ['spec', 'transformer'],
  ['spec', 'explainer'],
  ['spec', 'canary', '*', 'predictor'],
] as const;
const LLM_MODELS = [
  ['spec', 'model', 'uri'],
  ['spec', 'model', 'lora', 'adapters', '*', 'uri'],
] as const;

/** Every model of an InferenceService or LLMInferenceService; nothing of other kinds. */
export function seeKServeResource({ kind, object }: Workload): readonly Sighting[] {
  if (kind === 'LLMInferenceService')
    return LLM_MODELS.flatMap((path) => findPlaces(object, path)).flatMap(seeUri);
  if (kind !== 'InferenceService') return [];
  return COMPONENTS.flatMap((path) => findPlaces(object, path)).flatMap(seeComponent);
}

function seeComponent({ value, path }: Placed): readonly Sighting[] {
  const uris = findPlaces(value, ['storageUris', '*', 'uri']).map((found) => ({
    value: found.value,
    path: `${path}.${found.path}`,
  }));
  const runtimes = toRuntimes(toRecord(value), path);
  return [
    ...uris.flatMap(seeUri),
    ...runtimes.flatMap((runtime) => [
      ...seeUri({ value: runtime.fields['storageUri'], path: `${runtime.path}.storageUri` }),
      ...seeStorage({ value: runtime.fields['storage'], path: `${runtime.path}.storage` }),
    ]),
  ];
}

function seeUri({ value, path }: Placed): readonly Sighting[] {
  if (value === undefined || value === null) return [];
  return [
    toStorageSighting(toText(value) ?? '', {
      source: SOURCE,
      fieldPath: path,
      lenientSchemes: LENIENT_SCHEMES,
    }),
  ];
}

// A key of the secret storage-config, which says where: only KServe knows it.
function seeStorage({ value, path }: Placed): readonly Sighting[] {
  if (value === undefined || value === null) return [];
  const key = toText(toRecord(value)['key']) ?? '';
  const problem = `takes its model from the storage ${quote(key)} of a Secret: nothing there can be checked`;
  return [{ reason: 'UnverifiableSource', problem, written: key, source: SOURCE, fieldPath: path }];
}

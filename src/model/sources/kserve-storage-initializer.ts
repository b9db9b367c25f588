// What does KServe's storage initializer download into a pod? Its arguments are pairs of source and destination
// (kserve pkg/webhook/admission/pod). What it takes from a registry it takes unchecked: oras-py verifies no digest.
import { toArray, toText } from '../../lib/text.ts';
import { expandVariables } from '../container.ts';
import type { ContainerView, PodView } from '../pod-view.ts';
import { type Sighting, unresolvable } from '../sighting.ts';
import { toStorageSighting } from '../storage-uri.ts';

const SOURCE = 'KServeStorageInitializer';
// oci+fetch:// is written oci:// once KServe's webhook has made the pod.
const LENIENT_SCHEMES: ReadonlySet<string> = new Set(['oci', 'oci+fetch']);

/** Every source of every storage initializer. */
export function seeStorageInitializers({ containers }: PodView): readonly Sighting[] {
  return containers
    .filter(({ name, list }) => list === 'initContainers' && name === 'storage-initializer')
    .flatMap(seeSources);
}

function seeSources({ path, fields, environment }: ContainerView): readonly Sighting[] {
  return toArray(fields['args']).flatMap((argument, index): readonly Sighting[] => {
    if (index % 2 === 1) return [];
    const fieldPath = `${path}.args[${index}]`;
    const written = toText(argument) ?? '';
    const { text, isComplete } = expandVariables(written, environment);
    if (!isComplete || text.includes('$')) return [unresolvable(written, SOURCE, fieldPath)];
    return [toStorageSighting(text, { source: SOURCE, fieldPath, lenientSchemes: LENIENT_SCHEMES })];
  });
}

// Which ModelKits does a pod unpack? The KitOps init container reads the bare reference from MODELKIT_REF; looked for
// in every container, because whoever moves it to another list does not unpack another model.
import { toArray, toRecord, toText } from '../../lib/text.ts';
import type { ContainerView, PodView } from '../pod-view.ts';
import { type Sighting, unresolvable } from '../sighting.ts';

const SOURCE = 'KitOps';
const VARIABLE = 'MODELKIT_REF';
const SCHEME = 'kit://';
const IMAGE = /(?:^|\/)kitops-init(?:[:@]|$)/;

/** Every ModelKit that a variable names. */
export function seeModelKits({ containers }: PodView): readonly Sighting[] {
  return containers.flatMap(seeModelKit);
}

function seeModelKit(container: ContainerView): readonly Sighting[] {
  const { path, fields, environment } = container;
  const entries = toArray(fields['env']).map(toRecord);
  // Every entry of the name counts: which one wins is the kubelet's business.
  const sightings = environment.entries.flatMap(({ index, raw, expanded }): readonly Sighting[] => {
    const entry = entries[index];
    if (entry?.['name'] !== VARIABLE) return [];
    const { valueFrom } = entry;
    if (valueFrom !== undefined && valueFrom !== null)
      return [unresolvable(VARIABLE, SOURCE, `${path}.env[${index}].valueFrom`)];
    const fieldPath = `${path}.env[${index}].value`;
    const { text, isComplete } = expanded;
    if (!isComplete || text.includes('$')) return [unresolvable(raw, SOURCE, fieldPath)];
    return [{ text: text.startsWith(SCHEME) ? text.slice(SCHEME.length) : text, source: SOURCE, fieldPath }];
  });
  const isHidden = sightings.length === 0 && environment.isOpen && IMAGE.test(toText(fields['image']) ?? '');
  return isHidden ? [unresolvable(VARIABLE, SOURCE, `${path}.envFrom`)] : sightings;
}

// Which models does a pod mount as image volumes? KEP-4639: spec.volumes[].image.reference.
import { toArray, toRecord, toText } from '../../lib/text.ts';
import type { PodView } from '../pod-view.ts';
import type { Sighting } from '../sighting.ts';

/** Every image volume; one without a reference is refused, not passed over. */
export function seeImageVolumes({ spec, specPath }: PodView): readonly Sighting[] {
  return toArray(spec['volumes']).flatMap((volume, index): readonly Sighting[] => {
    const { image } = toRecord(volume);
    if (image === undefined || image === null) return [];
    const fieldPath = `${specPath}.volumes[${index}].image.reference`;
    return [{ text: toText(toRecord(image)['reference']) ?? '', source: 'ImageVolume', fieldPath }];
  });
}

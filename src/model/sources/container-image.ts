// Which images do the containers of a pod run? Models only where a policy claims them, whatever the container's name.
import { toText } from '../../lib/text.ts';
import type { PodView } from '../pod-view.ts';
import type { NamedSighting } from '../sighting.ts';

/** The image of every container of every list. */
export function seeContainerImages({ containers }: PodView): readonly NamedSighting[] {
  return containers.flatMap(({ path, fields }): readonly NamedSighting[] => {
    const text = toText(fields['image']);
    if (text === undefined) return [];
    return [{ text, source: 'ContainerImage', fieldPath: `${path}.image`, isImage: true }];
  });
}

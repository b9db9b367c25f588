// Which containers are KServe ModelCars? By the names that KServe's injector gives them (pkg/utils/storage.go,
// ModelcarNames): a container that only looks like one is an image that must be signed, never one that need not be.
import { toText } from '../../lib/text.ts';
import type { PodView } from '../pod-view.ts';
import type { Sighting } from '../sighting.ts';

const NAME = /^modelcar(?:-init)?(?:-\d+)?$/;

/** The image of every ModelCar. */
export function seeModelCars({ containers }: PodView): readonly Sighting[] {
  return containers
    .filter(({ name, list }) => list !== 'ephemeralContainers' && NAME.test(name))
    .flatMap(({ path, fields }): readonly Sighting[] => {
      const text = toText(fields['image']);
      if (text === undefined) return [];
      return [{ text, source: 'KServeModelCar', fieldPath: `${path}.image`, isImage: true }];
    });
}

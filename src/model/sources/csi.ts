// Which models does a pod mount through CSI drivers? Inline volumes of model-csi-driver (pkg/service/node.go) and of
// warm-metal's image driver (cmd/plugin/node_server.go), and claims of StorageClasses that the operator named.
import { quote, toArray, toRecord, toText } from '../../lib/text.ts';
import type { PodView } from '../pod-view.ts';
import type { Sighting } from '../sighting.ts';

/** The name that model-csi-driver registers unless it is told another. */
export const MODEL_CSI_DRIVER = 'model.csi.modelpack.org';
const IMAGE_CSI_DRIVER = 'container-image.csi.k8s.io';
// The driver takes the first of these that is set: both are judged, so that neither hides behind the other.
const IMAGE_KEYS = ['volumeHandle', 'image'];

/** Every model volume of a CSI driver. */
export function seeCsiVolumes(pod: PodView): readonly Sighting[] {
  return toArray(pod.spec['volumes']).flatMap((volume, index): readonly Sighting[] => {
    const { csi, ephemeral } = toRecord(volume);
    const path = `${pod.specPath}.volumes[${index}]`;
    return [
      ...seeInline(toRecord(csi), `${path}.csi`, pod),
      ...seeClaim(ephemeral, `${path}.ephemeral`, pod),
    ];
  });
}

function seeInline(
  csi: Record<string, unknown>,
  path: string,
  { modelVolumes }: PodView,
): readonly Sighting[] {
  const driver = toText(csi['driver']) ?? '';
  const attributes = toRecord(csi['volumeAttributes']);
  if (modelVolumes.csiDrivers.has(driver)) return [...seeModelPack(driver, attributes, path)];
  if (driver !== IMAGE_CSI_DRIVER) return [];
  const keys = IMAGE_KEYS.filter((key) => (toText(attributes[key]) ?? '') !== '');
  return (keys.length === 0 ? ['image'] : keys).map((key) => ({
    text: toText(attributes[key]) ?? '',
    source: 'CSI',
    fieldPath: `${path}.volumeAttributes[${key}]`,
  }));
}

// The driver pulls by tag, and knows no digest beside one (pkg/service: modctl Pull takes ref.Tag()).
function* seeModelPack(
  driver: string,
  attributes: Record<string, unknown>,
  path: string,
): Generator<Sighting> {
  const key = `${driver}/reference`;
  const text = toText(attributes[key]) ?? '';
  if (text === '')
    yield {
      reason: 'DynamicModelVolume',
      problem: `has no ${quote(key)}: the pod may mount any model while it runs`,
      written: '',
      source: 'CSI',
      fieldPath: path,
    };
  else
    yield {
      text,
      source: 'CSI',
      fieldPath: `${path}.volumeAttributes[${key}]`,
      lenientPuller: `the CSI driver ${driver}`,
    };
}

// An annotation of old still wins over the field (kubernetes pkg/volume/util GetPersistentVolumeClaimClass): both count.
const CLASS_ANNOTATION = 'volume.beta.kubernetes.io/storage-class';

function seeClaim(ephemeral: unknown, path: string, { modelVolumes }: PodView): readonly Sighting[] {
  const { metadata, spec } = toRecord(toRecord(ephemeral)['volumeClaimTemplate']);
  const claims = [
    {
      storageClass: toText(toRecord(toRecord(metadata)['annotations'])[CLASS_ANNOTATION]) ?? '',
      fieldPath: `${path}.volumeClaimTemplate.metadata.annotations[${CLASS_ANNOTATION}]`,
    },
    {
      storageClass: toText(toRecord(spec)['storageClassName']) ?? '',
      fieldPath: `${path}.volumeClaimTemplate.spec.storageClassName`,
    },
  ];
  return claims
    .filter(({ storageClass }) => modelVolumes.storageClasses.has(storageClass))
    .map(({ storageClass, fieldPath }) => ({
      reason: 'DynamicModelVolume',
      problem: `takes its model from the StorageClass ${quote(storageClass)}: the pod does not say which`,
      written: storageClass,
      source: 'CSI',
      fieldPath,
    }));
}

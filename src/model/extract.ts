// Which models does this object use? Runs every extractor over every pod of an object and merges what they saw;
// labels, annotations and container names never switch one off. Selection by policy happens elsewhere.
import { quote } from '../lib/text.ts';
import { createExpansionBudget } from './container.ts';
import { mergeReferences, mergeUnnamed } from './merge.ts';
import type { Extraction, ModelReference, UnnamedUse } from './model-reference.ts';
import type { Workload } from './pod-template.ts';
import { type ModelVolumes, type PodView, toPodView } from './pod-view.ts';
import { MAX_REFERENCE_CHARS, parseReference, type ShortNames } from './reference.ts';
import type { NamedSighting, Sighting, UnnamedSighting } from './sighting.ts';
import { seeContainerImages } from './sources/container-image.ts';
import { MODEL_CSI_DRIVER, seeCsiVolumes } from './sources/csi.ts';
import { seeImageVolumes } from './sources/image-volume.ts';
import { seeKaitoDownloads } from './sources/kaito.ts';
import { seeKServeResource } from './sources/kserve-resource.ts';
import { seeModelCars } from './sources/kserve-modelcar.ts';
import { seeStorageInitializers } from './sources/kserve-storage-initializer.ts';
import { seeModelKits } from './sources/kitops.ts';
import { seeModelUris } from './sources/uri.ts';

/** How names are read. */
export interface ExtractOptions {
  /**
   * How everything but container images is read without a registry, default `Deny`; container images always expand to
   * Docker Hub, as the kubelet does.
   */
  readonly shortNames?: ShortNames;
  /** Further CSI drivers of the ModelPack kind, beside model.csi.modelpack.org. */
  readonly modelCsiDrivers?: readonly string[];
  /** StorageClasses whose volumes hold a model, default none. */
  readonly modelStorageClasses?: readonly string[];
}

// From the specific to the general: what two find at one place has the first one's name.
const EXTRACTORS: readonly ((pod: PodView) => readonly Sighting[])[] = [
  seeImageVolumes,
  seeModelCars,
  seeCsiVolumes,
  seeStorageInitializers,
  seeModelKits,
  seeKaitoDownloads,
  seeModelUris,
];

/** Extracts every model use from an object. */
export function extractModels(workload: Workload, options: ExtractOptions = {}): Extraction {
  const { shortNames = 'Deny', modelCsiDrivers = [], modelStorageClasses = [] } = options;
  const modelVolumes: ModelVolumes = {
    csiDrivers: new Set([MODEL_CSI_DRIVER, ...modelCsiDrivers]),
    storageClasses: new Set(modelStorageClasses),
  };
  const budget = createExpansionBudget();
  const pods = workload.templates.map((template) => toPodView(template, workload.kind, modelVolumes, budget));
  const models = [
    ...seeKServeResource(workload),
    ...pods.flatMap((pod) => EXTRACTORS.flatMap((see) => see(pod))),
  ].map((sighting) => read(sighting, shortNames));
  const images = pods.flatMap(seeContainerImages).map((sighting) => read(sighting, shortNames));
  const references = mergeReferences(
    models.flatMap((found) => found.references),
    images.flatMap((found) => found.references),
  );
  const findings = mergeUnnamed(
    models.flatMap((found) => found.findings),
    images.flatMap((found) => found.findings),
  );
  return {
    references: references.models,
    images: references.images,
    findings: findings.models,
    unreadableImages: findings.images,
  };
}

type Read = Pick<Extraction, 'references' | 'findings'>;

function read(sighting: Sighting, shortNames: ShortNames): Read {
  if (!('text' in sighting)) return { references: [], findings: [toUnnamed(sighting)] };
  const use = sighting.isImage === true ? readImage(sighting) : readReference(sighting, shortNames);
  const { lenientPuller, source, fieldPath, text } = sighting;
  if ('reason' in use) return { references: [], findings: [use] };
  if (lenientPuller === undefined) return { references: [use], findings: [] };
  const problem = `is pulled by ${lenientPuller}, which does not check the digest: what is mounted may differ from what was verified`;
  return {
    references: [use],
    findings: [toUnnamed({ reason: 'DigestNotEnforced', problem, written: text, source, fieldPath })],
  };
}

function readReference(
  { text, source, fieldPath }: NamedSighting,
  shortNames: ShortNames,
): ModelReference | UnnamedUse {
  const result = parseReference(text, shortNames);
  if (result.ok) return { reference: result.reference, source, fieldPath };
  return toInvalid(text, `is no model reference: ${result.problem}`, { source, fieldPath });
}

// An image that no policy claims is an ordinary image and is never refused, whatever its name.
function readImage({ text, source, fieldPath }: NamedSighting): ModelReference | UnnamedUse {
  const result = parseReference(text, 'DockerHub');
  // What we do not read but a node may must not hide the repository: whoever selects that refuses the image.
  const named = result.ok ? result : parseReference(text.split('@', 1)[0] ?? '', 'DockerHub');
  if (!named.ok) return toInvalid(text, `is no image reference: ${named.problem}`, { source, fieldPath });
  return {
    reference: { ...named.reference, original: text.slice(0, MAX_REFERENCE_CHARS) },
    ...(result.ok ? {} : { problem: result.problem }),
    source,
    fieldPath,
  };
}

function toUnnamed({ reason, problem, written, source, fieldPath }: UnnamedSighting): UnnamedUse {
  return { reason, message: `${fieldPath} ${problem}`, field: fieldPath, written, sources: [source] };
}

function toInvalid(
  written: string,
  problem: string,
  { source, fieldPath }: Pick<NamedSighting, 'source' | 'fieldPath'>,
): UnnamedUse {
  const message = `${quote(written)} at ${fieldPath} ${problem}`;
  return { reason: 'ReferenceInvalid', message, field: fieldPath, written, sources: [source] };
}

// How is this model packaged? One table from media types to format and layer class, and from layers to file names.
// Nothing is opened: classes come from what the manifest says, so only a signed manifest makes them evidence.
import type { LayerClass, LayerFacts, ModelFacts, ModelFormat, Binding } from './facts.ts';
import type { Descriptor, ImageManifest } from './manifest.ts';
import type { ModelReference } from './model-reference.ts';

const TITLE = 'org.opencontainers.image.title';
const UNPACK = 'io.deis.oras.content.unpack';
const FILEPATHS = ['org.cncf.model.filepath', 'org.cnai.model.filepath'];
/** The empty config of OCI artifacts (image-spec manifest.md, "Guidance for an Empty Descriptor"). */
export const EMPTY_CONFIG = 'application/vnd.oci.empty.v1+json';

const CONFIG_FORMATS: readonly (readonly [RegExp, ModelFormat])[] = [
  [/^application\/vnd\.(?:cncf|cnai)\.model\.config\.v1\+json$/, 'ModelPack'],
  [/^application\/vnd\.kitops\.modelkit\.config\.v1\+json$/, 'ModelKit'],
  [/^application\/vnd\.docker\.ai\.model\.config\.v0\.[12]\+json$/, 'Docker'],
  [/^application\/vnd\.oci\.empty\.v1\+json$/, 'ORAS'],
  [/^application\/vnd\.(?:oci\.image\.config\.v1|docker\.container\.image\.v1)\+json$/, 'Image'],
];
const RAW_MODEL_LAYER =
  /^application\/vnd\.(?:(?:cncf|cnai)\.model\.[a-z.]+\.v1\.(?:raw|gguf|safetensors)|kitops\.modelkit\.[a-z.]+\.v1\.raw|docker\.ai\.(?:gguf\.v3|safetensors|license|mmproj|gguf\.v3\.mmproj|chat\.template\.jinja|model\.file|dduf)|ollama\.image\.[a-z]+)$/;
const ARCHIVE = /(?:[.+](?:tar|gzip|zstd)(?:[.+]|$))|(?:rootfs\.diff\.tar)/;
/** oras and every other pusher writes this default type for plain files too, although it says tar. */
const ORAS_DEFAULT_LAYER = 'application/vnd.oci.image.layer.v1.tar';

/** The packaging format, decided by the config's media type alone. */
export function toFormat(manifest: ImageManifest): ModelFormat {
  const format =
    CONFIG_FORMATS.find(([pattern]) => pattern.test(manifest.config.mediaType))?.[1] ?? 'Unknown';
  const isOlot = manifest.layers.some((layer) => 'olot.layer.content.type' in layer.annotations);
  return format === 'Image' && isOlot ? 'ModelCar' : format;
}

/** The file that model_signing writes into the folder it signs. */
export const SIGNATURE_FILE = 'model.sig';
/** Files that a model signing signature may leave out, and that rules therefore do not see under it. */
export const IGNORABLE_FILES: ReadonlySet<string> = new Set(['.gitattributes', '.gitignore', SIGNATURE_FILE]);

/** True for media types that make a consumer unpack the layer. */
export function isArchiveType(mediaType: string): boolean {
  return ARCHIVE.test(mediaType);
}

/** The class of one layer; `archive` whenever its type or annotations could make a consumer unpack it. */
export function toLayerClass(layer: Descriptor, format: ModelFormat): LayerClass {
  if (RAW_MODEL_LAYER.test(layer.mediaType)) return 'rawFile';
  if (format === 'ORAS' && TITLE in layer.annotations) {
    if (UNPACK in layer.annotations) return 'archive';
    if (layer.mediaType === ORAS_DEFAULT_LAYER || !isArchiveType(layer.mediaType)) return 'rawFile';
  }
  return isArchiveType(layer.mediaType) ? 'archive' : 'unknown';
}

/** A layer's file name: none, one, or two annotations that disagree. */
export type FileName = { readonly name?: string; readonly isAmbiguous: boolean };

/** Reads the file name of a layer where its format keeps it; never by trying. */
export function toFileName(layer: Descriptor, format: ModelFormat): FileName {
  const title = layer.annotations[TITLE];
  const filepaths = FILEPATHS.map((name) => layer.annotations[name]).filter((name) => name !== undefined);
  const names = new Set(title === undefined ? filepaths : [title, ...filepaths]);
  if (names.size > 1) return { isAmbiguous: true };
  // olot writes ModelPack manifests that name files by title only.
  const name = format === 'ORAS' ? title : (filepaths[0] ?? title);
  return name === undefined ? { isAmbiguous: false } : { name, isAmbiguous: false };
}

function toLayerFacts(layer: Descriptor, format: ModelFormat, binding: Binding): LayerFacts {
  const layerClass = toLayerClass(layer, format);
  const { name } = layerClass === 'rawFile' ? toFileName(layer, format) : {};
  const named = { class: layerClass, digest: layer.digest, ...(name === undefined ? {} : { title: name }) };
  if (binding === 'Files') return named;
  return { ...named, mediaType: layer.mediaType, size: layer.size, annotations: layer.annotations };
}

/**
 * The facts a rule may read about a model.
 * @param binding what the satisfying signatures fix; with `Files` everything that they do not cover is left out
 */
export function toModelFacts(
  use: ModelReference,
  digest: string,
  manifest: ImageManifest,
  binding: Binding,
): ModelFacts {
  const { registry, repository, tag, original } = use.reference;
  const format = toFormat(manifest);
  const bound = {
    reference: { registry, repository, tag: tag ?? '', digest, original },
    source: use.source,
    fieldPath: use.fieldPath,
    binding,
    layers: manifest.layers
      .map((layer) => toLayerFacts(layer, format, binding))
      .filter(({ title }) => binding === 'Manifest' || !IGNORABLE_FILES.has(title ?? '')),
  };
  if (binding === 'Files') return bound;
  return {
    ...bound,
    format,
    mediaType: manifest.mediaType,
    artifactType: manifest.artifactType ?? '',
    configMediaType: manifest.config.mediaType,
    annotations: manifest.annotations,
    size: manifest.layers.reduce((sum, layer) => sum + layer.size, 0),
  };
}

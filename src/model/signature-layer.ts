// Does the model carry its own signature? model_signing writes `model.sig` into the folder that it signs, and packaging
// tools make a layer of it like of any other file. Found by its path, whatever its media type.
import type { Descriptor, ImageManifest } from './manifest.ts';
import { isArchiveType, SIGNATURE_FILE, toFileName, toFormat, toLayerClass } from './packaging.ts';

/** The only layer that is the raw file `model.sig` at the root; undefined when there is none or more than one. */
export function findSignatureLayer(manifest: ImageManifest): Descriptor | undefined {
  const format = toFormat(manifest);
  const [layer, ...others] = manifest.layers.filter((candidate) => {
    const { name = '', isAmbiguous } = toFileName(candidate, format);
    // A layer with two names could be a second one, as could a name that some file system takes for this one.
    return isAmbiguous ? hasName(candidate) : isSame(name);
  });
  if (layer === undefined || others.length > 0) return undefined;
  const isFile = toLayerClass(layer, format) === 'rawFile' && !isArchiveType(layer.mediaType);
  return isFile && toFileName(layer, format).name === SIGNATURE_FILE ? layer : undefined;
}

function hasName({ annotations }: Descriptor): boolean {
  return Object.values(annotations).some(isSame);
}

function isSame(name: string): boolean {
  return name.normalize('NFC').toLowerCase() === SIGNATURE_FILE;
}

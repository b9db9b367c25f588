// Which format is a manifest, and which of its layers are surely one file each?
import assert from 'node:assert/strict';
import {
  EMPTY_CONFIG_DIGEST,
  toFileName,
  toFormat,
  toLayerClass,
  toModelFacts,
} from '../../src/model/packaging.ts';
import type { LayerClass, ModelFormat } from '../../src/model/facts.ts';
import type { Descriptor, ImageManifest } from '../../src/model/manifest.ts';
import type { ModelReference } from '../../src/model/model-reference.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const TITLE = 'org.opencontainers.image.title';
const UNPACK = 'io.deis.oras.content.unpack';
const CNCF = 'org.cncf.model.filepath';
const CNAI = 'org.cnai.model.filepath';

const EMPTY = 'application/vnd.oci.empty.v1+json';
const layer = (mediaType: string, annotations: Record<string, string> = {}, size = 1): Descriptor => ({
  mediaType,
  digest: DIGEST,
  size,
  annotations,
});
const manifest = (config: string, ...layers: readonly Descriptor[]): ImageManifest => ({
  kind: 'manifest',
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
  config: { ...layer(config), ...(config === EMPTY ? { digest: EMPTY_CONFIG_DIGEST } : {}) },
  layers,
  annotations: { k: 'v' },
});

const IMAGE = 'application/vnd.oci.image.config.v1+json';
const OCI_TAR = 'application/vnd.oci.image.layer.v1.tar';

describe('toFormat()', () => {
  const table: readonly (readonly [string, ModelFormat])[] = [
    ['application/vnd.cncf.model.config.v1+json', 'ModelPack'],
    ['application/vnd.cnai.model.config.v1+json', 'ModelPack'],
    ['application/vnd.kitops.modelkit.config.v1+json', 'ModelKit'],
    ['application/vnd.docker.ai.model.config.v0.1+json', 'Docker'],
    ['application/vnd.docker.ai.model.config.v0.2+json', 'Docker'],
    [EMPTY, 'ORAS'],
    [IMAGE, 'Image'],
    ['application/vnd.docker.container.image.v1+json', 'Image'],
    ['application/vnd.docker.ai.model.config.v0.3+json', 'Unknown'],
    ['application/vnd.cncf.model.config.v1+json;x=y', 'Unknown'],
    ['APPLICATION/VND.CNCF.MODEL.CONFIG.V1+JSON', 'Unknown'],
    ['x application/vnd.cncf.model.config.v1+json', 'Unknown'],
    ['application/vndXcncf.model.config.v1+json', 'Unknown'],
    [`${EMPTY}\n`, 'Unknown'],
    ['', 'Unknown'],
  ];
  for (const [config, format] of table) {
    it(`calls ${JSON.stringify(config)} ${format}`, () => assert.equal(toFormat(manifest(config)), format));
  }

  it('calls nothing ORAS whose empty config is not empty', () => {
    const steering = { ...manifest(EMPTY), config: layer(EMPTY) };
    assert.equal(toFormat(steering), 'Unknown');
  });

  it('knows a ModelCar by an olot layer in an image, and nowhere else', () => {
    const olot = layer(OCI_TAR, { 'olot.layer.content.type': 'file' });
    assert.equal(toFormat(manifest(IMAGE, layer(OCI_TAR), olot)), 'ModelCar');
    assert.equal(toFormat(manifest(EMPTY, olot)), 'ORAS');
  });
});

describe('toLayerClass()', () => {
  const table: readonly (readonly [string, ModelFormat, Record<string, string>, LayerClass])[] = [
    ['application/vnd.cncf.model.weight.v1.raw', 'ModelPack', {}, 'rawFile'],
    ['application/vnd.cncf.model.weight.config.v1.raw', 'ModelPack', {}, 'rawFile'],
    ['application/vnd.cnai.model.weight.v1.safetensors', 'ModelPack', {}, 'rawFile'],
    ['application/vnd.cncf.model.weight.v1.tar', 'ModelPack', {}, 'archive'],
    ['application/vnd.cncf.model.weight.v1.tar+gzip', 'ModelPack', {}, 'archive'],
    ['application/vnd.kitops.modelkit.model.v1.tar+zstd', 'ModelKit', {}, 'archive'],
    ['application/vnd.kitops.modelkit.model.v1.raw', 'ModelKit', {}, 'rawFile'],
    ['application/vnd.docker.ai.gguf.v3', 'Docker', {}, 'rawFile'],
    ['application/vnd.docker.ai.vllm.config.tar', 'Docker', {}, 'archive'],
    ['application/vnd.ollama.image.model', 'Unknown', {}, 'rawFile'],
    [OCI_TAR, 'Image', {}, 'archive'],
    [OCI_TAR, 'Image', { [TITLE]: 'f' }, 'archive'],
    [`${OCI_TAR}+gzip`, 'Image', {}, 'archive'],
    ['application/vnd.docker.image.rootfs.diff.tar.gzip', 'Image', {}, 'archive'],
    [OCI_TAR, 'ORAS', { [TITLE]: 'f' }, 'rawFile'],
    [OCI_TAR, 'ORAS', {}, 'archive'],
    [OCI_TAR, 'ORAS', { [TITLE]: 'd', [UNPACK]: 'true' }, 'archive'],
    [OCI_TAR, 'ORAS', { [TITLE]: 'd', [UNPACK]: 'false' }, 'archive'],
    [`${OCI_TAR}+gzip`, 'ORAS', { [TITLE]: 'd' }, 'archive'],
    ['application/octet-stream', 'ORAS', { [TITLE]: 'f' }, 'rawFile'],
    ['application/octet-stream', 'ORAS', {}, 'unknown'],
    ['application/octet-stream', 'Image', { [TITLE]: 'f' }, 'unknown'],
    ['application/vnd.cncf.model.weight.v1.raw.tar', 'ModelPack', {}, 'archive'],
    ['xapplication/vnd.cncf.model.weight.v1.raw', 'ModelPack', {}, 'unknown'],
    ['application/vnd.cncf.model.weight.v1.RAW', 'ModelPack', {}, 'unknown'],
    ['', 'Unknown', {}, 'unknown'],
  ];
  for (const [mediaType, format, annotations, expected] of table) {
    it(`calls ${mediaType || 'nothing'} in ${format} with ${Object.keys(annotations).length} annotations ${expected}`, () =>
      assert.equal(toLayerClass(layer(mediaType, annotations), format), expected));
  }

  it('takes linear time on a media type made to be slow', () => {
    for (const piece of ['a.', '.tar', '+gzip', 'model.'])
      toLayerClass(layer(`application/vnd.cncf.model.${piece.repeat(60)}!`.slice(0, 255)), 'ModelPack');
  });
});

describe('toFileName()', () => {
  const name = (annotations: Record<string, string>, format: ModelFormat): string => {
    const { name, isAmbiguous } = toFileName(layer('x', annotations), format);
    assert.ok(!isAmbiguous || name === undefined);
    return isAmbiguous ? 'ambiguous' : (name ?? 'none');
  };
  const table: readonly (readonly [Record<string, string>, ModelFormat, string])[] = [
    [{}, 'ORAS', 'none'],
    [{ [TITLE]: 'a' }, 'ORAS', 'a'],
    [{ [TITLE]: 'a' }, 'ModelPack', 'a'],
    [{ [CNCF]: 'a' }, 'ModelPack', 'a'],
    [{ [CNAI]: 'a' }, 'ModelPack', 'a'],
    [{ [CNCF]: 'a', [TITLE]: 'a' }, 'ModelPack', 'a'],
    [{ [CNCF]: 'a', [CNAI]: 'a', [TITLE]: 'a' }, 'Docker', 'a'],
    [{ [CNCF]: 'a', [TITLE]: 'b' }, 'ModelPack', 'ambiguous'],
    [{ [CNAI]: 'a', [TITLE]: 'b' }, 'ORAS', 'ambiguous'],
    [{ [CNCF]: 'a', [CNAI]: 'b' }, 'ModelPack', 'ambiguous'],
    [{ [CNCF]: 'a', [CNAI]: 'b', [TITLE]: 'a' }, 'ModelPack', 'ambiguous'],
    [{ [CNCF]: 'a', [TITLE]: 'A' }, 'ModelPack', 'ambiguous'],
    [{ [CNCF]: 'a', [TITLE]: '' }, 'ModelPack', 'ambiguous'],
    [{ [CNCF]: 'a' }, 'ORAS', 'none'],
  ];
  for (const [annotations, format, expected] of table) {
    it(`reads ${expected} from ${JSON.stringify(annotations)} in ${format}`, () =>
      assert.equal(name(annotations, format), expected));
  }
});

describe('toModelFacts()', () => {
  const use: ModelReference = {
    reference: { original: 'reg.example/m', registry: 'reg.example', repository: 'm' },
    source: 'ImageVolume',
    fieldPath: 'spec.volumes[0].image.reference',
  };
  const files = [
    layer('application/octet-stream', { [TITLE]: 'f', x: 'y' }, 3),
    layer(`${OCI_TAR}+gzip`, { [TITLE]: 'd' }, 4),
  ];

  it('gives everything that a signed manifest fixes', () => {
    const facts = toModelFacts(
      use,
      DIGEST,
      { ...manifest(EMPTY, ...files), artifactType: 'x/model' },
      'Manifest',
    );
    assert.deepEqual(facts.reference, {
      registry: 'reg.example',
      repository: 'm',
      tag: '',
      digest: DIGEST,
      original: 'reg.example/m',
    });
    assert.deepEqual(
      [facts.size, facts.artifactType, facts.configMediaType, facts.annotations, facts.format],
      [7, 'x/model', EMPTY, { k: 'v' }, 'ORAS'],
    );
    assert.deepEqual(
      facts.layers?.map((entry) => [entry.class, entry.title, entry.size]),
      [
        ['rawFile', 'f', 3],
        ['archive', undefined, 4],
      ],
    );
  });

  it('leaves out what signed files do not fix', () => {
    const facts = toModelFacts(use, DIGEST, manifest(EMPTY, ...files), 'Files');
    for (const name of ['mediaType', 'artifactType', 'configMediaType', 'annotations', 'size'])
      assert.equal(name in facts, false, name);
    assert.deepEqual(facts.layers?.[0], { class: 'rawFile', digest: DIGEST, title: 'f' });
  });

  it('names no file of a layer whose names disagree', () => {
    const facts = toModelFacts(
      use,
      DIGEST,
      manifest(EMPTY, layer('x', { [TITLE]: 'a', [CNCF]: 'b' })),
      'Files',
    );
    assert.deepEqual(facts.layers?.[0], { class: 'rawFile', digest: DIGEST });
  });
});

// Does a manifest say the same to us as to whatever pulls it?
import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  DOCKER_LIST,
  DOCKER_MANIFEST,
  ManifestError,
  MAX_LAYERS,
  MAX_MANIFEST_BYTES,
  OCI_INDEX,
  OCI_MANIFEST,
  parseManifest,
} from '../../src/model/manifest.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const OTHER = `sha256:${'b'.repeat(64)}`;
const descriptor = (changes: object = {}): object => ({
  mediaType: 'x/y',
  digest: DIGEST,
  size: 1,
  ...changes,
});
const manifest = (changes: object = {}): object => ({
  schemaVersion: 2,
  mediaType: OCI_MANIFEST,
  config: descriptor(),
  layers: [descriptor({ annotations: { a: 'b' } })],
  ...changes,
});
const index = (changes: object = {}): object => ({ schemaVersion: 2, manifests: [descriptor()], ...changes });
const parse = (value: unknown): ReturnType<typeof parseManifest> =>
  parseManifest(Buffer.from(JSON.stringify(value)));
const parseText = (text: string): ReturnType<typeof parseManifest> => parseManifest(Buffer.from(text));

describe('parseManifest()', () => {
  it('reads a manifest', () => {
    const plain = { mediaType: 'x/y', digest: DIGEST, size: 1, annotations: {} };
    assert.deepEqual(parse(manifest({ subject: descriptor({ digest: OTHER }), artifactType: 'x/model' })), {
      kind: 'manifest',
      mediaType: OCI_MANIFEST,
      artifactType: 'x/model',
      config: plain,
      layers: [{ ...plain, annotations: { a: 'b' } }],
      subject: { ...plain, digest: OTHER },
      annotations: {},
    });
  });

  it('reads an index, also an empty one that some registries write as null', () => {
    const parsed = parse(index({ annotations: { k: 'v' } }));
    assert.equal(parsed.kind, 'index');
    assert.equal(parsed.mediaType, OCI_INDEX);
    for (const manifests of [[], null]) {
      const empty = parse(index({ manifests }));
      assert.ok(empty.kind === 'index' && empty.manifests.length === 0);
    }
  });

  const accepted: readonly (readonly [string, object, string])[] = [
    ['a Docker manifest', manifest({ mediaType: DOCKER_MANIFEST }), 'manifest'],
    ['a Docker list', index({ mediaType: DOCKER_LIST }), 'index'],
    ['no mediaType', manifest({ mediaType: undefined }), 'manifest'],
    ['no layers at all', manifest({ layers: [] }), 'manifest'],
    ['a null subject', manifest({ subject: null }), 'manifest'],
    ['null annotations', manifest({ annotations: null }), 'manifest'],
    ['an empty artifactType', manifest({ artifactType: '' }), 'manifest'],
    [
      'members that no specification knows',
      manifest({ x: { Layers: 1 }, LAYER: [], 'layers ': 1 }),
      'manifest',
    ],
    [
      'data, urls and platform',
      manifest({ layers: [descriptor({ data: 'e30=', urls: [], platform: {} })] }),
      'manifest',
    ],
    [
      'annotations in any case',
      manifest({ annotations: { Layers: 'x', layers: 'y', DIGEST: 'z' } }),
      'manifest',
    ],
  ];
  for (const [what, value, kind] of accepted) {
    it(`accepts ${what}`, () => assert.equal(parse(value).kind, kind));
  }

  const refused: readonly (readonly [string, unknown])[] = [
    ['null', null],
    ['a list', [manifest()]],
    ['a text', 'manifest'],
    ['nothing but braces', {}],
    ['schema 1', manifest({ schemaVersion: 1 })],
    ['the schema version as text', manifest({ schemaVersion: '2' })],
    ['layers and manifests at once', { ...manifest(), manifests: [] }],
    ['layers and null manifests', { ...manifest(), manifests: null }],
    ['null layers', manifest({ layers: null })],
    ['bytes from elsewhere', manifest({ layers: [descriptor({ urls: ['https://elsewhere.test/x'] })] })],
    ['layers as an object', manifest({ layers: { 0: descriptor(), length: 1 } })],
    ['manifests as an object', index({ manifests: {} })],
    ['no config', manifest({ config: undefined })],
    ['a null config', manifest({ config: null })],
    ['a list as config', manifest({ config: [descriptor()] })],
    ['a null layer', manifest({ layers: [null] })],
    ['an index type on a manifest', manifest({ mediaType: OCI_INDEX })],
    ['a manifest type on an index', index({ mediaType: OCI_MANIFEST })],
    ['a null mediaType', manifest({ mediaType: null })],
    ['an empty mediaType', manifest({ mediaType: '' })],
    ['another mediaType', manifest({ mediaType: 'application/json' })],
    ['a number as artifactType', manifest({ artifactType: 1 })],
    ['an endless artifactType', manifest({ artifactType: 'x'.repeat(256) })],
    ['an empty subject', manifest({ subject: {} })],
    ['a subject without a digest', manifest({ subject: descriptor({ digest: undefined }) })],
    ['annotations as a list', manifest({ annotations: [] })],
    ['a number as annotation', manifest({ annotations: { a: 1 } })],
    ['a null annotation', manifest({ annotations: { a: null } })],
    ['annotations of a layer as text', manifest({ layers: [descriptor({ annotations: 'x' })] })],
    ['a digest in upper case', manifest({ layers: [descriptor({ digest: DIGEST.toUpperCase() })] })],
    [
      'a digest of another algorithm',
      manifest({ layers: [descriptor({ digest: `md5:${'a'.repeat(32)}` })] }),
    ],
    ['a path as digest', manifest({ layers: [descriptor({ digest: '../../etc' })] })],
    ['a negative size', manifest({ layers: [descriptor({ size: -1 })] })],
    ['half a byte', manifest({ layers: [descriptor({ size: 0.5 })] })],
    ['a size as text', manifest({ layers: [descriptor({ size: '1' })] })],
    ['no size', manifest({ layers: [descriptor({ size: undefined })] })],
    ['a layer without a type', manifest({ layers: [descriptor({ mediaType: undefined })] })],
    ['an endless layer type', manifest({ layers: [descriptor({ mediaType: 'x'.repeat(256) })] })],
    ['too many layers', manifest({ layers: Array.from({ length: MAX_LAYERS + 1 }, () => descriptor()) })],
  ];
  for (const [what, value] of refused) {
    it(`refuses ${what}`, () => assert.throws(() => parse(value), ManifestError));
  }

  const texts: readonly (readonly [string, string])[] = [
    ['nothing', ''],
    ['a web page', '<html></html>'],
    ['a byte order mark', `\ufeff${JSON.stringify(manifest())}`],
    ['layers given twice', JSON.stringify(manifest()).replace('{', '{"layers":[],')],
    ['layers given twice in disguise', JSON.stringify(manifest()).replace('{', '{"\\u006cayers":[],')],
    ['a digest given twice', JSON.stringify(manifest()).replace('"size"', `"digest":"${OTHER}","size"`)],
    [
      'a size beyond exact numbers',
      JSON.stringify(manifest()).replace('"size":1', '"size":9007199254740993'),
    ],
    ['an infinite size', JSON.stringify(manifest()).replace('"size":1', '"size":1e999')],
    ['two documents', `${JSON.stringify(manifest())}${JSON.stringify(manifest())}`],
    ['endless nesting', `{"schemaVersion":2,"layers":${'['.repeat(10_000)}`],
  ];
  for (const [what, text] of texts) {
    it(`refuses ${what}`, () => assert.throws(() => parseText(text), ManifestError));
  }

  // encoding/json of Go, which containerd and oras use, matches members in any case, and the last one counts: a signer
  // of files only, as OpenSSF Model Signing is, would never see the other list.
  describe('of members that Go takes for another', () => {
    const twins = [
      'Layers',
      'LAYERS',
      'layerS',
      'layer\u017f',
      'Manifests',
      'Config',
      'SUBJECT',
      'mediatype',
      'Annotations',
    ];
    for (const name of [...twins, 'schemaversion', 'artifacttype']) {
      it(`refuses ${JSON.stringify(name)} in a manifest`, () => {
        assert.throws(() => parse({ ...manifest(), [name]: [descriptor({ digest: OTHER })] }), ManifestError);
        assert.throws(() => parse({ [name]: [descriptor({ digest: OTHER })], ...manifest() }), ManifestError);
      });
    }

    for (const name of [
      'Digest',
      'DIGEST',
      'dige\u017ft',
      'Size',
      'MediaType',
      'Annotations',
      'URLs',
      'Data',
    ]) {
      it(`refuses ${JSON.stringify(name)} in any descriptor`, () => {
        const evil = descriptor({ [name]: OTHER });
        assert.throws(() => parse(manifest({ layers: [evil] })), ManifestError);
        assert.throws(() => parse(manifest({ config: evil })), ManifestError);
        assert.throws(() => parse(manifest({ subject: evil })), ManifestError);
        assert.throws(() => parse(index({ manifests: [evil] })), ManifestError);
      });
    }

    it('refuses a manifest that only Go would see as one', () => {
      assert.throws(() => parse({ SchemaVersion: 2, Config: descriptor(), Layers: [] }), ManifestError);
      assert.throws(() => parse(index({ Layers: [descriptor()] })), ManifestError);
    });

    it('escapes the name that it quotes', () =>
      assert.throws(() => parse({ ...manifest(), 'layer\u017f': [] }), /"layer\\u017f"/));
  });

  it('refuses bytes beyond the cap', () => {
    const padded = Buffer.from(JSON.stringify(manifest()) + ' '.repeat(MAX_MANIFEST_BYTES));
    assert.throws(() => parseManifest(padded), /exceeds/);
  });

  it('pollutes no prototype', () => {
    const text = JSON.stringify(manifest({ annotations: {} })).replace(
      '"annotations":{}',
      '"annotations":{"__proto__":"x","constructor":"y"},"__proto__":{"subject":{}}',
    );
    const parsed = parseText(text);
    assert.ok(parsed.kind === 'manifest' && parsed.subject === undefined);
    assert.ok(Object.hasOwn(parsed.annotations, '__proto__'));
    assert.equal(Object.getPrototypeOf(parsed.annotations), Object.prototype);
  });

  it('throws nothing but ManifestError when any part is replaced by junk', () => {
    const junk = fc.jsonValue({ maxDepth: 2 });
    const key = fc.constantFrom(
      'schemaVersion',
      'mediaType',
      'config',
      'layers',
      'manifests',
      'subject',
      'annotations',
      '__proto__',
    );
    fc.assert(
      fc.property(fc.dictionary(key, junk), junk, (changes, layer) => {
        for (const value of [manifest(changes), manifest({ layers: [layer] }), index(changes), layer]) {
          try {
            parse(value);
          } catch (error) {
            assert.ok(error instanceof ManifestError);
          }
        }
      }),
      { numRuns: 500 },
    );
  });
});

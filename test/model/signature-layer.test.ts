// Is a model's own signature found by its path and by nothing else, and only when there is no doubt which it is?
import assert from 'node:assert/strict';
import { findSignatureLayer } from '../../src/model/signature-layer.ts';
import { toManifest } from '../signature/support.ts';

const TITLE = 'org.opencontainers.image.title';
const FILEPATH = 'org.cncf.model.filepath';
const digest = (n: number): string => `sha256:${String(n).repeat(64)}`;
const layer = (annotations: object, mediaType = 'application/octet-stream', n = 1): object => ({
  mediaType,
  digest: digest(n),
  size: 9,
  annotations,
});
const modelPack = {
  config: { mediaType: 'application/vnd.cncf.model.config.v1+json', digest: digest(9), size: 2 },
};
const found = (layers: readonly object[], overrides: object = {}): string | undefined =>
  findSignatureLayer(toManifest(layers, overrides))?.digest;

describe('findSignatureLayer()', () => {
  it('finds model.sig by title, whatever its media type', () => {
    for (const mediaType of [
      'application/octet-stream',
      'application/vnd.dev.sigstore.bundle.v0.3+json',
      'text/x',
    ])
      assert.equal(
        found([layer({ [TITLE]: 'weights' }, 'x/y', 2), layer({ [TITLE]: 'model.sig' }, mediaType)]),
        digest(1),
      );
  });

  it('finds model.sig by file path where the format keeps it there', () => {
    const code = 'application/vnd.cncf.model.code.v1.raw';
    assert.equal(found([layer({ [FILEPATH]: 'model.sig' }, code)], modelPack), digest(1));
    assert.equal(found([layer({ [TITLE]: 'model.sig' }, code)], modelPack), digest(1));
    assert.equal(found([layer({ [FILEPATH]: 'model.sig' })]), undefined);
  });

  const none: readonly (readonly [string, readonly object[]])[] = [
    ['there is none', [layer({ [TITLE]: 'model.bin' })]],
    ['it is in a folder', [layer({ [TITLE]: 'a/model.sig' })]],
    ['its name differs by case', [layer({ [TITLE]: 'Model.sig' })]],
    ['another differs by case', [layer({ [TITLE]: 'model.sig' }), layer({ [TITLE]: 'MODEL.SIG' }, 'x/y', 2)]],
    ['it stands twice', [layer({ [TITLE]: 'model.sig' }), layer({ [TITLE]: 'model.sig' })]],
    ['it has two names', [layer({ [TITLE]: 'model.sig', [FILEPATH]: 'evil.bin' })]],
    [
      'another has two names',
      [layer({ [TITLE]: 'model.sig' }), layer({ [TITLE]: 'x', [FILEPATH]: 'model.sig' }, 'x/y', 2)],
    ],
    ['it is unpacked', [layer({ [TITLE]: 'model.sig', 'io.deis.oras.content.unpack': 'true' })]],
    ['it is an archive', [layer({ [TITLE]: 'model.sig' }, 'application/vnd.oci.image.layer.v1.tar')]],
  ];
  for (const [what, layers] of none)
    it(`finds nothing when ${what}`, () => {
      assert.equal(found(layers), undefined);
    });

  it('finds nothing where nothing says that a layer is one file', () => {
    const image = {
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: digest(9), size: 2 },
    };
    assert.equal(found([layer({ [TITLE]: 'model.sig' })], image), undefined);
  });
});

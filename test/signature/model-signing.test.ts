// Is an OpenSSF Model Signing statement about exactly the files of a manifest?
import assert from 'node:assert/strict';
import { sha256Hex } from '../../src/lib/digest.ts';
import { generateSigningKey } from '../../src/demo/keys.ts';
import { signBundleWithKey } from '../../src/demo/sign-with-key.ts';
import { modelSigningStatement, type SignedResource } from '../../src/demo/statement.ts';
import type { ImageManifest } from '../../src/model/manifest.ts';
import { SignatureError } from '../../src/signature/error.ts';
import { MAX_RESOURCES, verifyModelFiles, type SignatureLayer } from '../../src/signature/model-signing.ts';
import { parseStatement } from '../../src/signature/statement.ts';
import { change, keyAuthority, outcome, toManifest, verify, type Path } from './support.ts';

const hexOf = (text: string): string => sha256Hex(Buffer.from(text));
const TITLE = 'org.opencontainers.image.title';
const FILEPATH = 'org.cncf.model.filepath';
const CONTENT = { 'config.json': '{}!', 'weights/model.safetensors': 'weights' };

type Layer = Record<string, unknown>;

function layer(name: string, content: string, more: Layer = {}): Layer {
  return {
    mediaType: 'application/octet-stream',
    digest: `sha256:${hexOf(content)}`,
    size: content.length,
    annotations: { [TITLE]: name },
    ...more,
  };
}

const layersOf = (files: Readonly<Record<string, string>>): Layer[] =>
  Object.entries(files).map(([name, content]) => layer(name, content));
const resourcesOf = (files: Readonly<Record<string, string>>): SignedResource[] =>
  Object.entries(files).map(([name, content]) => ({ name, digest: hexOf(content) }));

function reasonOf(statement: object, manifest: ImageManifest = toManifest(layersOf(CONTENT))): string {
  try {
    verifyModelFiles(parseStatement(Buffer.from(JSON.stringify(statement))), manifest);
    return 'accepted';
  } catch (error) {
    if (!(error instanceof SignatureError)) throw error;
    assert.ok(error.message.length < 600 && !/\p{Cc}/u.test(error.message), error.message);
    return error.reason;
  }
}

const statementOf = (files: Readonly<Record<string, string>> = CONTENT): object =>
  modelSigningStatement('m', resourcesOf(files));
const GOOD = statementOf();
const edited = (path: Path, value: unknown): object => change(GOOD, path, value);

describe('verifyModelFiles', () => {
  it('accepts the files that were signed, in any order of layers', () => {
    assert.equal(reasonOf(GOOD), 'accepted');
    assert.equal(reasonOf(GOOD, toManifest(layersOf(CONTENT).toReversed())), 'accepted');
  });

  describe('about the set of files', () => {
    it('refuses a layer that is not signed', () => {
      assert.equal(reasonOf(GOOD, toManifest(layersOf({ ...CONTENT, 'evil.py': 'x' }))), 'FileSetMismatch');
    });

    it('refuses a signed file that is no layer', () => {
      assert.equal(reasonOf(statementOf({ ...CONTENT, 'tokenizer.json': 't' })), 'FileSetMismatch');
      assert.equal(reasonOf(GOOD, toManifest([])), 'FileSetMismatch');
    });

    it('refuses swapped and changed contents', () => {
      const [a = '', b = ''] = Object.keys(CONTENT);
      assert.equal(reasonOf(GOOD, toManifest(layersOf({ [a]: 'weights', [b]: '{}!' }))), 'FileSetMismatch');
      assert.equal(reasonOf(GOOD, toManifest(layersOf({ ...CONTENT, [a]: 'other' }))), 'FileSetMismatch');
    });

    it('refuses a file twice, in layers and in resources', () => {
      assert.equal(
        reasonOf(GOOD, toManifest([...layersOf(CONTENT), layer('config.json', '{}!')])),
        'FileSetMismatch',
      );
      const twice = [...resourcesOf(CONTENT), ...resourcesOf({ 'config.json': '{}!' })];
      assert.equal(reasonOf(modelSigningStatement('m', twice)), 'FileSetMismatch');
    });

    it('refuses renamed files', () => {
      assert.equal(
        reasonOf(
          GOOD,
          toManifest([layer('Config.json', '{}!'), layer('weights/model.safetensors', 'weights')]),
        ),
        'FileSetMismatch',
      );
    });
  });

  describe('about names', () => {
    for (const name of [
      '../x',
      'a/../x',
      './x',
      'a/./x',
      '/x',
      'x/',
      'a//x',
      '',
      '.',
      '..',
      'a\\x',
      'a\u0000x',
      'a\nx',
      'a\u007fx',
      'x'.repeat(1025),
    ])
      it(`refuses ${JSON.stringify(name).slice(0, 30)} in layers and in resources`, () => {
        const files = { ...CONTENT, [name]: 'x' };
        assert.equal(reasonOf(GOOD, toManifest(layersOf(files))), 'FileSetMismatch');
        assert.equal(reasonOf(statementOf(files), toManifest(layersOf(files))), 'FileSetMismatch');
      });

    for (const [one, other] of [
      ['readme', 'README'],
      ['caf\u00e9', 'cafe\u0301'],
      ['CAF\u00c9', 'cafe\u0301'],
      ['k', '\u212a'],
    ] as const)
      it(`refuses ${one} beside ${other}`, () => {
        const files = { [one]: 'x', [other]: 'y' };
        assert.equal(reasonOf(statementOf(files), toManifest(layersOf(files))), 'FileSetMismatch');
      });

    it('does not take one normal form for the other', () => {
      assert.equal(
        reasonOf(statementOf({ 'caf\u00e9': 'x' }), toManifest(layersOf({ 'cafe\u0301': 'x' }))),
        'FileSetMismatch',
      );
    });

    it('keeps names of prototype members apart', () => {
      const files = { constructor: 'a', toString: 'b', hasOwnProperty: 'c' };
      assert.equal(reasonOf(statementOf(files), toManifest(layersOf(files))), 'accepted');
      assert.equal(
        reasonOf(statementOf({ a: 'a' }), toManifest(layersOf({ a: 'a', constructor: 'x' }))),
        'FileSetMismatch',
      );
    });
  });

  describe('about layers', () => {
    const opaque: Readonly<Record<string, Layer>> = {
      'a tar': { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip' },
      'an archive of oras': {
        annotations: { [TITLE]: 'config.json', 'io.deis.oras.content.unpack': 'true' },
      },
      'an archive that need not be unpacked': {
        annotations: { [TITLE]: 'config.json', 'io.deis.oras.content.unpack': 'false' },
      },
      'no title': { annotations: {} },
      'a ModelPack tar': { mediaType: 'application/vnd.cncf.model.weight.v1.tar' },
      'a SHA-512 digest': { digest: `sha512:${'ab'.repeat(64)}` },
    };
    for (const [what, more] of Object.entries(opaque))
      it(`calls ${what} opaque`, () => {
        const layers = [layer('config.json', '{}!', more), layer('weights/model.safetensors', 'weights')];
        assert.equal(reasonOf(GOOD, toManifest(layers)), 'OpaqueLayer');
      });

    const modelPack = {
      config: {
        mediaType: 'application/vnd.cncf.model.config.v1+json',
        digest: `sha256:${hexOf('c')}`,
        size: 1,
      },
    };
    const raw = (annotations: object, content = '{}!'): Layer =>
      layer('', content, { mediaType: 'application/vnd.cncf.model.weight.v1.raw', annotations });
    const one = statementOf({ 'config.json': '{}!' });

    it('reads the file path of ModelPack, or the title where there is none', () => {
      assert.equal(reasonOf(one, toManifest([raw({ [FILEPATH]: 'config.json' })], modelPack)), 'accepted');
      assert.equal(reasonOf(one, toManifest([raw({ [TITLE]: 'config.json' })], modelPack)), 'accepted');
      assert.equal(
        reasonOf(one, toManifest([raw({ [TITLE]: 'config.json', [FILEPATH]: 'config.json' })], modelPack)),
        'accepted',
      );
    });

    it('refuses a layer with two different names, or none', () => {
      assert.equal(
        reasonOf(one, toManifest([raw({ [TITLE]: 'other', [FILEPATH]: 'config.json' })], modelPack)),
        'FileSetMismatch',
      );
      assert.equal(
        reasonOf(one, toManifest([raw({ [TITLE]: 'config.json', [FILEPATH]: 'other' })], modelPack)),
        'FileSetMismatch',
      );
      assert.equal(reasonOf(one, toManifest([raw({})], modelPack)), 'FileSetMismatch');
      const oras = layer('config.json', '{}!', {
        annotations: { [TITLE]: 'config.json', [FILEPATH]: 'other' },
      });
      assert.equal(reasonOf(one, toManifest([oras])), 'FileSetMismatch');
    });
  });

  describe('about the config', () => {
    const files = { 'config.json': 'hf', 'model.gguf': 'w' };
    const config = (mediaType: string, content: string): object => ({
      config: { mediaType, digest: `sha256:${hexOf(content)}`, size: content.length },
    });
    const raw = (name: string, content: string): Layer =>
      layer(name, content, { mediaType: 'application/vnd.cncf.model.weight.v1.raw' });
    const weights = [raw('model.gguf', 'w')];
    const all = [raw('config.json', 'hf'), ...weights];

    it('refuses an empty config type over other bytes than {}', () => {
      const oras = layersOf(files);
      assert.equal(reasonOf(statementOf(files), toManifest(oras)), 'accepted');
      assert.equal(
        reasonOf(statementOf(files), toManifest(oras, config('application/vnd.oci.empty.v1+json', 'steer'))),
        'FileSetMismatch',
      );
    });

    for (const [mediaType, expected] of [
      ['application/vnd.cncf.model.config.v1+json', 'accepted'],
      ['application/vnd.docker.ai.model.config.v0.1+json', 'accepted'],
      ['application/vnd.kitops.modelkit.config.v1+json', 'FileSetMismatch'],
      ['application/vnd.oci.image.config.v1+json', 'FileSetMismatch'],
      ['application/vnd.acme.config+json', 'FileSetMismatch'],
    ] as const)
      it(`answers ${expected} for an unsigned config of type ${mediaType}`, () => {
        assert.equal(reasonOf(statementOf(files), toManifest(all, config(mediaType, 'unsigned'))), expected);
      });

    it('refuses the config of a ModelKit even when it is signed as config.json', () => {
      const kit = toManifest(weights, config('application/vnd.kitops.modelkit.config.v1+json', 'hf'));
      assert.equal(reasonOf(statementOf(files), kit), 'FileSetMismatch');
    });

    it('takes no config for config.json, whoever listed it: nobody has read it', () => {
      const image = config('application/vnd.oci.image.config.v1+json', 'hf');
      assert.equal(reasonOf(statementOf(files), toManifest(weights, image)), 'FileSetMismatch');
      assert.equal(reasonOf(statementOf(files), toManifest(all, image)), 'FileSetMismatch');
    });
  });

  describe('about ignored paths', () => {
    const withIgnored = (paths: unknown): object =>
      edited(['predicate', 'serialization', 'ignore_paths'], paths);
    const plus = (name: string): ImageManifest => toManifest(layersOf({ ...CONTENT, [name]: 'x' }));

    for (const name of ['.gitattributes', '.gitignore'])
      it(`excuses ${name} where the signer ignored it`, () => {
        assert.equal(reasonOf(withIgnored([name]), plus(name)), 'accepted');
        assert.equal(reasonOf(withIgnored([]), plus(name)), 'FileSetMismatch');
        assert.equal(reasonOf(withIgnored([name]), plus(`sub/${name}`)), 'FileSetMismatch');
      });

    for (const name of [
      '.git',
      '.github',
      'model.sig',
      'evil.py',
      '*',
      '**',
      'weights',
      '.git/hooks/pre-commit',
    ])
      it(`excuses no ${name}, whoever ignored it`, () => {
        assert.equal(reasonOf(withIgnored([name]), plus(name)), 'FileSetMismatch');
      });

    describe('and a layer model.sig', () => {
      const digestOf = (text: string): string => `sha256:${sha256Hex(Buffer.from(text))}`;
      const reason = (statement: object, manifest: ImageManifest, layer: SignatureLayer): string => {
        try {
          verifyModelFiles(parseStatement(Buffer.from(JSON.stringify(statement))), manifest, layer);
          return 'accepted';
        } catch (error) {
          if (!(error instanceof SignatureError)) throw error;
          return error.reason;
        }
      };
      const own = { digest: digestOf('x'), holdsStatement: true };
      const foreign = { digest: digestOf('x'), holdsStatement: false };

      it('excuses the layer that holds the statement, named or not', () => {
        for (const paths of [[], ['model.sig'], ['.git']])
          assert.equal(reason(withIgnored(paths), plus('model.sig'), own), 'accepted');
      });

      it('excuses another bundle only where the signer ignored it', () => {
        assert.equal(reason(withIgnored(['model.sig']), plus('model.sig'), foreign), 'accepted');
        assert.equal(reason(withIgnored([]), plus('model.sig'), foreign), 'FileSetMismatch');
      });

      it('excuses no other bytes, no other name, and nothing that is no bundle', () => {
        for (const digest of [digestOf('y'), undefined, ''])
          for (const holdsStatement of [true, false])
            assert.equal(
              reason(withIgnored(['model.sig']), plus('model.sig'), { digest, holdsStatement }),
              'FileSetMismatch',
            );
        for (const name of ['MODEL.SIG', 'sub/model.sig', 'model.sig2'])
          assert.equal(reason(withIgnored(['model.sig', name]), plus(name), own), 'FileSetMismatch', name);
      });

      it('excuses no missing and no changed file beside it', () => {
        const missing = toManifest(layersOf({ 'model.sig': 'x' }));
        assert.equal(reason(withIgnored([]), missing, own), 'FileSetMismatch');
        const more = toManifest(layersOf({ ...CONTENT, 'model.sig': 'x', 'evil.bin': 'y' }));
        assert.equal(reason(withIgnored([]), more, own), 'FileSetMismatch');
      });
    });

    it('reads no list of another type', () => {
      assert.equal(reasonOf(withIgnored('model.sig'), plus('model.sig')), 'FileSetMismatch');
      assert.equal(reasonOf(withIgnored([['model.sig']]), plus('model.sig')), 'FileSetMismatch');
      assert.equal(
        reasonOf(edited(['predicate', 'ignore_paths'], ['model.sig']), plus('model.sig')),
        'FileSetMismatch',
      );
    });
  });

  describe('about the statement', () => {
    it('refuses a root digest that is not that of the files', () => {
      assert.equal(reasonOf(edited(['subject', 0, 'digest', 'sha256'], '0'.repeat(64))), 'SignatureInvalid');
      assert.equal(reasonOf(edited(['subject', 0, 'digest'], {})), 'SignatureInvalid');
      const { subject } = GOOD as { subject: { digest: { sha256: string } }[] };
      assert.equal(
        reasonOf(edited(['subject', 0, 'digest', 'sha512'], subject[0]?.digest.sha256)),
        'SignatureInvalid',
      );
      const [one, other] = resourcesOf(CONTENT);
      const reordered = edited(
        ['predicate', 'resources'],
        [
          { ...other, algorithm: 'sha256' },
          { ...one, algorithm: 'sha256' },
        ],
      );
      assert.equal(reasonOf(reordered), 'SignatureInvalid');
    });

    it('refuses several subjects, none, and another statement type', () => {
      const { subject } = GOOD as { subject: object[] };
      assert.equal(reasonOf(edited(['subject'], [...subject, ...subject])), 'SignatureInvalid');
      assert.equal(reasonOf(edited(['subject'], [])), 'SignatureInvalid');
      assert.equal(reasonOf(edited(['_type'], 'x')), 'SignatureInvalid');
    });

    for (const method of ['shards', 'Files', 'files ', '', undefined, ['files'], null])
      it(`names the method ${JSON.stringify(method)} unsupported`, () => {
        assert.equal(reasonOf(edited(['predicate', 'serialization', 'method'], method)), 'UnsupportedFormat');
      });

    for (const algorithm of ['blake2b', 'blake3', 'sha256-sharded-8', 'SHA256', '', undefined])
      it(`names files hashed by ${JSON.stringify(algorithm)} unsupported`, () => {
        assert.equal(
          reasonOf(edited(['predicate', 'resources', 0, 'algorithm'], algorithm)),
          'UnsupportedFormat',
        );
      });

    it('refuses empty, endless and odd lists', () => {
      assert.equal(reasonOf(modelSigningStatement('m', []), toManifest([])), 'SignatureInvalid');
      for (const value of [null, {}, 'x', undefined])
        assert.equal(reasonOf(edited(['predicate', 'resources'], value)), 'SignatureInvalid');
      const [resource] = resourcesOf(CONTENT);
      const many = Array.from({ length: MAX_RESOURCES + 1 }, () => resource);
      assert.equal(reasonOf(edited(['predicate', 'resources'], many)), 'SignatureInvalid');
      for (const value of [null, 'x', [], 1])
        assert.equal(reasonOf(edited(['predicate', 'resources', 0], value)), 'UnsupportedFormat');
      for (const value of [null, 'x', [], undefined])
        assert.equal(reasonOf(edited(['predicate'], value)), 'UnsupportedFormat');
    });

    for (const digest of [
      'AB'.repeat(32),
      `${'ab'.repeat(32)}\n`,
      'ab'.repeat(31),
      `sha256:${'ab'.repeat(32)}`,
      '',
      null,
      7,
    ])
      it(`refuses the file digest ${JSON.stringify(digest)}`, () => {
        assert.equal(reasonOf(edited(['predicate', 'resources', 0, 'digest'], digest)), 'SignatureInvalid');
      });

    it('refuses a file without a name', () => {
      assert.equal(reasonOf(edited(['predicate', 'resources', 0, 'name'], null)), 'SignatureInvalid');
    });
  });
});

describe('verifySignature() of model signing', () => {
  const key = generateSigningKey('p384');
  const manifest = toManifest(layersOf(CONTENT));
  const authority = keyAuthority(key.publicKeyPem, { signatureFormats: new Set(['ModelSigning']) });

  it('accepts it where the authority lists it, and reports no annotations', () => {
    const bundle = signBundleWithKey(edited(['subject', 0, 'annotations'], { team: 'red' }), key, {
      style: 'model_signing',
    });
    const facts = verify(bundle, authority, { manifest });
    assert.equal(facts.format, 'ModelSigning');
    assert.deepEqual(facts.annotations, {});
    assert.equal(outcome(bundle, keyAuthority(key.publicKeyPem), { manifest }), 'SignerNotTrusted');
  });

  it('says who did not sign before it looks at the files', () => {
    const bundle = signBundleWithKey(GOOD, generateSigningKey('p384'));
    assert.equal(outcome(bundle, authority, { manifest: toManifest([]) }), 'SignerNotTrusted');
  });
});

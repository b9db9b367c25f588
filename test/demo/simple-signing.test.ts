// Does the kit sign as cosign 2 did? Checked with node:crypto and by hand, without the verifier that it is there to test.
import assert from 'node:assert/strict';
import { createHash, verify, X509Certificate } from 'node:crypto';
import { packModel } from '../../src/demo/artifacts.ts';
import { generateSigningKey } from '../../src/demo/keys.ts';
import { startRegistry } from '../../src/demo/registry.ts';
import { attachBundleByTag, attachSimpleSignatures, signatureTag } from '../../src/demo/signature-tag.ts';
import {
  SIMPLE_SIGNING_ANNOTATIONS as NAMES,
  signSimple,
  signSimpleKeyless,
  simpleSigningPayload,
} from '../../src/demo/simple-signing.ts';
import { createSigstore } from '../../src/demo/sigstore.ts';

const DIGEST = `sha256:${'ab'.repeat(32)}`;
const ALICE = { issuer: 'https://idp.models.test', subject: 'alice@models.test' };

describe('simpleSigningPayload()', () => {
  it('is, byte for byte, what cosign writes', () => {
    assert.equal(
      simpleSigningPayload(DIGEST, { dockerReference: 'reg.test/a' }).toString(),
      `{"critical":{"identity":{"docker-reference":"reg.test/a"},"image":{"docker-manifest-digest":"${DIGEST}"},"type":"cosign container image signature"},"optional":null}`,
    );
  });
});

describe('signSimple()', () => {
  it('signs the raw payload', () => {
    const key = generateSigningKey('p384');
    const { payload, annotations } = signSimple(simpleSigningPayload(DIGEST), key);
    const signature = Buffer.from(annotations['dev.cosignproject.cosign/signature'] ?? '', 'base64');
    assert.ok(verify('sha384', payload, key.publicKey, signature));
  });
});

describe('signSimpleKeyless()', () => {
  it('brings certificate, chain, and an entry that the log signed', async () => {
    const sigstore = await createSigstore({ rekor: 'v1' });
    const { payload, annotations } = signSimpleKeyless(sigstore, simpleSigningPayload(DIGEST), ALICE);
    const leaf = new X509Certificate(annotations[NAMES.certificate] ?? '');
    const signature = Buffer.from(annotations[NAMES.signature] ?? '', 'base64');
    assert.ok(verify('sha256', payload, leaf.publicKey, signature));
    assert.equal((annotations[NAMES.chain]?.match(/BEGIN CERTIFICATE/g) ?? []).length, 2);
    assert.ok(leaf.verify(new X509Certificate(annotations[NAMES.chain] ?? '').publicKey));

    const { SignedEntryTimestamp, Payload } = JSON.parse(annotations[NAMES.bundle] ?? '') as {
      SignedEntryTimestamp: string;
      Payload: { body: string; integratedTime: number; logID: string; logIndex: number };
    };
    const { body, integratedTime, logID, logIndex } = Payload;
    const canonical = Buffer.from(JSON.stringify({ body, integratedTime, logID, logIndex }));
    assert.ok(
      verify('sha256', canonical, sigstore.log.key.publicKey, Buffer.from(SignedEntryTimestamp, 'base64')),
    );
    assert.deepEqual(JSON.parse(Buffer.from(body, 'base64').toString()), {
      apiVersion: '0.0.1',
      kind: 'hashedrekord',
      spec: {
        data: { hash: { algorithm: 'sha256', value: createHash('sha256').update(payload).digest('hex') } },
        signature: {
          content: annotations[NAMES.signature],
          publicKey: { content: Buffer.from(annotations[NAMES.certificate] ?? '').toString('base64') },
        },
      },
    });
    assert.equal(NAMES.timestamp in annotations, false);
  });

  it('leaves out and adds what it is told to', async () => {
    const sigstore = await createSigstore({ rekor: 'v1' });
    const { annotations } = signSimpleKeyless(sigstore, simpleSigningPayload(DIGEST), ALICE, {
      omitLogEntry: true,
      omitTimestamp: false,
    });
    assert.equal(NAMES.bundle in annotations, false);
    assert.match(annotations[NAMES.timestamp] ?? '', /^\{"SignedRFC3161Timestamp":"[A-Za-z0-9+/]+=*"\}$/);
  });
});

describe('the signature tag', () => {
  it('names one manifest with a layer for each signature, or with a bundle', async () => {
    const registry = await startRegistry();
    try {
      const model = packModel(registry, 'team/model', { f: 'x' });
      const key = generateSigningKey('p256');
      const tag = signatureTag(model.digest);
      assert.equal(tag, `sha256-${model.digest.slice(7)}.sig`);
      const layersOf = async (): Promise<{ mediaType: string; digest: string; annotations?: object }[]> => {
        const response = await fetch(`${registry.url}/v2/team/model/manifests/${tag}`);
        const { layers } = (await response.json()) as { layers: [] };
        return layers;
      };
      const signature = signSimple(simpleSigningPayload(model.digest), key);
      attachSimpleSignatures(registry, model, [signature, signature]);
      const layers = await layersOf();
      assert.equal(layers.length, 2);
      assert.deepEqual(layers[0]?.annotations, signature.annotations);
      assert.equal(layers[0]?.mediaType, 'application/vnd.dev.cosign.simplesigning.v1+json');
      attachBundleByTag(registry, model, { bundle: 1 });
      const [bundle, ...others] = await layersOf();
      assert.deepEqual([bundle?.mediaType, others], ['application/vnd.dev.sigstore.bundle.v0.3+json', []]);
    } finally {
      await registry.close();
    }
  });
});

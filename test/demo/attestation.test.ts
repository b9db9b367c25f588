// Does the kit attest as cosign 2 did? What the project's own verifier says is tested elsewhere; this is the form.
import assert from 'node:assert/strict';
import { verify } from 'node:crypto';
import { packModel } from '../../src/demo/artifacts.ts';
import {
  attachAttestations,
  attestationTag,
  attestKeyless,
  attestWithKey,
} from '../../src/demo/attestation.ts';
import { generateSigningKey } from '../../src/demo/keys.ts';
import { startRegistry } from '../../src/demo/registry.ts';
import type { DsseEnvelope } from '../../src/demo/sign-with-key.ts';
import { createSigstore } from '../../src/demo/sigstore.ts';
import { attestationStatement, preAuthenticationEncoding } from '../../src/demo/statement.ts';

const STATEMENT = attestationStatement(`sha256:${'ab'.repeat(32)}`, 'https://slsa.dev/provenance/v1', {
  a: 1,
});
const ALICE = { issuer: 'https://idp.test', subject: 'alice@models.test' };

describe('attestWithKey()', () => {
  it('signs the encoding of the statement, and keeps the signature in the envelope', () => {
    const key = generateSigningKey('p256');
    const { envelope, annotations } = attestWithKey(STATEMENT, key);
    const { payload, payloadType, signatures } = envelope as DsseEnvelope;
    const bytes = Buffer.from(payload, 'base64');
    assert.deepEqual(JSON.parse(bytes.toString()), STATEMENT);
    const signature = Buffer.from(signatures[0]?.sig ?? '', 'base64');
    assert.ok(verify('sha256', preAuthenticationEncoding(payloadType, bytes), key.publicKey, signature));
    assert.deepEqual(annotations, { 'dev.cosignproject.cosign/signature': '' });
  });
});

describe('attestKeyless()', () => {
  it('logs an entry of the kind that is asked for', async () => {
    const services = await createSigstore({ rekor: 'v1' });
    for (const [entry, kind] of [
      [undefined, 'dsse 0.0.1'],
      ['intoto', 'intoto 0.0.2'],
      ['intoto/0.0.1', 'intoto 0.0.1'],
    ] as const) {
      const { annotations } = attestKeyless(services, STATEMENT, ALICE, entry && { entry });
      const { Payload } = JSON.parse(annotations['dev.sigstore.cosign/bundle'] ?? '') as {
        Payload: { body: string };
      };
      const body = JSON.parse(Buffer.from(Payload.body, 'base64').toString()) as Record<string, unknown>;
      assert.equal(`${String(body['kind'])} ${String(body['apiVersion'])}`, kind);
    }
  });
});

describe('attachAttestations()', () => {
  it('pushes one layer for each under the tag', async () => {
    const registry = await startRegistry();
    try {
      const model = packModel(registry, 'team/model', { f: 'x' });
      const key = generateSigningKey('p256');
      attachAttestations(registry, model, [attestWithKey(STATEMENT, key), attestWithKey(STATEMENT, key)]);
      const path = `http://${registry.address}/v2/team/model/manifests/${attestationTag(model.digest)}`;
      const manifest = (await (await fetch(path)).json()) as { layers: { mediaType: string }[] };
      assert.deepEqual(
        manifest.layers.map(({ mediaType }) => mediaType),
        Array.from({ length: 2 }, () => 'application/vnd.dsse.envelope.v1+json'),
      );
    } finally {
      await registry.close();
    }
  });
});

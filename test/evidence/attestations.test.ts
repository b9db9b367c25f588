// Are attestations found where they may be, only when somebody asks, and does neither kind hide the other?
import assert from 'node:assert/strict';
import { attachAttestations, attestationTag, type TaggedAttestation } from '../../src/demo/attestation.ts';
import { attachBundle, packModel, type PackedModel } from '../../src/demo/artifacts.ts';
import { startRegistry, type RegistryHandle } from '../../src/demo/registry.ts';
import { attachSimpleSignatures, putTagged } from '../../src/demo/signature-tag.ts';
import { SIMPLE_SIGNING_ANNOTATIONS as NAMES } from '../../src/demo/simple-signing.ts';
import {
  MAX_ATTESTATION_BYTES,
  MAX_ATTESTATIONS_BYTES,
  MAX_BUNDLE_BYTES,
  MAX_CANDIDATES,
  type Evidence,
} from '../../src/evidence/evidence.ts';
import { gatherEvidence, gatherWithAttestations } from '../../src/evidence/gather.ts';
import { COSIGN_SIGN_PREDICATE, PREDICATE_TYPE_ANNOTATION } from '../../src/model/predicate-type.ts';
import { createRegistryClient } from '../../src/registry/client.ts';
import { createTransport, type Transport } from '../../src/registry/transport.ts';

const SLSA = 'https://slsa.dev/provenance/v1';
const ENVELOPE = 'application/vnd.dsse.envelope.v1+json';
const announced = (type: string): object => ({ annotations: { [PREDICATE_TYPE_ANNOTATION]: type } });
const layer = (content: object, annotations = {}): TaggedAttestation => ({ envelope: content, annotations });

describe('gatherWithAttestations()', () => {
  let registry: RegistryHandle;
  let transport: Transport;
  let model: PackedModel;

  beforeEach(async () => {
    registry = await startRegistry();
    transport = createTransport(
      { plainHttpHosts: new Set([registry.address]), configuredHosts: new Set() },
      [],
    );
    model = packModel(registry, 'team/model', { 'model.bin': 'weights' });
  });

  afterEach(async () => {
    await transport.close();
    await registry.close();
  });

  async function evidenceOf(gather = gatherWithAttestations): Promise<Evidence> {
    const name = { registry: registry.address, repository: 'team/model' };
    const result = await gather(
      createRegistryClient(transport, new Map()),
      name,
      model.digest,
      AbortSignal.timeout(30_000),
    );
    assert.ok(result.ok, JSON.stringify(result));
    return result.evidence;
  }
  const reasonsOf = ({ problems }: { problems: Evidence['problems'] }): string[] =>
    problems.map(({ reason }) => reason);

  it('finds envelopes under the attestation tag, with their annotations, beside bundles', async () => {
    attachBundle(registry, model, { number: 1 }, announced(SLSA));
    const referrer = attachAttestations(registry, model, [
      layer({ a: 1 }, { [NAMES.certificate]: 'pem', [NAMES.signature]: '', predicateType: SLSA }),
      layer({ b: 2 }),
    ]);
    const { bundles, tagged, problems } = await evidenceOf();
    assert.deepEqual([bundles.length, problems, tagged?.problems], [1, [], []]);
    assert.deepEqual(
      tagged?.envelopes.toSorted((a, b) => a.bytes.compare(b.bytes)),
      [
        {
          place: 'attestationTag',
          referrer,
          bytes: Buffer.from('{"a":1}'),
          annotations: { certificate: 'pem' },
        },
        { place: 'attestationTag', referrer, bytes: Buffer.from('{"b":2}'), annotations: {} },
      ],
    );
  });

  it('asks for the attestation tag once, and not at all when nobody wants attestations', async () => {
    attachAttestations(registry, model, [layer({ a: 1 })]);
    const asked = (): number => registry.requests.filter(({ path }) => path.includes('.att')).length;
    const { tagged } = await evidenceOf(gatherEvidence);
    assert.deepEqual([tagged, asked()], [undefined, 0]);
    await evidenceOf();
    assert.equal(asked(), 1);
  });

  it('passes over other layers, and refuses an index under the tag', async () => {
    const tag = attestationTag(model.digest);
    putTagged(registry, model, [{ mediaType: 'text/x', ...registry.putBlob(Buffer.from('x')) }], tag);
    assert.deepEqual((await evidenceOf()).tagged, { envelopes: [], problems: [] });
    const index = 'application/vnd.oci.image.index.v1+json';
    registry.putManifest('team/model', Buffer.from('{"schemaVersion":2,"manifests":[]}'), index, tag);
    const { tagged, problems } = await evidenceOf();
    assert.deepEqual([reasonsOf(tagged ?? { problems: [] }), problems], [['ManifestInvalid'], []]);
  });

  it('keeps trouble with the tag apart from trouble with signatures', async () => {
    registry.setFault(({ path }) => (path.includes('.att') ? { status: 500 } : undefined));
    const { tagged, problems } = await evidenceOf();
    assert.deepEqual([reasonsOf(tagged ?? { problems: [] }), problems], [['RegistryUnavailable'], []]);
    assert.match(tagged?.problems[0]?.message ?? '', /^attestation tag sha256-/);
  });

  it('reads an attestation of 8 MiB where a signature may have 1 MiB', async () => {
    const large = (size: number): Buffer => Buffer.from(JSON.stringify({ x: 'x'.repeat(size - 8) }));
    attachBundle(registry, model, large(MAX_ATTESTATION_BYTES), announced(SLSA));
    attachBundle(registry, model, large(MAX_BUNDLE_BYTES + 1), announced(COSIGN_SIGN_PREDICATE));
    attachAttestations(registry, model, [layer(large(MAX_BUNDLE_BYTES + 1))]);
    const { bundles, problems, tagged } = await evidenceOf();
    assert.deepEqual(
      bundles.map(({ bytes }) => bytes.length),
      [MAX_ATTESTATION_BYTES],
    );
    assert.deepEqual([reasonsOf({ problems }), tagged?.envelopes.length], [['ArtifactTooLarge'], 1]);
    const without = await evidenceOf(gatherEvidence);
    assert.deepEqual(
      [without.bundles.length, reasonsOf(without)],
      [0, ['ArtifactTooLarge', 'ArtifactTooLarge']],
    );
  });

  it('gives attestations bytes of their own, the smallest first', async () => {
    const blob = { size: MAX_ATTESTATION_BYTES, digest: `sha256:${'e'.repeat(64)}` };
    const count = MAX_ATTESTATIONS_BYTES / MAX_ATTESTATION_BYTES;
    const layers = Array.from({ length: count }, (_, n) => ({
      mediaType: ENVELOPE,
      ...blob,
      annotations: { n: `${n}` },
    }));
    const small = { mediaType: ENVELOPE, ...registry.putBlob(Buffer.from('{"small":1}')) };
    putTagged(registry, model, [...layers, small], attestationTag(model.digest));
    attachBundle(registry, model, { padding: 'x'.repeat(900_000) });
    const { bundles, tagged, problems } = await evidenceOf();
    assert.deepEqual(
      tagged?.envelopes.map(({ bytes }) => bytes.toString()),
      ['{"small":1}'],
    );
    assert.deepEqual([bundles.length, reasonsOf({ problems })], [1, ['TooManySignatures']]);
  });

  describe('with more than 64 of one kind', () => {
    const junk = (count: number, type: string): void => {
      for (let n = 0; n < count; n += 1) attachBundle(registry, model, { junk: n, type }, announced(type));
    };
    const holds = ({ bundles }: Evidence, text: string): boolean =>
      bundles.some(({ bytes }) => bytes.includes(text));

    it('hides no signature behind attestations, whoever asks', async () => {
      junk(MAX_CANDIDATES + 10, SLSA);
      attachBundle(registry, model, { good: 1 }, announced(COSIGN_SIGN_PREDICATE));
      for (const gather of [gatherEvidence, gatherWithAttestations]) {
        const evidence = await evidenceOf(gather);
        assert.ok(holds(evidence, 'good'));
        assert.deepEqual([evidence.bundles.length, reasonsOf(evidence)], [64, ['TooManySignatures']]);
      }
    });

    it('hides no attestation behind signatures', async () => {
      junk(MAX_CANDIDATES + 10, COSIGN_SIGN_PREDICATE);
      attachBundle(registry, model, { good: 1 }, announced(SLSA));
      const evidence = await evidenceOf();
      assert.ok(holds(evidence, 'good'));
      assert.deepEqual([evidence.bundles.length, reasonsOf(evidence)], [64, ['TooManySignatures']]);
    });

    it('hides nothing of one tag behind the other', async () => {
      attachSimpleSignatures(
        registry,
        model,
        Array.from({ length: 200 }, (_, n) => ({ payload: Buffer.from(`{"n":${n}}`), annotations: {} })),
      );
      attachAttestations(
        registry,
        model,
        Array.from({ length: 200 }, (_, n) => layer({ n })),
      );
      const { simpleSignatures, tagged, problems } = await evidenceOf();
      assert.deepEqual([simpleSignatures.length, tagged?.envelopes.length], [32, 32]);
      assert.deepEqual(reasonsOf({ problems }), ['TooManySignatures']);
    });
  });
});

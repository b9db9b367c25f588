// Is only a signature a signature? Attestations, payloads that say nothing, and signatures without one of their parts.
import assert from 'node:assert/strict';
import { attachBundle } from '../../src/demo/artifacts.ts';
import { startRegistry, type RegistryHandle } from '../../src/demo/registry.ts';
import { signBundleWithKey } from '../../src/demo/sign-with-key.ts';
import { attachBundleByTag, attachSimpleSignatures, putTagged } from '../../src/demo/signature-tag.ts';
import { createSigstore, type Sigstore } from '../../src/demo/sigstore.ts';
import { signSimple, simpleSigningPayload } from '../../src/demo/simple-signing.ts';
import { attestationStatement, cosignSignStatement } from '../../src/demo/statement.ts';
import type { PackedModel } from '../../src/demo/artifacts.ts';
import type { DenialReason } from '../../src/reason.ts';
import { change, type Path } from '../signature/support.ts';
import { pushModel, startController, TEAM_KEY, type Controller } from '../support/controller.ts';
import { expectAllowed, expectDenied } from '../support/expect.ts';
import { ALICE, keylessAuthority, pinned, policyOf, TRUST_ROOT, type Sign } from '../support/keyless.ts';
import { reviewOf, volumePod } from '../support/review.ts';

const SIMPLE_SIGNING = 'application/vnd.dev.cosign.simplesigning.v1+json';
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const BUNDLE = 'application/vnd.dev.sigstore.bundle.v0.3+json';

describe('a payload (faults 15 and 16)', () => {
  let registry: RegistryHandle;
  let sigstore: Sigstore;
  let controller: Controller;
  /** Trusts the team's key, and Alice beside it. */
  let both: Controller;

  before(async () => {
    registry = await startRegistry();
    sigstore = await createSigstore();
    // Every format: what no signature is counts for none of them.
    const signatureFormats = ['CosignBundle', 'CosignSimpleSigning', 'ModelSigning'];
    const team = { name: 'team', key: { pem: TEAM_KEY.publicKeyPem }, signatureFormats };
    controller = await startController({ registry, policies: { team: policyOf(registry, [team]) } });
    both = await startController({
      registry,
      policies: { team: policyOf(registry, [team, { ...keylessAuthority(), signatureFormats }]) },
      trustRoots: { [TRUST_ROOT]: pinned(sigstore.trustedRootJson()) },
    });
  });
  after(async () => {
    await controller.stop();
    await both.stop();
    await registry.close();
  });

  const byKey = (statement: object): object => signBundleWithKey(statement, TEAM_KEY);
  const reviewOfModel = ({ reference }: PackedModel): object => reviewOf(volumePod(reference));
  const deny = async (
    model: PackedModel,
    reason: DenialReason,
    problem: RegExp,
    by: Controller = controller,
  ): Promise<void> => {
    const { message } = await expectDenied(by, reviewOfModel(model), {
      code: 403,
      reasons: [reason],
    });
    assert.match(message, problem);
  };

  it('counts when it is a signature of the model', async () => {
    const model = pushModel(registry);
    attachBundle(registry, model, byKey(cosignSignStatement(model.digest)));
    await expectAllowed(controller, reviewOfModel(model));
  });

  for (const predicateType of [
    'https://slsa.dev/provenance/v1',
    'https://spdx.dev/Document',
    'https://cyclonedx.org/bom',
    'https://sigstore.dev/cosign/sign/v2',
    'https://sigstore.dev/cosign/sign/v1/',
    '',
  ])
    it(`15: of predicate ${JSON.stringify(predicateType)} is no signature, whoever signed it`, async () => {
      const ways: readonly Sign[] = [byKey, (statement) => sigstore.signKeyless(statement, ALICE)];
      for (const sign of ways) {
        const model = pushModel(registry);
        const statement = attestationStatement(model.digest, predicateType, { anything: true });
        attachBundle(registry, model, await sign(statement));
        attachBundleByTag(registry, model, await sign(statement));
        await deny(
          model,
          'SignatureMissing',
          /no signature is attached to this digest; sign the digest/,
          both,
        );
      }
    });

  it('15: of an attestation does not spoil a signature beside it', async () => {
    const model = pushModel(registry);
    attachBundle(registry, model, byKey(attestationStatement(model.digest, 'https://spdx.dev/Document', {})));
    attachBundle(registry, model, byKey(cosignSignStatement(model.digest)));
    await expectAllowed(controller, reviewOfModel(model));
  });

  it('15: of model signing before version 1.0 is named, not counted', async () => {
    const model = pushModel(registry);
    const predicateType = 'https://model_signing/Digests/v0.1';
    attachBundle(registry, model, byKey(attestationStatement(model.digest, predicateType, {})));
    await deny(model, 'UnsupportedFormat', /predicate type "https:\/\/model_signing\/Digests\/v0\.1" is not/);
  });

  const good = (digest: string): Record<string, unknown> =>
    cosignSignStatement(digest) as Record<string, unknown>;
  const PAYLOADS: Readonly<Record<string, readonly [(digest: string) => string | Buffer, RegExp]>> = {
    'no JSON': [() => 'hello', /it is no JSON object/],
    'half a document': [
      (digest) => JSON.stringify(good(digest)).slice(0, -2),
      /JSON syntax error|it is no JSON object/,
    ],
    'not UTF-8': [() => Buffer.from('{"a":"\xff"}', 'latin1'), /JSON is not valid UTF-8/],
    null: [() => 'null', /it is no JSON object/],
    'a list': [() => '[]', /it is no JSON object/],
    'a text': [() => '"x"', /it is no JSON object/],
    'a predicate type twice': [
      (digest) => JSON.stringify(good(digest)).replace('{', '{"predicateType":"https://spdx.dev/Document",'),
      /JSON has the member "predicateType" twice/,
    ],
    'deep nesting': [
      (digest) => JSON.stringify({ ...good(digest), predicate: 0 }).replace(/0}$/, '['.repeat(10_000)),
      /JSON nested deeper than 64|JSON syntax error/,
    ],
    'a number without end': [
      (digest) => JSON.stringify({ ...good(digest), predicate: 0 }).replace(/0}$/, `${'1'.repeat(100_000)}}`),
      /JSON number of more than 20 digits/,
    ],
    'another statement type': [
      (digest) => JSON.stringify({ ...good(digest), _type: 'https://in-toto.io/Statement/v0.1' }),
      /its type is "https:\/\/in-toto\.io\/Statement\/v0\.1"/,
    ],
    'no subject': [
      (digest) => JSON.stringify({ ...good(digest), subject: [] }),
      /it has 0 subjects where a signature has one/,
    ],
    'a subject that is null': [
      (digest) => JSON.stringify({ ...good(digest), subject: null }),
      /it has 0 subjects/,
    ],
    'two subjects': [
      (digest) => JSON.stringify({ ...good(digest), subject: [...(good(digest)['subject'] as []), {}] }),
      /it has 2 subjects/,
    ],
    'a digest that is no text': [
      (digest) => JSON.stringify({ ...good(digest), subject: [{ digest: { sha256: 1 } }] }),
      /a subject's digest is no map of strings/,
    ],
  };
  for (const [what, [toPayload, problem]] of Object.entries(PAYLOADS))
    it(`15: that is ${what} is denied although the team signed it`, async () => {
      const model = pushModel(registry);
      attachBundle(registry, model, byKey(Buffer.from(toPayload(model.digest))));
      await deny(model, 'SignatureInvalid', problem);
    });

  for (const [what, digest] of [
    ['null', null],
    ['empty', {}],
    ['of another algorithm', { sha512: 'ab' }],
    ['in upper case', 'upper'],
    ['inherited', JSON.parse('{"__proto__":{"sha256":"x"}}') as object],
  ] as const)
    it(`15: whose digest is ${what} is about nothing`, async () => {
      const model = pushModel(registry);
      const hex = model.digest.slice('sha256:'.length);
      const set = digest === 'upper' ? { sha256: hex.toUpperCase() } : digest;
      const own = JSON.stringify({ ...good(model.digest), subject: [{ digest: set }] });
      attachBundle(registry, model, byKey(Buffer.from(own)));
      const isUnreadable = what === 'inherited';
      await deny(
        model,
        isUnreadable ? 'SignatureInvalid' : 'SubjectMismatch',
        isUnreadable ? /no map of strings/ : /it is about "sha256:/,
      );
    });

  it('15: of another payload type is denied', async () => {
    const model = pushModel(registry);
    const payloadType = 'application/json';
    attachBundle(
      registry,
      model,
      signBundleWithKey(cosignSignStatement(model.digest), TEAM_KEY, { payloadType }),
    );
    await deny(model, 'UnsupportedFormat', /payload type "application\/json" is not supported/);
  });

  const BUNDLES: Readonly<Record<string, readonly [Path, unknown, RegExp]>> = {
    'an empty list of signatures': [['dsseEnvelope', 'signatures'], [], /its envelope has no signature/],
    'null for signatures': [['dsseEnvelope', 'signatures'], null, /its envelope has no signature/],
    'null for the signature': [['dsseEnvelope', 'signatures', 0], null, /signatures\[0\] is no object/],
    'an empty signature': [['dsseEnvelope', 'signatures', 0, 'sig'], '', /sig is no canonical base64/],
    'null for its bytes': [['dsseEnvelope', 'signatures', 0, 'sig'], null, /sig is no canonical base64/],
    'two signatures': [
      ['dsseEnvelope', 'signatures'],
      [{ sig: 'AAAA' }, { sig: 'AAAA' }],
      /signatures has more than 1 entries/,
    ],
    'an empty payload': [['dsseEnvelope', 'payload'], '', /payload is no canonical base64/],
    'null for the payload': [['dsseEnvelope', 'payload'], null, /payload is no canonical base64/],
    'null for the envelope': [['dsseEnvelope'], null, /dsseEnvelope is no object/],
    'null for the material': [['verificationMaterial'], null, /verificationMaterial is no object/],
    'no signer': [['verificationMaterial', 'publicKey'], null, /it has 0 kinds of signer/],
    'two kinds of signer': [
      ['verificationMaterial', 'certificate'],
      { rawBytes: 'AAAA' },
      /it has 2 kinds of signer/,
    ],
    'an empty chain': [
      ['verificationMaterial'],
      { x509CertificateChain: { certificates: [] } },
      /its certificate chain is empty/,
    ],
    'null for a log entry': [['verificationMaterial', 'tlogEntries'], [null], /tlogEntries is no object/],
  };
  for (const [what, [path, value, problem]] of Object.entries(BUNDLES))
    it(`16: of a bundle with ${what} is no signature`, async () => {
      const model = pushModel(registry);
      attachBundle(registry, model, change(byKey(cosignSignStatement(model.digest)), path, value));
      await deny(model, 'SignatureInvalid', problem);
    });

  for (const bytes of ['', 'null', '[]', '{}', '0'])
    it(`16: of a bundle that is ${JSON.stringify(bytes)} is no signature`, async () => {
      const model = pushModel(registry);
      attachBundle(registry, model, Buffer.from(bytes));
      await deny(
        model,
        bytes === '{}' ? 'UnsupportedFormat' : 'SignatureInvalid',
        /JSON syntax error|it is no JSON object|bundle media type "" is not supported/,
      );
    });

  for (const [what, layers] of [
    ['no layers', []],
    ['layers of other types', [{ mediaType: 'text/plain' }]],
  ] as const)
    it(`16: of a manifest with ${what} is missing`, async () => {
      for (const place of ['referrer', 'tag'] as const) {
        const model = pushModel(registry);
        const config = { mediaType: MANIFEST, ...registry.putBlob(Buffer.from('{}')) };
        const described = layers.map((layer) => ({ ...layer, ...registry.putBlob(Buffer.from('x')) }));
        if (place === 'tag') putTagged(registry, model, described);
        else {
          const subject = { mediaType: MANIFEST, size: model.size, digest: model.digest };
          const manifest = { schemaVersion: 2, mediaType: MANIFEST, artifactType: BUNDLE, config, subject };
          const bytes = Buffer.from(JSON.stringify({ ...manifest, layers: described }));
          registry.putManifest(model.repository, bytes, MANIFEST);
        }
        await deny(model, 'SignatureMissing', /no signature is attached to this digest; sign the digest/);
      }
    });

  it('16: of a manifest whose layers are null or absent is invalid', async () => {
    for (const layers of [null, undefined]) {
      const model = pushModel(registry);
      putTagged(registry, model, layers as unknown as []);
      const { reasons } = await controller.ask(reviewOfModel(model));
      assert.deepEqual(reasons, ['ManifestInvalid']);
    }
  });

  for (const [what, annotations] of [
    ['no annotations', {}],
    ['an empty annotation', { 'dev.cosignproject.cosign/signature': '' }],
    ['an annotation that is no base64', { 'dev.cosignproject.cosign/signature': '!' }],
    ['a certificate alone', { 'dev.sigstore.cosign/certificate': 'x' }],
  ] as const)
    it(`16: of a simple signing layer with ${what} is no signature`, async () => {
      const model = pushModel(registry);
      const payload = registry.putBlob(simpleSigningPayload(model.digest));
      putTagged(registry, model, [{ mediaType: SIMPLE_SIGNING, ...payload, annotations }]);
      await deny(model, 'SignatureInvalid', /it has no signature in canonical base64; sign the digest again/);
    });

  for (const [what, payload, problem] of [
    ['empty', '', /JSON syntax error/],
    ['null', 'null', /its payload is no JSON object/],
    ['without members', '{}', /its type is "\(none\)"/],
    ['null where the digest belongs', 'digest', /it names no manifest digest/],
    ['of another type', 'type', /its type is "atomic container signature"/],
  ] as const)
    it(`16: of simple signing that is ${what} is denied although the team signed it`, async () => {
      const model = pushModel(registry);
      const bytes =
        payload === 'digest'
          ? simpleSigningPayload(null as unknown as string)
          : payload === 'type'
            ? simpleSigningPayload(model.digest, { type: 'atomic container signature' })
            : Buffer.from(payload);
      attachSimpleSignatures(registry, model, [signSimple(bytes, TEAM_KEY)]);
      await deny(model, 'SignatureInvalid', problem);
    });
});

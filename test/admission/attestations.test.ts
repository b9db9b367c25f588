// Are attestations demanded of real pods, from real registries, through real HTTPS?
import assert from 'node:assert/strict';
import { attachBundle, type PackedModel } from '../../src/demo/artifacts.ts';
import { attachAttestations, attestWithKey } from '../../src/demo/attestation.ts';
import { generateSigningKey, type SigningKey } from '../../src/demo/keys.ts';
import { startRegistry, type RegistryHandle } from '../../src/demo/registry.ts';
import { signBundleWithKey } from '../../src/demo/sign-with-key.ts';
import { attestationStatement, cosignSignStatement } from '../../src/demo/statement.ts';
import {
  pushModel,
  pushSigned,
  requestsOf,
  startController,
  TEAM_KEY,
  teamPolicy,
  type Controller,
} from '../support/controller.ts';
import { expectAllowed, expectDenied, recordOf } from '../support/expect.ts';
import { reviewOf, volumePod } from '../support/review.ts';

const SLSA = 'https://slsa.dev/provenance/v1';
const BUILDER = generateSigningKey('p384');
const GOOD = { buildDefinition: { externalParameters: { repository: 'https://github.com/acme/models' } } };
const RULE = {
  expression:
    "predicate.buildDefinition.externalParameters.repository == 'https://github.com/' + pod.metadata.labels.team + '/models'",
  messageExpression: "'built from ' + string(predicate.buildDefinition.externalParameters.repository)",
};
const AUTHORITIES = [
  { name: 'team', key: { pem: TEAM_KEY.publicKeyPem } },
  { name: 'builder', key: { pem: BUILDER.publicKeyPem } },
];

describe('decide() about attestations', () => {
  let registry: RegistryHandle;
  const running: Controller[] = [];

  before(async () => {
    registry = await startRegistry();
  });
  after(() => registry.close());
  afterEach(async () => {
    registry.setFault(undefined);
    await Promise.all(running.splice(0).map((controller) => controller.stop()));
  });

  async function start(more: object = {}): Promise<Controller> {
    const attestations = [
      { name: 'provenance', predicateTypes: [SLSA], authorities: ['builder'], validations: [RULE] },
    ];
    const policy = teamPolicy(registry, { authorities: AUTHORITIES, attestations, ...more });
    const controller = await startController({ registry, policies: { team: policy } });
    running.push(controller);
    return controller;
  }

  const toStatement = ({ digest }: PackedModel, predicate: object): object =>
    attestationStatement(digest, SLSA, predicate);
  type Attach = (model: PackedModel, predicate?: object, key?: SigningKey, about?: PackedModel) => void;
  const asBundle: Attach = (model, predicate = GOOD, key = BUILDER, about = model) =>
    void attachBundle(registry, model, signBundleWithKey(toStatement(about, predicate), key));
  const asEnvelope: Attach = (model, predicate = GOOD, key = BUILDER, about = model) =>
    void attachAttestations(registry, model, [attestWithKey(toStatement(about, predicate), key)]);
  const review = ({ reference }: PackedModel): object => {
    const pod = volumePod(reference) as { metadata: object };
    return reviewOf({ ...pod, metadata: { ...pod.metadata, labels: { team: 'acme' } } });
  };

  for (const [what, attach] of [
    ['a bundle', asBundle],
    ['an envelope under the attestation tag', asEnvelope],
  ] as const) {
    it(`admits a signed model with ${what} that says what it must, and records it`, async () => {
      const controller = await start();
      const model = pushSigned(registry);
      attach(model);
      const answer = await expectAllowed(controller, review(model));
      const { attestations, signatures } = recordOf(controller, answer).references[0] as unknown as {
        attestations: readonly { name: string; predicateType: string; authority: string }[];
        signatures: readonly { authority: string }[];
      };
      assert.deepEqual(
        attestations.map(({ name, predicateType, authority }) => [name, predicateType, authority]),
        [['provenance', SLSA, 'builder']],
      );
      assert.deepEqual(
        signatures.map(({ authority }) => authority),
        ['team'],
      );
    });

    it(`denies ${what} by the wrong authority, about other content, or about another model`, async () => {
      const controller = await start();
      const wrong = pushSigned(registry);
      attach(wrong, GOOD, TEAM_KEY);
      const answer = await expectDenied(controller, review(wrong), {
        code: 403,
        reasons: ['AttestationRejected'],
      });
      assert.match(answer.message, /authority builder: attestation provenance .*SignerNotTrusted/);
      const elsewhere = pushSigned(registry);
      attach(elsewhere, { buildDefinition: { externalParameters: { repository: 'https://evil.test' } } });
      const other = await expectDenied(controller, review(elsewhere), {
        code: 403,
        reasons: ['AttestationRejected'],
      });
      assert.match(other.message, /validations\[0\]: built from https:\/\/evil\.test; attest again/);
      const copied = pushSigned(registry);
      attach(copied, GOOD, BUILDER, pushModel(registry));
      const moved = await expectDenied(controller, review(copied), {
        code: 403,
        reasons: ['AttestationRejected'],
      });
      assert.match(moved.message, /SubjectMismatch/);
    });
  }

  it('denies what has no attestation, and what has only that', async () => {
    const controller = await start();
    await expectDenied(controller, review(pushSigned(registry)), {
      code: 403,
      reasons: ['AttestationMissing'],
    });
    const attested = pushModel(registry);
    asBundle(attested);
    await expectDenied(controller, review(attested), { code: 403, reasons: ['SignatureMissing'] });
  });

  it('admits what is only attested where no signature is asked for', async () => {
    const controller = await start({ minAuthorities: 0 });
    const model = pushModel(registry);
    asBundle(model);
    await expectAllowed(controller, review(model));
    const signed = pushModel(registry);
    attachBundle(registry, signed, signBundleWithKey(cosignSignStatement(signed.digest), BUILDER));
    await expectDenied(controller, review(signed), { code: 403, reasons: ['AttestationMissing'] });
  });

  it('finds a good attestation behind junk', async () => {
    const controller = await start();
    const model = pushSigned(registry);
    const stranger = generateSigningKey('p256');
    for (let n = 0; n < 40; n += 1) asBundle(model, { n }, stranger);
    asEnvelope(model);
    await expectAllowed(controller, review(model));
  });

  it('says that a registry fails, not that an attestation is missing', async () => {
    const controller = await start();
    const model = pushSigned(registry);
    registry.setFault(({ path }) => (path.includes('.att') ? { status: 503 } : undefined));
    await expectDenied(controller, review(model), { code: 503, reasons: ['RegistryUnavailable'] });
  });

  it('asks a registry for the attestation tag only where a policy demands attestations', async () => {
    const model = pushSigned(registry);
    const asked = (): number =>
      requestsOf(registry, model).filter(({ path }) => path.includes('.att')).length;
    await expectAllowed(await start({ attestations: undefined }), review(model));
    assert.equal(asked(), 0);
    await expectDenied(await start(), review(model), { code: 403, reasons: ['AttestationMissing'] });
    assert.equal(asked(), 1);
  });
});

// Does an authority see the repository that it names, all of it, and nothing beside the model? Through real HTTPS, on
// real registries.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { attachBundle, packModel, type PackedModel } from '../../src/demo/artifacts.ts';
import { attachAttestations, attestWithKey } from '../../src/demo/attestation.ts';
import { generateSigningKey, type SigningKey } from '../../src/demo/keys.ts';
import { startRegistry, type RegistryHandle } from '../../src/demo/registry.ts';
import { signBundleWithKey } from '../../src/demo/sign-with-key.ts';
import { attachBundleByTag, attachSimpleSignatures } from '../../src/demo/signature-tag.ts';
import { signSimple, simpleSigningPayload } from '../../src/demo/simple-signing.ts';
import {
  attestationStatement,
  cosignSignStatement,
  modelSigningStatement,
} from '../../src/demo/statement.ts';
import {
  pushModel,
  pushSigned,
  requestsOf,
  startController,
  TEAM_KEY,
  teamPolicy,
  type Controller,
  type ControllerOptions,
} from '../support/controller.ts';
import { expectAllowed, expectDenied, recordOf } from '../support/expect.ts';
import { reviewOf, volumePod } from '../support/review.ts';

const OTHER_KEY = generateSigningKey('p384');
const SLSA = 'https://slsa.dev/provenance/v1';
const INDEX = 'application/vnd.oci.image.index.v1+json';
const CURATED = 'curated/signatures';
const ACCOUNT = { username: 'curator', password: 'secret' };
const SYSTEM = 'model-policy-system';
const toAuth = ({ username, password }: typeof ACCOUNT): object => ({
  auth: Buffer.from(`${username}:${password}`).toString('base64'),
});
const FILES = { 'model.safetensors': 'weights', 'config.json': '{}' };

type Material = NonNullable<ControllerOptions['material']>;
type Signed = readonly { readonly authority: string; readonly repository?: string }[];

describe('decide() about signatures in another repository', () => {
  let registry: RegistryHandle;
  const running: { stop(): Promise<void> }[] = [];

  before(async () => {
    registry = await startRegistry();
  });
  after(() => registry.close());
  afterEach(async () => {
    registry.setFault(undefined);
    await Promise.all(running.splice(0).map((controller) => controller.stop()));
  });

  const curated = (repository = `${registry.address}/${CURATED}`, more: object = {}): object => ({
    name: 'curators',
    key: { pem: TEAM_KEY.publicKeyPem },
    signatureRepository: { repository },
    ...more,
  });
  async function start(
    spec: object = { authorities: [curated()] },
    options: ControllerOptions = {},
  ): Promise<Controller> {
    const policies = { team: teamPolicy(registry, spec) };
    const controller = await startController({ registry, policies, ...options });
    running.push(controller);
    return controller;
  }
  const there = (model: PackedModel, repository = CURATED): PackedModel => ({ ...model, repository });
  const sign = (model: PackedModel, digest = model.digest, key: SigningKey = TEAM_KEY): string =>
    attachBundle(registry, model, signBundleWithKey(cosignSignStatement(digest), key));
  const review = (...models: readonly PackedModel[]): object =>
    reviewOf(volumePod(...models.map(({ reference }) => reference)));
  const signaturesOf = (controller: Controller, answer: Awaited<ReturnType<Controller['ask']>>): Signed =>
    (recordOf(controller, answer).references[0] as unknown as { signatures: Signed }).signatures;

  it('admits what is signed there, records where, and asks the model’s repository for its manifest alone', async () => {
    const controller = await start();
    const model = pushModel(registry);
    sign(there(model));
    const answer = await expectAllowed(controller, review(model));
    assert.deepEqual(
      signaturesOf(controller, answer).map(({ authority, repository }) => [authority, repository]),
      [['curators', `${registry.address}/${CURATED}`]],
    );
    assert.deepEqual(
      requestsOf(registry, model).map(({ path }) => path),
      [`/v2/${model.repository}/manifests/${model.digest}`],
    );
    assert.deepEqual(
      requestsOf(registry, there(model)).filter(({ path }) => path.endsWith('.att')),
      [],
    );
  });

  const ways: readonly (readonly [string, (model: PackedModel) => unknown])[] = [
    [
      'a simple signature under the tag, made for the model under another name',
      (model) =>
        attachSimpleSignatures(registry, there(model), [
          signSimple(
            simpleSigningPayload(model.digest, { dockerReference: 'mirror.example.test/copy' }),
            TEAM_KEY,
          ),
        ]),
    ],
    [
      'a bundle under the tag',
      (model) =>
        attachBundleByTag(
          registry,
          there(model),
          signBundleWithKey(cosignSignStatement(model.digest), TEAM_KEY),
        ),
    ],
  ];
  for (const [what, attach] of ways) {
    it(`admits ${what}`, async () => {
      const controller = await start();
      const model = pushModel(registry);
      attach(model);
      const answer = await expectAllowed(controller, review(model));
      assert.equal(signaturesOf(controller, answer)[0]?.repository, `${registry.address}/${CURATED}`);
    });
  }

  it('counts nothing that lies beside the model, by whomever, and says where it looked', async () => {
    const controller = await start();
    const model = pushSigned(registry);
    attachSimpleSignatures(registry, model, [signSimple(simpleSigningPayload(model.digest), TEAM_KEY)]);
    const { message } = await expectDenied(controller, review(model), {
      code: 403,
      reasons: ['SignatureMissing'],
    });
    assert.ok(message.includes(`looked in ${registry.address}/${CURATED}`), message);
  });

  it('counts no signature of another digest, under the tag of this one', async () => {
    const controller = await start();
    const [model, other] = [pushModel(registry), pushModel(registry)];
    attachSimpleSignatures(registry, there(model), [
      signSimple(simpleSigningPayload(other.digest), TEAM_KEY),
    ]);
    await expectDenied(controller, review(model), { code: 403, reasons: ['SubjectMismatch'] });
  });

  it('names the repository of what it cannot read', async () => {
    const controller = await start();
    const model = pushModel(registry);
    attachBundle(registry, there(model), Buffer.from('no bundle'));
    const { message } = await expectDenied(controller, review(model), {
      code: 403,
      reasons: ['SignatureInvalid'],
    });
    assert.ok(message.includes(`in ${registry.address}/${CURATED}`), message);
  });

  it('keeps authorities to their own places, also where both are wanted', async () => {
    const beside = { name: 'builders', key: { pem: OTHER_KEY.publicKeyPem } };
    const controller = await start({ authorities: [beside, curated()], minAuthorities: 2 });
    const [good, swapped] = [pushModel(registry), pushModel(registry)];
    sign(good, good.digest, OTHER_KEY);
    sign(there(good));
    const answer = await expectAllowed(controller, review(good));
    assert.deepEqual(
      signaturesOf(controller, answer).map(({ authority, repository }) => [authority, repository]),
      [
        ['builders', undefined],
        ['curators', `${registry.address}/${CURATED}`],
      ],
    );
    sign(swapped);
    sign(there(swapped), swapped.digest, OTHER_KEY);
    await expectDenied(controller, review(swapped), { code: 403, reasons: ['SignerNotTrusted'] });
  });

  it('gathers a digest once for every place, however many policies and volumes ask', async () => {
    const policies = {
      own: teamPolicy(registry),
      first: teamPolicy(registry, { authorities: [curated()] }),
      second: teamPolicy(registry, { authorities: [curated()] }),
    };
    const controller = await start({}, { policies });
    const model = pushSigned(registry);
    sign(there(model));
    await expectAllowed(controller, review(model, model));
    const listings = (asked: PackedModel): number =>
      requestsOf(registry, asked).filter(({ path }) => path.includes(`/referrers/${model.digest}`)).length;
    assert.deepEqual([listings(model), listings(there(model))], [1, 1]);
  });

  it('takes the layer model.sig for no signature of an authority that looks elsewhere, nor for a file', async () => {
    const controller = await start({
      authorities: [curated(undefined, { signatureFormats: ['ModelSigning'] })],
    });
    const resources = Object.entries(FILES).map(([name, content]) => ({
      name,
      digest: createHash('sha256').update(content).digest('hex'),
    }));
    const statement = modelSigningStatement('model', resources, ['model.sig']);
    const bundle = signBundleWithKey(statement, TEAM_KEY);
    const model = packModel(registry, 'team/layered', { ...FILES, 'model.sig': JSON.stringify(bundle) });
    await expectDenied(controller, review(model), { code: 403, reasons: ['SignatureMissing'] });
    attachBundle(registry, there(model, 'curated/layered'), bundle);
    const other = await start({
      authorities: [curated(`${registry.address}/curated/layered`, { signatureFormats: ['ModelSigning'] })],
    });
    await expectAllowed(other, review(model));
  });

  describe('with attestations', () => {
    const attestations = [{ name: 'provenance', predicateTypes: [SLSA] }];
    const toStatement = ({ digest }: PackedModel): object => attestationStatement(digest, SLSA, { a: 1 });
    const attach = (model: PackedModel): void =>
      void attachAttestations(registry, model, [attestWithKey(toStatement(model), TEAM_KEY)]);

    it('admits those that are there, in either form, and records where', async () => {
      const controller = await start({ authorities: [curated()], attestations });
      for (const form of ['bundle', 'tag']) {
        const model = pushModel(registry);
        sign(there(model));
        if (form === 'tag') attach(there(model));
        else attachBundle(registry, there(model), signBundleWithKey(toStatement(model), TEAM_KEY));
        const answer = await expectAllowed(controller, review(model));
        const [reference] = recordOf(controller, answer).references as unknown as { attestations: Signed }[];
        assert.equal(reference?.attestations[0]?.repository, `${registry.address}/${CURATED}`);
      }
    });

    it('counts none that lies beside the model', async () => {
      const controller = await start({ authorities: [curated()], attestations });
      const model = pushModel(registry);
      sign(there(model));
      attach(model);
      attachBundle(registry, model, signBundleWithKey(toStatement(model), TEAM_KEY));
      const { message } = await expectDenied(controller, review(model), {
        code: 403,
        reasons: ['AttestationMissing'],
      });
      assert.ok(message.includes(`looked in ${registry.address}/${CURATED}`), message);
    });
  });

  it('admits an index whose every manifest is signed there, and no other', async () => {
    const controller = await start();
    const children = ['one', 'two'].map((name) => packModel(registry, 'team/index', { 'model.bin': name }));
    const bytes = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: INDEX,
        manifests: children.map(({ digest, size, mediaType }) => ({ digest, size, mediaType })),
      }),
    );
    const digest = registry.putManifest('team/index', bytes, INDEX);
    const reference = `${registry.address}/team/index@${digest}`;
    const index = reviewOf(volumePod(reference));
    const [first, second] = children as [PackedModel, PackedModel];
    sign(there(first));
    sign(second);
    await expectDenied(controller, index, { code: 403, reasons: ['SignatureMissing'] });
    sign(there(second, 'curated/index'));
    sign(there(first, 'curated/index'));
    const whole = await start({ authorities: [curated(`${registry.address}/curated/index`)] });
    await expectAllowed(whole, index);
  });

  describe('in trouble', () => {
    it('denies for the other repository’s, naming it, and never as unsigned', async () => {
      const controller = await start();
      const model = pushModel(registry);
      sign(there(model));
      registry.setFault(({ path }) => (path.startsWith(`/v2/${CURATED}/`) ? { status: 500 } : undefined));
      const { message } = await expectDenied(controller, review(model), {
        code: 503,
        reasons: ['RegistryUnavailable'],
      });
      assert.ok(message.includes(`signatures in ${registry.address}/${CURATED}`), message);
    });

    it('is not denied for that of a place where nobody of the policy looks', async () => {
      const policies = {
        elsewhere: teamPolicy(registry, { authorities: [curated()] }),
        own: teamPolicy(registry, { validationActions: ['Audit'] }),
      };
      const controller = await start({}, { policies });
      const model = pushModel(registry);
      sign(there(model));
      registry.setFault(({ path }) =>
        path.startsWith(`/v2/${model.repository}/referrers/`) ? { status: 500 } : undefined,
      );
      const answer = await expectAllowed(controller, review(model));
      const { findings } = recordOf(controller, answer);
      assert.deepEqual([...new Set(findings.map(({ reason }) => reason))], ['RegistryUnavailable']);
    });

    it('holds a repository that does not exist for one without signatures', async () => {
      const controller = await start({ authorities: [curated(`${registry.address}/no/such`)] });
      const model = pushSigned(registry);
      await expectDenied(controller, review(model), { code: 403, reasons: ['SignatureMissing'] });
    });

    it('leads to no address that a reference may not lead to', async () => {
      const controller = await start({ authorities: [curated('169.254.169.254/curated')] });
      const model = pushModel(registry);
      await expectDenied(controller, review(model), { code: 503, reasons: ['RegistryUnavailable'] });
    });
  });

  describe('with pull secrets', () => {
    let closed: RegistryHandle;

    beforeEach(async () => {
      closed = await startRegistry({ auth: ACCOUNT });
      running.push({ stop: () => closed.close() });
    });

    const toSecret = (auths: object, namespace = SYSTEM): Material => ({
      [`Secret/${namespace}/curated-pull`]: { '.dockerconfigjson': JSON.stringify({ auths }) },
    });
    const startWith = (material: Material, pullSecrets?: object): Promise<Controller> =>
      start(
        {
          models: [{ glob: `${registry.address}/**` }, { glob: `${closed.address}/**` }],
          authorities: [
            curated(undefined, {
              signatureRepository: { repository: `${closed.address}/${CURATED}`, ...pullSecrets },
            }),
          ],
        },
        {
          material,
          access: { 'plain-http': [registry.address, closed.address] },
          pullSecrets: {
            readSecret: () => Promise.resolve({ ok: false, problem: 'was asked for' }),
            readServiceAccount: () => Promise.resolve({ ok: true, names: ['of-the-pod'] }),
          },
        },
      );
    const NAMED = { pullSecrets: [{ name: 'curated-pull' }] };
    const signThere = (model: PackedModel): void =>
      void attachBundle(closed, there(model), signBundleWithKey(cosignSignStatement(model.digest), TEAM_KEY));

    it('reads the repository with them', async () => {
      const controller = await startWith(toSecret({ [closed.address]: ACCOUNT }), NAMED);
      const model = pushModel(registry);
      signThere(model);
      await expectAllowed(controller, review(model));
    });

    it('uses them for no other repository of that registry', async () => {
      const controller = await startWith(toSecret({ [closed.address]: ACCOUNT }), NAMED);
      const model = packModel(closed, 'team/closed', FILES);
      signThere(model);
      await expectDenied(controller, review(model), { code: 503, reasons: ['RegistryUnauthorized'] });
    });

    it('says that the registry refused, and asks for no Secret of the pod', async () => {
      const controller = await startWith({});
      const model = pushModel(registry);
      signThere(model);
      const { message } = await expectDenied(controller, review(model), {
        code: 503,
        reasons: ['RegistryUnauthorized'],
      });
      assert.doesNotMatch(message, /was asked for/);
    });

    // The volume pods of these reviews are of namespace default.
    const startTenant = async (material: Material, pullSecrets: object = {}): Promise<Controller> => {
      const configPath = join(mkdtempSync(join(tmpdir(), 'model-policy-')), 'config.json');
      writeFileSync(configPath, JSON.stringify({ auths: { [closed.address]: toAuth(ACCOUNT) } }));
      const signatureRepository = { repository: `${closed.address}/${CURATED}`, ...pullSecrets };
      const controller = await startController({
        registry,
        policies: { team: teamPolicy(registry, { authorities: [{ name: 'delegated', tenant: {} }] }) },
        modelPolicies: {
          'default/own': teamPolicy(registry, { authorities: [curated(undefined, { signatureRepository })] }),
        },
        material,
        access: { 'plain-http': [registry.address, closed.address], 'registry-config': configPath },
      });
      running.push(controller, {
        stop: async () => rm(dirname(configPath), { recursive: true }),
      });
      return controller;
    };

    it('are read in the namespace of a ModelPolicy, for it alone', async () => {
      const model = pushModel(registry);
      signThere(model);
      const material = toSecret({ [closed.address]: ACCOUNT }, 'default');
      const controller = await startTenant(material, NAMED);
      await expectAllowed(controller, review(model));
      const elsewhere = await startTenant(toSecret({ [closed.address]: ACCOUNT }), NAMED);
      await expectDenied(elsewhere, review(model), {
        code: 403,
        reasons: ['AuthoritiesNotSatisfied', 'CredentialsUnavailable'],
      });
    });

    it('are not the controller’s where a ModelPolicy names none', async () => {
      const model = pushModel(registry);
      signThere(model);
      const controller = await startTenant({});
      await expectDenied(controller, review(model), {
        code: 403,
        reasons: ['AuthoritiesNotSatisfied', 'RegistryUnauthorized'],
      });
    });

    for (const [what, material] of [
      ['is missing', {}],
      ['is for another repository', toSecret({ 'other.example.test': ACCOUNT })],
    ] as const)
      it(`denies what the policy selects while the Secret ${what}, and asks nobody`, async () => {
        const controller = await startWith(material, NAMED);
        const model = pushModel(registry);
        await expectDenied(controller, review(model), { code: 503, reasons: ['CredentialsUnavailable'] });
        assert.deepEqual(closed.requests, []);
      });
  });
});

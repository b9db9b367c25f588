// Does a pod get in exactly when logs, timestamp authorities and witnesses saw what its policy wants them to have seen?
// One story each, over HTTPS and a registry.
import { attachBundle, type PackedModel } from '../../src/demo/artifacts.ts';
import { certificatePem } from '../../src/demo/certificate.ts';
import { generateSigningKey } from '../../src/demo/keys.ts';
import { startRegistry, type RegistryHandle } from '../../src/demo/registry.ts';
import { signBundleWithKey } from '../../src/demo/sign-with-key.ts';
import { attachSimpleSignatures } from '../../src/demo/signature-tag.ts';
import { createSigstore, type Sigstore } from '../../src/demo/sigstore.ts';
import { signSimple, signSimpleLogged, simpleSigningPayload } from '../../src/demo/simple-signing.ts';
import { cosignSignStatement } from '../../src/demo/statement.ts';
import { createWitness } from '../../src/demo/witness.ts';
import { sha256Hex } from '../../src/lib/digest.ts';
import type { DenialReason } from '../../src/reason.ts';
import { createPki, SIGNER, signAs, signWith, withSeen } from '../signature/pki.ts';
import { cosign } from '../signature/support.ts';
import { pushModel, startController, teamPolicy, TEAM_KEY, type Controller } from '../support/controller.ts';
import { expectAllowed, expectDenied } from '../support/expect.ts';
import { reviewOf, volumePod } from '../support/review.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const ago = (days: number): Date => new Date(Date.now() - days * DAY_MS);

describe('a policy whose signatures others must have seen', () => {
  let registry: RegistryHandle;
  let sigstore: Sigstore;
  let controller: Controller | undefined;

  before(async () => {
    sigstore = await createSigstore({ rekor: 'v1' });
  });
  beforeEach(async () => {
    registry = await startRegistry();
  });
  afterEach(async () => {
    await controller?.stop();
    await registry.close();
  });

  async function start(
    authority: object,
    { trustRoot = {}, ...overrides }: { readonly trustRoot?: object; readonly validations?: object[] } = {},
  ): Promise<void> {
    controller = await startController({
      registry,
      policies: {
        team: teamPolicy(registry, { authorities: [{ name: 'team', ...authority }], ...overrides }),
      },
      trustRoots: { private: { trustedRoot: { json: sigstore.trustedRootJson() }, ...trustRoot } },
    });
  }
  const keyed = (more: object): object => ({
    key: { pem: TEAM_KEY.publicKeyPem, trustRootRef: { name: 'private' }, ...more },
  });

  async function allows({ reference }: PackedModel): Promise<void> {
    if (controller === undefined) throw new Error('no controller was started');
    await expectAllowed(controller, reviewOf(volumePod(reference)));
  }
  async function denies({ reference }: PackedModel, reason: DenialReason): Promise<void> {
    if (controller === undefined) throw new Error('no controller was started');
    await expectDenied(controller, reviewOf(volumePod(reference)), { code: 403, reasons: [reason] });
  }
  const push = (sign: (statement: object) => object): PackedModel => {
    const model = pushModel(registry);
    attachBundle(registry, model, sign(cosignSignStatement(model.digest)));
    return model;
  };
  const pushLogged = async (alter: (bundle: object) => object = (bundle) => bundle): Promise<PackedModel> => {
    const model = pushModel(registry);
    const bundle = await sigstore.signLogged(cosignSignStatement(model.digest), TEAM_KEY);
    attachBundle(registry, model, alter(bundle));
    return model;
  };

  it('admits a key’s signature that the log knows, and not one that it does not', async () => {
    await start(keyed({ minLogEntries: 1 }), {
      validations: [
        { expression: "signatures.all(s, has(s.existedBy) && s.logs[0].origin.startsWith('https://rekor'))" },
      ],
    });
    await allows(await pushLogged());
    await denies(
      push((statement) => signBundleWithKey(statement, TEAM_KEY)),
      'TransparencyLogInvalid',
    );
  });

  it('admits a cosign 2 signature of a key with a trusted time, and not one without', async () => {
    await start(keyed({ minTimestamps: 1 }));
    const [seen, unseen] = [pushModel(registry), pushModel(registry)];
    const payloadOf = ({ digest }: PackedModel): Buffer => simpleSigningPayload(digest);
    attachSimpleSignatures(registry, seen, [signSimpleLogged(sigstore, payloadOf(seen), TEAM_KEY)]);
    attachSimpleSignatures(registry, unseen, [signSimple(payloadOf(unseen), TEAM_KEY)]);
    await allows(seen);
    await denies(unseen, 'TimestampInvalid');
  });

  it('denies what a revoked key signed, although the log knows it', async () => {
    const model = await pushLogged();
    const der = TEAM_KEY.publicKey.export({ type: 'spki', format: 'der' });
    await start(keyed({ minLogEntries: 1 }), {
      trustRoot: { revoked: [{ spki: sha256Hex(der), reason: 'stolen' }] },
    });
    await denies(model, 'Revoked');
  });

  it('admits a private PKI’s signature after its certificate ended, when it was timestamped before', async () => {
    const pki = createPki();
    await start({
      certificate: {
        roots: { pem: certificatePem(pki.root.certificate) },
        identities: [{ subjectURI: SIGNER }],
        trustRootRef: { name: 'private' },
        minTimestamps: 1,
      },
    });
    const key = generateSigningKey('p256');
    const { leaf } = signAs(pki.intermediate, {
      publicKey: key.publicKey,
      notBefore: ago(60),
      notAfter: ago(30),
    });
    const chain = [leaf, pki.intermediate.certificate];
    const stamped =
      (at: Date) =>
      (statement: object): object =>
        withSeen(signWith(key, chain, statement), {
          stamps: [(signature) => sigstore.timestampAuthority.timestamp(signature, at)],
        });
    await allows(push(stamped(ago(45))));
    await denies(push(stamped(ago(10))), 'CertificateInvalid');
    await denies(
      push((statement) => signWith(key, chain, statement)),
      'TimestampInvalid',
    );
  });

  it('counts log entries that enough witnesses cosigned, and shows rules who did', async () => {
    const [one, two] = [createWitness('one.test'), createWitness('two.test')];
    await start(keyed({ minLogEntries: 1 }), {
      trustRoot: {
        requirements: { witnesses: 1 },
        witnesses: [one, two].map(({ name, verifierKey }) => ({ name, key: verifierKey })),
      },
      validations: [{ expression: "signatures.exists(s, s.logs.exists(l, 'one.test' in l.witnesses))" }],
    });
    await allows(await pushLogged((bundle) => cosign(bundle, one)));
    await allows(await pushLogged((bundle) => cosign(bundle, two, one)));
    await denies(await pushLogged((bundle) => cosign(bundle, two)), 'RuleViolated');
    await denies(await pushLogged(), 'TransparencyLogInvalid');
    const impostor = createWitness('one.test');
    await denies(await pushLogged((bundle) => cosign(bundle, impostor)), 'TransparencyLogInvalid');
  });
});

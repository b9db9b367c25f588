// Does everybody count once? Thresholds of authorities and of observers against one party that shows up twice.
import assert from 'node:assert/strict';
import { generateSigningKey } from '../../src/demo/keys.ts';
import { startRegistry, type RegistryHandle } from '../../src/demo/registry.ts';
import { signBundleWithKey } from '../../src/demo/sign-with-key.ts';
import { createSigstore, type Identity, type Sigstore } from '../../src/demo/sigstore.ts';
import type { LogEntry } from '../../src/demo/transparency-log.ts';
import { createTimestampAuthority } from '../../src/demo/timestamp-authority.ts';
import { change, logElsewhere, valueAt, type Json, type Path } from '../signature/support.ts';
import { startController, TEAM_KEY, type Controller } from '../support/controller.ts';
import { expectAllowed, expectDenied } from '../support/expect.ts';
import {
  ALICE,
  keylessAuthority,
  pinned,
  policyOf,
  pushSignedBy,
  startKeyless,
  TRUST_ROOT,
  trustedRootOf,
  type Sign,
} from '../support/keyless.ts';
import { reviewOf, volumePod } from '../support/review.ts';

const ENTRIES: Path = ['verificationMaterial', 'tlogEntries'];
const STAMPS: Path = ['verificationMaterial', 'timestampVerificationData', 'rfc3161Timestamps'];
const BOB: Identity = { ...ALICE, subject: 'bob@models.test' };
const entryOf = (bundle: object): LogEntry => valueAt(bundle, [...ENTRIES, 0]) as unknown as LogEntry;

describe('a threshold (fault 14)', () => {
  let registry: RegistryHandle;
  let sigstore: Sigstore;
  let controllers: Controller[];

  before(async () => {
    registry = await startRegistry();
    sigstore = await createSigstore();
  });
  beforeEach(() => {
    controllers = [];
  });
  afterEach(() => Promise.all(controllers.map((controller) => controller.stop())));
  after(() => registry.close());

  const keep = async (starting: Promise<Controller>): Promise<Controller> => {
    const controller = await starting;
    controllers.push(controller);
    return controller;
  };
  const by =
    (identity: Identity): Sign =>
    (statement) =>
      sigstore.signKeyless(statement, identity);
  const reviewOfSigned = async (...ways: readonly Sign[]): Promise<object> =>
    reviewOf(volumePod((await pushSignedBy(registry, ...ways)).reference));

  describe('of two authorities', () => {
    const ONE = { code: 403, reasons: ['AuthoritiesNotSatisfied'] } as const;
    // Both patterns take either of them.
    const anybody = { identities: [{ issuer: ALICE.issuer, subjectRegExp: '(?:alice|bob)@models\\.test' }] };
    const startTwo = (authorities: readonly object[]): Promise<Controller> =>
      keep(
        startController({
          registry,
          policies: { two: policyOf(registry, authorities, { minAuthorities: 2 }) },
          trustRoots: { [TRUST_ROOT]: pinned(sigstore.trustedRootJson()) },
        }),
      );

    it('is met by two signers', async () => {
      const controller = await startTwo([
        keylessAuthority(anybody, 'first'),
        keylessAuthority(anybody, 'second'),
      ]);
      await expectAllowed(controller, await reviewOfSigned(by(ALICE), by(BOB)));
    });

    it('14: counts one identity once, however often it signed', async () => {
      const controller = await startTwo([
        keylessAuthority(anybody, 'first'),
        keylessAuthority(anybody, 'second'),
      ]);
      const { message } = await expectDenied(controller, await reviewOfSigned(by(ALICE), by(ALICE)), ONE);
      assert.match(
        message,
        /1 of 2 required authorities are satisfied by distinct signers; collect the missing/,
      );
    });

    it('14: counts one key once, whichever keys stand beside it', async () => {
      const [first, second] = [generateSigningKey('p256'), generateSigningKey('p256')];
      const keys = (name: string, ...pems: readonly string[]): object => ({
        name,
        key: { pem: pems.join('') },
      });
      const controller = await startTwo([
        keys('red', TEAM_KEY.publicKeyPem, first.publicKeyPem),
        keys('blue', second.publicKeyPem),
      ]);
      const sign: Sign = (statement) => signBundleWithKey(statement, TEAM_KEY);
      const both = [sign, (statement: object): object => signBundleWithKey(statement, first)];
      await expectDenied(controller, await reviewOfSigned(sign, sign), {
        code: 403,
        reasons: ['AuthoritiesNotSatisfied', 'SignerNotTrusted'],
      });
      await expectDenied(controller, await reviewOfSigned(...both), {
        code: 403,
        reasons: ['AuthoritiesNotSatisfied', 'SignerNotTrusted'],
      });
      const third: Sign = (statement) => signBundleWithKey(statement, second);
      await expectAllowed(controller, await reviewOfSigned(sign, third));
    });

    it('14: is refused as a policy when one key stands in both', async () => {
      const key = { pem: TEAM_KEY.publicKeyPem };
      const controller = await startTwo([
        { name: 'red', key },
        { name: 'blue', key },
      ]);
      const review = await reviewOfSigned((statement) => signBundleWithKey(statement, TEAM_KEY));
      const { message } = await expectDenied(controller, review, { code: 403, reasons: ['PolicyInvalid'] });
      assert.match(
        message,
        /two authorities have the same key, which cannot count twice; correct the policy/,
      );
    });
  });

  describe('of two logs', () => {
    const ONE = { code: 403, reasons: ['TransparencyLogInvalid'] } as const;
    const needsTwo = { trust: { requirements: { logEntries: 2 } } };
    const problem = /it has entries of 1 logs that TrustRoot "private" knows, 2 are required/;

    it('14: counts one log once: the same entry twice, and two entries', async () => {
      const controller = await keep(startKeyless(registry, sigstore.trustedRootJson(), needsTwo));
      const raised = await keep(
        startKeyless(registry, sigstore.trustedRootJson(), {
          authorities: [keylessAuthority({ minLogEntries: 2 })],
        }),
      );
      const copied = await reviewOfSigned(async (statement) => {
        const bundle = await sigstore.signKeyless(statement, ALICE);
        return change(bundle, ENTRIES, [entryOf(bundle), entryOf(bundle)]);
      });
      const logged = await reviewOfSigned(async (statement) => {
        const bundle = await sigstore.signKeyless(statement, ALICE);
        const body = Buffer.from(`${Buffer.from(entryOf(bundle).canonicalizedBody, 'base64').toString()} `);
        const again = sigstore.log.append({ ...entryOf(bundle).kindVersion, body }, new Date());
        return change(bundle, ENTRIES, [entryOf(bundle), again]);
      });
      for (const one of [controller, raised]) {
        assert.match((await expectDenied(one, copied, ONE)).message, /it has the same log entry twice/);
        assert.match((await expectDenied(one, logged, ONE)).message, problem);
      }
    });

    it('14: counts two logs of one operator once, and of two operators twice', async () => {
      const model = await sigstore.signKeyless({}, ALICE);
      const { log } = logElsewhere(entryOf(model), 'https://rekor2.models.test');
      const review = await reviewOfSigned(async (statement) => {
        const bundle = await sigstore.signKeyless(statement, ALICE);
        const body = Buffer.from(entryOf(bundle).canonicalizedBody, 'base64');
        const second = log.append({ ...entryOf(bundle).kindVersion, body }, new Date());
        return change(bundle, ENTRIES, [entryOf(bundle), second]);
      });
      const json = JSON.parse(trustedRootOf(sigstore, { logs: [sigstore.log, log] })) as object;
      const operatedBy = (...operators: readonly string[]): object =>
        operators.reduce<object>(
          (root, operator, index) => change(root, ['tlogs', index, 'operator'], operator),
          json,
        );
      for (const root of [json, operatedBy('acme.test', 'acme.test')]) {
        const controller = await keep(startKeyless(registry, root, needsTwo));
        assert.match((await expectDenied(controller, review, ONE)).message, problem);
      }
      const two = await keep(startKeyless(registry, operatedBy('acme.test', 'other.test'), needsTwo));
      await expectAllowed(two, review);
    });
  });

  it('14: of two times counts one authority once, and two of one operator', async () => {
    const second = createTimestampAuthority('https://tsa2.models.test', 'tsa2');
    const json = JSON.parse(
      trustedRootOf(sigstore, { timestampAuthorities: [sigstore.timestampAuthority, second] }),
    ) as object;
    const stampedBy = (...authorities: readonly (typeof second)[]): Promise<object> =>
      reviewOfSigned(async (statement) => {
        const bundle = await sigstore.signKeyless(statement, ALICE);
        const signature = Buffer.from(
          valueAt(bundle, ['dsseEnvelope', 'signatures', 0, 'sig']) as string,
          'base64',
        );
        const stamps = authorities.map((authority, index): Json => ({
          signedTimestamp: authority
            .timestamp(signature, new Date(Date.now() + index * 1000))
            .toString('base64'),
        }));
        return change(bundle, STAMPS, stamps);
      });
    const needsTwo = { trust: { requirements: { timestamps: 2 } } };
    const unnamed = await keep(startKeyless(registry, json, needsTwo));
    const ONE = { code: 403, reasons: ['TimestampInvalid'] } as const;
    for (const review of [
      await stampedBy(sigstore.timestampAuthority, sigstore.timestampAuthority),
      await stampedBy(sigstore.timestampAuthority, second),
    ])
      assert.match(
        (await expectDenied(unnamed, review, ONE)).message,
        /it has times of 1 authorities that TrustRoot "private" knows, 2 are required/,
      );
    const named = ['a.test', 'b.test'].reduce<object>(
      (root, operator, index) => change(root, ['timestampAuthorities', index, 'operator'], operator),
      json,
    );
    const two = await keep(startKeyless(registry, named, needsTwo));
    await expectAllowed(two, await stampedBy(sigstore.timestampAuthority, second));
  });
});

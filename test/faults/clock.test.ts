// Does a wrong clock deny, and say that it is the clock? The controller a day behind and ahead, and the clocks of those
// who sign, log and stamp.
import assert from 'node:assert/strict';
import { certificatePem } from '../../src/demo/certificate.ts';
import { identityExtensions } from '../../src/demo/identity-certificate.ts';
import { startRegistry, type RegistryHandle } from '../../src/demo/registry.ts';
import { createSigstore, type Sigstore } from '../../src/demo/sigstore.ts';
import { createTrustStore, type TrustStore } from '../../src/trust/trust-store.ts';
import { createPki, signAs, signWith, SIGNER } from '../signature/pki.ts';
import { startController, type Controller } from '../support/controller.ts';
import { expectAllowed, expectDenied, sumOf } from '../support/expect.ts';
import {
  ALICE,
  pinned,
  policyOf,
  pushSignedBy,
  signCertified,
  TRUST_ROOT,
  type Sign,
} from '../support/keyless.ts';
import { reviewOf, volumePod } from '../support/review.ts';
import { startMirror } from '../trust/tuf-mirror.ts';
import { DAY_MS, TestRepository } from '../trust/tuf-repository.ts';

const MINUTE_MS = 60_000;
const DENIED = { code: 403, reasons: ['TimestampInvalid'] } as const;

describe('a clock (fault 25)', () => {
  let registry: RegistryHandle;
  let offsetMs: number;

  before(async () => {
    registry = await startRegistry();
  });
  beforeEach(() => {
    offsetMs = 0;
  });
  after(() => registry.close());

  const now = (): Date => new Date(Date.now() + offsetMs);
  const pushReview = async (sign: Sign): Promise<() => object> => {
    const { reference } = await pushSignedBy(registry, sign);
    return () => reviewOf(volumePod(reference));
  };

  for (const rekor of ['v1', 'v2'] as const)
    describe(`with Rekor ${rekor}`, () => {
      let sigstore: Sigstore;
      let controller: Controller;

      before(async () => {
        sigstore = await createSigstore({ rekor });
        controller = await startController({
          registry,
          policies: { team: policyOf(registry) },
          trustRoots: { [TRUST_ROOT]: pinned(sigstore.trustedRootJson()) },
          dependencies: { now },
        });
      });
      after(() => controller.stop());

      const signedAt =
        (at: Date): Sign =>
        (statement) =>
          sigstore.signKeyless(statement, ALICE, { at });

      it('25: a day behind is named with what it says, and denies what is signed now', async () => {
        const review = await pushReview(signedAt(new Date()));
        await expectAllowed(controller, review());
        offsetMs = -DAY_MS;
        const { message } = await expectDenied(controller, review(), DENIED);
        const says = new Date(Date.now() - DAY_MS).toISOString().slice(0, 10);
        assert.match(
          message,
          new RegExp(
            `is in the future of this controller's clock, which says ${says}T.*; .*check the clocks`,
          ),
        );
      });

      it('25: may be behind by less than five minutes', async () => {
        const review = await pushReview(signedAt(new Date()));
        offsetMs = -4 * MINUTE_MS;
        await expectAllowed(controller, review());
        offsetMs = -6 * MINUTE_MS;
        await expectDenied(controller, review(), DENIED);
      });

      it('25: a day ahead changes nothing: others say when it was signed', async () => {
        const review = await pushReview(signedAt(new Date()));
        offsetMs = DAY_MS;
        await expectAllowed(controller, review());
      });

      it('25: of the deployment that signs may be a day behind, never a day ahead', async () => {
        await expectAllowed(controller, (await pushReview(signedAt(new Date(Date.now() - DAY_MS))))());
        const ahead = await pushReview(signedAt(new Date(Date.now() + DAY_MS)));
        const { message } = await expectDenied(controller, ahead(), DENIED);
        assert.match(message, /in the future of this controller's clock/);
      });

      it('25: of a certificate log that is a day ahead is named', async () => {
        const { ctLog } = sigstore;
        const ahead = {
          ...sigstore,
          ctLog: {
            ...ctLog,
            sctExtension: (tbs: Buffer, key: Parameters<typeof ctLog.sctExtension>[1], at: Date): Buffer =>
              ctLog.sctExtension(tbs, key, new Date(at.getTime() + DAY_MS)),
          },
        };
        const extensions = identityExtensions(ALICE);
        const review = await pushReview((statement) => signCertified(ahead, statement, { extensions }));
        const { message } = await expectDenied(controller, review(), {
          code: 403,
          reasons: ['CertificateInvalid'],
        });
        assert.match(message, /was logged in the future of this controller’s clock/);
      });
    });

  for (const [what, offset] of [
    ['behind', -DAY_MS],
    ['ahead', DAY_MS],
  ] as const) {
    it(`25: a day ${what} is named where only it says when: certificates of a private PKI`, async () => {
      const { root, intermediate } = createPki();
      const controller = await startController({
        registry,
        policies: {
          pki: policyOf(registry, [
            {
              name: 'pki',
              certificate: {
                roots: { pem: certificatePem(root.certificate) },
                identities: [{ subjectURI: SIGNER }],
              },
            },
          ]),
        },
        dependencies: { now },
      });
      try {
        const notBefore = new Date(Date.now() - 60 * MINUTE_MS);
        const notAfter = new Date(Date.now() + 60 * MINUTE_MS);
        const review = await pushReview((statement) => {
          const { key, leaf } = signAs(intermediate, { notBefore, notAfter });
          return signWith(key, [leaf, intermediate.certificate], statement);
        });
        await expectAllowed(controller, review());
        offsetMs = offset;
        const { message } = await expectDenied(controller, review(), {
          code: 403,
          reasons: ['CertificateInvalid'],
        });
        const says = now().toISOString().slice(0, 10);
        assert.match(message, new RegExp(`is not valid at ${says}T.*, the time of this controller’s clock`));
      } finally {
        await controller.stop();
      }
    });

    it(`25: a day ${what} that of the mirror is in the metrics, and named where trust ends by it`, async () => {
      const sigstore = await createSigstore();
      const repository = new TestRepository(Buffer.from(sigstore.trustedRootJson()));
      const mirror = await startMirror(repository.files);
      // The mirror is right, and this machine is not.
      mirror.clockOffsetMs = -offset;
      let trust: TrustStore | undefined;
      const controller = await startController({
        registry,
        policies: { team: policyOf(registry) },
        trustRoots: {
          [TRUST_ROOT]: {
            tuf: { mirror: mirror.url, root: { json: repository.root.toString('utf8') } },
          },
        },
        openTrust(onRefresh) {
          trust = createTrustStore({ fetch: mirror.fetch, onRefresh });
          return trust;
        },
      });
      try {
        assert.ok(trust);
        await trust.settled();
        const review = await pushReview((statement) => sigstore.signKeyless(statement, ALICE));
        await expectAllowed(controller, review());
        const name = 'model_policy_trust_root_clock_difference_seconds';
        const difference = sumOf(await controller.metrics(), name, { trust_root: TRUST_ROOT });
        assert.ok(Math.abs(difference + offset / 1000) < 60, String(difference));
        repository.expires.timestamp = new Date(Date.now() - MINUTE_MS);
        repository.publishTimestamp();
        await trust.refresh();
        assert.match(
          trust.statuses()[0]?.lastError ?? '',
          /expired .*differ by -?86\d\d\d s: check the clock/,
        );
      } finally {
        await controller.stop();
        await mirror.close();
      }
    });
  }
});

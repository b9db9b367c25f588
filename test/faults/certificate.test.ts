// Does a certificate only count inside its window, and every certificate above it too? Keyless chains, also without a
// log, and private PKIs, whose signatures nobody dates.
import assert from 'node:assert/strict';
import {
  createIntermediateAuthority,
  createRootAuthority,
  type Issuer,
} from '../../src/demo/certificate-authority.ts';
import { certificatePem, KEY_PURPOSE } from '../../src/demo/certificate.ts';
import { identityExtensions } from '../../src/demo/identity-certificate.ts';
import { startRegistry, type RegistryHandle } from '../../src/demo/registry.ts';
import { createSigstore, type KeylessOptions, type Sigstore } from '../../src/demo/sigstore.ts';
import { change } from '../signature/support.ts';
import { createPki, signAs, signWith, SIGNER, type Pki } from '../signature/pki.ts';
import { startController, type Controller } from '../support/controller.ts';
import { expectAllowed, expectDenied } from '../support/expect.ts';
import {
  ALICE,
  policyOf,
  pushSignedBy,
  signCertified,
  startKeyless,
  trustedRootOf,
  type Sign,
} from '../support/keyless.ts';
import { reviewOf, volumePod } from '../support/review.ts';

const INVALID = { code: 403, reasons: ['CertificateInvalid'] } as const;
const MINUTE_MS = 60_000;
const YEAR_MS = 365 * 24 * 60 * MINUTE_MS;
const minutes = (count: number): Date => new Date(Date.now() + count * MINUTE_MS);
const years = (count: number): Date => new Date(Date.now() + count * YEAR_MS);

describe('a certificate (fault 13)', () => {
  let registry: RegistryHandle;

  before(async () => {
    registry = await startRegistry();
  });
  after(() => registry.close());

  const reviewOfSigned = async (sign: Sign): Promise<object> =>
    reviewOf(volumePod((await pushSignedBy(registry, sign)).reference));

  for (const [how, rekor, requirements] of [
    ['with a time of the log', 'v1', undefined],
    ['with a timestamp', 'v2', undefined],
    ['without a log', 'v2', { logEntries: 0, timestamps: 1, certificateTimestamps: 0 }],
  ] as const)
    describe(`of a keyless signature ${how}`, () => {
      let sigstore: Sigstore;
      let controller: Controller;

      before(async () => {
        sigstore = await createSigstore({ rekor });
        controller = await startKeyless(registry, sigstore.trustedRootJson(), { trust: { requirements } });
      });
      after(() => controller.stop());

      const left: KeylessOptions =
        requirements === undefined ? {} : { omitLogEntry: true, certificate: { omitSct: true } };
      const signedIn =
        (notBefore: Date, notAfter: Date): Sign =>
        (statement) =>
          sigstore.signKeyless(statement, ALICE, {
            ...left,
            certificate: { ...left.certificate, notBefore, notAfter },
          });

      it('counts for ever when it was valid at the time of signing', async () => {
        const at = minutes(-600);
        const review = await reviewOfSigned((statement) =>
          sigstore.signKeyless(statement, ALICE, { ...left, at }),
        );
        await expectAllowed(controller, review);
      });

      for (const [what, notBefore, notAfter] of [
        ['ended before', minutes(-20), minutes(-10)],
        ['ended a minute before', minutes(-20), minutes(-1)],
        ['began after', minutes(10), minutes(20)],
        ['ends before it begins, around', minutes(5), minutes(-5)],
      ] as const)
        it(`13: is denied when it ${what} the time of signing`, async () => {
          const review = await reviewOfSigned(signedIn(notBefore, notAfter));
          const { message } = await expectDenied(controller, review, INVALID);
          assert.match(message, /the signing certificate was not valid at \d{4}-\d\d-\d\dT/);
        });

      for (const [what, window] of [
        ['expired', { notBefore: years(-3), notAfter: years(-1) }],
        ['future', { notBefore: years(1), notAfter: years(3) }],
      ] as const)
        it(`13: is denied below an ${what} intermediate or root`, async () => {
          const options = { kind: 'p256', purposes: [KEY_PURPOSE.codeSigning] } as const;
          const root = createRootAuthority('fulcio-root');
          const lateRoot = createRootAuthority('fulcio-root', window);
          for (const authority of [
            createIntermediateAuthority(root, 'fulcio-intermediate', { ...options, ...window }),
            createIntermediateAuthority(lateRoot, 'fulcio-intermediate', options),
          ]) {
            const other = await createSigstore({ rekor });
            const services = { ...other, authority };
            const trusting = await startKeyless(registry, trustedRootOf(services), {
              trust: { requirements },
            });
            try {
              const extensions = identityExtensions(ALICE);
              const review = await reviewOfSigned((statement) =>
                signCertified(services, statement, { extensions }, left),
              );
              const { message } = await expectDenied(trusting, review, INVALID);
              assert.match(message, /the certificate authority was not valid when it was used/);
            } finally {
              await trusting.stop();
            }
          }
        });
    });

  describe('of a private PKI, which has no log', () => {
    let pki: Pki;
    let controller: Controller;

    const start = (root: Issuer, now: () => Date = () => new Date()): Promise<Controller> => {
      const authority = {
        name: 'corporate-pki',
        certificate: {
          roots: { pem: certificatePem(root.certificate) },
          identities: [{ subjectURI: SIGNER }],
        },
      };
      return startController({
        registry,
        policies: { pki: policyOf(registry, [authority]) },
        dependencies: { now },
      });
    };

    before(async () => {
      pki = createPki();
      controller = await start(pki.root);
    });
    after(() => controller.stop());

    const signedBy =
      (issuer: Issuer, request: Parameters<typeof signAs>[1] = {}): Sign =>
      (statement) => {
        const { key, leaf } = signAs(issuer, request);
        return signWith(key, [leaf, ...issuer.chain.slice(0, -1)], statement);
      };

    it('counts while everything is valid', async () => {
      await expectAllowed(controller, await reviewOfSigned(signedBy(pki.intermediate)));
    });

    for (const [what, notBefore, notAfter] of [
      ['expired', years(-3), minutes(-1)],
      ['not yet valid', minutes(600), years(3)],
    ] as const) {
      it(`13: is denied when it is ${what}`, async () => {
        const review = await reviewOfSigned(signedBy(pki.intermediate, { notBefore, notAfter }));
        const { message } = await expectDenied(controller, review, INVALID);
        assert.match(message, /the signing certificate is not valid at \d{4}-\d\d-\d\dT/);
      });

      it(`13: is denied below an intermediate that is ${what}`, async () => {
        const late = createIntermediateAuthority(pki.root, 'late', { notBefore, notAfter });
        const { message } = await expectDenied(controller, await reviewOfSigned(signedBy(late)), INVALID);
        assert.match(message, /one of its issuers is not valid at \d{4}-\d\d-\d\dT/);
      });

      it(`13: is denied below a root that is ${what}`, async () => {
        const late = createRootAuthority('late-root', { notBefore, notAfter });
        const trusting = await start(late);
        try {
          const review = await reviewOfSigned(signedBy(createIntermediateAuthority(late, 'int')));
          const { message } = await expectDenied(trusting, review, INVALID);
          assert.match(message, /one of its issuers is not valid at/);
        } finally {
          await trusting.stop();
        }
      });
    }

    it('13: is denied from the second in which its intermediate ends', async () => {
      const notAfter = new Date(Math.floor(Date.now() / 1000) * 1000 + 3_600_000);
      const ending = createIntermediateAuthority(pki.root, 'ending', { notAfter });
      const { reference } = await pushSignedBy(registry, signedBy(ending));
      let now = new Date(notAfter.getTime() + 999);
      const clocked = await start(pki.root, () => now);
      try {
        await expectAllowed(clocked, reviewOf(volumePod(reference)));
        now = new Date(notAfter.getTime() + 1000);
        await expectDenied(clocked, reviewOf(volumePod(reference)), INVALID);
      } finally {
        await clocked.stop();
      }
    });

    it('13: gains no time from a timestamp that nobody was told to trust', async () => {
      const { timestampAuthority } = await createSigstore();
      const review = await reviewOfSigned((statement) => {
        const bundle = signedBy(pki.intermediate, { notBefore: years(-3), notAfter: years(-1) })(statement);
        const { dsseEnvelope } = bundle as { dsseEnvelope: { signatures: readonly [{ sig: string }] } };
        const signature = Buffer.from(dsseEnvelope.signatures[0].sig, 'base64');
        const signedTimestamp = timestampAuthority.timestamp(signature, years(-2)).toString('base64');
        const data = { rfc3161Timestamps: [{ signedTimestamp }] };
        return change(bundle, ['verificationMaterial', 'timestampVerificationData'], data);
      });
      await expectDenied(controller, review, INVALID);
    });
  });
});

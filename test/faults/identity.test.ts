// Is a signer only let in under the exact name that the policy gives? Valid chains of the trusted CA with other names.
import assert from 'node:assert/strict';
import { identityExtensions, type Identity } from '../../src/demo/identity-certificate.ts';
import { extension } from '../../src/demo/certificate.ts';
import * as der from '../../src/demo/der.ts';
import { startRegistry, type RegistryHandle } from '../../src/demo/registry.ts';
import { createSigstore, type Sigstore } from '../../src/demo/sigstore.ts';
import type { Controller } from '../support/controller.ts';
import { expectAllowed, expectDenied } from '../support/expect.ts';
import { ALICE, keylessAuthority, pushSignedBy, signCertified, startKeyless } from '../support/keyless.ts';
import { reviewOf, volumePod } from '../support/review.ts';

const MISMATCH = { code: 403, reasons: ['IdentityMismatch'] } as const;

const named = (...names: readonly string[]): Buffer =>
  extension(
    '2.5.29.17',
    der.sequence(...names.map((name) => der.taggedPrimitive(1, Buffer.from(name)))),
    true,
  );

describe('an identity (faults 9 and 10)', () => {
  let registry: RegistryHandle;
  let sigstore: Sigstore;
  let exact: Controller;
  let pattern: Controller;

  before(async () => {
    registry = await startRegistry();
    sigstore = await createSigstore();
    exact = await startKeyless(registry, sigstore.trustedRootJson());
    const identities = [
      { issuerRegExp: 'https://idp\\.models\\.test', subjectRegExp: 'alice@models\\.test|al.*@ops\\.test' },
    ];
    pattern = await startKeyless(registry, sigstore.trustedRootJson(), {
      authorities: [keylessAuthority({ identities })],
    });
  });
  after(async () => {
    await exact.stop();
    await pattern.stop();
    await registry.close();
  });

  const reviewBy = async (identity: Identity): Promise<object> => {
    const sign = (statement: object): Promise<object> => sigstore.signKeyless(statement, identity);
    return reviewOf(volumePod((await pushSignedBy(registry, sign)).reference));
  };

  const reviewWith = async (extensions: readonly Buffer[]): Promise<object> => {
    const sign = (statement: object): object => signCertified(sigstore, statement, { extensions });
    return reviewOf(volumePod((await pushSignedBy(registry, sign)).reference));
  };

  it('is admitted under the very name, exact or as a pattern', async () => {
    await expectAllowed(exact, await reviewBy(ALICE));
    await expectAllowed(pattern, await reviewBy(ALICE));
    await expectAllowed(pattern, await reviewBy({ ...ALICE, subject: 'albert@ops.test' }));
    await expectAllowed(exact, await reviewWith(identityExtensions(ALICE)));
  });

  for (const subject of [
    'bob@models.test',
    'alice@models.test.evil.test',
    'malice@models.test',
    'Alice@models.test',
    'alice@modelsXtest',
    'https://models.test/alice@models.test',
    'al@ops.test.evil.test',
  ])
    it(`9: is denied with a valid chain and the wrong name ${subject}`, async () => {
      const review = await reviewBy({ ...ALICE, subject });
      for (const controller of [exact, pattern]) {
        const { message } = await expectDenied(controller, review, MISMATCH);
        assert.ok(message.includes(`it is signed by "${subject}" of issuer "${ALICE.issuer}"`), message);
        assert.match(message, /authority "alice" does not name; sign with an identity that the policy names/);
      }
    });

  for (const [what, extensions, problem] of [
    ['the right name beside another one', [named(ALICE.subject, 'bob@models.test')], /exactly one subject/],
    [
      'the right name before another one',
      [named(ALICE.subject), named('bob@models.test')],
      /2\.5\.29\.17 twice/,
    ],
    ['no name at all', [], /names no subject/],
  ] as const)
    it(`9: is denied with ${what}`, async () => {
      const [usage, purposes, , ...issuers] = identityExtensions(ALICE);
      assert.ok(usage && purposes);
      const review = await reviewWith([usage, purposes, ...extensions, ...issuers]);
      const { message } = await expectDenied(exact, review, { code: 403, reasons: ['CertificateInvalid'] });
      assert.match(message, problem);
    });

  for (const issuer of [
    'https://idp.models.test/',
    'https://idp.models.test.evil.test',
    'http://idp.models.test',
    'https://IDP.models.test',
    'https://github.com/login/oauth',
  ])
    it(`10: is denied with the right name by the wrong issuer ${issuer}`, async () => {
      const review = await reviewBy({ ...ALICE, issuer });
      for (const controller of [exact, pattern]) {
        const { message } = await expectDenied(controller, review, MISMATCH);
        assert.ok(message.includes(`of issuer "${issuer}"`), message);
      }
    });

  for (const first of [ALICE.issuer, 'https://evil.test'])
    it(`10: is denied when its certificate names two issuers, ${first} first`, async () => {
      const second = first === ALICE.issuer ? 'https://evil.test' : ALICE.issuer;
      const [usage, purposes, name, raw] = identityExtensions({ ...ALICE, issuer: first });
      const [, , , , text] = identityExtensions({ ...ALICE, issuer: second });
      assert.ok(usage && purposes && name && raw && text);
      const review = await reviewWith([usage, purposes, name, raw, text]);
      const { message } = await expectDenied(exact, review, { code: 403, reasons: ['CertificateInvalid'] });
      assert.match(message, /has two OIDC issuers/);
    });

  it('10: is denied when name and issuer stand in different identities of the policy', async () => {
    const identities = [
      { issuer: 'https://other.test', subject: ALICE.subject },
      { issuer: ALICE.issuer, subject: 'bob@models.test' },
    ];
    const controller = await startKeyless(registry, sigstore.trustedRootJson(), {
      authorities: [keylessAuthority({ identities })],
    });
    try {
      await expectDenied(controller, await reviewBy(ALICE), MISMATCH);
    } finally {
      await controller.stop();
    }
  });
});

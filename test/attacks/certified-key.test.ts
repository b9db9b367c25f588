// Can one key be two signers? It signs as itself and, certified by the trust root's CA, as an identity.
import { startRegistry, type RegistryHandle } from '../../src/demo/registry.ts';
import { identityExtensions } from '../../src/demo/identity-certificate.ts';
import { generateSigningKey } from '../../src/demo/keys.ts';
import { createSigstore } from '../../src/demo/sigstore.ts';
import { signBundleWithKey } from '../../src/demo/sign-with-key.ts';
import { startController, TEAM_KEY } from '../support/controller.ts';
import { expectAllowed, expectDenied } from '../support/expect.ts';
import {
  ALICE,
  keylessAuthority,
  pinned,
  policyOf,
  pushSignedBy,
  signCertified,
  TRUST_ROOT,
  type Sign,
} from '../support/keyless.ts';
import { reviewOf, volumePod } from '../support/review.ts';

describe('a managed key with a certificate', () => {
  let registry: RegistryHandle;
  before(async () => {
    registry = await startRegistry();
  });
  after(() => registry.close());

  it('is one signer, as key and as identity', async () => {
    const sigstore = await createSigstore();
    const authorities = [{ name: 'key', key: { pem: TEAM_KEY.publicKeyPem } }, keylessAuthority()];
    const controller = await startController({
      registry,
      policies: { two: policyOf(registry, authorities, { minAuthorities: 2 }) },
      trustRoots: { [TRUST_ROOT]: pinned(sigstore.trustedRootJson()) },
    });
    const asKey: Sign = (statement) => signBundleWithKey(statement, TEAM_KEY);
    const asAlice =
      (key = generateSigningKey('p256')): Sign =>
      (statement) =>
        signCertified(sigstore, statement, { extensions: identityExtensions(ALICE), key });
    const reviewFor = async (...ways: readonly Sign[]): Promise<object> =>
      reviewOf(volumePod((await pushSignedBy(registry, ...ways)).reference));
    await expectAllowed(controller, await reviewFor(asKey, asAlice()));
    await expectDenied(controller, await reviewFor(asKey, asAlice(TEAM_KEY)), {
      code: 403,
      reasons: ['AuthoritiesNotSatisfied'],
    });
    await controller.stop();
  });
});

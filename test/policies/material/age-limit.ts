// Signed lately, long ago, long ago and again; and by a retired key, with timestamps from before and after its end.
import { attachBundle } from '../../../src/demo/artifacts.ts';
import { generateSigningKey } from '../../../src/demo/keys.ts';
import { createSigstore } from '../../../src/demo/sigstore.ts';
import { cosignSignStatement } from '../../../src/demo/statement.ts';
import { configMap, trustRoot, type PolicyMaterial } from '../recorder.ts';
import { packPlain, RELEASE_WORKFLOW, signAs, signByKey } from './models.ts';

const LONG_AGO = new Date('2026-02-01T09:00:00Z');
const AFTER_THE_END = new Date('2026-09-01T09:00:00Z');

/** Material of policies/age-limit. */
export const AGE_LIMIT: PolicyMaterial = {
  policy: 'age-limit',
  make: async (kit) => {
    const sigstore = await createSigstore();
    const retired = generateSigningKey('p256');
    const released = { sigstore, identity: RELEASE_WORKFLOW };
    const stamp = async (name: string, at: Date): Promise<void> => {
      const model = packPlain(kit, name);
      const bundle = await sigstore.signLogged(cosignSignStatement(model.digest), retired, { at });
      attachBundle(kit.registry, model, bundle);
    };
    await signAs(kit, packPlain(kit, 'fresh'), released);
    await signAs(kit, packPlain(kit, 'stale'), { ...released, at: LONG_AGO });
    const claims = { ...RELEASE_WORKFLOW.claims, sourceRepositoryIdentifier: '987654321' };
    await signAs(kit, packPlain(kit, 'taken-over-name'), {
      sigstore,
      identity: { ...RELEASE_WORKFLOW, claims },
    });
    const owner = { ...RELEASE_WORKFLOW.claims, sourceRepositoryOwnerIdentifier: '7654321' };
    await signAs(kit, packPlain(kit, 'other-owner'), {
      sigstore,
      identity: { ...RELEASE_WORKFLOW, claims: owner },
    });
    const again = packPlain(kit, 'signed-again');
    await signAs(kit, again, { ...released, at: LONG_AGO });
    await signAs(kit, again, released);
    await stamp('retired-key-in-time', LONG_AGO);
    await stamp('retired-key-too-late', AFTER_THE_END);
    signByKey(kit, packPlain(kit, 'retired-key-without-time'), retired);
    return [
      trustRoot('public-good', sigstore.trustedRootJson()),
      configMap('model-signing-keys', { 'retired.pub': retired.publicKeyPem }),
    ];
  },
};

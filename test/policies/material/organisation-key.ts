// Signed by the key of today and the next one, by the key before them, and by a stranger's.
import { generateSigningKey } from '../../../src/demo/keys.ts';
import { signSimple, simpleSigningPayload } from '../../../src/demo/simple-signing.ts';
import { attachSimpleSignatures } from '../../../src/demo/signature-tag.ts';
import { configMap, type PolicyMaterial } from '../recorder.ts';
import { packPlain, signByKey } from './models.ts';

/** Material of policies/organisation-key. */
export const ORGANISATION_KEY: PolicyMaterial = {
  policy: 'organisation-key',
  make: async (kit) => {
    const [current, next] = [generateSigningKey('p256'), generateSigningKey('ed25519')];
    signByKey(kit, packPlain(kit, 'current-key'), current);
    signByKey(kit, packPlain(kit, 'next-key'), next);
    signByKey(kit, packPlain(kit, 'retired-key'), generateSigningKey('p256'));
    const old = packPlain(kit, 'signed-by-cosign-2');
    attachSimpleSignatures(kit.registry, old, [signSimple(simpleSigningPayload(old.digest), current)]);
    packPlain(kit, 'unsigned');
    return [configMap('model-signing-keys', { 'release.pub': current.publicKeyPem + next.publicKeyPem })];
  },
};

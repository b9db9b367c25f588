// Signed by a classical key, a post-quantum one, both, or one of them twice.
import { generateSigningKey } from '../../../src/demo/keys.ts';
import { configMap, type PolicyMaterial } from '../recorder.ts';
import { packPlain, signByKey } from './models.ts';

/** Material of policies/hybrid-post-quantum. */
export const HYBRID_POST_QUANTUM: PolicyMaterial = {
  policy: 'hybrid-post-quantum',
  make: async (kit) => {
    const [classical, postQuantum] = [generateSigningKey('p256'), generateSigningKey('mldsa65')];
    signByKey(kit, packPlain(kit, 'signed-by-both'), classical, postQuantum);
    signByKey(kit, packPlain(kit, 'classical-only'), classical);
    signByKey(kit, packPlain(kit, 'classical-twice'), classical, classical);
    signByKey(kit, packPlain(kit, 'post-quantum-only'), postQuantum);
    packPlain(kit, 'unsigned');
    const data = { 'classical.pub': classical.publicKeyPem, 'post-quantum.pub': postQuantum.publicKeyPem };
    return [configMap('model-signing-keys', data)];
  },
};

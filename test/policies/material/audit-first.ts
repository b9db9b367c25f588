// A model that the key signed, and one that nobody did.
import { generateSigningKey } from '../../../src/demo/keys.ts';
import { configMap, type PolicyMaterial } from '../recorder.ts';
import { packPlain, signByKey } from './models.ts';

/** Material of policies/audit-first. */
export const AUDIT_FIRST: PolicyMaterial = {
  policy: 'audit-first',
  make: async (kit) => {
    const key = generateSigningKey('p256');
    signByKey(kit, packPlain(kit, 'signed'), key);
    packPlain(kit, 'unsigned');
    return [configMap('model-signing-keys', { 'release.pub': key.publicKeyPem })];
  },
};

// Signed by the Sigstore inside, and by one that the pinned root does not know.
import { createSigstore, type Identity } from '../../../src/demo/sigstore.ts';
import { configMap, type PolicyMaterial } from '../recorder.ts';
import { packPlain, signAs } from './models.ts';

const RELEASE: Identity = {
  issuer: 'https://oidc.acme.example',
  subject: 'https://git.acme.example/models/release@v1.4.0',
};

/** Material of policies/air-gap. */
export const AIR_GAP: PolicyMaterial = {
  policy: 'air-gap',
  make: async (kit) => {
    const [inside, outside] = [await createSigstore(), await createSigstore()];
    await signAs(kit, packPlain(kit, 'signed-inside'), { sigstore: inside, identity: RELEASE });
    await signAs(kit, packPlain(kit, 'signed-outside'), { sigstore: outside, identity: RELEASE });
    packPlain(kit, 'unsigned');
    return [configMap('sigstore-trust', { 'trusted_root.json': inside.trustedRootJson() })];
  },
};

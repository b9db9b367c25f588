// Sizes that only manifests claim: nobody fetches the layers.
import { generateSigningKey } from '../../../src/demo/keys.ts';
import { configMap, type PolicyMaterial } from '../recorder.ts';
import { signByKey } from './models.ts';

const GIB_BYTES = 1024 ** 3;

/** Material of policies/size-limit. */
export const SIZE_LIMIT: PolicyMaterial = {
  policy: 'size-limit',
  make: async (kit) => {
    const key = generateSigningKey('p256');
    const pack = (name: string, ...sizes: readonly number[]): void => {
      const layers = sizes.map((size, n) => ({
        title: `model-${n + 1}.safetensors`,
        size: size * GIB_BYTES,
      }));
      signByKey(kit, kit.packLayers(name, layers), key);
    };
    pack('small', 4, 4);
    pack('exactly', 20, 20);
    pack('large-in-parts', 20, 20, 1);
    return [configMap('model-signing-keys', { 'release.pub': key.publicKeyPem })];
  },
};

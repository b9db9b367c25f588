// Makes the recorded registries of the shipped policies' tests again, with new throw-away keys. Digests of the models
// stay the same. Run: node test/policies/record.ts [POLICY…]
import { attachBundle } from '../../src/demo/artifacts.ts';
import { generateSigningKey, type SigningKey } from '../../src/demo/keys.ts';
import { signBundleWithKey } from '../../src/demo/sign-with-key.ts';
import { cosignSignStatement } from '../../src/demo/statement.ts';
import { configMap, recordPolicy, type PolicyMaterial, type RecorderKit } from './recorder.ts';

const FILES = { 'model.safetensors': 'weights', 'config.json': '{}' };

function packSigned({ registry, pack }: RecorderKit, name: string, ...keys: readonly SigningKey[]): void {
  const model = pack(name, { ...FILES, 'README.md': `# ${name}` });
  for (const key of keys)
    attachBundle(registry, model, signBundleWithKey(cosignSignStatement(model.digest), key));
}

const LIBRARY: readonly PolicyMaterial[] = [
  {
    policy: 'hybrid-post-quantum',
    make: async (kit) => {
      const [classical, postQuantum] = [generateSigningKey('p256'), generateSigningKey('mldsa65')];
      packSigned(kit, 'signed-by-both', classical, postQuantum);
      packSigned(kit, 'classical-only', classical);
      packSigned(kit, 'classical-twice', classical, classical);
      packSigned(kit, 'post-quantum-only', postQuantum);
      packSigned(kit, 'unsigned');
      const data = { 'classical.pub': classical.publicKeyPem, 'post-quantum.pub': postQuantum.publicKeyPem };
      return [configMap('model-signing-keys', data)];
    },
  },
];

const wanted = new Set(process.argv.slice(2));
for (const material of LIBRARY)
  if (wanted.size === 0 || wanted.has(material.policy))
    for (const [name, reference] of await recordPolicy(material))
      console.log(`${material.policy}: ${name}: ${reference}`);

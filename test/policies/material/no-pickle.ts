// Files that hold tensors and text only, and files that run code when they are loaded, under both kinds of signature.
import { createHash } from 'node:crypto';
import { attachBundle } from '../../../src/demo/artifacts.ts';
import { generateSigningKey } from '../../../src/demo/keys.ts';
import { signBundleWithKey } from '../../../src/demo/sign-with-key.ts';
import { modelSigningStatement } from '../../../src/demo/statement.ts';
import { configMap, type PolicyMaterial } from '../recorder.ts';
import { signByKey } from './models.ts';

const TENSORS = { 'model.safetensors': 'weights', 'config.json': '{}', 'README.md': '# model' };
const UNPACK = { 'io.deis.oras.content.unpack': 'true' };

/** Material of policies/no-pickle. */
export const NO_PICKLE: PolicyMaterial = {
  policy: 'no-pickle',
  make: async (kit) => {
    const key = generateSigningKey('p256');
    const signManifest = (name: string, files: Readonly<Record<string, string>>): void =>
      signByKey(kit, kit.pack(name, files), key);
    const signFiles = (name: string, files: Readonly<Record<string, string>>): void => {
      const resources = Object.entries(files).map(([file, text]) => ({
        name: file,
        digest: createHash('sha256').update(text).digest('hex'),
      }));
      const bundle = signBundleWithKey(modelSigningStatement(name, resources), key, {
        style: 'model_signing',
      });
      attachBundle(kit.registry, kit.pack(name, files), bundle);
    };
    signManifest('safetensors', TENSORS);
    signManifest('gguf', { 'model.Q4_K_M.gguf': 'weights', 'config.json': '{}' });
    signManifest('pickle', { ...TENSORS, 'pytorch_model.bin': 'a pickle' });
    signManifest('upper-case-pickle', { ...TENSORS, 'OPTIMIZER.PKL': 'a pickle' });
    signManifest('remote-code', { ...TENSORS, 'modeling_chat.py': 'import os' });
    const weights = { title: 'model.safetensors', size: 7 };
    const folder = { title: 'extra.safetensors', size: 7, annotations: UNPACK };
    signByKey(kit, kit.packLayers('folder', [weights, folder]), key);
    signFiles('signed-files', TENSORS);
    signFiles('signed-files-pickle', { ...TENSORS, 'pytorch_model.bin': 'a pickle' });
    return [configMap('model-signing-keys', { 'release.pub': key.publicKeyPem })];
  },
};

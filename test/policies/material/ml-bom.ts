// With a bill of materials of the model, with one that lacks something, and with one that a stranger signed.
import { attachBundle } from '../../../src/demo/artifacts.ts';
import { generateSigningKey, type SigningKey } from '../../../src/demo/keys.ts';
import { signBundleWithKey } from '../../../src/demo/sign-with-key.ts';
import { attestationStatement } from '../../../src/demo/statement.ts';
import { configMap, type PolicyMaterial } from '../recorder.ts';
import { packPlain, signByKey } from './models.ts';

const DATASET = { type: 'data', 'bom-ref': 'corpus', name: 'corpus', data: [{ type: 'dataset' }] };

interface BomFaults {
  readonly licenses?: readonly object[];
  readonly hasModelCard?: boolean;
  readonly dataset?: string;
  readonly specVersion?: string;
}

/** Material of policies/ml-bom. */
export const ML_BOM: PolicyMaterial = {
  policy: 'ml-bom',
  make: async (kit) => {
    const [release, stranger] = [generateSigningKey('p256'), generateSigningKey('p256')];
    const attest = (name: string, faults: BomFaults, key: SigningKey = release): void => {
      const model = packPlain(kit, name);
      signByKey(kit, model, release);
      const statement = attestationStatement(model.digest, 'https://cyclonedx.org/bom', toBom(faults));
      attachBundle(kit.registry, model, signBundleWithKey(statement, key));
    };
    attest('with-bom', {});
    attest('licence-not-allowed', { licenses: [{ license: { id: 'CC-BY-NC-4.0' } }] });
    attest('licence-not-stated', { licenses: [] });
    attest('without-model-card', { hasModelCard: false });
    attest('unlisted-dataset', { dataset: 'scraped' });
    attest('old-version', { specVersion: '1.4' });
    attest('bom-of-stranger', {}, stranger);
    signByKey(kit, packPlain(kit, 'without-bom'), release);
    return [configMap('model-signing-keys', { 'release.pub': release.publicKeyPem })];
  },
};

function toBom({
  licenses = [{ license: { id: 'Apache-2.0' } }],
  hasModelCard = true,
  dataset = 'corpus',
  specVersion = '1.6',
}: BomFaults): object {
  const task = 'text-generation';
  const modelCard = { modelParameters: { task, datasets: [{ ref: dataset }] } };
  const model = {
    type: 'machine-learning-model',
    'bom-ref': 'model',
    name: 'chat',
    version: '1.4.0',
    licenses,
    ...(hasModelCard && { modelCard }),
  };
  return {
    bomFormat: 'CycloneDX',
    specVersion,
    version: 1,
    metadata: { timestamp: '2026-11-01T09:00:00Z', component: model },
    components: [DATASET],
  };
}

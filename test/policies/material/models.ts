// Which models do the tests of shipped policies judge, and when were they signed? Files that are always the same bytes,
// signed a few weeks before the time that the tests are set to. What is wrong with one is left to each policy's file.
import { attachBundle, type PackedModel } from '../../../src/demo/artifacts.ts';
import type { SigningKey } from '../../../src/demo/keys.ts';
import { signBundleWithKey } from '../../../src/demo/sign-with-key.ts';
import type { Identity, Sigstore } from '../../../src/demo/sigstore.ts';
import { cosignSignStatement } from '../../../src/demo/statement.ts';
import type { RecorderKit } from '../recorder.ts';

/** The time of signing; the tests are set to `2026-11-21T12:00:00Z`. */
export const SIGNED_AT = new Date('2026-11-01T09:00:00Z');

/** The release workflow of acme/models, on a tag, as its certificate says it. */
export const RELEASE_WORKFLOW: Identity = {
  issuer: 'https://token.actions.githubusercontent.com',
  subject: 'https://github.com/acme/models/.github/workflows/release.yaml@refs/tags/v1.4.0',
  claims: {
    runnerEnvironment: 'github-hosted',
    sourceRepository: 'https://github.com/acme/models',
    sourceRepositoryDigest: '5f1d0c2ab1b6c6cbd6f7ea5d8b1a3d51d7d7a3c0',
    sourceRepositoryIdentifier: '123456789',
    sourceRepositoryOwnerIdentifier: '1234567',
    sourceRepositoryRef: 'refs/tags/v1.4.0',
  },
};

/** Packs the files that every model has, and a README with its name. */
export function packPlain({ pack }: RecorderKit, name: string): PackedModel {
  return pack(name, { 'model.safetensors': 'weights', 'config.json': '{}', 'README.md': `# ${name}` });
}

/** Signs a model by each key as cosign 3 does without a log. */
export function signByKey(
  { registry }: RecorderKit,
  model: PackedModel,
  ...keys: readonly SigningKey[]
): void {
  for (const key of keys)
    attachBundle(registry, model, signBundleWithKey(cosignSignStatement(model.digest), key));
}

/** Signs a model as an identity. */
export async function signAs(
  { registry }: RecorderKit,
  model: PackedModel,
  { sigstore, identity, at = SIGNED_AT }: { sigstore: Sigstore; identity: Identity; at?: Date },
): Promise<void> {
  attachBundle(
    registry,
    model,
    await sigstore.signKeyless(cosignSignStatement(model.digest), identity, { at }),
  );
}

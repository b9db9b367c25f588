// Who takes part in the flows? One installation, the keys of two teams and of nobody, a Sigstore deployment, and models
// that any of them signed or attested.
import { attachBundle, type PackedModel, packModel } from '../../src/demo/artifacts.ts';
import { generateSigningKey, type SigningKey } from '../../src/demo/keys.ts';
import { signBundleWithKey } from '../../src/demo/sign-with-key.ts';
import { createSigstore, type Identity, type Sigstore } from '../../src/demo/sigstore.ts';
import { attestationStatement, cosignSignStatement } from '../../src/demo/statement.ts';
import type { Installation } from '../support/installation.ts';
import type { KubectlResult } from '../support/kubectl.ts';
import { type Manifest, pod, policyObject } from '../support/manifests.ts';

/** Whom the policies name. */
export const ALICE: Identity = { issuer: 'https://idp.models.test', subject: 'alice@models.test' };
/** Whom none of them names. */
export const BOB: Identity = { issuer: 'https://idp.models.test', subject: 'bob@models.test' };

/** Makes bundles for a statement. */
export type Sign = (statement: object) => object | Promise<object>;

/** An installation with signers; everything is made once for all flows. */
export interface Story extends Installation {
  readonly team: SigningKey;
  readonly release: SigningKey;
  readonly stranger: SigningKey;
  readonly sigstore: Sigstore;
  /** Pushes a model and attaches a signature for each way. */
  readonly model: (repository: string, ...ways: readonly Sign[]) => Promise<PackedModel>;
  readonly sign: (model: PackedModel, ...ways: readonly Sign[]) => Promise<void>;
  readonly attest: (model: PackedModel, predicateType: string, predicate: object, by: Sign) => Promise<void>;
  /** Asks about a pod with this model. */
  readonly judge: (inNamespace: string, model: PackedModel) => Promise<KubectlResult>;
}

/** Adds the signers to an installation. */
export async function createStory(installation: Installation): Promise<Story> {
  const { registry } = installation;
  const sign: Story['sign'] = async (model, ...ways) => {
    for (const way of ways) attachBundle(registry, model, await way(cosignSignStatement(model.digest)));
  };
  return {
    ...installation,
    team: generateSigningKey('p256'),
    release: generateSigningKey('p256'),
    stranger: generateSigningKey('p256'),
    sigstore: await createSigstore(),
    sign,
    model: async (repository, ...ways) => {
      const model = packModel(registry, repository, { 'model.safetensors': repository, 'config.json': '{}' });
      await sign(model, ...ways);
      return model;
    },
    attest: async (model, predicateType, predicate, by) => {
      attachBundle(registry, model, await by(attestationStatement(model.digest, predicateType, predicate)));
    },
    judge: (inNamespace, model) => installation.ask(pod('question', inNamespace, model.reference)),
  };
}

/** Signs with a key, without a log. */
export function by(key: SigningKey): Sign {
  return (statement) => signBundleWithKey(statement, key);
}

/** An authority that is a key. */
export function keyAuthority(name: string, { publicKeyPem }: SigningKey): object {
  return { name, key: { pem: publicKeyPem.toString() } };
}

/** An authority that is Alice, under a TrustRoot. */
export function aliceAuthority(trustRoot: string): object {
  return { name: 'alice', keyless: { identities: [ALICE], trustRootRef: { name: trustRoot } } };
}

/** A TrustRoot that holds a trusted root. */
export function pinnedRoot(name: string, json: string, more: object = {}): Manifest {
  return policyObject('TrustRoot', name, { trustedRoot: { json }, ...more });
}

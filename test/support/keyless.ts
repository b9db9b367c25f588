// What does a cluster with keyless policies look like? One Sigstore deployment of the kit, a pinned TrustRoot over it, a
// policy that names Alice, and models with any bundle attached.
import { attachBundle, type PackedModel } from '../../src/demo/artifacts.ts';
import { assembleBundle, type EvidenceOptions } from '../../src/demo/bundle-assembly.ts';
import { encodeCertificate, encodeTbs } from '../../src/demo/certificate.ts';
import { certificateFields, type IssueRequest } from '../../src/demo/certificate-authority.ts';
import { generateSigningKey, type SigningKey } from '../../src/demo/keys.ts';
import type { RegistryHandle } from '../../src/demo/registry.ts';
import type { Identity, Sigstore } from '../../src/demo/sigstore.ts';
import { cosignSignStatement } from '../../src/demo/statement.ts';
import { encodeTrustedRoot, type TrustedServices } from '../../src/demo/trusted-root.ts';
import { pushModel, startController, type Controller } from './controller.ts';

/** Whom {@link keylessAuthority} names. */
export const ALICE: Identity = { issuer: 'https://idp.models.test', subject: 'alice@models.test' };

/** Name of the TrustRoot. */
export const TRUST_ROOT = 'private';

/** An authority of a policy that names Alice; `keyless` replaces members of it. */
export function keylessAuthority(keyless: object = {}, name = 'alice'): Record<string, unknown> {
  return { name, keyless: { identities: [ALICE], trustRootRef: { name: TRUST_ROOT }, ...keyless } };
}

/** A policy over all models of the registry. */
export function policyOf(
  registry: RegistryHandle,
  authorities: readonly object[] = [keylessAuthority()],
  more: object = {},
): Record<string, unknown> {
  return { models: [{ glob: `${registry.address}/**` }], authorities, ...more };
}

/** A TrustRoot that is pinned to a trusted root; `more` is `requirements` and the like. */
export function pinned(trustedRoot: string | object, more: object = {}): Record<string, unknown> {
  const json = typeof trustedRoot === 'string' ? trustedRoot : JSON.stringify(trustedRoot);
  return { trustedRoot: { json }, ...more };
}

/** The services of a deployment as a trusted root lists them. */
export function servicesOf(sigstore: Sigstore): TrustedServices {
  return {
    certificateAuthorities: [sigstore.authority.chain],
    ctLogs: [sigstore.ctLog],
    logs: [sigstore.log],
    timestampAuthorities: [sigstore.timestampAuthority],
  };
}

/** The trusted root of a deployment with some services exchanged. */
export function trustedRootOf(sigstore: Sigstore, changed: Partial<TrustedServices> = {}): string {
  return encodeTrustedRoot({ ...servicesOf(sigstore), ...changed });
}

/** Starts a controller that trusts the deployment by {@link policyOf}. */
export function startKeyless(
  registry: RegistryHandle,
  trustedRoot: string | object,
  { authorities, policy, trust }: { authorities?: readonly object[]; policy?: object; trust?: object } = {},
): Promise<Controller> {
  return startController({
    registry,
    policies: { team: policyOf(registry, authorities, policy) },
    trustRoots: { [TRUST_ROOT]: pinned(trustedRoot, trust) },
  });
}

/** Makes bundles for a statement about the model's manifest. */
export type Sign = (statement: object) => object | Promise<object>;

/** Pushes a model of its own repository and attaches a bundle for each way of signing it. */
export async function pushSignedBy(registry: RegistryHandle, ...ways: readonly Sign[]): Promise<PackedModel> {
  const model = pushModel(registry);
  for (const sign of ways) attachBundle(registry, model, await sign(cosignSignStatement(model.digest)));
  return model;
}

/** Signs with a certificate of exactly these extensions, which the CT log saw; the request replaces what is in it. */
export function signCertified(
  sigstore: Sigstore,
  statement: object,
  request: Pick<IssueRequest, 'extensions'> & Partial<IssueRequest> & { readonly key?: SigningKey },
  options: EvidenceOptions = {},
): object {
  const { key = generateSigningKey('p256') } = request;
  const { at = new Date() } = options;
  const notAfter = new Date(at.getTime() + 600_000);
  const { authority, ctLog } = sigstore;
  const fields = certificateFields(authority, {
    publicKey: key.publicKey,
    notBefore: at,
    notAfter,
    ...request,
  });
  const sct = ctLog.sctExtension(encodeTbs(fields, authority.key.privateKey), authority.key.publicKey, at);
  const extensions = [...fields.extensions, sct];
  const certificate = encodeCertificate({ ...fields, extensions }, authority.key.privateKey);
  const material = { certificate: { rawBytes: certificate.toString('base64') } };
  return assembleBundle(
    sigstore,
    { statement, key, verifier: { certificate }, material },
    { ...options, at },
  );
}

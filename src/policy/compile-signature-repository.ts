// Where does this authority look for signatures, and with which credentials? Names one repository, and takes from the
// Secrets that the policy names what they hold for it; anything else in them is never used.
import type { SignatureRepository } from '../evidence/signature-repository.ts';
import type { DenialReason } from '../reason.ts';
import { parseReference } from '../model/reference.ts';
import { quote } from '../lib/text.ts';
import {
  DockerConfigError,
  parsePullSecret,
  selectCredentials,
  type CredentialEntry,
  type PullSecretFormat,
} from '../registry/docker-config.ts';
import type { RepositoryName } from '../registry/resource.ts';
import { toAbsence, toMaterialKey, type MaterialContext } from './source-material.ts';
import type { AuthoritySpec, SignatureRepositorySpec } from './types.ts';

/** Most distinct signature repositories of one policy (docs: limits). */
export const MAX_SIGNATURE_REPOSITORIES = 8;

/** The two kinds of pull secrets, by the key that each has its bytes under. */
const FORMATS: readonly { readonly key: string; readonly format: PullSecretFormat }[] = [
  { key: '.dockerconfigjson', format: 'dockerconfigjson' },
  { key: '.dockercfg', format: 'dockercfg' },
];

type Report = (path: string, problem: string, reason?: DenialReason) => void;

/** Compiles the field of one authority; `broken` when a problem was reported. */
export function compileSignatureRepository(
  { signatureRepository: spec, static: unsigned, tenant }: AuthoritySpec,
  context: MaterialContext,
  report: Report,
): SignatureRepository | 'broken' | undefined {
  if (spec === undefined) return undefined;
  const refuse = (problem: string, reason?: DenialReason): 'broken' => {
    report('signatureRepository', problem, reason);
    return 'broken';
  };
  if (unsigned !== undefined) return refuse('a static authority looks for no signatures');
  if (tenant !== undefined) return refuse("a tenant authority goes by where the namespace's policies look");
  const parsed = parseReference(spec.repository);
  if (!parsed.ok) return refuse(`repository: ${parsed.problem}`);
  const { registry, repository, tag, digest } = parsed.reference;
  if (tag !== undefined || digest !== undefined)
    return refuse('repository: it must be registry/repository, without tag and digest');
  const credentials = readCredentials(spec, { registry, repository }, context);
  if (typeof credentials === 'string') return refuse(credentials, 'CredentialsUnavailable');
  const secrets = toNames(spec).map((name) => `${context.controllerNamespace}/${name}`);
  return { id: [`${registry}/${repository}`, ...secrets].join(' '), registry, repository, credentials };
}

/** Reports a policy whose models would be looked for in too many places. */
export function checkSignatureRepositories(authorities: readonly AuthoritySpec[], report: Report): void {
  const ids = authorities.flatMap(({ signatureRepository: spec }) =>
    spec === undefined ? [] : [[spec.repository, ...toNames(spec)].join(' ')],
  );
  if (new Set(ids).size > MAX_SIGNATURE_REPOSITORIES)
    report('spec.authorities', `they name more than ${MAX_SIGNATURE_REPOSITORIES} signature repositories`);
}

function toNames({ pullSecrets = [] }: SignatureRepositorySpec): readonly string[] {
  return pullSecrets.map(({ name }) => name);
}

// Naming Secrets says that they are needed: without what they should hold, nobody is asked anonymously instead.
function readCredentials(
  spec: SignatureRepositorySpec,
  name: RepositoryName,
  context: MaterialContext,
): SignatureRepository['credentials'] | string {
  const names = toNames(spec);
  const secrets = names.map((secret) => readSecret(secret, context));
  const problem = secrets.find((entries) => typeof entries === 'string');
  if (problem !== undefined) return problem;
  const credentials = secrets.flatMap((entries) =>
    typeof entries === 'string' ? [] : selectCredentials(entries, name),
  );
  if (names.length > 0 && credentials.length === 0)
    return `its pull secrets hold nothing for ${name.registry}/${name.repository}`;
  return credentials;
}

function readSecret(name: string, context: MaterialContext): readonly CredentialEntry[] | string {
  const { material, controllerNamespace } = context;
  const where = `Secret ${controllerNamespace}/${name}`;
  const data = material.get(toMaterialKey('Secret', controllerNamespace, name));
  if (data === undefined) return `${where} ${toAbsence(context)}`;
  for (const { key, format } of FORMATS) {
    const bytes = data.get(key);
    if (bytes === undefined) continue;
    try {
      return parsePullSecret(format, bytes);
    } catch (error) {
      if (error instanceof DockerConfigError) return `${where} cannot be used: ${quote(error.message, 80)}`;
      throw error;
    }
  }
  return `${where} has neither ${FORMATS.map(({ key }) => key).join(' nor ')}`;
}

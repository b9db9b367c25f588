// As whom does this pod pull? The Secrets that it names and the service account that it runs as; reading them belongs
// to who may.
import { isRecord, toArray, toText } from '../lib/text.ts';

const DEFAULT_SERVICE_ACCOUNT = 'default';
/** Names of Secrets and ServiceAccounts: RFC 1123 subdomains. */
const NAME = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/;

/** Whose credentials a pod uses; every name is one that the API server could have accepted. */
export interface PullIdentity {
  /** `""` when the object has none, or none that can be. */
  readonly namespace: string;
  /** Absent where Secrets are named by somebody who has no account, such as a policy. */
  readonly serviceAccount?: string;
  /** As `spec.imagePullSecrets` lists them. */
  readonly secrets: readonly string[];
}

/** Reads the identity off a pod spec. */
export function toPullIdentity(spec: Readonly<Record<string, unknown>>, namespace: string): PullIdentity {
  const account = toText(spec['serviceAccountName']) ?? '';
  return {
    namespace: toName(namespace) ?? '',
    serviceAccount: toName(account) ?? DEFAULT_SERVICE_ACCOUNT,
    secrets: toSecretNames(spec['imagePullSecrets']),
  };
}

/** The identity of an object with several pod templates: the first one's account, and the Secrets of all. */
export function toSharedIdentity(
  templates: readonly { readonly spec: Readonly<Record<string, unknown>> }[],
  namespace: string,
): PullIdentity {
  const identities = templates.map(({ spec }) => toPullIdentity(spec, namespace));
  const secrets = [...new Set(identities.flatMap((identity) => identity.secrets))];
  return { ...(identities[0] ?? toPullIdentity({}, namespace)), secrets };
}

/** The names in a list of references to local objects, as pods and service accounts write them. */
export function toSecretNames(references: unknown): readonly string[] {
  return toArray(references).flatMap((reference) => {
    const name = isRecord(reference) ? toName(toText(reference['name']) ?? '') : undefined;
    return name === undefined ? [] : [name];
  });
}

function toName(text: string): string | undefined {
  return NAME.test(text) ? text : undefined;
}

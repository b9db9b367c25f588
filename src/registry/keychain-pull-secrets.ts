// Which credentials has this pod? Those of the Secrets that it names, then those of its service account, as the kubelet
// would use them. What cannot be read is passed over, and named when the registry then refuses.
import { waitWithin } from '../lib/deadline.ts';
import { quote } from '../lib/text.ts';
import type { PullSecretReader, SecretNamesResult } from '../kubernetes/pull-secret.ts';
import type { PullIdentity } from '../model/pull-identity.ts';
import {
  DockerConfigError,
  parsePullSecret,
  selectCredentials,
  type CredentialEntry,
} from './docker-config.ts';
import { NOTHING_FOUND, type CredentialSource } from './keychain.ts';

/** Most pull secrets that are read for one pod (docs: limits). */
export const MAX_PULL_SECRETS = 16;

/** What the Secrets of one pod hold. */
interface PodSecrets {
  readonly ofPod: readonly CredentialEntry[];
  readonly ofServiceAccount: readonly CredentialEntry[];
  readonly missing: readonly string[];
}

/** The source that a pod's own credentials are; nothing is read before the first question, and nothing twice. */
export function createPullSecretSource(reader: PullSecretReader, identity: PullIdentity): CredentialSource {
  let reading: Promise<PodSecrets> | undefined;
  return {
    // What a namespace's Secret opens is for those who have that Secret.
    isShared: false,
    async find(name, signal) {
      if (identity.namespace === '') return NOTHING_FOUND;
      reading ??= readAll(reader, identity);
      const { ofPod, ofServiceAccount, missing } = await waitWithin(reading, signal);
      const credentials = [ofPod, ofServiceAccount].flatMap((entries) => selectCredentials(entries, name));
      return { ...NOTHING_FOUND, credentials, missing };
    },
  };
}

/** The source of a pod whose credentials nobody reads: it only says so, where that may be why access is refused. */
export function createUnreadSource({ secrets }: PullIdentity): CredentialSource {
  const missing = secrets.length === 0 ? [] : ['pull secrets of pods are not read (--pull-secrets Off)'];
  return { isShared: false, find: () => Promise.resolve({ ...NOTHING_FOUND, missing }) };
}

async function readAll(reader: PullSecretReader, identity: PullIdentity): Promise<PodSecrets> {
  const { namespace, serviceAccount } = identity;
  const account: SecretNamesResult =
    serviceAccount === undefined
      ? { ok: true, names: [] }
      : await reader.readServiceAccount(namespace, serviceAccount);
  const named = [...new Set(identity.secrets)];
  const further = (account.ok ? [...new Set(account.names)] : []).filter((name) => !named.includes(name));
  const names = [...named, ...further].slice(0, MAX_PULL_SECRETS);
  const secrets = await Promise.all(names.map((name) => readOne(reader, namespace, name)));
  const entriesOf = (from: number, to?: number): readonly CredentialEntry[] =>
    secrets.slice(from, to).flatMap(({ entries }) => entries);
  const surplus = named.length + further.length > names.length;
  return {
    ofPod: entriesOf(0, named.length),
    ofServiceAccount: entriesOf(named.length),
    missing: [
      ...secrets.flatMap(({ problem }) => (problem === undefined ? [] : [problem])),
      ...(account.ok ? [] : [`service account ${namespace}/${serviceAccount ?? ''} ${account.problem}`]),
      ...(surplus ? [`only ${MAX_PULL_SECRETS} pull secrets were read`] : []),
    ],
  };
}

interface ReadSecret {
  readonly entries: readonly CredentialEntry[];
  readonly problem?: string;
}

async function readOne(reader: PullSecretReader, namespace: string, name: string): Promise<ReadSecret> {
  const refuse = (why: string): ReadSecret => ({
    entries: [],
    problem: `pull secret ${namespace}/${name} ${why}`,
  });
  const result = await reader.readSecret(namespace, name);
  if (!result.ok) return refuse(result.problem);
  try {
    return { entries: parsePullSecret(result.format, result.bytes) };
  } catch (error) {
    if (error instanceof DockerConfigError) return refuse(`cannot be used: ${quote(error.message, 80)}`);
    throw error;
  }
}

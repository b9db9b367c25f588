// With which credentials is a repository read? Tries those of its registry in order when it is refused, and stays with
// the first that is let in. It never asks another host, and nobody anonymously where credentials are configured.
import { waitWithin } from '../lib/deadline.ts';
import type { RegistryClient } from './client.ts';
import type { Credential } from './docker-config.ts';
import { RegistryError } from './error.ts';
import { MAX_CREDENTIALS, toCredentialId, type CredentialSource } from './keychain.ts';
import type { RepositoryName } from './resource.ts';

/** A client that uses exactly one credential of one registry, or none at all. */
export type OpenClient = (registry: string, key: ClientKey | undefined) => RegistryClient;

/** A credential, with its name and whether every namespace may see what it fetches. */
export interface ClientKey {
  readonly credential: Credential;
  readonly id: string;
  readonly isShared: boolean;
}

/** Where credentials come from, in order: `near` costs nothing to ask, `far` is only asked when `near` does not do. */
export interface CredentialSources {
  readonly near: readonly CredentialSource[];
  readonly far: readonly CredentialSource[];
}

type Ask<T> = (client: RegistryClient) => Promise<T>;
type Chosen = { readonly client: RegistryClient } | { readonly refusal: RegistryError } | undefined;

/** Creates a client for one request; what it learned about credentials ends with it. */
export function createKeychainClient(sources: CredentialSources, open: OpenClient): RegistryClient {
  const plans = new Map<string, Promise<Plan>>();
  const choices = new Map<string, Promise<Chosen>>();

  function planFor(name: RepositoryName, signal: AbortSignal): Promise<Plan> {
    const key = toKey(name);
    const plan = plans.get(key) ?? makePlan(name, sources, signal);
    plans.set(key, plan);
    return waitWithin(plan, signal);
  }
  async function run<T>(name: RepositoryName, signal: AbortSignal, ask: Ask<T>): Promise<T> {
    const plan = await planFor(name, signal);
    const attempt = (): Promise<Answer<T>> => tryAll({ name, plan, open, far: sources.far, signal }, ask);
    // With one credential there is nothing to choose, and nothing to wait for.
    if (plan.keys.length < 2) return (await attempt()).value;
    const choice = choices.get(toKey(name));
    if (choice === undefined) {
      const answer = attempt();
      choices.set(
        toKey(name),
        answer.then(({ client }) => ({ client }), toRefused),
      );
      return (await answer).value;
    }
    const chosen = await waitWithin(choice, signal);
    if (chosen === undefined) return (await attempt()).value;
    if ('refusal' in chosen) throw chosen.refusal;
    return ask(chosen.client);
  }
  return {
    fetchManifest: (name, target, signal, maxBytes) =>
      run(name, signal, (client) => client.fetchManifest(name, target, signal, maxBytes)),
    findTag: (name, tag, signal) => run(name, signal, (client) => client.findTag(name, tag, signal)),
    listReferrers: (name, digest, signal) =>
      run(name, signal, (client) => client.listReferrers(name, digest, signal)),
    fetchBlob: (name, blob, limit) =>
      run(name, limit.signal, (client) => client.fetchBlob(name, blob, limit)),
  };
}

function toKey({ registry, repository }: RepositoryName): string {
  return `${registry}/${repository}`;
}

interface Answer<T> {
  readonly value: T;
  readonly client: RegistryClient;
}

/** What is tried first, and what is said when it was in vain. */
interface Plan {
  readonly keys: readonly ClientKey[];
  readonly failures: readonly string[];
  readonly missing: readonly string[];
  readonly hasAskedFar: boolean;
}

async function makePlan(
  name: RepositoryName,
  { near, far }: CredentialSources,
  signal: AbortSignal,
): Promise<Plan> {
  const found = await collect(name, near, signal);
  if (found.keys.length > 0) return { ...found, hasAskedFar: false };
  const further = await collect(name, far, signal);
  return { ...further, missing: [...found.missing, ...further.missing], hasAskedFar: true };
}

async function collect(
  name: RepositoryName,
  sources: readonly CredentialSource[],
  signal: AbortSignal,
): Promise<Omit<Plan, 'hasAskedFar'>> {
  const answers = await Promise.all(
    sources.map(async (source) => ({ source, found: await source.find(name, signal) })),
  );
  const keys = new Map<string, ClientKey>();
  for (const { source, found } of answers)
    for (const credential of found.credentials) {
      const id = toCredentialId(name.registry, credential);
      // Whoever may use it too, a namespace has proven by its own Secret that it may.
      if (!keys.has(id)) keys.set(id, { credential, id, isShared: source.isShared });
    }
  return {
    keys: [...keys.values()].slice(0, MAX_CREDENTIALS),
    failures: answers.flatMap(({ found }) => found.failures),
    missing: answers.flatMap(({ found }) => found.missing),
  };
}

interface Attempt {
  readonly name: RepositoryName;
  readonly plan: Plan;
  readonly open: OpenClient;
  readonly far: readonly CredentialSource[];
  readonly signal: AbortSignal;
}

async function tryAll<T>(attempt: Attempt, ask: Ask<T>): Promise<Answer<T>> {
  const { name, plan } = attempt;
  if (plan.keys.length === 0 && plan.failures.length > 0)
    throw new RegistryError('unauthorized', plan.failures.join('; '));
  const refusals: RegistryError[] = [];
  const ways = { open: attempt.open, registry: name.registry, refusals };
  const answer = await tryEach(plan.keys.length === 0 ? [undefined] : plan.keys, ways, ask);
  if (answer !== undefined) return answer;
  const further = plan.hasAskedFar ? NOTHING_COLLECTED : await collect(name, attempt.far, attempt.signal);
  const others = further.keys
    .filter(({ id }) => plan.keys.every((key) => key.id !== id))
    .slice(0, MAX_CREDENTIALS - plan.keys.length);
  const late = await tryEach(others, ways, ask);
  if (late !== undefined) return late;
  throw toRefusal(refusals, [...plan.failures, ...plan.missing, ...further.failures]);
}

const NOTHING_COLLECTED: Omit<Plan, 'hasAskedFar'> = { keys: [], failures: [], missing: [] };

interface Ways {
  readonly open: OpenClient;
  readonly registry: string;
  /** Collects what was answered in vain. */
  readonly refusals: RegistryError[];
}

async function tryEach<T>(
  keys: readonly (ClientKey | undefined)[],
  { open, registry, refusals }: Ways,
  ask: Ask<T>,
): Promise<Answer<T> | undefined> {
  for (const key of keys) {
    const client = open(registry, key);
    try {
      return { value: await ask(client), client };
    } catch (error) {
      if (!isRefusal(error)) throw error;
      refusals.push(error);
    }
  }
  return undefined;
}

function isRefusal(error: unknown): error is RegistryError {
  return error instanceof RegistryError && error.kind === 'unauthorized';
}

function toRefused(error: unknown): Chosen {
  return isRefusal(error) ? { refusal: error } : undefined;
}

const MAX_NOTES = 3;

// The first credential is the one that was meant; what could not be read may be the one that was missing.
function toRefusal(refusals: readonly RegistryError[], notes: readonly string[]): RegistryError {
  const [first] = refusals;
  const tried = refusals.length > 1 ? [`${refusals.length} credentials were refused`] : [];
  const parts = [first?.message ?? 'access was refused', ...tried, ...notes.slice(0, MAX_NOTES)];
  return new RegistryError('unauthorized', parts.join('; '));
}

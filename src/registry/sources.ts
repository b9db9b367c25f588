// From which hosts is a repository read, and in which order? Mirrors first, where what they say can be checked; the
// registry itself at last. What is read, and whether it is right, belongs to the client.
import { DeadlineError } from '../lib/deadline.ts';
import { quote } from '../lib/text.ts';
import { RegistryError } from './error.ts';
import type { HostSettings, HostSettingsMap, MirrorSettings } from './host-settings.ts';
import type { Located, RepositoryName } from './resource.ts';
import type { Transport } from './transport.ts';

/** Time for one resource at a mirror, in milliseconds: the registry must still have its own after it. */
export const MIRROR_TIMEOUT_MS = 2000;
/** How long a mirror that did not answer is left alone, in milliseconds. */
export const MIRROR_REST_MS = 10_000;
const DOCKER_HUB_API_HOST = 'registry-1.docker.io';

/** One host that holds a repository. */
export interface Source {
  readonly isMirror: boolean;
  /** Statuses beside 404 that mean an absent tag here. */
  readonly tagAbsentStatuses: ReadonlySet<number>;
  /** Where a resource of the repository is, e.g. `manifests/v1`. */
  locate(path: string): Located;
}

/** Of what is read: bytes that a digest fixes, or names and listings, which nothing fixes. */
export type ReadKind = 'fixed' | 'named';

/** One thing to read. */
export interface OrderedRead<T> {
  readonly name: RepositoryName;
  readonly kind: ReadKind;
  readonly signal: AbortSignal;
  readonly read: (source: Source, signal: AbortSignal) => Promise<T>;
}

/** Reads from one source after another until one has it; throws what the last one threw. */
export type ReadInOrder = <T>(read: OrderedRead<T>) => Promise<T>;

/** Creates the order of one client. @param now milliseconds, monotonic */
export function createReadInOrder(
  transport: Transport,
  settings: HostSettingsMap,
  now: () => number = () => performance.now(),
): ReadInOrder {
  const restingUntil = new Map<string, number>();
  const isRested = (source: Source): boolean =>
    !source.isMirror || now() >= (restingUntil.get(hostOf(source)) ?? 0);

  async function tryMirror<T>(
    source: Source,
    { read, signal }: OrderedRead<T>,
  ): Promise<{ value: T } | { problem: RegistryError }> {
    try {
      const own = AbortSignal.any([signal, AbortSignal.timeout(MIRROR_TIMEOUT_MS)]);
      return { value: await read(source, own) };
    } catch (error) {
      const problem = toProblem(error, source, signal);
      if (problem.kind === 'unreachable' || problem.kind === 'throttled')
        restingUntil.set(hostOf(source), now() + MIRROR_REST_MS);
      return { problem };
    }
  }

  return async (ordered) => {
    const all = toSources(ordered, transport, settings);
    const rested = all.filter(isRested);
    const sources = rested.length === 0 ? all : rested;
    const problems: RegistryError[] = [];
    for (const source of sources.slice(0, -1)) {
      const outcome = await tryMirror(source, ordered);
      if ('value' in outcome) return outcome.value;
      problems.push(outcome.problem);
    }
    const last = sources.at(-1);
    if (last === undefined) throw new RegistryError('unreachable', 'no host is configured to be asked');
    try {
      return await ordered.read(last, ordered.signal);
    } catch (error) {
      throw withMirrors(error, problems);
    }
  };
}

const hostOf = (source: Source): string => source.locate('').scope.host;

function toProblem(error: unknown, source: Source, signal: AbortSignal): RegistryError {
  if (error instanceof RegistryError) return error;
  if (error instanceof DeadlineError && !signal.aborted)
    return new RegistryError(
      'unreachable',
      `${quote(hostOf(source))} had not answered after ${MIRROR_TIMEOUT_MS} ms`,
    );
  throw error;
}

// The registry's own trouble decides; what its mirrors said before helps whoever looks for the cause.
function withMirrors(error: unknown, problems: readonly RegistryError[]): unknown {
  if (!(error instanceof RegistryError) || problems.length === 0) return error;
  const before = problems.map(({ message }) => message).join('; ');
  return new RegistryError(error.kind, `${error.message}; before that ${before}`.slice(0, 600));
}

function toSources(
  { name, kind }: OrderedRead<unknown>,
  transport: Transport,
  settings: HostSettingsMap,
): readonly Source[] {
  const own = settings.get(name.registry);
  const mirrors = (own?.mirrors ?? [])
    .filter(({ resolves }) => kind === 'fixed' || resolves)
    .map((mirror) => toMirror(mirror, { name, transport, settings }));
  return own?.mirrorsOnly === true ? mirrors : [...mirrors, toSource(name, transport, own)];
}

interface MirrorContext {
  readonly name: RepositoryName;
  readonly transport: Transport;
  readonly settings: HostSettingsMap;
}

function toMirror({ host, prefix }: MirrorSettings, { name, transport, settings }: MirrorContext): Source {
  const repository = prefix === '' ? name.repository : `${prefix}/${name.repository}`;
  const source = toSource({ registry: host, repository }, transport, settings.get(host));
  return { ...source, isMirror: true };
}

function toSource(
  { registry, repository }: RepositoryName,
  transport: Transport,
  own: HostSettings | undefined,
): Source {
  const host = registry === 'docker.io' ? DOCKER_HUB_API_HOST : registry;
  const isPlain = transport.isPlainHttp(host);
  // A canonical name leaves the port of HTTPS out, which is not the one of HTTP.
  const authority = isPlain && !/:\d+$/.test(host) ? `${host}:443` : host;
  return {
    isMirror: false,
    tagAbsentStatuses: own?.tagAbsentStatuses ?? new Set(),
    locate: (path) => ({
      scope: { registry, host, repository },
      url: new URL(`${isPlain ? 'http' : 'https'}://${authority}/v2/${repository}/${path}`),
    }),
  };
}

// What does this string point at? Parsing and normalising of OCI references, one way only: a text that two readers
// could take differently is refused. Grammar: distribution-spec "Pulling manifests", with a registry always required.
import { isDigest } from '../lib/digest.ts';

/** Longest reference that is read, in characters: host 255, repository 255, tag 128, digest 135 and separators. */
export const MAX_REFERENCE_CHARS = 800;
const MAX_REPOSITORY_CHARS = 255;
const MAX_HOST_CHARS = 253;
const DEFAULT_PORT = 443;

const COMPONENT = /^[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const IPV6 = /^\[[0-9a-f:.]{2,45}\]$/;
const DOCKER_HUB_ALIASES = new Set(['docker.io', 'index.docker.io', 'registry-1.docker.io']);

/** How references without a registry are read. */
export type ShortNames = 'Deny' | 'DockerHub';

/** A normalised reference: host lower-cased, `:443` dropped, Docker Hub under one name. */
export interface Reference {
  /** As written, without a URI scheme. */
  readonly original: string;
  /** Host, with a port unless it is 443. */
  readonly registry: string;
  readonly repository: string;
  readonly tag?: string;
  /** `sha256:<hex>` or `sha512:<hex>`. */
  readonly digest?: string;
}

/** A reference, or why there is none (one clause, without the reference in it). */
export type ReferenceResult =
  { readonly ok: true; readonly reference: Reference } | { readonly ok: false; readonly problem: string };

const refuse = (problem: string): ReferenceResult => ({ ok: false, problem });

/** Parses untrusted reference text; surrounding white space, user info, escapes and empty parts are refused. */
export function parseReference(text: string, shortNames: ShortNames = 'Deny'): ReferenceResult {
  if (text.length > MAX_REFERENCE_CHARS) return refuse(`longer than ${MAX_REFERENCE_CHARS} characters`);
  const { name, tag, digest } = splitSuffixes(text);
  if (digest !== undefined && !isDigest(digest))
    return refuse('what follows @ is no sha256 or sha512 digest in lower case');
  if (tag !== undefined && !TAG.test(tag)) return refuse('the tag has characters that tags cannot have');
  const path = splitRegistry(name, shortNames);
  if (typeof path === 'string') return refuse(path);
  const suffixes = { ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) };
  return { ok: true, reference: { original: text, ...path, ...suffixes } };
}

function splitSuffixes(text: string): {
  name: string;
  tag: string | undefined;
  digest: string | undefined;
} {
  const [head = '', ...afterAt] = text.split('@');
  const colon = head.indexOf(':', head.lastIndexOf('/') + 1);
  return {
    name: colon === -1 ? head : head.slice(0, colon),
    tag: colon === -1 ? undefined : head.slice(colon + 1),
    digest: afterAt.length === 0 ? undefined : afterAt.join('@'),
  };
}

function splitRegistry(
  name: string,
  shortNames: ShortNames,
): { registry: string; repository: string } | string {
  const slash = name.indexOf('/');
  const first = slash === -1 ? '' : name.slice(0, slash);
  if (!looksLikeHost(first)) {
    if (shortNames === 'Deny') return 'it names no registry';
    return withRepository('docker.io', name);
  }
  const registry = parseRegistry(first);
  return registry === undefined
    ? 'the registry is no host name'
    : withRepository(registry, name.slice(slash + 1));
}

// As containerd decides it: repositories have no upper case, so what has any is a host.
function looksLikeHost(text: string): boolean {
  return text.includes('.') || text.includes(':') || text === 'localhost' || text !== text.toLowerCase();
}

function withRepository(
  registry: string,
  repository: string,
): { registry: string; repository: string } | string {
  if (repository.length > MAX_REPOSITORY_CHARS)
    return `the repository is longer than ${MAX_REPOSITORY_CHARS} characters`;
  const parts = repository.split('/');
  if (!parts.every((part) => COMPONENT.test(part)))
    return 'the repository has characters that repositories cannot have';
  const isOfficial = registry === 'docker.io' && parts.length === 1;
  return { registry, repository: isOfficial ? `library/${repository}` : repository };
}

/** Normalises `host[:port]`; undefined when it is no host. */
export function parseRegistry(text: string): string | undefined {
  const match = /^(\[[^\]]*\]|[^:]*)(?::(\d{1,20}))?$/.exec(text.toLowerCase());
  if (match === null) return undefined;
  const [, host = '', digits] = match;
  // Leading zeros are a port that other readers take for the same number.
  const port = digits === undefined ? DEFAULT_PORT : Number(digits);
  if (!isHost(host) || port < 1 || port > 65_535) return undefined;
  const canonical = port === DEFAULT_PORT ? host : `${host}:${port}`;
  return DOCKER_HUB_ALIASES.has(canonical) ? 'docker.io' : canonical;
}

function isHost(host: string): boolean {
  if (host.length > MAX_HOST_CHARS) return false;
  return IPV6.test(host) || host.split('.').every((label) => LABEL.test(label));
}

/** `registry/repository`: what globs and policies match. */
export function toCanonicalName(reference: Reference): string {
  return `${reference.registry}/${reference.repository}`;
}

// What did the operator say about single registries? The registries file: mirrors, certificates, plain HTTP, and which
// statuses mean that a tag does not exist. Parsing only; files that it names are read by cli/.
import type { ErrorObject } from 'ajv';
import { parse } from 'yaml';
import { compileSchema } from '../lib/own-schema.ts';
import { quote } from '../lib/text.ts';
import { parseRegistry } from '../model/reference.ts';
import type { HostTls } from './pools.ts';

/** Another place that holds what a registry holds. */
export interface MirrorSettings {
  /** Canonical `host[:port]`. */
  readonly host: string;
  /** Put before the repository, without slashes around it; empty for none. */
  readonly prefix: string;
  /** True: its word on tags and listings counts, where by default only bytes that match a digest do. */
  readonly resolves: boolean;
}

/** What is configured for one registry host. */
export interface HostSettings {
  readonly plainHttp: boolean;
  /** In the order in which they are asked. */
  readonly mirrors: readonly MirrorSettings[];
  /** True: the registry itself is never asked. */
  readonly mirrorsOnly: boolean;
  /** Statuses beside 404 by which the registry says that a tag does not exist. */
  readonly tagAbsentStatuses: ReadonlySet<number>;
}

/** Settings by canonical registry host. */
export type HostSettingsMap = ReadonlyMap<string, HostSettings>;

/** Files with TLS material of a host, as the operator wrote them. */
export interface HostFiles {
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
}

/** A parsed registries file. */
export interface RegistriesDocument {
  readonly settings: HostSettingsMap;
  readonly files: ReadonlyMap<string, HostFiles>;
}

/** Thrown for a registries file that cannot be used. */
export class RegistriesFileError extends Error {
  override readonly name = 'RegistriesFileError';
}

/** Largest registries file, in bytes. */
export const MAX_REGISTRIES_BYTES = 1024 * 1024;
const MAX_HOST_CHARS = 260;

interface RawMirror {
  readonly host: string;
  readonly prefix?: string;
  readonly resolves?: boolean;
}

interface RawRegistry extends HostFiles {
  readonly host: string;
  readonly plainHttp?: boolean;
  readonly mirrors?: readonly RawMirror[];
  readonly mirrorsOnly?: boolean;
  readonly tagAbsentStatuses?: readonly number[];
}

const text = { type: 'string', minLength: 1, maxLength: 4096 };
const host = { type: 'string', minLength: 1, maxLength: MAX_HOST_CHARS };
const SCHEMA = {
  type: 'object',
  additionalProperties: false,
  required: ['registries'],
  properties: {
    registries: {
      type: 'array',
      maxItems: 256,
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['host'],
        properties: {
          host,
          plainHttp: { type: 'boolean' },
          caFile: text,
          certFile: text,
          keyFile: text,
          mirrors: {
            type: 'array',
            maxItems: 8,
            items: {
              type: 'object',
              additionalProperties: false,
              required: ['host'],
              properties: {
                host,
                prefix: { type: 'string', pattern: '^[a-z0-9]+([._/-]+[a-z0-9]+)*$', maxLength: 128 },
                resolves: { type: 'boolean' },
              },
            },
          },
          mirrorsOnly: { type: 'boolean' },
          // 401 asks for credentials and 429 for patience: neither says anything about a tag.
          tagAbsentStatuses: { type: 'array', maxItems: 8, items: { enum: [400, 403, 405, 406, 410] } },
        },
      },
    },
  },
} as const;
const validate = compileSchema<{ readonly registries: readonly RawRegistry[] }>(SCHEMA);

/** Parses a registries file, YAML or JSON. @throws RegistriesFileError */
export function parseRegistriesFile(bytes: Uint8Array): RegistriesDocument {
  if (bytes.length > MAX_REGISTRIES_BYTES)
    throw new RegistriesFileError(`it is larger than ${MAX_REGISTRIES_BYTES} bytes`);
  const document = parseYaml(Buffer.from(bytes).toString('utf8'));
  if (!validate(document)) throw new RegistriesFileError(describeFault(validate.errors?.[0]));
  const settings = new Map<string, HostSettings>();
  const files = new Map<string, HostFiles>();
  for (const entry of document.registries) {
    const canonical = toHost(entry.host);
    if (settings.has(canonical)) throw new RegistriesFileError(`${quote(canonical)} is there twice`);
    settings.set(canonical, toSettings(canonical, entry));
    files.set(canonical, toFiles(canonical, entry));
  }
  return { settings, files };
}

function describeFault(error: ErrorObject | undefined): string {
  if (error === undefined) return 'it does not match its schema';
  const { instancePath, message = '', params } = error;
  const what = Object.values(params as Record<string, unknown>)
    .flat()
    .join(', ');
  return `${instancePath === '' ? 'the document' : quote(instancePath, 120)} ${message} (${quote(what, 80)})`;
}

/** Hosts that the operator named, as registry or as mirror: they may have any address. */
export function toNamedHosts(settings: HostSettingsMap): ReadonlySet<string> {
  return new Set(
    [...settings].flatMap(([name, { mirrors }]) => [name, ...mirrors.map((mirror) => mirror.host)]),
  );
}

/** TLS material by host, without hosts that have none. */
export type TlsByHost = ReadonlyMap<string, HostTls>;

function parseYaml(source: string): unknown {
  try {
    return parse(source, { maxAliasCount: 100, prettyErrors: false }) as unknown;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new RegistriesFileError(`YAML does not parse: ${quote(message, 160)}`);
  }
}

function toHost(text: string): string {
  const canonical = parseRegistry(text);
  if (canonical === undefined) throw new RegistriesFileError(`${quote(text)} is no host and port`);
  return canonical;
}

function toSettings(name: string, entry: RawRegistry): HostSettings {
  const mirrors = (entry.mirrors ?? []).map(({ host, prefix = '', resolves = false }): MirrorSettings => ({
    host: toHost(host),
    prefix,
    resolves,
  }));
  const mirrorsOnly = entry.mirrorsOnly ?? false;
  if (mirrorsOnly && !mirrors.some(({ resolves }) => resolves))
    throw new RegistriesFileError(`${quote(name)} has mirrorsOnly and no mirror that resolves`);
  if (mirrors.some(({ host }) => host === name))
    throw new RegistriesFileError(`${quote(name)} is a mirror of itself`);
  return {
    plainHttp: entry.plainHttp ?? false,
    mirrors,
    mirrorsOnly,
    tagAbsentStatuses: new Set(entry.tagAbsentStatuses),
  };
}

function toFiles(name: string, { caFile, certFile, keyFile, plainHttp = false }: RawRegistry): HostFiles {
  if ((certFile === undefined) !== (keyFile === undefined))
    throw new RegistriesFileError(`${quote(name)}: certFile and keyFile belong together`);
  if (plainHttp && (caFile ?? certFile) !== undefined)
    throw new RegistriesFileError(`${quote(name)} has certificates and plainHttp`);
  return {
    ...(caFile === undefined ? {} : { caFile }),
    ...(certFile === undefined ? {} : { certFile }),
    ...(keyFile === undefined ? {} : { keyFile }),
  };
}

// How are hosts reached? Builds the guarded transport from the options that serve and verify share, and reads the files
// that they name.
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { createSecureContext, getCACertificates } from 'node:tls';
import type { OptionValues } from '../config.ts';
import { toErrorMessage } from '../lib/text.ts';
import { parseRegistry } from '../model/reference.ts';
import {
  createAddressGuard,
  parseRange,
  type AddressRange,
  type Resolve,
} from '../registry/address-guard.ts';
import {
  parseRegistriesFile,
  RegistriesFileError,
  type HostFiles,
  type RegistriesDocument,
} from '../registry/host-settings.ts';
import type { HostTls } from '../registry/pools.ts';
import { createProxyFinder, ProxyError, type Environment, type FindProxy } from '../registry/proxy.ts';
import { createTransport, type Transport } from '../registry/transport.ts';
import { listOf, textOf, UsageError } from './arguments.ts';

/** What surrounds the process; by default the real environment and resolver. */
export interface Surroundings {
  readonly environment?: Environment;
  readonly resolve?: Resolve;
}

/** Reads a file that the user named. @throws UsageError */
export function readNamedFile(path: string, what: string): Buffer {
  try {
    return readFileSync(path);
  } catch {
    throw new UsageError(`cannot read ${what} ${path}`);
  }
}

/** What a transport is for. */
export interface TransportPurpose {
  readonly document: RegistriesDocument;
  readonly configuredHosts: ReadonlySet<string>;
  readonly observe?: (status: string) => void;
}

/** Builds the transport of registries and of mirrors of trust roots. @throws UsageError */
export function createGuardedTransport(
  values: OptionValues,
  { document, configuredHosts, observe }: TransportPurpose,
  { environment = process.env, resolve }: Surroundings = {},
): Transport {
  const caPath = textOf(values, 'ca-file');
  return createTransport(
    {
      plainHttpHosts: new Set([...toPlainHttpHosts(values), ...toPlainHosts(document)]),
      configuredHosts,
      ...(caPath === undefined ? {} : { caPem: readNamedFile(caPath, 'CA file').toString('utf8') }),
      tlsByHost: readTls(document.files, path.dirname(textOf(values, 'registries') ?? '')),
      guard: createAddressGuard(toBlockedRanges(values), resolve),
      findProxy: readProxies(environment),
      ...(observe === undefined ? {} : { observe }),
    },
    getCACertificates('default'),
  );
}

/** Reads the file of --registries; without one nothing is configured. @throws UsageError */
export function readRegistries(values: OptionValues): RegistriesDocument {
  const file = textOf(values, 'registries');
  if (file === undefined) return { settings: new Map(), files: new Map() };
  try {
    return parseRegistriesFile(readNamedFile(file, 'registries file'));
  } catch (error) {
    if (error instanceof RegistriesFileError)
      throw new UsageError(`registries file ${file}: ${error.message}`);
    throw error;
  }
}

function toPlainHttpHosts(values: OptionValues): readonly string[] {
  return listOf(values, 'plain-http').map((text) => {
    const host = parseRegistry(text);
    if (host === undefined) throw new UsageError(`--plain-http ${JSON.stringify(text)} is no host and port`);
    return host;
  });
}

function toPlainHosts({ settings }: RegistriesDocument): readonly string[] {
  return [...settings].filter(([, { plainHttp }]) => plainHttp).map(([host]) => host);
}

function toBlockedRanges(values: OptionValues): readonly AddressRange[] {
  return listOf(values, 'blocked-ranges').map((text) => {
    const range = parseRange(text);
    if (range === undefined)
      throw new UsageError(`--blocked-ranges ${JSON.stringify(text)} is no CIDR range`);
    return range;
  });
}

function readProxies(environment: Environment): FindProxy {
  try {
    return createProxyFinder(environment);
  } catch (error) {
    if (error instanceof ProxyError) throw new UsageError(error.message);
    throw error;
  }
}

// Names in the file are relative to the file, so that it can be moved with what it names.
function readTls(files: RegistriesDocument['files'], directory: string): ReadonlyMap<string, HostTls> {
  const read = (name: string): string =>
    readNamedFile(path.resolve(directory, name), 'file').toString('utf8');
  const entries = [...files].map(([host, { caFile, certFile, keyFile }]: [string, HostFiles]) => {
    const tls: HostTls = {
      ...(caFile === undefined ? {} : { caPem: read(caFile) }),
      ...(certFile === undefined ? {} : { certPem: read(certFile) }),
      ...(keyFile === undefined ? {} : { keyPem: read(keyFile) }),
    };
    requireUsable(host, tls);
    return [host, tls] as const;
  });
  return new Map(entries.filter(([, tls]) => Object.keys(tls).length > 0));
}

// Said when the process starts, not when the host is first asked.
function requireUsable(host: string, { caPem, certPem, keyPem }: HostTls): void {
  try {
    // OpenSSL passes over what is no certificate among authorities.
    const ca = caPem === undefined ? undefined : new X509Certificate(caPem).toString();
    createSecureContext({ ca, cert: certPem, key: keyPem });
  } catch (error) {
    throw new UsageError(`the certificates of ${host} cannot be used: ${toErrorMessage(error)}`);
  }
}

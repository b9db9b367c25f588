// With which certificate do we serve, and whose clients? One made at start, one from files that are looked at again, or the
// managed one from its Secret; the clients' CA from a file that is looked at again. New ones are taken up for new
// connections; open ones go on, or end after an answer when the clients' CA is another one.
import { X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import type { OptionValues } from '../config.ts';
import { toErrorMessage } from '../lib/text.ts';
import type { Listener, TlsMaterial } from '../server/listener.ts';
import { createSelfSigned } from '../server/self-signed.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { textOf, toAddress, UsageError } from './arguments.ts';
import type { CertificateStore } from './certificate-store.ts';
import { readNamedFile } from './registry-transport.ts';
import { watchFiles } from './watch-files.ts';

/** What opening needs. */
export interface TlsContext {
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Where managed certificates are; undefined: they are not managed. */
  readonly managed: CertificateStore | undefined;
}

/** TLS material, and how it is kept up to date. */
export interface OpenedTls {
  readonly material: TlsMaterial;
  /** PEM of the CA that was made at start. */
  readonly ca: string | undefined;
  /** Where the certificate comes from, for people. */
  readonly origin: string;
  /** Why nobody should be sent here yet; undefined when there is no reason. */
  findUnready(): string | undefined;
  /** Follows what changes by itself. @returns how to stop */
  watch(listener: Listener): () => void;
  /** Looks at what the cluster said last. */
  update(): void;
}

/** Opens what the options name. @throws UsageError */
export async function openTls(values: OptionValues, context: TlsContext): Promise<OpenedTls> {
  const certPath = textOf(values, 'tls-cert');
  const keyPath = textOf(values, 'tls-key');
  const clientCa = openClientCa(textOf(values, 'client-ca'));
  if ((certPath === undefined) !== (keyPath === undefined))
    throw new UsageError('--tls-cert and --tls-key belong together');
  if (certPath === undefined || keyPath === undefined) return openOwn(values, context, clientCa);
  if (context.managed !== undefined)
    throw new UsageError('--tls-cert and --self-managed-certs exclude each other');
  return openFiles([certPath, keyPath], context, clientCa);
}

/** The file of the clients' CA, if there is one. */
interface ClientCaFile {
  readonly paths: readonly string[];
  /** Reads it now. */
  readonly read: () => Pick<TlsMaterial, 'clientCa'>;
}

function openClientCa(path: string | undefined): ClientCaFile {
  if (path === undefined) return { paths: [], read: () => ({}) };
  return { paths: [path], read: () => ({ clientCa: readNamedFile(path, 'client CA').toString('utf8') }) };
}

async function openOwn(
  values: OptionValues,
  context: TlsContext,
  clientCa: ClientCaFile,
): Promise<OpenedTls> {
  const { host } = toAddress(textOf(values, 'listen') ?? '');
  const hosts = [...new Set([host, 'localhost', '127.0.0.1'])];
  const { ca, key, cert } = await createSelfSigned(hosts, new Date());
  const served = createServed({ key, cert, ...clientCa.read() });
  if (context.managed !== undefined) return openManaged(context.managed, context, { served, clientCa });
  context.metrics.setCertificateExpiry('serving', new X509Certificate(cert).validToDate);
  const caOut = textOf(values, 'ca-out');
  if (caOut !== undefined) writeCa(caOut, ca);
  return {
    material: served.material(),
    ca,
    origin: 'this process',
    findUnready: () => undefined,
    watch(listener) {
      served.start(listener);
      return watchClientCa(clientCa, served, context.logger);
    },
    update: () => undefined,
  };
}

/** What is served: what cannot be used changes nothing. */
interface Served {
  material(): TlsMaterial;
  start(listener: Listener): void;
  isStarted(): boolean;
  /** @throws ListenError */
  replace(change: Partial<TlsMaterial>): void;
}

function createServed(first: TlsMaterial): Served {
  let material = first;
  let listener: Listener | undefined;
  return {
    material: () => material,
    start(started) {
      listener = started;
    },
    isStarted: () => listener !== undefined,
    replace(change) {
      const next = { ...material, ...change };
      listener?.setTls(next);
      material = next;
    },
  };
}

// Who may ask changes without a restart: a bundle of the old and the new CA comes before clients get new certificates.
function watchClientCa({ paths, read }: ClientCaFile, served: Served, logger: Logger): () => void {
  if (paths.length === 0) return () => undefined;
  return watchFiles(
    () => paths,
    () => {
      try {
        served.replace(read());
        logger.info({ clientCa: paths[0] }, 'client CA reloaded');
      } catch (error) {
        logger.error({ clientCa: paths[0], error: toErrorMessage(error) }, 'client CA not reloaded');
      }
    },
  );
}

// Until the Secret is there a certificate that nobody believes is served: health is told on another port.
function openManaged(
  store: CertificateStore,
  { logger, metrics }: TlsContext,
  { served, clientCa }: { readonly served: Served; readonly clientCa: ClientCaFile },
): OpenedTls {
  let inUse: string | undefined;
  const update = (): void => {
    const managed = store.inUse();
    if (!served.isStarted() || managed === undefined || managed.cert === inUse) return;
    try {
      served.replace({ key: managed.key, cert: managed.cert });
      inUse = managed.cert;
      metrics.setCertificateExpiry('serving', new X509Certificate(managed.cert).validToDate);
      const [authority = ''] = managed.authorities;
      metrics.setCertificateExpiry('ca', new X509Certificate(authority).validToDate);
      logger.info('serving certificate loaded from its Secret');
    } catch (error) {
      logger.error({ error: toErrorMessage(error) }, 'serving certificate not loaded from its Secret');
    }
  };
  return {
    material: served.material(),
    ca: undefined,
    origin: 'its Secret',
    findUnready: () => (inUse === undefined ? 'there is no managed certificate yet' : undefined),
    watch(listener) {
      served.start(listener);
      update();
      return watchClientCa(clientCa, served, logger);
    },
    update,
  };
}

function openFiles(
  [certPath, keyPath]: readonly [string, string],
  { logger, metrics }: TlsContext,
  clientCa: ClientCaFile,
): OpenedTls {
  const read = (): TlsMaterial => ({
    cert: readFileSync(certPath, 'utf8'),
    key: readFileSync(keyPath, 'utf8'),
    ...clientCa.read(),
  });
  const tellExpiry = ({ cert }: TlsMaterial): void => {
    try {
      metrics.setCertificateExpiry('serving', new X509Certificate(cert).validToDate);
    } catch {
      // Listening with it says what is wrong.
    }
  };
  readNamedFile(certPath, 'certificate');
  readNamedFile(keyPath, 'private key');
  const material = read();
  tellExpiry(material);
  // A certificate that does not load keeps the one in use: rotation writes two files, not at once.
  const reload = (listener: Listener): void => {
    try {
      const next = read();
      listener.setTls(next);
      tellExpiry(next);
      logger.info({ certificate: certPath }, 'serving certificate reloaded');
    } catch (error) {
      logger.error(
        { certificate: certPath, error: toErrorMessage(error) },
        'serving certificate not reloaded',
      );
    }
  };
  return {
    material,
    ca: undefined,
    origin: '--tls-cert',
    findUnready: () => undefined,
    watch: (listener) =>
      watchFiles(
        () => [certPath, keyPath, ...clientCa.paths],
        () => reload(listener),
      ),
    update: () => undefined,
  };
}

function writeCa(path: string, ca: string): void {
  try {
    writeFileSync(path, ca);
  } catch (error) {
    throw new UsageError(`cannot write the CA: ${toErrorMessage(error)}`);
  }
}

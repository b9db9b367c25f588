// With which certificate do we serve? One made at start, one from files that are looked at again, or the managed one from
// its Secret. New ones are taken up for new connections; open ones go on.
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
  const clientCaPath = textOf(values, 'client-ca');
  const clientCa =
    clientCaPath === undefined ? {} : { clientCa: readNamedFile(clientCaPath, 'client CA').toString('utf8') };
  if ((certPath === undefined) !== (keyPath === undefined))
    throw new UsageError('--tls-cert and --tls-key belong together');
  if (certPath === undefined || keyPath === undefined) return openOwn(values, context, clientCa);
  if (context.managed !== undefined)
    throw new UsageError('--tls-cert and --self-managed-certs exclude each other');
  return openFiles([certPath, keyPath], context, clientCa);
}

type ClientCa = Pick<TlsMaterial, 'clientCa'>;

async function openOwn(values: OptionValues, context: TlsContext, clientCa: ClientCa): Promise<OpenedTls> {
  const { host } = toAddress(textOf(values, 'listen') ?? '');
  const hosts = [...new Set([host, 'localhost', '127.0.0.1'])];
  const { ca, key, cert } = await createSelfSigned(hosts, new Date());
  const material = { key, cert, ...clientCa };
  if (context.managed !== undefined) return openManaged(context.managed, context, material);
  context.metrics.setCertificateExpiry('serving', new X509Certificate(cert).validToDate);
  const caOut = textOf(values, 'ca-out');
  if (caOut !== undefined) writeCa(caOut, ca);
  return {
    material,
    ca,
    origin: 'this process',
    findUnready: () => undefined,
    watch: () => () => undefined,
    update: () => undefined,
  };
}

// Until the Secret is there a certificate that nobody believes is served: health is told on another port.
function openManaged(
  store: CertificateStore,
  { logger, metrics }: TlsContext,
  material: TlsMaterial,
): OpenedTls {
  let served: string | undefined;
  let listener: Listener | undefined;
  const update = (): void => {
    const managed = store.inUse();
    if (listener === undefined || managed === undefined || managed.cert === served) return;
    try {
      listener.setTls({ ...material, key: managed.key, cert: managed.cert });
      served = managed.cert;
      metrics.setCertificateExpiry('serving', new X509Certificate(managed.cert).validToDate);
      const [authority = ''] = managed.authorities;
      metrics.setCertificateExpiry('ca', new X509Certificate(authority).validToDate);
      logger.info('serving certificate loaded from its Secret');
    } catch (error) {
      logger.error({ error: toErrorMessage(error) }, 'serving certificate not loaded from its Secret');
    }
  };
  return {
    material,
    ca: undefined,
    origin: 'its Secret',
    findUnready: () => (served === undefined ? 'there is no managed certificate yet' : undefined),
    watch(started) {
      listener = started;
      update();
      return () => undefined;
    },
    update,
  };
}

function openFiles(
  [certPath, keyPath]: readonly [string, string],
  { logger, metrics }: TlsContext,
  clientCa: ClientCa,
): OpenedTls {
  const read = (): TlsMaterial => ({
    cert: readFileSync(certPath, 'utf8'),
    key: readFileSync(keyPath, 'utf8'),
    ...clientCa,
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
        () => [certPath, keyPath],
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

// How is the running service put together? Builds every edge from configuration, wires it, and takes it down again.
import { setTimeout as sleep } from 'node:timers/promises';
import { Registry } from 'prom-client';
import type { NoMatchPolicy } from '../admission/judge-uses.ts';
import { createPolicyHandler } from '../admission/validate-policy.ts';
import { createReviewHandler, type DecisionObserver } from '../admission/handle.ts';
import type { WorkloadMode } from '../admission/scope.ts';
import type { OptionValues } from '../config.ts';
import { createFairTurns } from '../lib/fair-turns.ts';
import { toErrorMessage } from '../lib/text.ts';
import type { ShortNames } from '../model/reference.ts';
import { celSelfTest } from '../policy/cel/self-test.ts';
import { createCelEngine } from '../policy/cel/engine.ts';
import { isOfCluster } from '../policy/compiled.ts';
import { createPolicyStore, type PolicyStore } from '../policy/store.ts';
import { createAdmissionApp } from '../server/admission-app.ts';
import { listen, type Listener } from '../server/listener.ts';
import { createMetricsApp } from '../server/metrics-app.ts';
import { toDecisionRecord } from '../telemetry/decision-record.ts';
import type { Logger } from '../telemetry/logger.ts';
import { createMetrics, type Metrics } from '../telemetry/metrics.ts';
import { MAX_CLOCK_DIFFERENCE_MS, type RefreshEvent } from '../trust/trust-tracker.ts';
import { listOf, textOf, toAddress, UsageError } from './arguments.ts';
import { createCertificateStore, type CertificateStore } from './certificate-store.ts';
import { startFileSource } from './file-source.ts';
import { startOperations, type Operations } from './operations.ts';
import type { PolicySourceHandle, PolicySourceOptions } from './policy-source.ts';
import { createPolicyCheck } from './policy-check.ts';
import { startProver, type ProverAccess } from './prover-access.ts';
import { createRegistryAccess, toSidedClients } from './registry-access.ts';
import { openTls, type OpenedTls } from './serving-tls.ts';
import { createTrustAccess } from './trust-access.ts';
import { readVersion } from './version.ts';

/** How long requests in flight may take after a stop was asked for, in milliseconds. */
export const DRAIN_TIMEOUT_MS = 10_000;

/** A running service. */
export interface Service {
  /** `host:port` of the admission endpoint. */
  readonly address: string;
  readonly metricsAddress: string;
  /** PEM of the CA of the certificate that was made at start; undefined when it was not. */
  readonly ca: string | undefined;
  /** Where the serving certificate comes from, for people. */
  readonly certificateOrigin: string;
  /** Policies in force; 0 before the first sync. */
  policyCount(): number;
  /** Resolves when policies have been read; stays pending until then. */
  readonly synced: Promise<void>;
  /** Fails readiness, goes on for --drain-delay, finishes what is in flight, closes everything. */
  stop(): Promise<void>;
}

/**
 * Starts the service and waits until it is ready.
 * @throws UsageError for files that cannot be used, ListenError for ports that are taken
 */
export async function startService(values: OptionValues, logger: Logger): Promise<Service> {
  const engine = createCelEngine();
  const broken = celSelfTest(engine);
  if (broken !== undefined) throw new UsageError(`the rule engine failed its self-test: ${broken}`);
  const registry = new Registry();
  const metrics = createMetrics(registry, { version: readVersion(), node: process.version });
  const access = createRegistryAccess(values, metrics);
  const trustAccess = createTrustAccess(values, createRefreshObserver(metrics, logger));
  const { trust } = trustAccess;
  metrics.readTrustRoots(() =>
    trust.statuses().map((status) => ({ ...status, expiresAt: status.snapshot?.expiresAt })),
  );
  const store = createPolicyStore(engine, textOf(values, 'controller-namespace') ?? '', trust);
  let operations: Operations | undefined;
  const onUpdate = createUpdateObserver({ store, logger, metrics });
  trust.onChange(() => {
    store.recompile();
    onUpdate();
    operations?.update();
  });
  const { proving, source } = await startTogether(
    startProver(values, metrics, logger),
    startSource(values, { store, logger, metrics, onUpdate }),
  );
  let isStopping = false;
  const turns = createFairTurns();
  const handler = createReviewHandler(
    {
      turns,
      snapshot: () => store.snapshot(),
      ...toSidedClients(access, values['pull-secrets'] === 'Pod' ? source.pullSecrets : undefined),
      prover: proving.prover,
      options: {
        noMatchPolicy: textOf(values, 'no-match-policy') as NoMatchPolicy,
        workloads: textOf(values, 'workloads') as WorkloadMode,
        shortNames: textOf(values, 'short-names') as ShortNames,
        modelCsiDrivers: listOf(values, 'model-csi-driver'),
        modelStorageClasses: listOf(values, 'model-storage-class'),
      },
      now: () => new Date(),
      ...(source.readNamespace === undefined ? {} : { readNamespace: source.readNamespace }),
    },
    createObserver(metrics, logger),
  );
  const listeners: Listener[] = [];
  try {
    const managed = openCertificateStore(values, source);
    const drainDelayMs = toDrainDelayMs(values);
    const tls = await openTls(values, { logger, metrics, managed });
    const metricsListener = await listen(
      createMetricsApp(registry, () =>
        isStopping ? 'stopping' : (source.findUnready() ?? tls.findUnready()),
      ),
      toAddress(textOf(values, 'metrics-listen') ?? ''),
    );
    listeners.push(metricsListener);
    const listener = await listen(
      createAdmissionApp(handler, createPolicyHandler(createPolicyCheck(store), turns)),
      toAddress(textOf(values, 'listen') ?? ''),
      tls.material,
    );
    listeners.push(listener);
    const stopWatching = tls.watch(listener);
    operations = operate(values, { source, store, logger, metrics, managed, tls });
    return {
      address: listener.address,
      metricsAddress: metricsListener.address,
      ca: tls.ca,
      certificateOrigin: tls.origin,
      policyCount: () => store.snapshot()?.policies.length ?? 0,
      synced: source.synced,
      async stop() {
        isStopping = true;
        stopWatching();
        listener.sendAway();
        await Promise.all([
          operations?.stop(),
          sleep(drainDelayMs).then(() => listener.drain(DRAIN_TIMEOUT_MS)),
        ]);
        source.stop();
        await metricsListener.drain(0);
        await proving.close();
        await trustAccess.close();
        await access.transport.close();
      },
    };
  } catch (error) {
    source.stop();
    await Promise.all(listeners.map((listener) => listener.drain(0)));
    await proving.close();
    await trustAccess.close();
    await access.transport.close();
    throw error;
  }
}

const MAX_LOGGED_POLICIES = 32;

interface UpdateContext {
  readonly store: PolicyStore;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

function createUpdateObserver({ store, logger, metrics }: UpdateContext): () => void {
  return () => {
    const policies = store.snapshot()?.policies ?? [];
    const invalid = policies.filter(({ problems }) => problems.length > 0);
    metrics.setPolicies(policies.length - invalid.length, invalid.length);
    for (const { name, problem } of store.snapshot()?.brokenExceptions ?? [])
      logger.error({ exception: name, problem }, 'exception is invalid and has no effect');
    for (const { name, problems } of invalid.filter(isOfCluster))
      logger.error({ policy: name, problems }, 'policy is invalid and denies what it selects');
    // Namespaces can have many, and change them often: their owners see why in denials.
    const ofNamespaces = invalid.filter((policy) => !isOfCluster(policy)).map(({ name }) => name);
    if (ofNamespaces.length > 0)
      logger.warn(
        { count: ofNamespaces.length, policies: ofNamespaces.slice(0, MAX_LOGGED_POLICIES) },
        'ModelPolicies are invalid and deny what they select',
      );
    logger.info(
      { policies: policies.length, invalid: invalid.length, generation: store.snapshot()?.generation },
      'policies in force',
    );
  };
}

// A verifying thread takes as long to start as the Kubernetes client to load: neither waits for the other.
async function startTogether(
  startingProver: Promise<ProverAccess>,
  startingSource: Promise<PolicySourceHandle>,
): Promise<{ readonly proving: ProverAccess; readonly source: PolicySourceHandle }> {
  const [proving, source] = await Promise.allSettled([startingProver, startingSource]);
  if (proving.status === 'fulfilled' && source.status === 'fulfilled')
    return { proving: proving.value, source: source.value };
  if (proving.status === 'fulfilled') await proving.value.close();
  if (source.status === 'fulfilled') source.value.stop();
  throw source.status === 'rejected' ? source.reason : await startingProver;
}

async function startSource(values: OptionValues, options: PolicySourceOptions): Promise<PolicySourceHandle> {
  if (values['policies'] !== undefined) {
    requireNoCluster(values);
    return startFileSource(values, options);
  }
  // The Kubernetes client takes most of a second to load: standalone mode does without.
  const { startClusterSource } = await import('./cluster-source.ts');
  return startClusterSource(values, options);
}

function createRefreshObserver(metrics: Metrics, logger: Logger): (event: RefreshEvent) => void {
  return ({ trustRoot, result, error, clockDifferenceMs = 0 }) => {
    metrics.observeTrustRefresh(trustRoot, result);
    if (result === 'updated') logger.info({ trustRoot }, 'trust root refreshed');
    if (result === 'failed')
      logger.error({ trustRoot, error }, 'trust root not refreshed, the last good one stays');
    if (Math.abs(clockDifferenceMs) > MAX_CLOCK_DIFFERENCE_MS)
      logger.error(
        { trustRoot, clockDifferenceMs },
        "the mirror's clock differs: check this machine's clock",
      );
  };
}

function createObserver(metrics: Metrics, logger: Logger): DecisionObserver {
  return {
    decided(request, decision) {
      metrics.observeDecision(decision, { namespace: request.namespace ?? '', operation: request.operation });
      logger.info({ decision: toDecisionRecord(request, decision, new Date()) }, 'decision');
    },
    failed(uid, error) {
      logger.error(
        { uid, error: toErrorMessage(error), stack: error instanceof Error ? error.stack : undefined },
        'a request could not be decided',
      );
    },
    inFlight: (count) => metrics.setInFlight(count),
  };
}

interface OperateContext extends UpdateContext {
  readonly source: PolicySourceHandle;
  readonly managed: CertificateStore | undefined;
  readonly tls: OpenedTls;
}

function operate(values: OptionValues, { source, tls, ...context }: OperateContext): Operations | undefined {
  const { cluster } = source;
  if (cluster === undefined) return undefined;
  const operations = startOperations(values, { ...context, cluster });
  cluster.onChange(() => {
    tls.update();
    operations?.update();
  });
  return operations;
}

function openCertificateStore(
  values: OptionValues,
  { cluster }: PolicySourceHandle,
): CertificateStore | undefined {
  return cluster !== undefined && values['self-managed-certs'] === true
    ? createCertificateStore(cluster)
    : undefined;
}

function toDrainDelayMs(values: OptionValues): number {
  return Number(textOf(values, 'drain-delay') ?? 0) * 1000;
}

function requireNoCluster(values: OptionValues): void {
  const flag = ['write-status', 'self-managed-certs'].find((name) => values[name] === true);
  const asked = flag ?? (values['webhook-config'] === 'Off' ? undefined : 'webhook-config');
  if (asked !== undefined && values[asked] !== undefined)
    throw new UsageError(`--${asked} needs a cluster: it has no meaning with --policies`);
}

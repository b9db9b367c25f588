// How is the whole admission path tested? The real handler behind real HTTPS, on a registry in memory with models that
// are really signed; everything a test may want to break is an option.
import { offlineTrust } from './trust.ts';
import { Registry } from 'prom-client';
import { createPolicyHandler } from '../../src/admission/validate-policy.ts';
import { createReviewHandler, type DecisionObserver } from '../../src/admission/handle.ts';
import type { DecisionDependencies, DecisionOptions } from '../../src/admission/decide.ts';
import { createPolicyCheck } from '../../src/cli/policy-check.ts';
import { createRegistryAccess, toSidedClients } from '../../src/cli/registry-access.ts';
import type { Surroundings } from '../../src/cli/registry-transport.ts';
import type { OptionValues } from '../../src/config.ts';
import { createFairTurns } from '../../src/lib/fair-turns.ts';
import { attachBundle, packModel, type PackedModel } from '../../src/demo/artifacts.ts';
import { generateSigningKey, type SigningKey } from '../../src/demo/keys.ts';
import { startRegistry, type RegistryHandle, type RegistryRequest } from '../../src/demo/registry.ts';
import { createServerCertificate } from '../../src/demo/server-certificate.ts';
import { signBundleWithKey } from '../../src/demo/sign-with-key.ts';
import { cosignSignStatement } from '../../src/demo/statement.ts';
import type { PullSecretReader } from '../../src/kubernetes/pull-secret.ts';
import { createCelEngine } from '../../src/policy/cel/engine.ts';
import type { ExceptionSource } from '../../src/policy/compile-exception.ts';
import type { ClusterModelPolicySpec } from '../../src/policy/types.ts';
import { createPolicyStore, type PolicyInputs } from '../../src/policy/store.ts';
import { createInlineExecutor } from '../../src/proving/executor.ts';
import { createProver } from '../../src/proving/prover.ts';
import { createAdmissionApp } from '../../src/server/admission-app.ts';
import { listen, type Listener } from '../../src/server/listener.ts';
import { toDecisionRecord } from '../../src/telemetry/decision-record.ts';
import { createMetrics, type Metrics } from '../../src/telemetry/metrics.ts';
import type { TrustStore } from '../../src/trust/trust-store.ts';
import type { RefreshEvent } from '../../src/trust/trust-tracker.ts';
import { post, type HttpAnswer, type PostOptions } from './https-client.ts';

/** An AdmissionReview's response, flattened. */
export interface Answer {
  readonly uid: string;
  readonly allowed: boolean;
  readonly code: number | undefined;
  readonly reason: string | undefined;
  readonly message: string;
  readonly causes: readonly Cause[];
  /** Reasons of the causes, without repetition. */
  readonly reasons: readonly string[];
  readonly warnings: readonly string[];
  readonly annotations: Readonly<Record<string, string>>;
}

export interface Cause {
  readonly reason: string;
  readonly message: string;
  readonly field?: string;
}

/** A decision record as it is logged. */
export interface DecisionRecord {
  readonly uid: string;
  readonly operation: string;
  readonly verdict: string;
  readonly exemption: string | null;
  readonly object: { readonly kind: string; readonly namespace: string; readonly name: string };
  readonly user: string;
  readonly references: readonly { readonly reference: string; readonly digest: string | null }[];
  readonly findings: readonly { readonly reason: string; readonly actions: readonly string[] }[];
  readonly policies: readonly string[];
  readonly exceptions: readonly { readonly exception: string; readonly policy: string }[];
}

/** Policies by name. */
export type Policies = Readonly<Record<string, Partial<ClusterModelPolicySpec> | Record<string, unknown>>>;

/** What differs from a controller in its defaults. */
export interface ControllerOptions {
  readonly policies?: Policies;
  /** ModelPolicies by `namespace/name`. */
  readonly modelPolicies?: Policies;
  /** Secrets and ConfigMaps by `Kind/namespace/name`; default none. */
  readonly material?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly exceptions?: readonly ExceptionSource[];
  /** Namespaces that exist, with their labels; absent: every namespace exists. */
  readonly namespaces?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly decisions?: Partial<DecisionOptions>;
  readonly dependencies?: Partial<DecisionDependencies>;
  /** TrustRoots by name. */
  readonly trustRoots?: Readonly<Record<string, unknown>>;
  /** Makes the trust store, whose changes and refreshes are followed as in the service; absent: one that asks nobody. */
  readonly openTrust?: (onRefresh: (event: RefreshEvent) => void) => TrustStore;
  /** Stands between the handler and what it depends on. */
  readonly wrap?: (dependencies: DecisionDependencies) => DecisionDependencies;
  readonly observer?: Partial<DecisionObserver>;
  /** False: the policies have not been read. */
  readonly isSynced?: boolean;
  /** Where pull secrets of pods are read; absent: nowhere. */
  readonly pullSecrets?: PullSecretReader;
  /** A registry that is shared; it is not closed with the controller. */
  readonly registry?: RegistryHandle;
  /** Options of how registries are reached; absent: the registry by plain HTTP. */
  readonly access?: OptionValues;
  readonly surroundings?: Surroundings;
}

/** A running controller. */
export interface Controller {
  readonly address: string;
  readonly ca: string;
  readonly registry: RegistryHandle;
  readonly listener: Listener;
  readonly records: readonly DecisionRecord[];
  readonly failures: readonly unknown[];
  setPolicies(policies: Policies): void;
  /** Posts a review and reads the answer; fails when it is not 200 with this review's uid. */
  ask(review: object, options?: PostOptions): Promise<Answer>;
  /** Posts a review of a policy object. */
  askPolicy(review: object): Promise<Answer>;
  /** Posts anything. */
  post(body: string | Buffer, options?: PostOptions): Promise<HttpAnswer>;
  /** The metrics' text. */
  metrics(): Promise<string>;
  stop(): Promise<void>;
}

const KEY = generateSigningKey('p256');
let models = 0;

/** The key that {@link teamPolicy} trusts. */
export const TEAM_KEY: SigningKey = KEY;

/** A policy that wants models of the registry to be signed by the team's key. */
export function teamPolicy(registry: RegistryHandle, overrides: object = {}): Record<string, unknown> {
  return {
    models: [{ glob: `${registry.address}/**` }],
    authorities: [{ name: 'team', key: { pem: KEY.publicKeyPem } }],
    ...overrides,
  };
}

/** Pushes a model of its own repository, unsigned. */
export function pushModel(registry: RegistryHandle, tag?: string): PackedModel {
  models += 1;
  const files = { 'model.safetensors': `weights ${models}`, 'config.json': '{}' };
  return packModel(registry, `team/model-${models}`, files, tag === undefined ? {} : { tag });
}

/** Pushes a model signed with a key, by default the team's. */
export function pushSigned(registry: RegistryHandle, tag?: string, key: SigningKey = KEY): PackedModel {
  const model = pushModel(registry, tag);
  attachBundle(registry, model, signBundleWithKey(cosignSignStatement(model.digest), key));
  return model;
}

/** Requests of a repository's manifests, blobs and referrers. */
export function requestsOf(
  registry: RegistryHandle,
  { repository }: PackedModel,
): readonly RegistryRequest[] {
  return registry.requests.filter(({ path }) => path.startsWith(`/v2/${repository}/`));
}

/** Starts a controller; without policies it wants every model of its registry signed by the team's key. */
export async function startController(options: ControllerOptions = {}): Promise<Controller> {
  const registry = options.registry ?? (await startRegistry());
  const records: DecisionRecord[] = [];
  const failures: unknown[] = [];
  const metricsRegistry = new Registry();
  const metrics = createMetrics(metricsRegistry, { version: 'test', node: process.version });
  const access = createRegistryAccess(
    options.access ?? { 'plain-http': [registry.address] },
    metrics,
    options.surroundings ?? { environment: {} },
  );
  const trust = openTrust(options, metrics);
  const store = createPolicyStore(createCelEngine(), 'model-policy-system', trust);
  trust.onChange(() => store.recompile());
  const setPolicies = (policies: Policies): void => store.update(toInputs(policies, options));
  if (options.isSynced !== false) setPolicies(options.policies ?? { team: teamPolicy(registry) });
  const turns = createFairTurns();
  const dependencies: DecisionDependencies = {
    snapshot: () => store.snapshot(),
    ...toSidedClients(access, options.pullSecrets),
    prover: createProver(createInlineExecutor(), {
      lookedUp: (result) => metrics.observeCache('facts', result),
      disagreed: () => metrics.observeDisagreement(),
    }),
    options: { noMatchPolicy: 'Deny', workloads: 'Warn', shortNames: 'Deny', ...options.decisions },
    now: () => new Date(),
    turns,
    ...options.dependencies,
  };
  const handler = createReviewHandler(options.wrap?.(dependencies) ?? dependencies, {
    decided(request, decision) {
      metrics.observeDecision(decision, { namespace: request.namespace ?? '', operation: request.operation });
      records.push(toDecisionRecord(request, decision, new Date()) as DecisionRecord);
    },
    failed: (_uid, error) => void failures.push(error),
    inFlight: (count) => metrics.setInFlight(count),
    ...options.observer,
  });
  const tls = createServerCertificate();
  const listener = await listen(
    createAdmissionApp(handler, createPolicyHandler(createPolicyCheck(store), turns)),
    { host: '127.0.0.1', port: 0 },
    tls,
  );
  const send = (body: string | Buffer, postOptions: PostOptions = {}): Promise<HttpAnswer> =>
    post({ address: listener.address, ca: tls.ca }, body, postOptions);
  return {
    address: listener.address,
    ca: tls.ca,
    registry,
    listener,
    records,
    failures,
    setPolicies,
    post: send,
    ask: async (review, postOptions) => toAnswer(review, await send(JSON.stringify(review), postOptions)),
    askPolicy: async (review) =>
      toAnswer(review, await send(JSON.stringify(review), { path: '/validate-policy' })),
    metrics: () => metricsRegistry.metrics(),
    async stop() {
      await listener.drain(0);
      if (options.registry === undefined) await registry.close();
      trust.stop();
      await access.transport.close();
    },
  };
}

function openTrust({ openTrust: open }: ControllerOptions, metrics: Metrics): TrustStore {
  const trust =
    open?.(({ trustRoot, result }) => metrics.observeTrustRefresh(trustRoot, result)) ?? offlineTrust();
  metrics.readTrustRoots(() =>
    trust.statuses().map((status) => ({ ...status, expiresAt: status.snapshot?.expiresAt })),
  );
  return trust;
}

function toInputs(
  policies: Policies,
  { namespaces, exceptions = [], trustRoots = {}, modelPolicies = {}, material = {} }: ControllerOptions,
): PolicyInputs {
  return {
    policies: [
      ...Object.entries(policies).map(([name, spec]) => ({ name, spec })),
      ...Object.entries(modelPolicies).map(([name, spec]) => ({
        name,
        namespace: name.split('/')[0] ?? '',
        spec,
      })),
    ],
    exceptions,
    trustRoots: new Map(Object.entries(trustRoots)),
    material: new Map(
      Object.entries(material).map(([key, values]) => [
        key,
        new Map(Object.entries(values).map(([name, value]) => [name, Buffer.from(value)])),
      ]),
    ),
    namespaces: new Map(
      Object.entries(namespaces ?? {}).map(([name, labels]) => [name, { metadata: { name, labels } }]),
    ),
    unlistedNamespaces: namespaces === undefined ? 'Exist' : 'Unknown',
  };
}

interface ReviewResponse {
  readonly uid: string;
  readonly allowed: boolean;
  readonly status?: {
    readonly code: number;
    readonly reason: string;
    readonly message: string;
    readonly details: { readonly causes: readonly Cause[] };
  };
  readonly warnings?: readonly string[];
  readonly auditAnnotations?: Readonly<Record<string, string>>;
}

/** Reads an answer. @throws Error when it is not 200 with the uid of this review */
export function toAnswer(review: object, answer: HttpAnswer): Answer {
  const { request } = review as { request: { uid: string } };
  if (answer.status !== 200) throw new Error(`the server answered ${answer.status}: ${answer.text}`);
  const body = JSON.parse(answer.text) as { apiVersion: string; kind: string; response: ReviewResponse };
  if (body.apiVersion !== 'admission.k8s.io/v1' || body.kind !== 'AdmissionReview')
    throw new Error(`the answer is no AdmissionReview: ${answer.text.slice(0, 200)}`);
  const { uid, allowed, status, warnings = [], auditAnnotations = {} } = body.response;
  if (uid !== request.uid) throw new Error(`the uid is ${uid}, not ${request.uid}`);
  if (allowed === (status !== undefined)) throw new Error('denials have a status, admissions none');
  const causes = status?.details.causes ?? [];
  return {
    uid,
    allowed,
    code: status?.code,
    reason: status?.reason,
    message: status?.message ?? '',
    causes,
    reasons: [...new Set(causes.map(({ reason }) => reason))],
    warnings,
    annotations: auditAnnotations,
  };
}

// How often, how fast, and why not? All metrics of the process on one injected registry. Labels are bounded: never a
// reference, a digest or free text; namespaces beyond a number share one label.
import { Counter, Gauge, Histogram, collectDefaultMetrics, type Registry } from 'prom-client';
import type { Decision } from '../verdict/decision.ts';
import type { DenialReason } from '../reason.ts';
import { createClusterMetrics, type ClusterMetrics } from './cluster-metrics.ts';
import { createProvingMetrics, type ProvingMetrics } from './proving-metrics.ts';

/** Namespaces that get series of their own; later ones are counted as `(other)`. */
export const MAX_NAMESPACE_LABELS = 500;
const OTHER = '(other)';
const DURATION_BUCKETS_SECONDS = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

/** How a TrustRoot is doing; times in milliseconds. */
export interface TrustRootReading {
  readonly trustRoot: string;
  readonly ageMs: number | undefined;
  readonly expiresAt: Date | undefined;
  readonly clockDifferenceMs: number | undefined;
}

/** What the rest of the process reports. */
export interface Metrics extends ProvingMetrics, ClusterMetrics {
  observeDecision(decision: Decision, request: { namespace: string; operation: string }): void;
  observeRegistryRequest(status: string): void;
  observeCache(cache: string, result: string): void;
  /** How many of each kind are in force. */
  setPolicies(kind: 'ClusterModelPolicy' | 'ModelPolicy', valid: number, invalid: number): void;
  setInFlight(requests: number): void;
  observeTrustRefresh(trustRoot: string, result: string): void;
  /** Says whom to ask, at every scrape, how the refreshed TrustRoots are doing. */
  readTrustRoots(read: () => readonly TrustRootReading[]): void;
}

/** Registers every metric. @param build shown by model_policy_build_info */
export function createMetrics(registry: Registry, build: { version: string; node: string }): Metrics {
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const requests = new Counter({
    name: 'model_policy_requests_total',
    help: 'Admission requests by operation and verdict (allowed, denied, exempt).',
    labelNames: ['operation', 'verdict'],
    registers,
  });
  const decisions = new Counter({
    name: 'model_policy_decisions_total',
    help: 'Findings and passes by policy, namespace, action of the policy, and reason (Passed when there was no finding).',
    labelNames: ['policy', 'namespace', 'action', 'reason'],
    registers,
  });
  const exceptions = new Counter({
    name: 'model_policy_exceptions_used_total',
    help: 'Denials that a ModelPolicyException turned into warnings, by exception and policy.',
    labelNames: ['exception', 'policy'],
    registers,
  });
  const stages = new Histogram({
    name: 'model_policy_stage_duration_seconds',
    help: 'Time of one request by stage; total covers all.',
    labelNames: ['stage'],
    buckets: DURATION_BUCKETS_SECONDS,
    registers,
  });
  const registryRequests = new Counter({
    name: 'model_policy_registry_requests_total',
    help: 'HTTP exchanges with registries by status; error when there was no answer.',
    labelNames: ['status'],
    registers,
  });
  const cacheLookups = new Counter({
    name: 'model_policy_cache_lookups_total',
    help: 'Cache look-ups by cache and result (hit, miss, joined).',
    labelNames: ['cache', 'result'],
    registers,
  });
  const policies = new Gauge({
    name: 'model_policy_policies',
    help: 'ClusterModelPolicies in force by state; invalid ones deny what they select.',
    labelNames: ['state'],
    registers,
  });
  const ofNamespaces = new Gauge({
    name: 'model_policy_namespaced_policies',
    help: 'ModelPolicies in force by state: their owners can break them whenever they like.',
    labelNames: ['state'],
    registers,
  });
  const inFlight = new Gauge({
    name: 'model_policy_requests_in_flight',
    help: 'Admission requests being decided.',
    registers,
  });
  const trust = createTrustMetrics(registers);
  new Gauge({
    name: 'model_policy_build_info',
    help: 'Always 1; the labels say what is running.',
    labelNames: ['version', 'node'],
    registers,
  }).set(build, 1);
  const toNamespaceLabel = createBoundedLabels(MAX_NAMESPACE_LABELS);

  return {
    observeDecision(decision, { namespace, operation }) {
      requests.inc({ operation, verdict: toVerdictLabel(decision) });
      for (const [stage, milliseconds] of Object.entries(decision.durationsMs))
        stages.observe({ stage }, milliseconds / 1000);
      for (const { exception, policy } of decision.exceptions) exceptions.inc({ exception, policy });
      const label = toNamespaceLabel(namespace);
      for (const { policy, action, reason } of toSeries(decision))
        decisions.inc({ policy, namespace: label, action, reason });
    },
    observeRegistryRequest: (status) => registryRequests.inc({ status }),
    observeCache: (cache, result) => cacheLookups.inc({ cache, result }),
    setPolicies(kind, valid, invalid) {
      const gauge = kind === 'ModelPolicy' ? ofNamespaces : policies;
      gauge.set({ state: 'valid' }, valid);
      gauge.set({ state: 'invalid' }, invalid);
    },
    setInFlight: (count) => inFlight.set(count),
    ...trust,
    ...createProvingMetrics(registers),
    ...createClusterMetrics(registers),
  };
}

type TrustMetrics = Pick<Metrics, 'observeTrustRefresh' | 'readTrustRoots'>;

function createTrustMetrics(registers: Registry[]): TrustMetrics {
  let read: () => readonly TrustRootReading[] = () => [];
  const gauge = (
    name: string,
    help: string,
    toSeconds: (reading: TrustRootReading) => number | undefined,
  ): Gauge =>
    new Gauge({
      name,
      help,
      labelNames: ['trust_root'],
      registers,
      collect() {
        this.reset();
        for (const reading of read()) {
          const seconds = toSeconds(reading);
          if (seconds !== undefined) this.set({ trust_root: reading.trustRoot }, seconds);
        }
      },
    });
  const refreshes = new Counter({
    name: 'model_policy_trust_root_refresh_total',
    help: 'Refreshes of a TrustRoot by result (updated, unchanged, failed).',
    labelNames: ['trust_root', 'result'],
    registers,
  });
  gauge(
    'model_policy_trust_root_age_seconds',
    'Time since the source of a refreshed TrustRoot vouched for the root in force.',
    ({ ageMs }) => toSeconds(ageMs),
  );
  gauge(
    'model_policy_trust_root_expiry_timestamp_seconds',
    'When the root in force stops being trusted unless its source vouches for it again, in Unix time.',
    ({ expiresAt }) => toSeconds(expiresAt?.getTime()),
  );
  gauge(
    'model_policy_trust_root_clock_difference_seconds',
    "Clock of a TrustRoot's mirror less the clock of this machine.",
    ({ clockDifferenceMs }) => toSeconds(clockDifferenceMs),
  );
  return {
    observeTrustRefresh: (trustRoot, result) => refreshes.inc({ trust_root: trustRoot, result }),
    readTrustRoots(reader) {
      read = reader;
    },
  };
}

const toSeconds = (milliseconds: number | undefined): number | undefined =>
  milliseconds === undefined ? undefined : milliseconds / 1000;

function toVerdictLabel({ verdict, exemption }: Decision): string {
  if (exemption !== undefined) return 'exempt';
  return verdict.allowed ? 'allowed' : 'denied';
}

interface Series {
  readonly policy: string;
  readonly action: string;
  readonly reason: DenialReason | 'Passed';
}

// One count per policy, action and reason of a request, however many references had it.
function toSeries({ acted, uses }: Decision): readonly Series[] {
  const found = acted.flatMap(({ finding, actions }) =>
    [...actions].map((action): Series => ({
      policy: toPolicyLabel(finding.policy ?? ''),
      action,
      reason: finding.reason,
    })),
  );
  const passed = uses
    .flatMap(({ results }) => results)
    .filter(({ findings }) => findings.length === 0)
    .flatMap(({ policy }) =>
      [...policy.actions].map((action): Series => ({
        policy: toPolicyLabel(policy.name),
        action,
        reason: 'Passed',
      })),
    );
  return [...new Map([...found, ...passed].map((entry) => [JSON.stringify(entry), entry])).values()];
}

// Namespaces name their policies as they like, and as many as they like one after the other.
function toPolicyLabel(name: string): string {
  return name.includes('/') ? 'ModelPolicy' : name;
}

function createBoundedLabels(max: number): (label: string) => string {
  const known = new Set<string>();
  return (label) => {
    if (known.has(label)) return label;
    if (known.size >= max) return OTHER;
    known.add(label);
    return label;
  };
}

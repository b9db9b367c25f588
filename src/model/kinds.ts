// Which kinds are read? One table: group, versions and resource as the webhook is registered for them, and where
// their pods stand. deploy/base is held to it by a test.

/** Where a pod stands in an object. */
export interface TemplatePlace {
  /** Members from the object down; `*` stands for every entry of a list. */
  readonly path: readonly string[];
  /** True where a pod spec stands without metadata around it. */
  readonly isBareSpec?: boolean;
  /** True where the object need not have it. */
  readonly isOptional?: boolean;
}

/** One kind. */
export interface WorkloadKind {
  readonly group: string;
  readonly kind: string;
  /** Versions that are registered; a request of any version is read in the same way. */
  readonly versions: readonly string[];
  readonly resource: string;
  readonly templates: readonly TemplatePlace[];
}

const template: TemplatePlace = { path: ['spec', 'template'] };
const bareSpec = (...path: readonly string[]): TemplatePlace => ({
  path,
  isBareSpec: true,
  isOptional: true,
});
const apps = (kind: string, resource: string): WorkloadKind => ({
  group: 'apps',
  kind,
  versions: ['v1'],
  resource,
  templates: [template],
});

/** Every kind that is read. */
export const WORKLOAD_KINDS: readonly WorkloadKind[] = [
  { group: '', kind: 'Pod', versions: ['v1'], resource: 'pods', templates: [{ path: [] }] },
  apps('Deployment', 'deployments'),
  apps('StatefulSet', 'statefulsets'),
  apps('DaemonSet', 'daemonsets'),
  apps('ReplicaSet', 'replicasets'),
  { group: 'batch', kind: 'Job', versions: ['v1'], resource: 'jobs', templates: [template] },
  {
    group: 'batch',
    kind: 'CronJob',
    versions: ['v1'],
    resource: 'cronjobs',
    templates: [{ path: ['spec', 'jobTemplate', 'spec', 'template'] }],
  },
  {
    group: 'leaderworkerset.x-k8s.io',
    kind: 'LeaderWorkerSet',
    versions: ['v1'],
    resource: 'leaderworkersets',
    templates: [
      { path: ['spec', 'leaderWorkerTemplate', 'leaderTemplate'], isOptional: true },
      { path: ['spec', 'leaderWorkerTemplate', 'workerTemplate'] },
    ],
  },
  {
    group: 'serving.kserve.io',
    kind: 'InferenceService',
    versions: ['v1beta1'],
    resource: 'inferenceservices',
    // Each component is a pod spec with KServe's own fields beside it.
    templates: [
      bareSpec('spec', 'predictor'),
      bareSpec('spec', 'predictor', 'workerSpec'),
      bareSpec('spec', 'transformer'),
      bareSpec('spec', 'explainer'),
      bareSpec('spec', 'canary', '*', 'predictor'),
      bareSpec('spec', 'canary', '*', 'predictor', 'workerSpec'),
    ],
  },
  {
    group: 'serving.kserve.io',
    kind: 'LLMInferenceService',
    versions: ['v1alpha1', 'v1alpha2'],
    resource: 'llminferenceservices',
    templates: [
      bareSpec('spec', 'template'),
      bareSpec('spec', 'worker'),
      bareSpec('spec', 'prefill', 'template'),
      bareSpec('spec', 'prefill', 'worker'),
      bareSpec('spec', 'router', 'scheduler', 'template'),
      bareSpec('spec', 'router', 'scheduler', 'tokenizer', 'template'),
    ],
  },
];

/** The kind of this group and name, if it is read. */
export function findKind(group: string, kind: string): WorkloadKind | undefined {
  return WORKLOAD_KINDS.find((entry) => entry.group === group && entry.kind === kind);
}

// What does the API server send? AdmissionReviews and the objects in them, as tools/kube observed them, each part
// replaceable so that a test can make it wrong.
import { randomUUID } from 'node:crypto';

/** Fields of an AdmissionRequest that a test replaces; undefined leaves the field out. */
export type RequestFields = Readonly<Record<string, unknown>>;

/** A container that names no model. */
export const PLAIN_CONTAINER = { name: 'app', image: 'registry.example.test/app:1' };

/** An AdmissionReview of a Pod's creation in namespace `default`, unless the fields say otherwise. */
export function reviewOf(object: unknown, fields: RequestFields = {}): Record<string, unknown> {
  return {
    kind: 'AdmissionReview',
    apiVersion: 'admission.k8s.io/v1',
    request: {
      uid: randomUUID(),
      kind: { group: '', version: 'v1', kind: 'Pod' },
      resource: { group: '', version: 'v1', resource: 'pods' },
      requestKind: { group: '', version: 'v1', kind: 'Pod' },
      requestResource: { group: '', version: 'v1', resource: 'pods' },
      name: 'pod',
      namespace: 'default',
      operation: 'CREATE',
      userInfo: { username: 'jane', groups: ['system:authenticated'] },
      object,
      oldObject: null,
      dryRun: false,
      options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1' },
      ...fields,
    },
  };
}

/** The review of an update from one object to another. */
export function updateOf(
  oldObject: unknown,
  object: unknown,
  fields: RequestFields = {},
): Record<string, unknown> {
  return reviewOf(object, { operation: 'UPDATE', oldObject, ...fields });
}

/** A pod around a spec. */
export function podOf(spec: object, metadata: object = {}): Record<string, unknown> {
  return {
    kind: 'Pod',
    apiVersion: 'v1',
    metadata: { name: 'pod', namespace: 'default', ...metadata },
    spec: { containers: [PLAIN_CONTAINER], ...spec },
    status: { phase: 'Pending' },
  };
}

/** A pod with one image volume per reference. */
export function volumePod(...references: readonly unknown[]): Record<string, unknown> {
  return podOf({ volumes: toVolumes(references) });
}

/** Image volumes as the API server defaults them. */
export function toVolumes(references: readonly unknown[]): readonly object[] {
  return references.map((reference, index) => ({
    name: `model-${index}`,
    image: { reference, pullPolicy: 'IfNotPresent' },
  }));
}

/** A pod with one container per image. */
export function imagePod(...images: readonly string[]): Record<string, unknown> {
  return podOf({ containers: images.map((image, index) => ({ name: `c${index}`, image })) });
}

/** A pod whose container has these arguments. */
export function argumentPod(...args: readonly string[]): Record<string, unknown> {
  return podOf({ containers: [{ ...PLAIN_CONTAINER, args }] });
}

/** A workload of a kind whose pods use these image volumes, and the request fields that go with it. */
export function workloadReview(
  kind: 'Deployment' | 'StatefulSet' | 'DaemonSet' | 'ReplicaSet' | 'Job' | 'CronJob',
  references: readonly unknown[],
  fields: RequestFields = {},
): Record<string, unknown> {
  const template = { metadata: {}, spec: { containers: [PLAIN_CONTAINER], volumes: toVolumes(references) } };
  const group = kind === 'Job' || kind === 'CronJob' ? 'batch' : 'apps';
  const object = {
    kind,
    apiVersion: `${group}/v1`,
    metadata: { name: 'workload', namespace: 'default' },
    spec: kind === 'CronJob' ? { jobTemplate: { spec: { template } } } : { template },
  };
  return reviewOf(object, { name: 'workload', kind: { group, version: 'v1', kind }, ...fields });
}

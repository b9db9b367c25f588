// Which objects have which status now? Joins the cluster's objects with the compiled world.
import type { EventNote } from '../kubernetes/event-writer.ts';
import type { DesiredStatus } from '../kubernetes/status.ts';
import type { StatusTarget } from '../kubernetes/status-writer.ts';
import {
  toBrokenExceptionStatus,
  toExceptionStatus,
  toPolicyStatus,
  toTrustRootStatus,
} from '../policy/status.ts';
import type { PolicySnapshot } from '../policy/store.ts';
import { API_GROUP } from '../policy/types.ts';
import type { ClusterView, Collection } from './cluster-source.ts';

type DesiredStatuses = ReadonlyMap<string, DesiredStatus>;

/** Every object of ours that a snapshot knows, with the status it should have. */
export function toStatusTargets(
  cluster: ClusterView,
  snapshot: PolicySnapshot,
  now: Date,
): readonly StatusTarget[] {
  const exceptions: DesiredStatuses = new Map([
    ...snapshot.exceptions.map((one): [string, DesiredStatus] => [one.name, toExceptionStatus(one, now)]),
    ...snapshot.brokenExceptions.map(({ name, problem }): [string, DesiredStatus] => [
      name,
      toBrokenExceptionStatus(problem),
    ]),
  ]);
  const policies = new Map(snapshot.policies.map((policy) => [policy.name, toPolicyStatus(policy)]));
  const trustRoots = new Map([...snapshot.trustRoots].map(([name, root]) => [name, toTrustRootStatus(root)]));
  const join = (collection: Collection, resource: string, statuses: DesiredStatuses): StatusTarget[] =>
    [...(cluster.objects(collection) ?? [])].flatMap(([name, object]) => {
      const desired = statuses.get(name);
      const path = toObjectPath(resource, name);
      return desired === undefined ? [] : [{ path, object, desired }];
    });
  return [
    ...join('policies', 'clustermodelpolicies', policies),
    ...join('modelPolicies', 'modelpolicies', policies),
    ...join('trustRoots', 'trustroots', trustRoots),
    ...join('exceptions', 'modelpolicyexceptions', exceptions),
  ];
}

// `namespace/name`, or the name of what is in no namespace.
function toObjectPath(resource: string, key: string): string {
  const [name = '', namespace] = key.split('/').toReversed();
  const within = namespace === undefined ? '' : `namespaces/${encodeURIComponent(namespace)}/`;
  return `/apis/${API_GROUP}/v1alpha1/${within}${resource}/${encodeURIComponent(name)}`;
}

/** What is worth an event: everything that does not do what it is for. */
export function toEventNotes(targets: readonly StatusTarget[]): readonly EventNote[] {
  return targets.flatMap(({ object, desired }) => {
    const [main] = desired.conditions;
    if (main?.status !== 'False') return [];
    const type = main.reason === 'Expired' ? 'Normal' : 'Warning';
    return [{ object, type, reason: main.reason, note: main.message }];
  });
}

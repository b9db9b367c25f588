// Which pod does this object make? One place for the template path of every workload kind.
import { isRecord, toRecord } from '../lib/text.ts';

/** A pod or pod template inside an object. */
export interface PodTemplate {
  readonly metadata: Record<string, unknown>;
  readonly spec: Record<string, unknown>;
  /** Path of the pod spec in the object, e.g. `spec.template.spec`. */
  readonly specPath: string;
  /** False for kinds whose pods are judged again when they are created. */
  readonly isPod: boolean;
}

const PATHS: Readonly<Record<string, readonly string[]>> = {
  Pod: [],
  Deployment: ['spec', 'template'],
  StatefulSet: ['spec', 'template'],
  DaemonSet: ['spec', 'template'],
  ReplicaSet: ['spec', 'template'],
  Job: ['spec', 'template'],
  CronJob: ['spec', 'jobTemplate', 'spec', 'template'],
};
const GROUPS: Readonly<Record<string, string>> = { Pod: '', Job: 'batch', CronJob: 'batch' };

/** The template of an object of this group and kind; undefined for kinds that make no pods or lack a spec. */
export function toPodTemplate(group: string, kind: string, object: unknown): PodTemplate | undefined {
  const path = Object.hasOwn(PATHS, kind) ? PATHS[kind] : undefined;
  if (path === undefined || group !== (GROUPS[kind] ?? 'apps')) return undefined;
  let template = object;
  for (const step of path) template = toRecord(template)[step];
  const { metadata, spec } = toRecord(template);
  if (!isRecord(spec)) return undefined;
  return {
    metadata: toRecord(metadata),
    spec,
    specPath: [...path, 'spec'].join('.'),
    isPod: kind === 'Pod',
  };
}

/** True for kinds that {@link toPodTemplate} knows, whatever their content. */
export function isPodKind(group: string, kind: string): boolean {
  return Object.hasOwn(PATHS, kind) && group === (GROUPS[kind] ?? 'apps');
}

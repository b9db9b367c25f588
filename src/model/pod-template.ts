// Which pods does this object make? The pod templates of every kind that is read, each with its path.
import { isRecord, toArray, toRecord } from '../lib/text.ts';
import { findKind, type TemplatePlace } from './kinds.ts';

/** A pod or pod template inside an object. */
export interface PodTemplate {
  readonly metadata: Record<string, unknown>;
  readonly spec: Record<string, unknown>;
  /** Path of the pod spec in the object, e.g. `spec.template.spec`. */
  readonly specPath: string;
}

/** An object with the pods it makes; there may be none yet, where a kind takes its pods from elsewhere. */
export interface Workload {
  readonly kind: string;
  readonly object: unknown;
  readonly templates: readonly PodTemplate[];
}

/** A value with its path in the object. */
export interface Placed {
  readonly value: unknown;
  readonly path: string;
}

/** The object of this group and kind with its templates; undefined for kinds that make no pods or lack a spec. */
export function toWorkload(group: string, kind: string, object: unknown): Workload | undefined {
  const entry = findKind(group, kind);
  if (entry === undefined || !isRecord(toRecord(object)['spec'])) return undefined;
  const templates: PodTemplate[] = [];
  for (const place of entry.templates)
    for (const found of findPlaces(object, place.path)) {
      if (place.isOptional === true && (found.value === undefined || found.value === null)) continue;
      const template = toTemplate(found, place);
      if (template === undefined) return undefined;
      templates.push(template);
    }
  return { kind, object, templates };
}

function toTemplate({ value, path }: Placed, { isBareSpec = false }: TemplatePlace): PodTemplate | undefined {
  const { metadata, spec } = isBareSpec ? { metadata: {}, spec: value } : toRecord(value);
  if (!isRecord(spec)) return undefined;
  const specPath = isBareSpec ? path : joinPath(path, 'spec');
  return { metadata: toRecord(metadata), spec, specPath };
}

/** Every value at a path, of which `*` stands for every entry of a list. */
export function findPlaces(object: unknown, steps: readonly string[]): readonly Placed[] {
  let places: readonly Placed[] = [{ value: object, path: '' }];
  for (const step of steps)
    places = places.flatMap(({ value, path }) =>
      step === '*'
        ? toArray(value).map((entry, index) => ({ value: entry, path: `${path}[${index}]` }))
        : [{ value: toRecord(value)[step], path: joinPath(path, step) }],
    );
  return places;
}

function joinPath(path: string, step: string): string {
  return path === '' ? step : `${path}.${step}`;
}

/** True for kinds that {@link toWorkload} knows, whatever their content. */
export function isWorkloadKind(group: string, kind: string): boolean {
  return findKind(group, kind) !== undefined;
}

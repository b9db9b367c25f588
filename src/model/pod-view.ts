// What do the extractors of a pod look at? Its spec and containers, with variables read once for all of them.
import { toRecord } from '../lib/text.ts';
import {
  type Container,
  type Environment,
  type ExpansionBudget,
  toContainers,
  toEnvironment,
} from './container.ts';
import { toRuntimes } from './kserve-component.ts';
import type { PodTemplate } from './pod-template.ts';

/** How the operator's cluster mounts models. */
export interface ModelVolumes {
  /** CSI drivers of the ModelPack kind. */
  readonly csiDrivers: ReadonlySet<string>;
  /** StorageClasses whose volumes hold a model. */
  readonly storageClasses: ReadonlySet<string>;
}

/** A container with what its variables are known to hold. */
export interface ContainerView extends Container {
  readonly environment: Environment;
}

/** A pod as extractors see it. */
export interface PodView {
  readonly spec: Record<string, unknown>;
  readonly specPath: string;
  readonly containers: readonly ContainerView[];
  readonly modelVolumes: ModelVolumes;
}

/** Prepares a template of an object of a kind for its extractors. */
export function toPodView(
  { spec, specPath }: PodTemplate,
  kind: string,
  modelVolumes: ModelVolumes,
  budget: ExpansionBudget,
): PodView {
  const runtimes = kind === 'InferenceService' ? toRuntimes(toRecord(spec), specPath) : [];
  const containers = [...toContainers(spec, specPath), ...runtimes].map((container) => ({
    ...container,
    environment: toEnvironment(container, budget),
  }));
  return { spec, specPath, containers, modelVolumes };
}

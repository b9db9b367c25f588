// What is a policy once it is compiled? Everything a request needs, nothing it has to parse.
import type { Finding } from '../reason.ts';
import type { ModelSource } from '../model/model-reference.ts';
import type { Authority } from '../signature/authority.ts';
import type { CelProgram, CelVariables } from './cel/engine.ts';
import type { GlobMatcher } from './glob.ts';
import type { LabelMatcher } from './label-selector.ts';
import type { UnverifiableSources, ValidationAction } from './types.ts';

/** One entry of `models`. `isExplicit`: its glob or sources claim container images. */
export interface CompiledModelSelector {
  readonly matches: GlobMatcher;
  /** The only registry whose repositories can match; undefined: several can. */
  readonly registry: string | undefined;
  /** True when a glob names repositories: only then ordinary container images can be meant. */
  readonly hasGlob: boolean;
  readonly sources: ReadonlySet<ModelSource> | undefined;
}

/** One validation. */
export interface CompiledValidation {
  readonly program: CelProgram;
  readonly message: string | undefined;
  readonly messageProgram: CelProgram | undefined;
}

/** One condition that must be true for the policy to be about a request. */
export interface CompiledCondition {
  readonly name: string;
  readonly program: CelProgram;
}

/** Variables of a policy, as its rules see them. */
export interface CompiledVariables {
  readonly rules: CelVariables;
  /** Those that read no attestations: what rules about attestations see. */
  readonly attestations: CelVariables;
}

/** One attestation that must be there. */
export interface CompiledAttestation {
  readonly name: string;
  readonly predicateTypes: readonly string[];
  /** Names of the authorities whose signature on it counts. */
  readonly authorities: readonly string[];
  /** One statement must satisfy all of them. */
  readonly validations: readonly CompiledValidation[];
}

/** A policy ready to select and judge; `problems` make it deny whatever it selects. */
export interface CompiledPolicy {
  /** `namespace/name` of a ModelPolicy. */
  readonly name: string;
  /** Namespace of a ModelPolicy; undefined for a ClusterModelPolicy. */
  readonly namespace: string | undefined;
  readonly matchesNamespace: LabelMatcher;
  /** undefined: every model reference. */
  readonly models: readonly CompiledModelSelector[] | undefined;
  /** Worked out by selection.ts before anything else. */
  readonly matchConditions: readonly CompiledCondition[];
  readonly digest: 'Require' | 'Resolve';
  readonly requireModel: boolean;
  readonly unverifiableSources: UnverifiableSources;
  readonly authorities: readonly Authority[];
  readonly minAuthorities: number;
  readonly attestations: readonly CompiledAttestation[];
  readonly variables: CompiledVariables;
  readonly validations: readonly CompiledValidation[];
  readonly actions: ReadonlySet<ValidationAction>;
  /** Why the policy cannot be evaluated: `PolicyInvalid`, `TrustRootUnavailable`, `CredentialsUnavailable`. */
  readonly problems: readonly Finding[];
  /** True when nobody knows whether its conditions hold: it denies what it selects, and counts as no match. */
  readonly hasFailedConditions: boolean;
}

/** True of a ClusterModelPolicy, which namespaces have no hand in. */
export function isOfCluster({ namespace }: CompiledPolicy): boolean {
  return namespace === undefined;
}

/**
 * True when selecting a model means that the platform cares for it: an enforcing ClusterModelPolicy whose conditions
 * hold. Namespaces cannot say so for themselves.
 */
export function isEnforcing({ actions, namespace, hasFailedConditions }: CompiledPolicy): boolean {
  return actions.has('Deny') && namespace === undefined && !hasFailedConditions;
}

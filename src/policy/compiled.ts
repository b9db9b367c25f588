// What is a policy once it is compiled? Everything a request needs, nothing it has to parse.
import type { Finding } from '../reason.ts';
import type { ModelSource } from '../model/model-reference.ts';
import type { Authority } from '../signature/authority.ts';
import type { CelProgram } from './cel/engine.ts';
import type { GlobMatcher } from './glob.ts';
import type { LabelMatcher } from './label-selector.ts';
import type { UnverifiableSources, ValidationAction } from './types.ts';

/** One entry of `models`. `isExplicit`: its glob or sources claim container images. */
export interface CompiledModelSelector {
  readonly matches: GlobMatcher;
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
  readonly name: string;
  readonly matchesNamespace: LabelMatcher;
  /** undefined: every model reference. */
  readonly models: readonly CompiledModelSelector[] | undefined;
  readonly digest: 'Require' | 'Resolve';
  readonly requireModel: boolean;
  readonly unverifiableSources: UnverifiableSources;
  readonly authorities: readonly Authority[];
  readonly minAuthorities: number;
  readonly attestations: readonly CompiledAttestation[];
  readonly validations: readonly CompiledValidation[];
  readonly actions: ReadonlySet<ValidationAction>;
  /** Why the policy cannot be evaluated: `PolicyInvalid`, `TrustRootUnavailable`, `CredentialsUnavailable`. */
  readonly problems: readonly Finding[];
}

/** True when the policy's verdict can reject a request. */
export function isEnforcing(policy: CompiledPolicy): boolean {
  return policy.actions.has('Deny');
}

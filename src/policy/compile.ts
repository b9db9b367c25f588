// What does this policy mean? Compiles a ClusterModelPolicy or ModelPolicy once per change. A policy that cannot be compiled is kept
// with its problems and denies what it selects; where even its selectors are broken, it selects everything.
import type { DenialReason, Finding } from '../reason.ts';
import { toArray, toRecord } from '../lib/text.ts';
import type { Authority } from '../signature/authority.ts';
import type { CelEngine } from './cel/engine.ts';
import { MODEL_SOURCES, type ModelSource } from '../model/model-reference.ts';
import { compileAuthority, type AuthorityContext } from './compile-authority.ts';
import { compileAttestations } from './compile-attestations.ts';
import { compileConditions, compileVariables, WITHOUT_VARIABLES } from './compile-expressions.ts';
import { checkSignatureRepositories } from './compile-signature-repository.ts';
import { compileValidation } from './compile-validation.ts';
import type { CompiledModelSelector, CompiledPolicy } from './compiled.ts';
import { compileGlob, type GlobMatcher } from './glob.ts';
import { compileLabelSelector, type LabelMatcher } from './label-selector.ts';
import type {
  ClusterModelPolicySpec,
  LabelSelector,
  ModelSelector,
  NamedExpression,
  ValidationAction,
} from './types.ts';
import { toFieldPath, toSteps, validateSpec, type CheckedKind, type Fault } from './validate.ts';

/** What a policy is compiled with. */
export interface CompileContext extends AuthorityContext {
  readonly engine: CelEngine;
}

/** A policy as it was read: from a file or from the cluster. */
export interface PolicySource {
  /** `namespace/name` of a ModelPolicy. */
  readonly name: string;
  /** Present for a ModelPolicy: where it stands, and all that it is about. */
  readonly namespace?: string;
  readonly spec: unknown;
  /** Problems found while reading, e.g. unknown kinds of document. */
  readonly faults?: readonly Fault[];
  /** Adds where a path stands, e.g. `prod.yaml:12:5`; empty for objects of the cluster. */
  readonly locate?: (path: readonly (string | number)[]) => string;
}

/** Problems of one policy that are told: every model that it selects is denied with each. */
const MAX_PROBLEMS = 32;

/** Compiles a policy; never throws. */
export function compilePolicy(source: PolicySource, outer: CompileContext): CompiledPolicy {
  const { namespace } = source;
  const { context, kind } = toKind(namespace, outer);
  const problems: Finding[] = [];
  const report = (path: string, problem: string, reason: DenialReason = 'PolicyInvalid'): void => {
    if (problems.length === MAX_PROBLEMS) return;
    const [first = '', ...caret] = problem.split('\n');
    const where = source.locate?.(toSteps(path)) ?? '';
    const located = [where === '' ? first : `${first} (${where})`, ...caret].join('\n');
    problems.push({ reason, message: `${path === '' ? '' : `${path}: `}${located}`, policy: source.name });
  };
  const faults = [...(source.faults ?? []), ...validateSpec(kind, source.spec ?? null)];
  for (const { path, message } of faults) report(toFieldPath(['spec', ...path]), message);
  const selection = compileSelection(source, context.engine, report);
  const rest =
    faults.length === 0 ? compileSpec(source.spec as ClusterModelPolicySpec, context, report) : DENYING;
  return {
    name: source.name,
    namespace,
    ...selection,
    ...rest,
    problems,
    hasFailedConditions: false,
  };
}

// A namespace's policies name what is in their own namespace, and nothing of the controller's.
function toKind(
  namespace: string | undefined,
  context: CompileContext,
): { readonly kind: CheckedKind; readonly context: CompileContext } {
  if (namespace === undefined) return { kind: 'ClusterModelPolicy', context };
  return {
    kind: 'ModelPolicy',
    context: { ...context, controllerNamespace: namespace, isReadByName: true, scope: 'Namespaced' },
  };
}

type Report = (path: string, problem: string, reason?: DenialReason) => void;
type Selection = Pick<
  CompiledPolicy,
  'matchesNamespace' | 'matchConditions' | 'models' | 'actions' | 'requireModel' | 'unverifiableSources'
>;
type Rest = Pick<
  CompiledPolicy,
  'digest' | 'authorities' | 'minAuthorities' | 'attestations' | 'variables' | 'validations'
>;

const DENYING: Rest = {
  digest: 'Require',
  authorities: [],
  minAuthorities: 1,
  attestations: [],
  variables: WITHOUT_VARIABLES,
  validations: [],
};
const everything: LabelMatcher = () => true;
// The label that the API server sets, and nobody else.
const toNamespaceMatcher =
  (namespace: string): LabelMatcher =>
  (labels) =>
    labels['kubernetes.io/metadata.name'] === namespace;

// Selectors are read on their own, so that a typo elsewhere does not widen what a broken policy denies.
function compileSelection({ spec, namespace }: PolicySource, engine: CelEngine, report: Report): Selection {
  const { namespaceSelector, models, validationActions, requireModel, unverifiableSources } = toRecord(spec);
  const { matchConditions } = toRecord(spec);
  return {
    // What cannot be read is the stricter of the two.
    requireModel: !(requireModel === undefined || requireModel === null || requireModel === false),
    unverifiableSources:
      unverifiableSources === 'Warn' || unverifiableSources === 'Allow' ? unverifiableSources : 'Deny',
    matchesNamespace:
      namespace === undefined ? compileNamespaces(namespaceSelector, report) : toNamespaceMatcher(namespace),
    matchConditions: isField('matchConditions', matchConditions)
      ? compileConditions(matchConditions as NamedExpression[], engine, report)
      : [],
    models: compileModels(models, report),
    actions: compileActions(validationActions, report),
  };
}

function compileNamespaces(selector: unknown, report: Report): LabelMatcher {
  if (!isField('namespaceSelector', selector)) return everything;
  const compiled = compileLabelSelector(selector as LabelSelector);
  if (compiled.ok) return compiled.matches;
  report('spec.namespaceSelector', compiled.problem);
  return everything;
}

// Whether one field has its shape, whatever is wrong with the others.
function isField(name: string, value: unknown): boolean {
  return (
    value !== undefined &&
    validateSpec('ClusterModelPolicy', { [name]: value, authorities: PLACEHOLDER }).length === 0
  );
}

const PLACEHOLDER = [{ name: 'placeholder', static: { action: 'Fail' } }];

function compileModels(models: unknown, report: Report): CompiledPolicy['models'] {
  // What is no list, or an empty one, says nothing about what was meant: every model reference.
  if (!Array.isArray(models) || models.length === 0) return undefined;
  return models.map((model, index) => compileModel(salvage(model), `spec.models[${index}]`, report));
}

// An entry with a fault goes on claiming what it can be read to claim, so that a typo opens nothing. What it would
// leave out is not believed.
function salvage(model: unknown): ModelSelector {
  if (isField('models', [model])) return model as ModelSelector;
  const { glob, sources } = toRecord(model);
  const known = toArray(sources).filter((source) => MODEL_SOURCES.includes(source as ModelSource));
  return {
    ...(typeof glob === 'string' && glob !== '' ? { glob } : {}),
    ...(known.length > 0 && known.length === toArray(sources).length
      ? { sources: known as ModelSource[] }
      : {}),
  };
}

function compileModel(model: ModelSelector, path: string, report: Report): CompiledModelSelector {
  const include = compileOneGlob(model.glob ?? '**', `${path}.glob`, report);
  // A broken exclusion excludes nothing.
  const exclude = (model.exclude ?? []).map((glob, index) =>
    compileOneGlob(glob, `${path}.exclude[${index}]`, report, () => false),
  );
  return {
    matches: (name) => include.matches(name) && !exclude.some(({ matches }) => matches(name)),
    registry: include.registry,
    hasGlob: model.glob !== undefined,
    sources: model.sources === undefined ? undefined : new Set(model.sources),
  };
}

function compileOneGlob(
  glob: string,
  path: string,
  report: Report,
  fallback: GlobMatcher = () => true,
): { readonly matches: GlobMatcher; readonly registry: string | undefined } {
  const compiled = compileGlob(glob);
  if (compiled.ok) return { matches: compiled.matches, registry: compiled.registry };
  report(path, compiled.problem);
  return { matches: fallback, registry: undefined };
}

const ACTIONS = new Set<unknown>(['Deny', 'Warn', 'Audit']);

function compileActions(actions: unknown, report: Report): ReadonlySet<ValidationAction> {
  const list = toArray(actions);
  if (list.length === 0 || !list.every((action) => ACTIONS.has(action))) return new Set(['Deny']);
  const set = new Set(list as ValidationAction[]);
  if (!set.has('Deny') || !set.has('Warn')) return set;
  report('spec.validationActions', 'Deny and Warn exclude each other');
  return new Set(['Deny']);
}

function compileSpec(spec: ClusterModelPolicySpec, context: CompileContext, report: Report): Rest {
  const minAuthorities = spec.minAuthorities ?? 1;
  const authorities = spec.authorities.flatMap((authority, index) => {
    const compiled = compileAuthority(authority, context, (path, problem, reason) =>
      report(`spec.authorities[${index}]${path === '' ? '' : `.${path}`}`, problem, reason),
    );
    return compiled === undefined ? [] : [compiled];
  });
  checkAuthorities(spec, authorities, report);
  checkSignatureRepositories(spec.authorities, report);
  const { engine } = context;
  const variables = compileVariables(spec.variables ?? [], engine, report);
  return {
    digest: spec.digest ?? 'Require',
    authorities,
    minAuthorities,
    attestations: compileAttestations(spec, { engine, variables: variables.attestations, report }),
    variables,
    validations: (spec.validations ?? []).flatMap((validation, index) =>
      compileValidation(validation, `spec.validations[${index}]`, {
        engine,
        report,
        variables: variables.rules,
      }),
    ),
  };
}

function checkAuthorities(
  spec: ClusterModelPolicySpec,
  authorities: readonly Authority[],
  report: Report,
): void {
  const minAuthorities = spec.minAuthorities ?? 1;
  const names = spec.authorities.map(({ name }) => name);
  if (new Set(names).size !== names.length) report('spec.authorities', 'two authorities have the same name');
  if (minAuthorities > names.length)
    report('spec.minAuthorities', 'it is larger than the number of authorities');
  if (names.length > 1 && spec.authorities.some((authority) => authority.static !== undefined))
    report('spec.authorities', 'a static authority must be the only one');
  if (minAuthorities < 2) return;
  const keys = authorities.flatMap((authority) =>
    authority.kind === 'key' ? authority.keys.map(({ fingerprint }) => fingerprint) : [],
  );
  if (new Set(keys).size !== keys.length)
    report('spec.authorities', 'two authorities have the same key, which cannot count twice');
}

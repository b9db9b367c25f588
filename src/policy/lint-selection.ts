// Does this policy select what its author meant? Globs as wide as everything, labels that others may write, and a policy
// that only warns where another denies.
import { isDeepStrictEqual } from 'node:util';
import { quote, toArray, toRecord, toText } from '../lib/text.ts';
import type { Advise, AdviceWorld } from './advice.ts';
import type { CompiledPolicy } from './compiled.ts';
import { compileGlob } from './glob.ts';
import type { ClusterModelPolicySpec, ModelSelector } from './types.ts';

/** The label that the API server itself sets. */
const NAME_LABEL = 'kubernetes.io/metadata.name';

/** Gives advice on what a policy selects. @param policy itself, so that it is not compared with what is saved of it */
export function adviseOnSelection(
  { name, namespace }: Pick<CompiledPolicy, 'name' | 'namespace'>,
  spec: ClusterModelPolicySpec,
  { policies }: AdviceWorld,
  advise: Advise,
): void {
  lintLabels(spec, advise);
  for (const [index, model] of (spec.models ?? []).entries())
    lintModel(model, (field, message) => advise(`spec.models[${index}]${field}`, message));
  const actions = spec.validationActions ?? ['Deny'];
  if (actions.includes('Deny')) return;
  const enforcing = policies.find(
    (other) =>
      other.name !== name &&
      other.namespace === namespace &&
      isEnforcing(other.spec) &&
      meet(spec, toRecord(other.spec)),
  );
  if (enforcing !== undefined)
    advise(
      'spec.validationActions',
      `this policy only reports, while ${quote(enforcing.name, 63)} denies for some of the same models; add Deny when both are meant`,
    );
}

function lintLabels({ namespaceSelector = {} }: ClusterModelPolicySpec, advise: Advise): void {
  const { matchLabels = {}, matchExpressions = [] } = namespaceSelector;
  const others = [...Object.keys(matchLabels), ...matchExpressions.map(({ key }) => key)].filter(
    (key) => key !== NAME_LABEL,
  );
  if (others.length > 0)
    advise(
      'spec.namespaceSelector',
      `whoever may label a namespace with ${quote(others[0] ?? '', 80)} can take it out of this policy or into it; select by ${NAME_LABEL}, or guard the label`,
    );
}

function lintModel({ glob, exclude = [], sources }: ModelSelector, advise: Advise): void {
  if (glob === '**')
    advise('.glob', '** is every repository, and every container image with it; begin with the registry');
  const [registry = ''] = (glob ?? '').split('/');
  if (/^\*\.[^.]+$/.test(registry))
    advise('.glob', `${quote(registry, 63)} is every registry of a top-level domain; name the domain`);
  if (glob === undefined && exclude.length === 0 && sources === undefined)
    advise(
      '',
      'it is empty, and so every model reference; leave models out when that is meant, else set glob',
    );
  const whole = exclude.findIndex((pattern) => pattern === '**' || pattern === glob);
  if (whole >= 0)
    advise(
      `.exclude[${whole}]`,
      'it leaves out all that the glob selects, so that nothing is left; narrow it',
    );
}

function isEnforcing(spec: unknown): boolean {
  const { validationActions } = toRecord(spec);
  return validationActions === undefined || toArray(validationActions).includes('Deny');
}

// Selectors that only differ are not compared: which namespaces there will be, nobody knows.
function meet(one: ClusterModelPolicySpec, other: Readonly<Record<string, unknown>>): boolean {
  const { namespaceSelector: theirs } = other;
  const ours = one.namespaceSelector;
  if (ours !== undefined && theirs !== undefined && !isDeepStrictEqual(ours, theirs)) return false;
  const [left, right] = [toGlobs(one.models), toGlobs(other['models'])];
  return left.some((a) => right.some((b) => covers(a, b) || covers(b, a)));
}

/** A glob, compiled once, with a plain name that it stands for. */
interface Sampled {
  readonly glob: string;
  readonly matches: (name: string) => boolean;
  readonly sample: string;
}

function toGlobs(models: unknown): readonly Sampled[] {
  const globs =
    models === undefined ? ['**'] : toArray(models).map((model) => toText(toRecord(model)['glob']) ?? '**');
  return [...new Set(globs)].map((glob) => {
    const compiled = compileGlob(glob);
    return {
      glob,
      matches: compiled.ok ? compiled.matches : () => false,
      sample: glob.replaceAll(/\*+/g, 'x'),
    };
  });
}

function covers(wide: Sampled, narrow: Sampled): boolean {
  return wide.glob === narrow.glob || wide.matches(narrow.sample);
}

// Why does a policy select this, or why not? Asks the parts of a selector one by one, with the matchers that selection
// itself uses. Pure.
import { quote, toArray, toRecord } from '../lib/text.ts';
import type { ModelReference, ModelSource } from '../model/model-reference.ts';
import { toCanonicalName } from '../model/reference.ts';
import type { CompiledModelSelector, CompiledPolicy } from './compiled.ts';
import { compileGlob } from './glob.ts';
import { compileLabelSelector } from './label-selector.ts';
import { selectByReference } from './select.ts';
import type { LabelExpression } from './types.ts';

/** An answer of one half of selection with its reasons, one clause each. */
export interface SelectionReason {
  readonly selects: boolean;
  readonly reasons: readonly string[];
}

type Labels = Readonly<Record<string, string>>;

const MAX_SHOWN_CHARS = 160;

/** Explains the namespace half. @param spec the policy as it was written, which shape soever */
export function explainNamespace(policy: CompiledPolicy, spec: unknown, labels: Labels): SelectionReason {
  const selects = policy.matchesNamespace(labels);
  if (policy.namespace !== undefined)
    return { selects, reasons: [`it is about namespace ${shorten(policy.namespace)}`] };
  const selector = toRecord(toRecord(spec)['namespaceSelector']);
  const parts = [
    ...Object.entries(toRecord(selector['matchLabels'])).map(([key, value]) => ({
      text: `${key}=${String(value)}`,
      holds: labels[key] === value,
    })),
    ...toArray(selector['matchExpressions']).map((expression) => explainExpression(expression, labels)),
  ];
  if (parts.length === 0)
    return { selects, reasons: [selects ? 'it is about every namespace' : 'its namespaceSelector'] };
  const shown = parts.filter(({ holds }) => holds === selects).map(({ text }) => shorten(text));
  return {
    selects,
    reasons: [`namespaceSelector ${shown.join(', ')} ${selects ? 'matches' : 'does not match'}`],
  };
}

function explainExpression(expression: unknown, labels: Labels): { text: string; holds: boolean } {
  const { key, operator, values } = toRecord(expression);
  const list = values === undefined ? '' : ` (${toArray(values).join(', ')})`;
  const compiled = compileLabelSelector({ matchExpressions: [expression as LabelExpression] });
  return {
    text: `${String(key)} ${String(operator)}${list}`,
    holds: compiled.ok && compiled.matches(labels),
  };
}

/** Explains the half about one use. @param spec the policy as it was written */
export function explainModels(policy: CompiledPolicy, spec: unknown, use: ModelReference): SelectionReason {
  const selects = selectByReference([policy], use).length > 0;
  if (policy.models === undefined)
    return { selects, reasons: ['it lists no models: it is about every model reference'] };
  const written = toArray(toRecord(spec)['models']);
  const entries = policy.models.map((selector, index) => explainEntry(selector, written[index], use, index));
  const shown = entries.filter((entry) => entry.selects === selects);
  return { selects, reasons: shown.flatMap(({ reasons }) => reasons) };
}

function explainEntry(
  selector: CompiledModelSelector,
  written: unknown,
  use: ModelReference,
  index: number,
): SelectionReason {
  const name = toCanonicalName(use.reference);
  const { glob, exclude } = toRecord(written);
  const at = `models[${index}]`;
  const meant = [use.source, ...(use.otherSources ?? [])].filter((source) => isMeant(selector, source));
  if (meant.length === 0)
    return {
      selects: false,
      reasons: [`${at} is about sources ${[...(selector.sources ?? [])].join(', ')}, not ${use.source}`],
    };
  const sources = selector.sources === undefined ? '' : ` and source ${meant.join(', ')}`;
  if (selector.matches(name))
    return {
      selects: true,
      reasons: [
        typeof glob === 'string'
          ? `${at} glob ${show(glob)}${sources} matches`
          : `${at}${sources} matches every repository`,
      ],
    };
  const excluded = toArray(exclude).filter((other) => typeof other === 'string' && matchGlob(other, name));
  return {
    selects: false,
    reasons: [
      excluded.length > 0
        ? `${at} excludes it by ${excluded.map((other) => show(String(other))).join(', ')}`
        : `${at} glob ${show(String(glob))} does not match ${show(name)}`,
    ],
  };
}

function isMeant({ sources }: CompiledModelSelector, source: ModelSource): boolean {
  return sources?.has(source) ?? true;
}

function matchGlob(glob: string, name: string): boolean {
  const compiled = compileGlob(glob);
  return compiled.ok && compiled.matches(name);
}

function show(text: string): string {
  return quote(text, MAX_SHOWN_CHARS);
}

function shorten(text: string): string {
  return show(text).slice(1, -1);
}

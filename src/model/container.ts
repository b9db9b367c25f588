// Which containers does a pod spec have, and what do their variables say? Reading only, of untrusted structure.
import { isRecord, toArray, toRecord, toText } from '../lib/text.ts';

const LISTS = ['containers', 'initContainers', 'ephemeralContainers'] as const;

/** The lists of containers; `runtime` is the one that KServe writes out as a member of a component. */
export type ContainerList = (typeof LISTS)[number] | 'runtime';

/** One container with its path in the object. */
export interface Container {
  readonly path: string;
  readonly list: ContainerList;
  /** Empty where it has none. */
  readonly name: string;
  readonly fields: Record<string, unknown>;
}

/** Every container of every list; entries that are no objects are passed over (the API server refuses them). */
export function toContainers(spec: Record<string, unknown>, specPath: string): readonly Container[] {
  return LISTS.flatMap((list) =>
    toArray(spec[list]).flatMap((entry, index) =>
      isRecord(entry) ? [toContainer(entry, list, `${specPath}.${list}[${index}]`)] : [],
    ),
  );
}

/** A container of a list. */
export function toContainer(fields: Record<string, unknown>, list: ContainerList, path: string): Container {
  return { path, list, name: toText(fields['name']) ?? '', fields };
}

/** A text with its variables expanded as far as the object says. */
export interface ExpandedText {
  /** Variables whose value only the kubelet learns stay as they are written. */
  readonly text: string;
  readonly isComplete: boolean;
  /** True when the text was cut because expansion made it longer than is read. */
  readonly isCut: boolean;
}

/** One entry of env, expanded by the entries before it, as the kubelet does. */
export interface Variable {
  readonly index: number;
  readonly raw: string;
  readonly expanded: ExpandedText;
}

/** What a container's environment is known to hold. */
export interface Environment {
  readonly entries: readonly Variable[];
  readonly values: ReadonlyMap<string, ExpandedText>;
  /** True when envFrom may define any further name. */
  readonly isOpen: boolean;
  readonly budget: ExpansionBudget;
}

/** Characters that expansion may still make in one pod: bounds $(A)$(A)… growth over variables and containers. */
export interface ExpansionBudget {
  left: number;
}

/** A pod's budget, in characters: far beyond what any pod says, little to read. */
export function createExpansionBudget(): ExpansionBudget {
  return { left: 256 * 1024 };
}

/** Longest text that expansion may make, in characters; longer texts are read as long as they are written. */
const MAX_EXPANDED_CHARS = 65_536;

/**
 * Reads env and envFrom. Of names given twice the last counts in commands and arguments, and in values whatever was
 * given before: the order in which the kubelet sets them.
 */
export function toEnvironment(container: Container, budget: ExpansionBudget): Environment {
  const entries: Variable[] = [];
  const values = new Map<string, ExpandedText>();
  for (const [index, entry] of toArray(container.fields['env']).entries()) {
    const { name, value, valueFrom } = toRecord(entry);
    const raw = toText(value) ?? '';
    // What envFrom may define stays as it is written, as an unknown name does.
    const expanded = expandVariables(raw, { values, isOpen: false, budget });
    entries.push({ index, raw, expanded });
    if (typeof name !== 'string') continue;
    const isKnown = valueFrom === undefined || valueFrom === null;
    values.set(name, isKnown ? expanded : { text: `$(${name})`, isComplete: false, isCut: false });
  }
  return { entries, values, isOpen: toArray(container.fields['envFrom']).length > 0, budget };
}

/** Expands `$(NAME)` as the kubelet does: `$$` escapes, an unknown name stays as it is written. */
export function expandVariables(text: string, environment: Omit<Environment, 'entries'>): ExpandedText {
  const maxChars = Math.max(MAX_EXPANDED_CHARS, text.length);
  let out = '';
  let isComplete = true;
  let index = 0;
  for (;;) {
    const dollar = text.indexOf('$', index);
    if (dollar === -1 || dollar === text.length - 1) {
      out += text.slice(index);
      return { text: out, isComplete, isCut: out.length > maxChars };
    }
    const piece = expandAt(text, dollar, environment);
    out += text.slice(index, dollar) + piece.text;
    isComplete &&= piece.isComplete;
    index = piece.end;
    if (piece.isCut || out.length > maxChars) return { text: out, isComplete: false, isCut: true };
  }
}

function expandAt(
  text: string,
  dollar: number,
  { values, isOpen, budget }: Omit<Environment, 'entries'>,
): ExpandedText & { end: number } {
  const next = text[dollar + 1];
  const written = (piece: string, end: number, isComplete = true): ExpandedText & { end: number } => ({
    text: piece,
    isComplete,
    isCut: false,
    end,
  });
  if (next === '$') return written('$', dollar + 2);
  const close = next === '(' ? text.indexOf(')', dollar + 2) : -1;
  if (close === -1) return written(`$${next ?? ''}`, dollar + 2);
  const value = values.get(text.slice(dollar + 2, close));
  if (value === undefined) return written(text.slice(dollar, close + 1), close + 1, !isOpen);
  budget.left -= value.text.length;
  return { ...value, isCut: value.isCut || budget.left < 0, end: close + 1 };
}

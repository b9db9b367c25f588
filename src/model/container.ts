// Which containers does a pod spec have, and what do their variables say? Reading only, of untrusted structure.
import { isRecord, toArray, toRecord, toText } from '../lib/text.ts';

const LISTS = ['containers', 'initContainers', 'ephemeralContainers'] as const;

/** One container with its path in the object. */
export interface Container {
  readonly path: string;
  readonly fields: Record<string, unknown>;
}

/** Every container of every list; entries that are no objects are passed over (the API server refuses them). */
export function toContainers(spec: Record<string, unknown>, specPath: string): readonly Container[] {
  return LISTS.flatMap((list) =>
    toArray(spec[list]).flatMap((entry, index) =>
      isRecord(entry) ? [{ path: `${specPath}.${list}[${index}]`, fields: entry }] : [],
    ),
  );
}

/** What a container's environment is known to hold: a text, or `undefined` for values that only the kubelet learns. */
export interface Environment {
  readonly values: ReadonlyMap<string, string | undefined>;
  /** True when envFrom may define any further name. */
  readonly isOpen: boolean;
}

/** Reads env and envFrom; of names given twice the last counts, as in the kubelet. */
export function toEnvironment(container: Container): Environment {
  const values = new Map<string, string | undefined>();
  for (const entry of toArray(container.fields['env'])) {
    const { name, value, valueFrom } = toRecord(entry);
    if (typeof name !== 'string') continue;
    const text = expandVariables(toText(value) ?? '', { values, isOpen: false });
    values.set(name, valueFrom === undefined || valueFrom === null ? text : undefined);
  }
  return { values, isOpen: toArray(container.fields['envFrom']).length > 0 };
}

/** Longest expanded text, in characters: bounds $(A)$(A)… growth over several variables. */
const MAX_EXPANDED_CHARS = 65_536;

/**
 * Expands `$(NAME)` as the kubelet does: `$$` escapes, an unknown name stays as it is written.
 * @returns undefined when the text depends on a value that is not in the object, or grows beyond 64 Ki characters
 */
export function expandVariables(text: string, environment: Environment): string | undefined {
  let out = '';
  let index = 0;
  while (index < text.length) {
    const dollar = text.indexOf('$', index);
    if (dollar === -1 || dollar === text.length - 1) return bounded(out + text.slice(index));
    out += text.slice(index, dollar);
    const piece = expandAt(text, dollar, environment);
    if (piece === undefined) return undefined;
    out += piece.text;
    index = piece.end;
    if (out.length > MAX_EXPANDED_CHARS) return undefined;
  }
  return bounded(out);
}

function bounded(text: string): string | undefined {
  return text.length > MAX_EXPANDED_CHARS ? undefined : text;
}

function expandAt(
  text: string,
  dollar: number,
  environment: Environment,
): { text: string; end: number } | undefined {
  const next = text[dollar + 1];
  if (next === '$') return { text: '$', end: dollar + 2 };
  const close = next === '(' ? text.indexOf(')', dollar + 2) : -1;
  if (close === -1) return { text: `$${next ?? ''}`, end: dollar + 2 };
  const name = text.slice(dollar + 2, close);
  if (environment.values.has(name)) {
    const value = environment.values.get(name);
    return value === undefined ? undefined : { text: value, end: close + 1 };
  }
  return environment.isOpen ? undefined : { text: text.slice(dollar, close + 1), end: close + 1 };
}

// Which values did a rule read? Finds the members that an expression names and evaluates each on what the rule was asked
// about; of what is no plain value the entries are counted.
import { boundBytes } from '../lib/text.ts';
import type { CelEngine } from '../policy/cel/engine.ts';
import { createCelMeter } from '../policy/cel/meter.ts';
import type { ReadRule } from '../admission/explain-result.ts';

const LITERAL = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g;
const MEMBER =
  /(?<![\w.])(?:model|signatures|attestations|pod|object|oldObject|request|namespaceObject|now|variables)\b(?:\.[A-Za-z_]\w*(?![\w(]|\s*\())*/g;
const MAX_VALUES = 8;
const MAX_VALUE_BYTES = 160;

/** Creates the reader. */
export function createRuleReader(engine: CelEngine): ReadRule {
  return ({ expression, bindings, variables }) => {
    // A literal may hold what looks like a member.
    const members = new Set(expression.replaceAll(LITERAL, '""').match(MEMBER) ?? []);
    return [...members].slice(0, MAX_VALUES).flatMap((member) => {
      const value = read(engine, member, { bindings, variables });
      return value === undefined ? [] : [[member, value] as const];
    });
  };
}

function read(
  engine: CelEngine,
  member: string,
  { bindings, variables }: Pick<Parameters<ReadRule>[0], 'bindings' | 'variables'>,
): string | undefined {
  for (const [expression, isSize] of [
    [`string(${member})`, false],
    [`string(size(${member}))`, true],
  ] as const) {
    const compiled = engine.compile(expression, 'message', variables);
    if (!compiled.ok) continue;
    const result = compiled.program.evaluate(bindings, createCelMeter());
    if (!result.ok) continue;
    const text = boundBytes(String(result.value), MAX_VALUE_BYTES);
    return isSize ? `${text} entries` : JSON.stringify(text);
  }
  return undefined;
}

import assert from 'node:assert/strict';
import { celEnv, isCelError, isCelList, isCelUint, parse, plan } from '@bufbuild/cel';
import { strings } from '@bufbuild/cel/ext';
import { timestampFromDate, timestampDate } from '@bufbuild/protobuf/wkt';
import fc from 'fast-check';
import { createBaseEnvironment, withVariables } from '../../../src/policy/cel/environment.ts';
import { compileExpression } from '../../../src/policy/cel/expression.ts';
import { createCelMeter } from '../../../src/policy/cel/meter.ts';
import { bindings, expressions, VARIABLES } from './grammar.ts';

// npm run fuzz:cel sets this.
const RUNS = Number(process.env['CEL_FUZZ_RUNS'] ?? 3000);

const environment = withVariables(createBaseEnvironment(), VARIABLES);
const other = celEnv({ funcs: strings });

type Bindings = typeof bindings extends fc.Arbitrary<infer T> ? T : never;

function ours(source: string, values: Bindings): string {
  const compiled = compileExpression(environment, source);
  // A literal that is wrong is refused, where the other engine fails when it gets there.
  if (!compiled.ok) return `refused ${compiled.diagnostics.map(({ code }) => code).join()}`;
  try {
    const outcome = compiled.expression.evaluate(new Map(Object.entries(values)), createCelMeter());
    return outcome.within ? show(outcome.value) : 'budget';
  } catch {
    return 'error';
  }
}

function theirs(source: string, values: Bindings): string {
  try {
    const result = plan(other, parse(source))({ ...values, at: timestampFromDate(values.at) } as never);
    return isCelError(result) ? 'error' : show(result);
  } catch {
    return 'error';
  }
}

function show(value: unknown): string {
  if (Array.isArray(value) || isCelList(value))
    return `[${Array.from(value as Iterable<unknown>, show).join()}]`;
  if (isCelUint(value)) return `${value.value}u`;
  if (value instanceof Date) return value.toISOString();
  if (typeof value === 'object' && value !== null && '$typeName' in value) {
    return timestampDate(value as never).toISOString();
  }
  return `${typeof value} ${String(value)}`;
}

describe('two engines', () => {
  it(`agree on ${RUNS} random expressions`, () => {
    let values = 0;
    fc.assert(
      fc.property(expressions, bindings, (source, input) => {
        const own = ours(source, input);
        values += Number(own !== 'error');
        assert.equal(own, theirs(source, input));
      }),
      { numRuns: RUNS },
    );
    // Agreement on nothing but errors would say little.
    assert.ok(values > RUNS / 4, `${values} values`);
  });
});

// What is probably not meant about a policy object that is right? Advice for its author, said when it is saved; nothing
// here changes what an object means. What is wrong is left to the compiler.
import type { CompiledPolicy } from './compiled.ts';
import type { TrustedRoot } from '../trust/trusted-root.ts';
import type { Advice, Advise, AdviceWorld } from './advice.ts';
import type { CelDiagnostic, CelScope, CelVariables } from './cel/engine.ts';
import type { CompiledException } from './compile-exception.ts';
import { adviseOnAuthority } from './lint-authority.ts';
import { adviseOnException } from './lint-exception.ts';
import { adviseOnSelection } from './lint-selection.ts';
import { countReachable } from './lint-signers.ts';
import { adviseOnTrustRoot } from './lint-trust-root.ts';
import type {
  ClusterModelPolicySpec,
  ModelPolicyExceptionSpec,
  NamedExpression,
  TrustRootSpec,
  ValidationSpec,
} from './types.ts';

/** Most pieces of advice about one object: kubectl shows each on a line, and the API server cuts what is longer. */
export const MAX_ADVICE = 12;

function gather(run: (advise: Advise) => void): readonly Advice[] {
  const advice: Advice[] = [];
  run((field, message) => {
    // A thirteenth would say no more to somebody who has read twelve.
    if (advice.length < MAX_ADVICE) advice.push({ field, message });
  });
  return advice;
}

/** Advice about a ClusterModelPolicy or ModelPolicy. @param compiled the same policy, without faults of its own */
export function lintPolicy(
  spec: ClusterModelPolicySpec,
  compiled: CompiledPolicy,
  world: AdviceWorld,
): readonly Advice[] {
  return gather((advise) => {
    adviseOnSelection(compiled, spec, world, advise);
    for (const [index, authority] of spec.authorities.entries())
      adviseOnAuthority(
        authority,
        compiled.authorities.find(({ name }) => name === authority.name),
        world,
        (field, message) => advise(`spec.authorities[${index}].${field}`, message),
      );
    lintNumber(spec, compiled, advise);
    lintRules(spec.matchConditions, 'spec.matchConditions', { world, advise, scope: 'matchCondition' });
    const { rules, attestations } = compiled.variables;
    lintVariables(spec.variables, rules, { world, advise });
    lintRules(spec.validations, 'spec.validations', { world, advise, scope: 'validation', variables: rules });
    for (const [index, { validations }] of (spec.attestations ?? []).entries())
      lintRules(validations, `spec.attestations[${index}].validations`, {
        world,
        advise,
        scope: 'attestation',
        variables: attestations,
      });
  });
}

function lintNumber(spec: ClusterModelPolicySpec, { authorities }: CompiledPolicy, advise: Advise): void {
  const { minAuthorities = 1 } = spec;
  if (minAuthorities < 2) return;
  const reachable = countReachable(spec.authorities, authorities);
  if (reachable < minAuthorities)
    advise(
      'spec.minAuthorities',
      `${minAuthorities} can never be reached: the authorities name signers for ${reachable} at once, and one signer counts once; name further signers`,
    );
}

interface RuleContext {
  readonly world: AdviceWorld;
  readonly advise: Advise;
  readonly scope: CelScope;
  readonly variables?: CelVariables;
}

function lintRules(
  rules: readonly Pick<ValidationSpec, 'expression'>[] = [],
  path: string,
  context: RuleContext,
): void {
  const { world, advise, scope, variables } = context;
  for (const [index, { expression }] of rules.entries()) {
    const compiled = world.engine.compile(expression, scope, variables);
    if (!compiled.ok) continue;
    tellAll(compiled.advice, expression, (message) => advise(`${path}[${index}].expression`, message));
  }
}

// Each was compiled with those before it.
function lintVariables(
  declarations: readonly NamedExpression[] = [],
  known: CelVariables,
  { world, advise }: Pick<RuleContext, 'world' | 'advise'>,
): void {
  for (const [index, declaration] of declarations.entries()) {
    const compiled = world.engine.compileVariable(declaration, 'variable', known.slice(0, index));
    if (!compiled.ok) continue;
    const tell = (message: string): void => advise(`spec.variables[${index}].expression`, message);
    tellAll(compiled.advice, declaration.expression, tell);
  }
}

function tellAll(
  advice: readonly CelDiagnostic[] = [],
  expression: string,
  tell: (message: string) => void,
): void {
  for (const { message, range } of advice) tell(`${toPart(expression, range)}${message}`);
}

const MAX_PART_CHARS = 60;

function toPart(expression: string, range: { start: number; end: number } | undefined): string {
  if (range === undefined) return '';
  const part = expression.slice(range.start, range.end).replaceAll(/\s+/g, ' ');
  return `\`${part.length > MAX_PART_CHARS ? `${part.slice(0, MAX_PART_CHARS)}…` : part}\`: `;
}

/** Advice about a TrustRoot. @param root what it pins; undefined when it is fetched, or missing */
export function lintTrustRoot(
  spec: TrustRootSpec,
  root: TrustedRoot | undefined,
  world: AdviceWorld,
): readonly Advice[] {
  return gather((advise) => adviseOnTrustRoot(spec, root, world.now, advise));
}

/** Advice about a ModelPolicyException. */
export function lintException(
  spec: ModelPolicyExceptionSpec,
  compiled: CompiledException,
  world: AdviceWorld,
): readonly Advice[] {
  return gather((advise) => adviseOnException(spec, compiled, world, advise));
}

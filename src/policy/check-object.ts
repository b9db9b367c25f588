// What would happen if this object were saved? Compiles it in the present world, without saving it: what is wrong with
// the object itself, what it names that is not there, and what is probably not meant.
import type { Finding } from '../reason.ts';
import { toRecord, toText } from '../lib/text.ts';
import type { AdviceWorld } from './advice.ts';
import { compileException, toCreatedAt } from './compile-exception.ts';
import { countWork } from '../lib/counted-work.ts';
import { compilePolicy, type CompileContext, type PolicySource } from './compile.ts';
import type { CompiledPolicy } from './compiled.ts';
import { declareTrustRoot } from './declare-trust-root.ts';
import { lintException, lintPolicy, lintTrustRoot } from './lint.ts';
import { parseTrustedRoot, TrustedRootError, type TrustedRoot } from '../trust/trusted-root.ts';
import { boundTenants, MAX_TENANT_COMPILE_WORK } from './tenant-limits.ts';
import type { ClusterModelPolicySpec, ModelPolicyExceptionSpec, TrustRootSpec } from './types.ts';
import type { CheckedKind } from './validate.ts';

/** A problem, with the path that its message begins with split off. */
export interface ObjectProblem {
  readonly field: string;
  readonly message: string;
}

/** Problems of the object, and problems of what it names. */
export interface ObjectCheck {
  readonly faults: readonly ObjectProblem[];
  /** Saved all the same: whatever it selects is denied until these are solved. */
  readonly missing: readonly ObjectProblem[];
  /** What is probably not meant; only about objects without faults. */
  readonly advice: readonly ObjectProblem[];
}

/** What an object is checked in. */
export type CheckContext = CompileContext &
  Omit<AdviceWorld, 'engine' | 'trustRoots'> & {
    /** Specs of TrustRoots by name. */
    readonly trustRootSpecs: AdviceWorld['trustRoots'];
  };

/** Checks one object; never throws. */
export function checkObject(
  kind: CheckedKind,
  name: string,
  object: unknown,
  context: CheckContext,
): ObjectCheck {
  const { spec } = toRecord(object);
  const world = { ...context, trustRoots: context.trustRootSpecs };
  if (kind === 'ClusterModelPolicy' || kind === 'ModelPolicy') {
    const compiled = compileBounded(toPolicySource(kind, name, object), context);
    return sort(compiled.problems, () => lintPolicy(spec as ClusterModelPolicySpec, compiled, world));
  }
  if (kind === 'TrustRoot') return checkTrustRoot(spec ?? null, context, world);
  const result = compileException({ name, spec, ...toCreatedAt(object) });
  if (!result.ok) return sort([{ reason: 'PolicyInvalid', message: result.problem }]);
  return sort([], () => lintException(spec as ModelPolicyExceptionSpec, result.exception, world));
}

// Whoever may save policies of a namespace may ask about them: no more work than they may be.
function compileBounded(source: PolicySource, context: CompileContext): CompiledPolicy {
  const [bounded = source] = boundTenants([source]);
  const most = source.namespace === undefined ? Infinity : MAX_TENANT_COMPILE_WORK;
  return countWork(most, () => compilePolicy(bounded, context)).value;
}

function toPolicySource(
  kind: 'ClusterModelPolicy' | 'ModelPolicy',
  name: string,
  object: unknown,
): PolicySource {
  const { spec, metadata } = toRecord(object);
  if (kind === 'ClusterModelPolicy') return { name, spec };
  const namespace = toText(toRecord(metadata)['namespace']) ?? '';
  return { name: `${namespace}/${name}`, namespace, spec };
}

// A TrustRoot is unavailable by its own doing, unless something that it names is not there.
function checkTrustRoot(spec: unknown, context: CompileContext, world: AdviceWorld): ObjectCheck {
  const declared = declareTrustRoot(spec, context);
  if (!declared.ok) {
    const reason = declared.reason === 'CredentialsUnavailable' ? declared.reason : 'PolicyInvalid';
    return sort([{ reason, message: declared.problem }]);
  }
  const advise = (root?: TrustedRoot): ObjectCheck =>
    sort([], () => lintTrustRoot(spec as TrustRootSpec, root, world));
  if (declared.source.kind !== 'pinned') return advise();
  try {
    return advise(parseTrustedRoot(declared.source.bytes));
  } catch (error) {
    if (!(error instanceof TrustedRootError)) throw error;
    const isInline = toRecord(toRecord(spec)['trustedRoot'])['json'] !== undefined;
    return sort([
      {
        reason: isInline ? 'PolicyInvalid' : 'CredentialsUnavailable',
        message: `spec.trustedRoot: ${error.message}`,
      },
    ]);
  }
}

function sort(problems: readonly Finding[], lint: () => ObjectCheck['advice'] = () => []): ObjectCheck {
  const isMissing = ({ reason }: Finding): boolean => reason !== 'PolicyInvalid';
  const faults = problems.filter((problem) => !isMissing(problem)).map(toProblem);
  const missing = problems.filter(isMissing).map(toProblem);
  return { faults, missing, advice: faults.length === 0 ? lint() : [] };
}

function toProblem({ message }: Finding): ObjectProblem {
  const [, field = '', rest = message] = /^(spec[A-Za-z0-9_.[\]]*): ([^]*)$/.exec(message) ?? [];
  return { field, message: rest };
}

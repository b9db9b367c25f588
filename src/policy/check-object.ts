// What would happen if this object were saved? Compiles it in the present world, without saving it: what is wrong with
// the object itself, and what it names that is not there.
import type { Finding } from '../reason.ts';
import { toRecord, toText } from '../lib/text.ts';
import { compileException, toCreatedAt } from './compile-exception.ts';
import { compilePolicy, type CompileContext } from './compile.ts';
import { declareTrustRoot } from './declare-trust-root.ts';
import { SignatureError } from '../signature/error.ts';
import { preparedTrustOf } from '../signature/prepared-trust.ts';
import { parseTrustedRoot, TrustedRootError } from '../trust/trusted-root.ts';
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
}

/** Checks one object; never throws. */
export function checkObject(
  kind: CheckedKind,
  name: string,
  object: unknown,
  context: CompileContext,
): ObjectCheck {
  const { spec } = toRecord(object);
  if (kind === 'ModelPolicy') {
    const namespace = toText(toRecord(toRecord(object)['metadata'])['namespace']) ?? '';
    return sort(compilePolicy({ name: `${namespace}/${name}`, namespace, spec }, context).problems);
  }
  if (kind === 'ClusterModelPolicy') return sort(compilePolicy({ name, spec }, context).problems);
  if (kind === 'TrustRoot') return checkTrustRoot(spec ?? null, context);
  const result = compileException({ name, spec, ...toCreatedAt(object) });
  return sort(result.ok ? [] : [{ reason: 'PolicyInvalid', message: result.problem }]);
}

// A TrustRoot is unavailable by its own doing, unless something that it names is not there.
function checkTrustRoot(spec: unknown, context: CompileContext): ObjectCheck {
  const declared = declareTrustRoot(spec, context);
  if (!declared.ok) {
    const reason = declared.reason === 'CredentialsUnavailable' ? declared.reason : 'PolicyInvalid';
    return sort([{ reason, message: declared.problem }]);
  }
  if (declared.source.kind !== 'pinned') return sort([]);
  try {
    preparedTrustOf(parseTrustedRoot(declared.source.bytes));
    return sort([]);
  } catch (error) {
    if (!(error instanceof TrustedRootError) && !(error instanceof SignatureError)) throw error;
    const isInline = toRecord(toRecord(spec)['trustedRoot'])['json'] !== undefined;
    return sort([
      {
        reason: isInline ? 'PolicyInvalid' : 'CredentialsUnavailable',
        message: `spec.trustedRoot: ${error.message}`,
      },
    ]);
  }
}

function sort(problems: readonly Finding[]): ObjectCheck {
  const isMissing = ({ reason }: Finding): boolean => reason !== 'PolicyInvalid';
  return {
    faults: problems.filter((problem) => !isMissing(problem)).map(toProblem),
    missing: problems.filter(isMissing).map(toProblem),
  };
}

function toProblem({ message }: Finding): ObjectProblem {
  const [, field = '', rest = message] = /^(spec[A-Za-z0-9_.[\]]*): ([^]*)$/.exec(message) ?? [];
  return { field, message: rest };
}

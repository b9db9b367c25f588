// Which policies must be compiled again? Those whose spec, or a TrustRoot, Secret or ConfigMap that they look up, is
// another one than last time; all others stay the very objects that they were.
import { isDeepStrictEqual } from 'node:util';
import { compilePolicy, type CompileContext, type PolicySource } from './compile.ts';
import { countWork, type CountedWork } from '../lib/counted-work.ts';
import type { CompiledTrustRoot } from './compile-trust-root.ts';
import type { CompiledPolicy } from './compiled.ts';
import { matchAnswers, RecordedMap, type Answers } from './recorded-map.ts';
import type { MaterialData } from './source-material.ts';
import { MAX_TENANT_COMPILE_WORK } from './tenant-limits.ts';

/** Compiles the policies of a world, remembering those of the last one. */
export type CompilePolicies = (
  sources: readonly PolicySource[],
  context: CompileContext,
) => readonly CompiledPolicy[];

interface Known {
  readonly spec: unknown;
  readonly trustRoots: Answers<CompiledTrustRoot>;
  readonly material: Answers<MaterialData>;
  readonly policy: CompiledPolicy;
  readonly work: CountedWork<unknown>;
  /** What it was allowed. */
  readonly maxWork: number;
}

/** Creates a compiler for one engine and controller namespace, which remembers nothing yet. */
export function createPolicyCompiler(): CompilePolicies {
  let known = new Map<string, Known>();
  return (sources, context) => {
    const next = new Map<string, Known>();
    const left = new Map<string, number>();
    const policies = sources.map((source) => {
      const before = known.get(source.name);
      const { namespace } = source;
      const most = namespace === undefined ? Infinity : (left.get(namespace) ?? MAX_TENANT_COMPILE_WORK);
      const isSame = before !== undefined && isUnchanged(source, before, context) && isWithin(before, most);
      const entry = isSame ? before : compile(source, context, most);
      if (namespace !== undefined) left.set(namespace, most - entry.work.size);
      if (isRemembered(source, entry.policy)) next.set(source.name, entry);
      return entry.policy;
    });
    known = next;
    return policies;
  };
}

// So that the same policies mean the same, in whatever order they were saved.
function isWithin({ work, maxWork }: Known, most: number): boolean {
  return work.isExceeded ? maxWork === most : work.size <= most;
}

function compile(source: PolicySource, context: CompileContext, maxWork: number): Known {
  const trustRoots = new RecordedMap(context.trustRoots);
  const material = new RecordedMap(context.material);
  const work = countWork(maxWork, () => compilePolicy(source, { ...context, trustRoots, material }));
  return {
    spec: source.spec,
    trustRoots: trustRoots.answers,
    material: material.answers,
    policy: work.value,
    work,
    maxWork,
  };
}

// Problems of files say where they stand, and lines move.
function isRemembered({ faults, locate }: PolicySource, { problems }: CompiledPolicy): boolean {
  return faults === undefined && (locate === undefined || problems.length === 0);
}

function isUnchanged(source: PolicySource, known: Known, context: CompileContext): boolean {
  return (
    source.faults === undefined &&
    source.namespace === known.policy.namespace &&
    (source.spec === known.spec || isDeepStrictEqual(source.spec, known.spec)) &&
    matchAnswers(known.trustRoots, context.trustRoots, Object.is) &&
    matchAnswers(known.material, context.material, isDeepStrictEqual)
  );
}

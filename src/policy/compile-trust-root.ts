// Which trust does a TrustRoot object give right now? What it declares, joined with the present snapshot of its root;
// compiled on every change of either.
import { isDeepStrictEqual } from 'node:util';
import type { TrustReader, TrustSnapshot, TrustSource } from '../trust/trust-source.ts';
import type { TrustedRoot } from '../trust/trusted-root.ts';
import {
  declareTrustRoot,
  unavailable,
  type DeclaredTrustRoot,
  type TrustDecisions,
  type TrustProblem,
} from './declare-trust-root.ts';
import { matchAnswers, RecordedMap, type Answers } from './recorded-map.ts';
import type { MaterialContext, MaterialData } from './source-material.ts';

/** A usable root, or why there is none. */
export type CompiledTrustRoot =
  | ({
      readonly ok: true;
      readonly root: TrustedRoot;
      readonly snapshot: TrustSnapshot;
    } & TrustDecisions)
  | TrustProblem;

/** Compiles every TrustRoot and tells the trust store which there are; never throws. Specs are by name. */
export type CompileTrustRoots = (
  specs: ReadonlyMap<string, unknown>,
  context: MaterialContext,
) => ReadonlyMap<string, CompiledTrustRoot>;

interface Known {
  readonly spec: unknown;
  readonly material: Answers<MaterialData>;
  readonly declared: DeclaredTrustRoot;
  readonly compiled?: CompiledTrustRoot;
}

/** Creates a compiler that keeps what did not change: a root is the very object that it was, for as long as it is one. */
export function createTrustRootCompiler(trust: TrustReader): CompileTrustRoots {
  let known = new Map<string, Known>();
  return (specs, context) => {
    const next = new Map<string, Known>();
    const sources = new Map<string, TrustSource>();
    for (const [name, spec] of specs) {
      const entry = declare(spec, context, known.get(name));
      next.set(name, entry);
      if (entry.declared.ok) sources.set(name, entry.declared.source);
    }
    trust.track(sources);
    for (const [name, entry] of next) next.set(name, { ...entry, compiled: compile(name, entry, trust) });
    known = next;
    return new Map([...next].flatMap(([name, { compiled }]) => (compiled ? [[name, compiled]] : [])));
  };
}

/** Compiles TrustRoots once. */
export function compileTrustRoots(
  specs: ReadonlyMap<string, unknown>,
  context: MaterialContext,
  trust: TrustReader,
): ReadonlyMap<string, CompiledTrustRoot> {
  return createTrustRootCompiler(trust)(specs, context);
}

function declare(spec: unknown, context: MaterialContext, before: Known | undefined): Known {
  const isSame =
    before !== undefined &&
    isDeepStrictEqual(spec, before.spec) &&
    matchAnswers(before.material, context.material, isDeepStrictEqual);
  if (isSame) return before;
  const material = new RecordedMap(context.material);
  const declared = declareTrustRoot(spec, { ...context, material });
  return { spec, material: material.answers, declared };
}

function compile(name: string, { declared, compiled }: Known, trust: TrustReader): CompiledTrustRoot {
  const joined = join(name, declared, trust);
  return compiled !== undefined && stateOf(compiled) === stateOf(joined) ? compiled : joined;
}

// What is declared stayed the same, or nothing is remembered of it: only what the trust store reads can differ.
function stateOf(root: CompiledTrustRoot): TrustSnapshot | string {
  return root.ok ? root.snapshot : root.problem;
}

function join(name: string, declared: DeclaredTrustRoot, trust: TrustReader): CompiledTrustRoot {
  if (!declared.ok) return declared;
  const reading = trust.read(name);
  if (!reading.ok) return unavailable(reading.problem);
  const { snapshot } = reading;
  const { requirements, revoked, witnesses } = declared;
  return { ok: true, root: snapshot.root, snapshot, requirements, revoked, witnesses };
}

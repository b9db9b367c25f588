// Which trust does a TrustRoot object give right now? What it declares, joined with the present snapshot of its root;
// compiled on every change of either.
import type { TrustReader, TrustSnapshot, TrustSource } from '../trust/trust-source.ts';
import type { TrustedRoot } from '../trust/trusted-root.ts';
import {
  declareTrustRoot,
  unavailable,
  type DeclaredTrustRoot,
  type TrustDecisions,
  type TrustProblem,
} from './declare-trust-root.ts';
import type { MaterialContext } from './source-material.ts';

/** A usable root, or why there is none. */
export type CompiledTrustRoot =
  | ({
      readonly ok: true;
      readonly root: TrustedRoot;
      readonly snapshot: TrustSnapshot;
    } & TrustDecisions)
  | TrustProblem;

/**
 * Compiles every TrustRoot and tells the trust store which there are; never throws.
 * @param specs specs of TrustRoots by name
 */
export function compileTrustRoots(
  specs: ReadonlyMap<string, unknown>,
  context: MaterialContext,
  trust: TrustReader,
): ReadonlyMap<string, CompiledTrustRoot> {
  const declared = new Map<string, DeclaredTrustRoot>();
  const sources = new Map<string, TrustSource>();
  for (const [name, spec] of specs) {
    const declaration = declareTrustRoot(spec, context);
    declared.set(name, declaration);
    if (declaration.ok) sources.set(name, declaration.source);
  }
  trust.track(sources);
  return new Map([...declared].map(([name, declaration]) => [name, join(name, declaration, trust)]));
}

function join(name: string, declared: DeclaredTrustRoot, trust: TrustReader): CompiledTrustRoot {
  if (!declared.ok) return declared;
  const reading = trust.read(name);
  if (!reading.ok) return unavailable(reading.problem);
  const { snapshot } = reading;
  const { requirements, revoked, witnesses } = declared;
  return { ok: true, root: snapshot.root, snapshot, requirements, revoked, witnesses };
}

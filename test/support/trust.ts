// Trust without a network, for tests that are about something else.
import { compileTrustRoots, type CompiledTrustRoot } from '../../src/policy/compile-trust-root.ts';
import type { MaterialContext } from '../../src/policy/source-material.ts';
import { createTrustStore, type TrustStore } from '../../src/trust/trust-store.ts';

/** A trust store that knows what is shipped and what is pinned, and never asks a mirror. */
export function offlineTrust(): TrustStore {
  return createTrustStore({ fetch: undefined });
}

/** Compiles one TrustRoot with it. */
export function compileTrustRoot(spec: unknown, context: MaterialContext): CompiledTrustRoot {
  const trust = offlineTrust();
  const compiled = compileTrustRoots(new Map([['trust', spec]]), context, trust).get('trust');
  trust.stop();
  if (compiled === undefined) throw new Error('the TrustRoot was not compiled');
  return compiled;
}

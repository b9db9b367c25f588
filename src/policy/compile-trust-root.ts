// Which trust does a TrustRoot object give? Compiled once per change; what is wrong is kept as a problem for the
// policies that name it.
import type { DenialReason } from '../reason.ts';
import { quote } from '../lib/text.ts';
import type { Requirements } from '../signature/authority.ts';
import { loadPublicGoodRoot } from '../trust/public-good.ts';
import { parseTrustedRoot, TrustedRootError, type TrustedRoot } from '../trust/trusted-root.ts';
import { readBytes } from './read-bytes.ts';
import type { MaterialContext } from './source-material.ts';
import type { TrustRootSpec } from './types.ts';
import { toFieldPath, validateSpec } from './validate.ts';

/** A usable root, or why there is none. */
export type CompiledTrustRoot =
  | { readonly ok: true; readonly root: TrustedRoot; readonly requirements: Requirements }
  | { readonly ok: false; readonly reason: DenialReason; readonly problem: string };

/** Compiles the spec of a TrustRoot; never throws. */
export function compileTrustRoot(spec: unknown, context: MaterialContext): CompiledTrustRoot {
  const [fault] = validateSpec('TrustRoot', spec);
  if (fault !== undefined)
    return unavailable(`its ${toFieldPath(['spec', ...fault.path])} is invalid: ${fault.message}`);
  const { sigstorePublicGood, trustedRoot, requirements = {} } = spec as TrustRootSpec;
  if ((sigstorePublicGood === undefined) === (trustedRoot === undefined))
    return unavailable('exactly one of sigstorePublicGood, trustedRoot must be set');
  const loaded = trustedRoot === undefined ? loadPublicGood() : loadPinned(trustedRoot, context);
  if (!loaded.ok) return loaded;
  return {
    ok: true,
    root: loaded.root,
    requirements: {
      logEntries: requirements.logEntries ?? 1,
      timestamps: requirements.timestamps ?? 1,
      certificateTimestamps: requirements.certificateTimestamps ?? 1,
    },
  };
}

type Loaded = { readonly ok: true; readonly root: TrustedRoot } | Extract<CompiledTrustRoot, { ok: false }>;

const unavailable = (problem: string): Extract<CompiledTrustRoot, { ok: false }> => ({
  ok: false,
  reason: 'TrustRootUnavailable',
  problem,
});

function loadPublicGood(): Loaded {
  return load(loadPublicGoodRoot);
}

function loadPinned(source: NonNullable<TrustRootSpec['trustedRoot']>, context: MaterialContext): Loaded {
  const { json, ...references } = source;
  const bytes = readBytes({ ...references, ...(json === undefined ? {} : { text: json }) }, context);
  if (!bytes.ok) return { ok: false, reason: bytes.reason, problem: bytes.problem };
  return load(() => parseTrustedRoot(bytes.bytes));
}

function load(read: () => TrustedRoot): Loaded {
  try {
    return { ok: true, root: read() };
  } catch (error) {
    if (error instanceof TrustedRootError)
      return unavailable(`its trusted root is invalid: ${quote(error.message, 300)}`);
    throw error;
  }
}

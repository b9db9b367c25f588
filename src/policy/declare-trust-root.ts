// What does a TrustRoot object say? Its source, evidence, revocations and witnesses as values; what is wrong is kept as
// a problem for the policies that name it. Fetching belongs to the trust store.
import type { DenialReason } from '../reason.ts';
import { parseDurationMs } from '../lib/duration.ts';
import { quote } from '../lib/text.ts';
import type { Requirements } from '../signature/authority.ts';
import { NO_REVOCATIONS, toFingerprint, toSerial, type Revocations } from '../trust/revocation.ts';
import {
  DEFAULT_REFRESH_INTERVAL_MS,
  GITHUB_SOURCE,
  MAX_REFRESH_INTERVAL_MS,
  MIN_REFRESH_INTERVAL_MS,
  TRUSTED_ROOT_TARGET,
  type TrustSource,
} from '../trust/trust-source.ts';
import { parseWitnessKey, type WitnessKey } from '../trust/witness-key.ts';
import { readBytes, type BytesResult } from './read-bytes.ts';
import type { MaterialContext } from './source-material.ts';
import type { JsonSource, RevocationSpec, TrustRootSpec } from './types.ts';
import { toFieldPath, validateSpec } from './validate.ts';

/** What the administrator decided beside the source. */
export interface TrustDecisions {
  readonly requirements: Requirements;
  readonly revoked: Revocations;
  readonly witnesses: readonly WitnessKey[];
}

/** Why there is no trust. */
export interface TrustProblem {
  readonly ok: false;
  readonly reason: DenialReason;
  readonly problem: string;
}

/** A TrustRoot that can be followed, or why it cannot. */
export type DeclaredTrustRoot =
  ({ readonly ok: true; readonly source: TrustSource } & TrustDecisions) | TrustProblem;

/** Builds the problem that a TrustRoot cannot be used. */
export const unavailable = (problem: string): TrustProblem => ({
  ok: false,
  reason: 'TrustRootUnavailable',
  problem,
});

/** Reads the spec of a TrustRoot; never throws. */
export function declareTrustRoot(spec: unknown, context: MaterialContext): DeclaredTrustRoot {
  const [fault] = validateSpec('TrustRoot', spec);
  if (fault !== undefined) return unavailable(`${toFieldPath(['spec', ...fault.path])}: ${fault.message}`);
  const checked = spec as TrustRootSpec;
  const source = toSource(checked, context);
  if (!source.ok) return source;
  const revoked = toRevocations(checked.revoked ?? []);
  if (!revoked.ok) return revoked;
  const witnesses = toWitnesses(checked.witnesses ?? []);
  if (!witnesses.ok) return witnesses;
  const requirements = toRequirements(checked);
  const { witnesses: needed = 0 } = requirements;
  if (needed > witnesses.value.length)
    return unavailable(
      `spec.requirements.witnesses: it is ${needed}, and spec.witnesses lists ${witnesses.value.length}`,
    );
  return {
    ok: true,
    source: source.value,
    requirements,
    revoked: revoked.value,
    witnesses: witnesses.value,
  };
}

type Read<T> = { readonly ok: true; readonly value: T } | TrustProblem;

const done = <T>(value: T): Read<T> => ({ ok: true, value });

function toSource(spec: TrustRootSpec, context: MaterialContext): Read<TrustSource> {
  const { sigstorePublicGood, github, tuf, trustedRoot } = spec;
  const set = [sigstorePublicGood, github, tuf, trustedRoot].filter((kind) => kind !== undefined);
  if (set.length !== 1)
    return unavailable('spec: exactly one of sigstorePublicGood, github, tuf, trustedRoot must be set');
  if (tuf !== undefined) return toTufSource(tuf, context);
  if (trustedRoot !== undefined) {
    const bytes = readJsonSource(trustedRoot, 'spec.trustedRoot', context);
    return bytes.ok ? done({ kind: 'pinned', bytes: bytes.bytes }) : bytes;
  }
  return done(github === undefined ? { kind: 'publicGood' } : GITHUB_SOURCE);
}

function toTufSource(tuf: NonNullable<TrustRootSpec['tuf']>, context: MaterialContext): Read<TrustSource> {
  const { mirror, root, trustedRootTarget = TRUSTED_ROOT_TARGET, refreshInterval } = tuf;
  if (!URL.canParse(mirror)) return unavailable(`spec.tuf.mirror: ${quote(mirror, 120)} is no URL`);
  const refreshIntervalMs =
    refreshInterval === undefined ? DEFAULT_REFRESH_INTERVAL_MS : parseDurationMs(refreshInterval);
  if (!isInterval(refreshIntervalMs))
    return unavailable('spec.tuf.refreshInterval: it must be from 1m to 24h');
  const bytes = readJsonSource(root, 'spec.tuf.root', context);
  if (!bytes.ok) return bytes;
  const anchor = { kind: 'root' as const, bytes: bytes.bytes };
  return done({ kind: 'tuf', mirror, anchor, target: trustedRootTarget, refreshIntervalMs });
}

function isInterval(value: number | undefined): value is number {
  return value !== undefined && value >= MIN_REFRESH_INTERVAL_MS && value <= MAX_REFRESH_INTERVAL_MS;
}

function readJsonSource(
  { json, ...references }: JsonSource,
  path: string,
  context: MaterialContext,
): BytesResult {
  const result = readBytes({ ...references, text: json }, context);
  return result.ok ? result : { ...result, problem: `${path}: ${result.problem}` };
}

// GitHub's instance runs no logs: the timestamp authority alone says when.
function toRequirements({ github, requirements = {} }: TrustRootSpec): Requirements {
  const preset = github === undefined ? 1 : 0;
  return {
    logEntries: requirements.logEntries ?? preset,
    timestamps: requirements.timestamps ?? 1,
    certificateTimestamps: requirements.certificateTimestamps ?? preset,
    ...(requirements.witnesses !== undefined && { witnesses: requirements.witnesses }),
  };
}

function toRevocations(entries: readonly RevocationSpec[]): Read<Revocations> {
  if (entries.length === 0) return done(NO_REVOCATIONS);
  const spkis = new Map<string, string>();
  const certificateSerials = new Map<string, string>();
  const artifactDigests = new Map<string, string>();
  for (const [index, { spki, certificateSerial, artifactDigest, reason }] of entries.entries()) {
    const set = [spki, certificateSerial, artifactDigest].filter((part) => part !== undefined);
    if (set.length !== 1)
      return unavailable(
        `spec.revoked[${index}]: exactly one of spki, certificateSerial, artifactDigest must be set`,
      );
    if (spki !== undefined) spkis.set(toFingerprint(spki), reason);
    if (certificateSerial !== undefined) certificateSerials.set(toSerial(certificateSerial), reason);
    if (artifactDigest !== undefined) artifactDigests.set(artifactDigest, reason);
  }
  return done({ spkis, certificateSerials, artifactDigests });
}

function toWitnesses(specs: NonNullable<TrustRootSpec['witnesses']>): Read<readonly WitnessKey[]> {
  const witnesses: WitnessKey[] = [];
  const keys = new Set<string>();
  for (const [index, { name, key }] of specs.entries()) {
    const result = parseWitnessKey(name, key);
    if (!result.ok) return unavailable(`spec.witnesses[${index}].key: ${result.problem}`);
    const { x = '' } = result.witness.publicKey.export({ format: 'jwk' });
    // One key under two names would count as two witnesses.
    if (keys.has(x)) return unavailable(`spec.witnesses[${index}].key: it is the key of another witness`);
    keys.add(x);
    witnesses.push(result.witness);
  }
  return done(witnesses);
}

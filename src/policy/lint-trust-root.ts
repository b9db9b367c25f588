// Can anything be proven under this TrustRoot, and for how long? Parts of a pinned root that are missing or run out, and
// demands that its parts cannot meet.
import type { TrustedRoot } from '../trust/trusted-root.ts';
import { describeEnd, type Advise } from './advice.ts';
import type { TrustRootSpec } from './types.ts';

interface Part {
  readonly operator: string;
  readonly validFor: { readonly end: Date };
}

/** Gives advice on a TrustRoot. @param root what it pins; undefined when it is fetched, or missing */
export function adviseOnTrustRoot(
  spec: TrustRootSpec,
  root: TrustedRoot | undefined,
  now: Date | undefined,
  advise: Advise,
): void {
  if (spec.tuf?.mirror.startsWith('http://') === true)
    advise('spec.tuf.mirror', 'without TLS whoever is on the way can hold refreshes back; use https');
  if (root === undefined) return;
  const { certificateAuthorities, timestampAuthorities, logs, certificateLogs } = root;
  const parts = { certificateAuthorities, timestampAuthorities, tlogs: logs, ctlogs: certificateLogs };
  for (const [name, list] of Object.entries(parts)) lintEnd(name, list, now, advise);
  if (certificateAuthorities.length > 0) lintDemands(spec, root, advise);
  else
    advise(
      'spec.trustedRoot',
      'it has no certificateAuthorities: it serves keys and private PKIs, but no keyless authority',
    );
}

function lintDemands({ requirements = {} }: TrustRootSpec, root: TrustedRoot, advise: Advise): void {
  const { timestampAuthorities, logs, certificateLogs } = root;
  const demands = [
    ['logEntries', logs, 'tlogs'],
    ['certificateTimestamps', certificateLogs, 'ctlogs'],
    ['timestamps', [...timestampAuthorities, ...logs], 'timestampAuthorities and tlogs'],
  ] as const;
  for (const [field, list, where] of demands) {
    const needed = requirements[field] ?? 1;
    const operators = countOperators(list);
    if (needed > operators)
      advise(
        `spec.requirements.${field}`,
        `it is ${needed}, and the root has ${operators} distinct operators in ${where}: no keyless signature can pass; lower it, or pin a root that has more`,
      );
  }
}

function lintEnd(name: string, parts: readonly Part[], now: Date | undefined, advise: Advise): void {
  const last = parts.map(({ validFor }) => validFor.end).toSorted((a, b) => b.getTime() - a.getTime())[0];
  const end = last === undefined ? undefined : describeEnd(last, now);
  if (end !== undefined)
    advise(
      'spec.trustedRoot',
      `the last of its ${name} ${end}: nothing signed later can pass; pin a newer root`,
    );
}

// Whoever is not named counts as one, as when signatures are judged.
function countOperators(parts: readonly Part[]): number {
  return new Set(parts.map(({ operator }) => operator)).size;
}

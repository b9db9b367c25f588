// What should the status of our objects say? Conditions of policies, trust roots and exceptions in one world at one
// time. Pure: writing them is left to kubernetes/, the times of conditions too.
import type { Condition, DesiredStatus } from '../kubernetes/status.ts';
import { boundBytes, toSeconds } from '../lib/text.ts';
import type { DenialReason, Finding } from '../reason.ts';
import type { CompiledException } from './compile-exception.ts';
import type { CompiledTrustRoot } from './compile-trust-root.ts';
import type { CompiledPolicy } from './compiled.ts';

/** Longest message of a condition, in UTF-8 bytes: an object has few, and kubectl prints them whole. */
export const MAX_CONDITION_BYTES = 1024;

/** The status of a policy: `Ready` when it judges, and why not. */
export function toPolicyStatus({
  problems,
  actions,
}: Pick<CompiledPolicy, 'problems' | 'actions'>): DesiredStatus {
  const [first] = problems;
  const ready: Condition =
    first === undefined
      ? holds('Ready', 'Ready', 'the policy is in force')
      : fails('Ready', first.reason, `${toEffect(actions)} what it selects: ${toMessage(problems)}`);
  return {
    conditions: [
      ready,
      toPart('Compiled', 'PolicyInvalid', problems),
      toPart('TrustRootsReady', 'TrustRootUnavailable', problems),
      toPart('KeysReady', 'CredentialsUnavailable', problems),
    ],
  };
}

/** The status of a trust root: where its trust comes from, until when, and how much of it there is. */
export function toTrustRootStatus(compiled: CompiledTrustRoot): DesiredStatus {
  if (!compiled.ok) return { conditions: [fails('Ready', compiled.reason, bound(compiled.problem))] };
  const { root, snapshot } = compiled;
  return {
    conditions: [holds('Ready', 'Ready', 'the trust root can be used')],
    fields: {
      source: snapshot.source,
      generation: snapshot.generation,
      ...(snapshot.expiresAt === undefined ? {} : { expires: toSeconds(snapshot.expiresAt) }),
      counts: {
        certificateAuthorities: root.certificateAuthorities.length,
        timestampAuthorities: root.timestampAuthorities.length,
        transparencyLogs: root.logs.length,
        certificateLogs: root.certificateLogs.length,
      },
    },
  };
}

/** The status of an exception that can have an effect, at a time. */
export function toExceptionStatus({ endsAt }: Pick<CompiledException, 'endsAt'>, now: Date): DesiredStatus {
  const end = toSeconds(endsAt);
  return {
    conditions: [
      now < endsAt
        ? holds('Active', 'Active', `it counts until ${end}`)
        : fails('Active', 'Expired', `it ended at ${end}`),
    ],
  };
}

/** The status of an exception that has none. */
export function toBrokenExceptionStatus(problem: string): DesiredStatus {
  return { conditions: [fails('Active', 'PolicyInvalid', bound(problem))] };
}

function toEffect(actions: CompiledPolicy['actions']): string {
  if (actions.has('Deny')) return 'denies';
  return actions.has('Warn') ? 'warns about' : 'records';
}

function toPart(type: string, reason: DenialReason, problems: readonly Finding[]): Condition {
  const own = problems.filter((problem) => problem.reason === reason);
  return own.length === 0 ? holds(type, type, '') : fails(type, reason, toMessage(own));
}

const holds = (type: string, reason: string, message: string): Condition => ({
  type,
  status: 'True',
  reason,
  message,
});
const fails = (type: string, reason: string, message: string): Condition => ({
  type,
  status: 'False',
  reason,
  message: bound(message),
});

const bound = (text: string): string => boundBytes(text, MAX_CONDITION_BYTES);
const toMessage = (problems: readonly Finding[]): string => problems.map(({ message }) => message).join('; ');

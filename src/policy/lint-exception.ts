// Does this exception do what its author meant, for as long as they meant? Names that stand for nothing, and dates.
import { quote } from '../lib/text.ts';
import { describeEnd, toDay, type Advise, type AdviceWorld } from './advice.ts';
import { MAX_EXCEPTION_LIFE_MS, type CompiledException } from './compile-exception.ts';
import type { ModelPolicyExceptionSpec } from './types.ts';

/** Less than this is said to be short: an hour. */
const SHORT_MS = 60 * 60 * 1000;

/** Gives advice on an exception. */
export function adviseOnException(
  spec: ModelPolicyExceptionSpec,
  { endsAt }: CompiledException,
  { policies, now }: AdviceWorld,
  advise: Advise,
): void {
  const known = new Set(policies.map(({ name }) => name));
  for (const [index, name] of spec.policies.entries())
    if (!known.has(name))
      advise(
        `spec.policies[${index}]`,
        `there is no ClusterModelPolicy ${quote(name, 63)}: it covers nothing there; check the name`,
      );
  if (spec.anyDigest === true)
    advise('spec.anyDigest', 'whatever is pushed to these repositories until then is admitted; name digests');
  if (now !== undefined) lintEnd(new Date(spec.expiresAt), endsAt, now, advise);
}

function lintEnd(asked: Date, endsAt: Date, now: Date, advise: Advise): void {
  const leftMs = endsAt.getTime() - now.getTime();
  const latest = new Date(now.getTime() + MAX_EXCEPTION_LIFE_MS);
  if (leftMs <= 0)
    advise('spec.expiresAt', `it ${describeEnd(endsAt, now) ?? ''} and has no effect; make another one`);
  else if (leftMs < SHORT_MS)
    advise(
      'spec.expiresAt',
      'it ends within the hour, too soon for most roll-outs; make another one if that is not meant',
    );
  else if (asked > latest || asked > endsAt)
    advise(
      'spec.expiresAt',
      `it ends on ${toDay(endsAt < latest ? endsAt : latest)}, 90 days after it was made, not on ${toDay(asked)}; mend what it excuses until then`,
    );
}

// Did a managed key sign this, and who else saw it? The signature by one of the keys that an authority names; logs and
// timestamps only where the authority names a trust root for them.
import type { TrustedKey } from './public-key.ts';
import type { SignedContent } from './content.ts';
import { SignatureError } from './error.ts';
import { toLogFacts, toTimeFacts, type SignerFacts, type VerifyOptions } from './facts.ts';
import { earliestOf, verifyObservations, type Evidence, type RequiredTrust } from './observers.ts';
import { refuseRevoked } from './revoked.ts';
import { witnessKey } from './witness.ts';

/** A key's signature with everything that came along. */
export interface KeySignature extends Evidence {
  readonly content: SignedContent;
  /** What the bundle calls its key: good enough to choose between two words, never to trust. */
  readonly hint: string | undefined;
}

/**
 * Verifies a signature by one of these keys.
 * @param required undefined: log entries and timestamps are ignored
 * @throws SignatureError
 */
export function verifyKeySignature(
  signature: KeySignature,
  keys: readonly TrustedKey[],
  required: RequiredTrust | undefined,
  { now, secondOpinion = 'before' }: VerifyOptions,
): SignerFacts {
  const { content, hint } = signature;
  for (const trusted of keys) {
    const algorithm = content.findAlgorithm(trusted.key);
    if (algorithm === undefined) continue;
    refuseRevoked(
      { spkis: [trusted.fingerprint], certificateSerials: [], artifactDigests: [] },
      required?.revoked,
    );
    const observations =
      required === undefined
        ? { entries: [], stamps: [], times: [] }
        : verifyObservations(signature, { content, signerDer: toSpki(trusted) }, required, now);
    const opinion =
      secondOpinion === 'off'
        ? 'off'
        : witnessKey({ key: trusted.key, algorithm, content, observations }, required);
    const existedBy = earliestOf(observations.times);
    return {
      issuer: '',
      subject: '',
      claims: {},
      keyFingerprint: trusted.fingerprint,
      ...(existedBy && { existedBy }),
      ...toTimeFacts(observations.times),
      logs: toLogFacts(observations.entries),
      secondOpinion: opinion,
    };
  }
  const isNamed = hint !== undefined && keys.some(({ hints }) => hints.has(hint));
  throw isNamed
    ? new SignatureError('SignatureInvalid', 'it names a trusted key, but that key did not sign it')
    : new SignatureError('SignerNotTrusted', 'none of the authority’s keys signed it');
}

function toSpki({ key }: TrustedKey): Buffer {
  return key.export({ type: 'spki', format: 'der' });
}

// Who signed, and who saw it, as cosign v2 writes it into annotations? The same parts for signatures and attestations.
import type { SimpleSigningAnnotations } from '../evidence/evidence.ts';
import type { SignedEvidence } from './signed-evidence.ts';
import { readLogBundle } from './simple-signing-log.ts';
import { readCertificate, readChain, readTimestamps } from './simple-signing-witnesses.ts';

/** The parts of a signature that stand in annotations. A key's name stands nowhere. @throws SignatureError */
export function toAnnotatedEvidence({
  certificate,
  chain,
  logBundle,
  timestamp,
}: SimpleSigningAnnotations): Omit<SignedEvidence, 'content' | 'isWithoutProofs'> {
  return {
    material:
      certificate === undefined
        ? { kind: 'publicKey', hint: undefined }
        : { kind: 'certificate', der: readCertificate(certificate) },
    intermediates: chain === undefined ? [] : readChain(chain),
    logEntries: logBundle === undefined ? [] : [readLogBundle(logBundle)],
    timestamps: timestamp === undefined ? [] : readTimestamps(timestamp),
  };
}

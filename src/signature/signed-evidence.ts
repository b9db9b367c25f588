// What came along with one signature, whatever its format? The signed bytes, who claims to have signed, and what logs
// and timestamp authorities wrote about it. Nothing of it is verified yet.
import type { Bundle, LogEntry, SigningMaterial } from './bundle.ts';
import { toEnvelopeContent, type SignedContent } from './content.ts';

/** The parts of a signature that decide who signed, and when. */
export interface SignedEvidence {
  readonly content: SignedContent;
  readonly material: SigningMaterial;
  /** DER certificates offered as links to a root: never trusted, at most walked through. */
  readonly intermediates: readonly Buffer[];
  readonly logEntries: readonly LogEntry[];
  /** RFC 3161 TimeStampResp, DER. */
  readonly timestamps: readonly Buffer[];
  /** True for what cosign v2 wrote: of a log entry it keeps the signed entry timestamp alone, without a proof. */
  readonly isWithoutProofs?: boolean;
}

/** The parts of a bundle's signature. */
export function toSignedEvidence({ envelope, material, logEntries, timestamps }: Bundle): SignedEvidence {
  return { content: toEnvelopeContent(envelope), material, intermediates: [], logEntries, timestamps };
}

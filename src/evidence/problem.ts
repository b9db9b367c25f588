// Why could something not be had? The only place that turns errors of the registry edge into findings' reasons, and
// that keeps the trouble of one candidate from the others.
import { DeadlineError } from '../lib/deadline.ts';
import { quote } from '../lib/text.ts';
import { ManifestError } from '../model/manifest.ts';
import { REGISTRY_ERROR_REASONS, RegistryError } from '../registry/error.ts';
import { TooManyLookupsError } from './lookups.ts';
import { describeOrigin, type EvidenceProblem, type SignatureOrigin } from './evidence.ts';

/** Something that is recognised and that this version does not read. */
export class UnsupportedError extends Error {
  override readonly name = 'UnsupportedError';
}

/** A referrer that refers to something else. */
export class SubjectError extends Error {
  override readonly name = 'SubjectError';
  constructor(actual: string) {
    super(`it refers to ${actual}`);
  }
}

/** What a caught error means; what is a fault of this program is thrown again. */
export function toProblem(error: unknown): EvidenceProblem {
  if (error instanceof RegistryError)
    return { reason: REGISTRY_ERROR_REASONS[error.kind], message: error.message };
  if (error instanceof DeadlineError)
    return {
      reason: 'DeadlineExceeded',
      message: 'the registry had not answered when the time for this request was up',
    };
  if (error instanceof ManifestError)
    return { reason: 'ManifestInvalid', message: `the manifest is invalid: ${quote(error.message, 300)}` };
  if (error instanceof TooManyLookupsError) return { reason: 'TooManyReferences', message: error.message };
  if (error instanceof UnsupportedError) return { reason: 'UnsupportedFormat', message: error.message };
  if (error instanceof SubjectError) return { reason: 'SubjectMismatch', message: error.message };
  throw error;
}

/** Runs one candidate's part: its trouble becomes a problem, and only the request's own deadline ends all. */
export async function attempt<T>(
  signal: AbortSignal,
  origin: SignatureOrigin,
  run: () => Promise<T>,
): Promise<T | EvidenceProblem> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof DeadlineError && signal.aborted) throw error;
    const { reason, message } = toProblem(error);
    // A signature that vanished between listing and fetching is no missing model.
    const honest = reason === 'ArtifactNotFound' ? 'RegistryUnavailable' : reason;
    return { reason: honest, message: `${describeOrigin(origin)}: ${message}` };
  }
}

/** True for what {@link attempt} returns instead of a value. */
export function isProblem(value: unknown): value is EvidenceProblem {
  return typeof value === 'object' && value !== null && 'reason' in value && 'message' in value;
}

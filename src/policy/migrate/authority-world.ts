// What do authorities need of the rest while they are translated? TrustRoots, Secrets, and where to write differences.
import { toRecord, toText } from '../../lib/text.ts';
import type { Note } from './difference.ts';

/** What an authority needs of a TrustRoot. */
export interface RootRequest {
  /** The TrustRoot it names. */
  readonly name: string | undefined;
  /** The instance it names by address. */
  readonly url: string | undefined;
  readonly ignoresSct?: boolean;
  readonly ignoresLog?: boolean;
}

/** What authorities are translated with. */
export interface AuthorityWorld {
  /** Asks for a TrustRoot; returns its name. */
  readonly needRoot: (request: RootRequest, note: Note, field: string) => string;
  /** Keys of the data of a Secret; undefined when it was not given. */
  readonly findSecretKeys: (name: string) => readonly string[] | undefined;
}

/** Where in the old object a translator is, and where it writes differences. */
export interface Place {
  readonly field: string;
  readonly note: Note;
}

/** Why an authority cannot be written; `source`: what somebody has to translate. */
export interface Untranslatable {
  readonly problem: string;
  readonly source?: string;
}

/** Names of the TrustRoots that an authority names, each once. */
export function findRoots({ keyless, ctlog, rfc3161timestamp }: Record<string, unknown>): readonly string[] {
  const names = [keyless, ctlog, rfc3161timestamp].map(
    (part) => toText(toRecord(part)['trustRootRef']) ?? '',
  );
  return [...new Set(names.filter((name) => name !== ''))];
}

// What do the two sides of a proving thread say to each other? Types only; values cross as portable.ts makes them.
import type { AuthorityMaterial } from '../signature/authority.ts';
import type { VerifyOptions } from '../signature/facts.ts';
import type { SignedSubject } from '../signature/verify.ts';
import type { EvidenceItem, ItemOutcome } from '../verdict/prove-item.ts';

/** To the thread. Material is sent once and named by its id from then on. */
export type Question =
  | { readonly say: 'learn'; readonly id: string; readonly material: AuthorityMaterial }
  | { readonly say: 'forget'; readonly id: string }
  | {
      readonly say: 'prove';
      readonly item: EvidenceItem;
      readonly materialId: string;
      readonly subject: Omit<SignedSubject, 'manifest'>;
      /** JSON text of the subject's manifest, where files may be signed. */
      readonly manifest: SharedArrayBuffer | undefined;
      readonly predicateTypes: readonly string[];
      readonly options: VerifyOptions;
    };

/** From the thread: once when it is ready, then one answer for each `prove`, in order. */
export type Reply =
  | { readonly say: 'ready'; readonly problem: string | undefined }
  | { readonly say: 'outcome'; readonly outcome: ItemOutcome }
  /** A fault of this program. */
  | { readonly say: 'fault'; readonly message: string };

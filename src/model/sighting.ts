// What did an extractor see, before it is parsed? One value per place, and the few ways of making one; extract.ts
// parses and merges what several extractors saw.
import { quote } from '../lib/text.ts';
import type { ModelSource, UnnamedUse } from './model-reference.ts';

/** A model named by a text, or a use that no reference names. */
export type Sighting = NamedSighting | UnnamedSighting;

/** A text that must be a reference, scheme stripped. */
export interface NamedSighting {
  readonly text: string;
  readonly source: ModelSource;
  readonly fieldPath: string;
  /** True for container images, whose short names the kubelet always expands to Docker Hub. */
  readonly isImage?: boolean;
  /** Who pulls it without checking the digest, for messages; absent: the puller checks. */
  readonly lenientPuller?: string;
}

/** A use that has no reference to check. */
export interface UnnamedSighting {
  readonly reason: UnnamedUse['reason'];
  /** One clause after the field's path, foreign text already escaped. */
  readonly problem: string;
  /** The text that the clause is about, whole; empty when there is none. */
  readonly written: string;
  readonly source: ModelSource;
  readonly fieldPath: string;
}

/** A text whose variables the object does not resolve. */
export function unresolvable(text: string, source: ModelSource, fieldPath: string): UnnamedSighting {
  return {
    reason: 'UnresolvableReference',
    problem: `names a model by a variable that is not in the pod: ${quote(text)}`,
    written: text,
    source,
    fieldPath,
  };
}

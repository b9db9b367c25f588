// What a rule may know about a model: the values that a verified signature fixes, as CEL reads them.
// Built by packaging.ts from a manifest; which fields are present depends on what the signature binds.

/** What a signature fixes: the whole manifest (`Manifest`), or only the files it lists (`Files`, OpenSSF Model Signing). */
export type Binding = 'Manifest' | 'Files';

/** How a model artifact is packaged, decided by one table over config, artifact and layer media types. */
export type ModelFormat = 'ModelPack' | 'ModelKit' | 'Docker' | 'ORAS' | 'ModelCar' | 'Image' | 'Unknown';

/** `rawFile`: the layer's digest is the digest of one file; `archive`: a tar; `unknown`: neither is certain. */
export type LayerClass = 'rawFile' | 'archive' | 'unknown';

/** One layer of a model manifest. `title` exists only on class `rawFile`; sizes are bytes. */
export interface LayerFacts {
  readonly class: LayerClass;
  readonly digest: string;
  readonly title?: string;
  /** Absent when the binding is `Files`, as are `size` and `annotations`: the signature does not cover them. */
  readonly mediaType?: string;
  readonly size?: number;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** The reference under judgement; `tag` and `digest` are `""` when absent. */
export interface ReferenceFacts {
  readonly registry: string;
  readonly repository: string;
  readonly tag: string;
  readonly digest: string;
  readonly original: string;
}

/**
 * One model as a policy rule sees it. Optional fields are absent when the binding is `Files`; `format`, `binding` and
 * `layers` also when nothing was fetched, because a static authority decides.
 */
export interface ModelFacts {
  readonly reference: ReferenceFacts;
  readonly source: string;
  readonly fieldPath: string;
  readonly format?: ModelFormat;
  readonly binding?: Binding;
  readonly layers?: readonly LayerFacts[];
  readonly mediaType?: string;
  readonly artifactType?: string;
  readonly configMediaType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Sum of all layer sizes, in bytes. */
  readonly size?: number;
}

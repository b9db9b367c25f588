// What does a recorded artifact say about itself? Reads the index of a vectors directory and each case.json: where
// the layout is, which digest is judged, whose signature is trusted, and which verdict is right.
import { readFileSync } from 'node:fs';
import path from 'node:path';

/** How a signature is looked for; decides which formats count. */
export type Method =
  | 'cosign-v3-signature'
  | 'cosign-v2-signature'
  | 'cosign-attestation'
  | 'cosign-v2-attestation'
  | 'oms'
  | 'any';

/** Whom a verdict trusts; file names are relative to the case. */
export interface Trust {
  readonly publicKeys?: readonly string[];
  readonly roots?: readonly string[];
  readonly trustedRoot?: string;
  readonly san?: string;
  readonly issuer?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly predicateType?: string;
  readonly tlogThreshold?: number;
  readonly ctlogThreshold?: number;
  readonly timestampThreshold?: number;
  /** Another digest of the case, judged instead of its own. */
  readonly reference?: string;
  /** Where file names come from; `rh` is the Red Hat naming. */
  readonly names?: string;
  readonly allowIgnoredPaths?: boolean;
}

/** One documented verdict. */
export interface Expectation {
  readonly method: Method;
  readonly trust: Trust;
  readonly verdict: 'accept' | 'reject' | 'implementation-defined';
  readonly why?: string;
}

/** One artifact with its documented verdicts. */
export interface VectorCase {
  readonly id: string;
  readonly directory: string;
  readonly layout: string;
  readonly repository: string;
  readonly digest: string;
  /** Tags by manifest digest. */
  readonly tags: ReadonlyMap<string, readonly string[]>;
  /** Media types by manifest digest. */
  readonly mediaTypes: ReadonlyMap<string, string>;
  readonly expectations: readonly Expectation[];
}

interface IndexDocument {
  readonly cases: readonly { readonly id: string }[];
}

interface CaseDocument {
  readonly reference: { readonly repository: string; readonly digest: string };
  readonly manifests: readonly {
    readonly digest: string;
    readonly mediaType: string;
    readonly tags?: readonly string[];
  }[];
  readonly expect: readonly Expectation[];
}

interface ManifestDocument {
  readonly layers?: readonly {
    readonly digest: string;
    readonly annotations?: Readonly<Record<string, string>>;
  }[];
  readonly manifests?: readonly { readonly digest: string }[];
}

/** Every case that the directory's index lists, in its order. @throws when the index or a case cannot be read */
export function readCases(directory: string): readonly VectorCase[] {
  const { cases } = readJson(path.join(directory, 'INDEX.json')) as IndexDocument;
  return cases.map(({ id }) => readCase(directory, id));
}

function readCase(vectors: string, id: string): VectorCase {
  const directory = path.join(vectors, id);
  const document = readJson(path.join(directory, 'case.json')) as CaseDocument;
  return {
    id,
    directory,
    layout: path.join(directory, 'layout'),
    repository: document.reference.repository,
    digest: document.reference.digest,
    tags: new Map(document.manifests.map(({ digest, tags = [] }) => [digest, tags])),
    mediaTypes: new Map(document.manifests.map(({ digest, mediaType }) => [digest, mediaType])),
    expectations: document.expect,
  };
}

/** Digests of the layers below a manifest but for `model.sig`, through indexes: what is never to be fetched. */
export function readLayerDigests(layout: string, digest: string): readonly string[] {
  const document = JSON.parse(readBlob(layout, digest).toString('utf8')) as ManifestDocument;
  const { layers = [], manifests = [] } = document;
  return [
    ...layers
      .filter(({ annotations = {} }) => !Object.values(annotations).includes('model.sig'))
      .map((layer) => layer.digest),
    ...manifests.flatMap((child) => readLayerDigests(layout, child.digest)),
  ];
}

/** True when the digest is that of an index. */
export function isIndex(layout: string, digest: string): boolean {
  const { manifests } = JSON.parse(readBlob(layout, digest).toString('utf8')) as ManifestDocument;
  return manifests !== undefined;
}

/** One blob of a layout. */
export function readBlob(layout: string, digest: string): Buffer {
  return readFileSync(path.join(layout, 'blobs', ...digest.split(':')));
}

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(file, 'utf8'));
}

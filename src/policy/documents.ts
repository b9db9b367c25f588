// What stands in this policy file? YAML text into objects of the kinds we know, with the line of every fault. Pure:
// reading files belongs to cli/.
import { LineCounter, parseAllDocuments, type Document } from 'yaml';
import { isRecord, quote, toRecord, toText } from '../lib/text.ts';
import { API_VERSION } from './types.ts';

/** Largest policy file, in bytes. */
export const MAX_POLICY_FILE_BYTES = 4 * 1024 * 1024;

/** A document of a known kind. */
export interface PolicyDocument {
  readonly kind:
    | 'ClusterModelPolicy'
    | 'ModelPolicy'
    | 'TrustRoot'
    | 'ModelPolicyException'
    | 'Secret'
    | 'ConfigMap'
    | 'Namespace';
  readonly name: string;
  readonly namespace: string | undefined;
  readonly object: Record<string, unknown>;
  /** `file:line:column` of a path in the document, or of its nearest ancestor. */
  readonly locate: (path: readonly (string | number)[]) => string;
}

/** Something that is no document we can use. */
export interface DocumentFault {
  /** `file:line:column`. */
  readonly where: string;
  readonly message: string;
}

/** A file's content. */
export interface ParsedDocuments {
  readonly documents: readonly PolicyDocument[];
  readonly faults: DocumentFault[];
}

const API_VERSIONS: Readonly<Record<PolicyDocument['kind'], string>> = {
  ClusterModelPolicy: API_VERSION,
  ModelPolicy: API_VERSION,
  TrustRoot: API_VERSION,
  ModelPolicyException: API_VERSION,
  Secret: 'v1',
  ConfigMap: 'v1',
  Namespace: 'v1',
};
const TOP_LEVEL = new Set(['apiVersion', 'kind', 'metadata', 'spec', 'status']);

/** Parses the documents of one file; never throws. @param file its name, for messages */
export function parseDocuments(text: string, file: string): ParsedDocuments {
  try {
    return parseEach(text, file);
  } catch (error) {
    // The YAML library recurses: nesting deep enough ends its stack.
    if (error instanceof RangeError)
      return { documents: [], faults: [{ where: file, message: 'YAML is nested too deeply' }] };
    throw error;
  }
}

function parseEach(text: string, file: string): ParsedDocuments {
  const lines = new LineCounter();
  const documents: PolicyDocument[] = [];
  const faults: DocumentFault[] = [];
  for (const yaml of parseAllDocuments(text, { lineCounter: lines, prettyErrors: false })) {
    const locate = createLocator(yaml, lines, file);
    const result = readDocument(yaml);
    if (result === undefined) continue;
    if ('problem' in result) {
      const [start] = yaml.errors[0]?.pos ?? [];
      const where = start === undefined ? locate(result.path) : toPosition(lines, file, start);
      faults.push({ where, message: result.problem });
    } else documents.push({ ...result, locate });
  }
  return { documents, faults };
}

type Locate = PolicyDocument['locate'];
type Read = Omit<PolicyDocument, 'locate'> | { problem: string; path: readonly string[] };

function readDocument(yaml: Document.Parsed | Document): Read | undefined {
  const refuse = (problem: string, ...path: string[]): Read => ({ problem, path });
  const [error] = yaml.errors;
  if (error !== undefined) return refuse(`YAML does not parse: ${quote(error.message, 160)}`);
  let object: unknown;
  try {
    object = yaml.toJS({ maxAliasCount: 100 });
  } catch {
    return refuse('YAML has too many aliases');
  }
  if (object === null) return undefined;
  if (!isRecord(object)) return refuse('a document is no object');
  return readObject(object, refuse);
}

function readObject(
  object: Record<string, unknown>,
  refuse: (problem: string, ...path: string[]) => Read,
): Read {
  const kind = toText(object['kind']) ?? '';
  if (!isKnownKind(kind)) return refuse(`kind ${quote(kind, 64)} is not supported`, 'kind');
  if (object['apiVersion'] !== API_VERSIONS[kind])
    return refuse(`apiVersion of ${kind} must be ${API_VERSIONS[kind]}`, 'apiVersion');
  return readKnown(kind, object, refuse);
}

function readKnown(
  kind: PolicyDocument['kind'],
  object: Record<string, unknown>,
  refuse: (problem: string, ...path: string[]) => Read,
): Read {
  const metadata = toRecord(object['metadata']);
  const name = toText(metadata['name']) ?? '';
  const namespace = toText(metadata['namespace']) ?? '';
  if (name === '') return refuse('metadata.name is required', 'metadata');
  if (kind === 'ModelPolicy' && namespace === '') return refuse('metadata.namespace is required', 'metadata');
  const unknown = findUnknownField(kind, object);
  if (unknown !== undefined) return refuse(`unknown field ${quote(unknown, 64)}`, unknown);
  return { kind, name, namespace: namespace === '' ? undefined : namespace, object };
}

// Of kinds that are not ours, we read what we need.
function findUnknownField(kind: PolicyDocument['kind'], object: Record<string, unknown>): string | undefined {
  return API_VERSIONS[kind] === API_VERSION
    ? Object.keys(object).find((field) => !TOP_LEVEL.has(field))
    : undefined;
}

function isKnownKind(kind: string): kind is PolicyDocument['kind'] {
  return Object.hasOwn(API_VERSIONS, kind);
}

function createLocator(yaml: Document.Parsed | Document, lines: LineCounter, file: string): Locate {
  return (path) => {
    // A path that does not exist stands where its nearest ancestor does.
    for (let length = path.length; length >= 0; length -= 1) {
      const node = length === 0 ? yaml.contents : yaml.getIn(path.slice(0, length), true);
      const start = (toRecord(node)['range'] as readonly number[] | undefined)?.[0];
      if (start !== undefined) return toPosition(lines, file, start);
    }
    return file;
  };
}

function toPosition(lines: LineCounter, file: string, offset: number): string {
  const { line, col } = lines.linePos(offset);
  return `${file}:${line}:${col}`;
}

/** Decodes the data of a Secret or ConfigMap. */
export function toMaterial({
  kind,
  object,
}: Pick<PolicyDocument, 'kind' | 'object'>): ReadonlyMap<string, Buffer> {
  const { data, stringData, binaryData } = object;
  const isSecret = kind === 'Secret';
  const material = new Map<string, Buffer>();
  const add = (values: unknown, encoding: 'utf8' | 'base64'): void => {
    for (const [key, value] of Object.entries(toRecord(values)))
      if (typeof value === 'string') material.set(key, Buffer.from(value, encoding));
  };
  add(data, isSecret ? 'base64' : 'utf8');
  add(binaryData, 'base64');
  if (isSecret) add(stringData, 'utf8');
  return material;
}

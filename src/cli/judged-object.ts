// Which request is asked about? An object from a file, or a bare reference as an image volume of a pod: what the API
// server would send for it.
import { readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import type { AdmissionRequest } from '../admission/review.ts';
import { toErrorMessage, toRecord, toText } from '../lib/text.ts';
import { MAX_POLICY_FILE_BYTES } from '../policy/documents.ts';
import { UsageError } from './arguments.ts';

/** Reads the one YAML or JSON document of a file; `-` is standard input. @throws UsageError */
export function readObject(path: string): Record<string, unknown> {
  const text = readText(path);
  if (Buffer.byteLength(text) > MAX_POLICY_FILE_BYTES)
    throw new UsageError(`${path} is larger than ${MAX_POLICY_FILE_BYTES} bytes`);
  try {
    const [document, ...others] = parseAllDocuments(text);
    if (document !== undefined && others.length === 0 && document.errors.length === 0)
      return toRecord(document.toJS({ maxAliasCount: 0 }));
  } catch (error) {
    // Aliases, and nesting that ends the stack of the YAML library.
    throw new UsageError(`${path}: ${toErrorMessage(error)}`);
  }
  throw new UsageError(`${path} does not hold one YAML document`);
}

function readText(path: string): string {
  try {
    return readFileSync(path === '-' ? 0 : path, 'utf8');
  } catch (error) {
    throw new UsageError(`cannot read ${path}: ${toErrorMessage(error)}`);
  }
}

/** The kind that an object says it is. */
export function toKind({ apiVersion, kind }: Record<string, unknown>): AdmissionRequest['kind'] {
  const [group = '', version] = (toText(apiVersion) ?? '').split('/');
  const name = toText(kind) ?? '';
  return version === undefined ? { group: '', version: group, kind: name } : { group, version, kind: name };
}

/** A pod with a reference as its image volume. */
export function toPodWith(reference: string): Record<string, unknown> {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'test' },
    spec: { containers: [], volumes: [{ name: 'model', image: { reference } }] },
  };
}

/** The creation of an object. @param namespace absent: the one that it names, else `default` */
export function toCreation(
  object: Record<string, unknown>,
  command: string,
  namespace?: string,
): AdmissionRequest {
  const metadata = toRecord(object['metadata']);
  return {
    uid: command,
    operation: 'CREATE',
    kind: toKind(object),
    name: toText(metadata['name']) ?? '',
    namespace: namespace ?? toText(metadata['namespace']) ?? 'default',
    userInfo: { username: `model-policy ${command}` },
    object,
  };
}

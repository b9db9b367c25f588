// What do these files say? Reads policy files and directories into the inputs of the policy store. A file that cannot
// be read any more makes the policies it held deny what they select; it never makes them vanish.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { toCreatedAt } from '../policy/compile-exception.ts';
import type { PolicySource } from '../policy/compile.ts';
import {
  MAX_POLICY_FILE_BYTES,
  parseDocuments,
  toMaterial,
  type DocumentFault,
  type PolicyDocument,
} from '../policy/documents.ts';
import { toMaterialKey } from '../policy/source-material.ts';
import type { PolicyInputs } from '../policy/store.ts';
import { validateSpec, type CheckedKind, type Fault } from '../policy/validate.ts';
import { UsageError } from './arguments.ts';

const EXTENSIONS = /\.(?:ya?ml|json)$/;

/** One file with its text, or why it could not be read. */
export interface PolicyFile {
  readonly path: string;
  readonly text: string | undefined;
}

/** How documents become inputs. */
export interface LoadOptions {
  readonly controllerNamespace: string;
  /** True when `--namespaces` lists every namespace there is. */
  readonly isNamespaceListComplete: boolean;
}

/** Inputs, with every fault of the files they came from. */
export interface LoadedPolicies {
  readonly inputs: PolicyInputs;
  /** Secret objects by their material key: pods may name them as pull secrets. */
  readonly secrets: ReadonlyMap<string, unknown>;
  readonly faults: readonly DocumentFault[];
}

/** Lists the files of paths: a file itself, of a directory its YAML and JSON files. @throws UsageError for missing paths */
export function listPolicyFiles(paths: readonly string[]): readonly string[] {
  return paths.flatMap((path) => {
    try {
      if (!statSync(path).isDirectory()) return [path];
      const names = readdirSync(path).filter((name) => EXTENSIONS.test(name) && !name.startsWith('.'));
      return names.toSorted().map((name) => join(path, name));
    } catch {
      throw new UsageError(`cannot read ${path}`);
    }
  });
}

/** Reads files; what cannot be read has no text. `-` is standard input. */
export function readPolicyFiles(paths: readonly string[]): readonly PolicyFile[] {
  return paths.map((path) => {
    try {
      const bytes = readFileSync(path === '-' ? 0 : path);
      return { path, text: bytes.length > MAX_POLICY_FILE_BYTES ? undefined : bytes.toString('utf8') };
    } catch {
      return { path, text: undefined };
    }
  });
}

/** Remembers which policies each file held, for when the file breaks. */
export type FileMemory = Map<string, readonly PolicySource[]>;

/** Turns files into inputs. @param memory what the files held before; updated */
export function loadPolicies(
  files: readonly PolicyFile[],
  options: LoadOptions,
  memory: FileMemory = new Map(),
): LoadedPolicies {
  const faults: DocumentFault[] = [];
  const policies: PolicySource[] = [];
  const others: PolicyDocument[] = [];
  for (const { path, text } of files) {
    const unreadable = `cannot be read, or is larger than ${MAX_POLICY_FILE_BYTES} bytes`;
    const parsed =
      text === undefined
        ? { documents: [], faults: [{ where: path, message: unreadable }] }
        : parseDocuments(text, path);
    const sources = parsed.documents.flatMap(toPolicySource);
    const before = memory.get(path) ?? [];
    // An empty file is what a writer leaves behind half-way; policies are removed with their file.
    if (text?.trim() === '' && before.length > 0)
      parsed.faults.push({ where: path, message: 'the file is empty, and held policies before' });
    others.push(...parsed.documents.filter((document) => toPolicySource(document).length === 0));
    faults.push(...parsed.faults);
    policies.push(...sources, ...standIn(path, parsed.faults, { sources, before }));
    if (parsed.faults.length === 0) memory.set(path, sources);
  }
  return {
    inputs: { policies: refuseTwins(policies), ...toInputs(others, options) },
    secrets: toSecrets(others, options),
    faults,
  };
}

function toSecrets(
  documents: readonly PolicyDocument[],
  { controllerNamespace }: LoadOptions,
): LoadedPolicies['secrets'] {
  const secrets = documents.filter(({ kind }) => kind === 'Secret');
  return new Map(
    secrets.map(({ namespace = controllerNamespace, name, object }) => [
      toMaterialKey('Secret', namespace, name),
      object,
    ]),
  );
}

function toPolicySource(document: PolicyDocument): PolicySource[] {
  const { kind, name, namespace, object, locate } = document;
  if (kind === 'ClusterModelPolicy') return [{ name, spec: object['spec'], locate }];
  if (kind !== 'ModelPolicy' || namespace === undefined) return [];
  return [{ name: `${namespace}/${name}`, namespace, spec: object['spec'], locate }];
}

// Nobody knows what a document that cannot be read would have selected: what it selected before, else everything.
function standIn(
  path: string,
  faults: readonly DocumentFault[],
  { sources, before }: { sources: readonly PolicySource[]; before: readonly PolicySource[] },
): readonly PolicySource[] {
  if (faults.length === 0) return [];
  const broken = faults.map(({ where, message }) => ({ path: [], message: `${message} (${where})` }));
  const present = new Set(sources.map(({ name }) => name));
  const lost = before
    .filter(({ name }) => !present.has(name))
    .map((source) => ({ ...source, faults: broken }));
  return lost.length > 0 ? lost : [{ name: `file:${basename(path)}`, spec: undefined, faults: broken }];
}

function refuseTwins(policies: readonly PolicySource[]): readonly PolicySource[] {
  const counts = Map.groupBy(policies, ({ name }) => name);
  return policies.map((policy) => {
    if ((counts.get(policy.name)?.length ?? 0) < 2) return policy;
    const twice = { path: [], message: 'another policy has the same name' };
    return { ...policy, faults: [...(policy.faults ?? []), twice] };
  });
}

function toInputs(
  documents: readonly PolicyDocument[],
  options: LoadOptions,
): Omit<PolicyInputs, 'policies'> {
  const ofKind = (kind: PolicyDocument['kind']): readonly PolicyDocument[] =>
    documents.filter((document) => document.kind === kind);
  const material = new Map(
    [...ofKind('Secret'), ...ofKind('ConfigMap')].map((document) => [
      toMaterialKey(
        document.kind as 'Secret' | 'ConfigMap',
        document.namespace ?? options.controllerNamespace,
        document.name,
      ),
      toMaterial(document),
    ]),
  );
  return {
    exceptions: ofKind('ModelPolicyException').map(({ name, object }) => ({
      name,
      spec: object['spec'],
      ...toCreatedAt(object),
    })),
    trustRoots: new Map(ofKind('TrustRoot').map(({ name, object }) => [name, object['spec']])),
    material,
    namespaces: new Map(ofKind('Namespace').map(({ name, object }) => [name, object])),
    unlistedNamespaces: options.isNamespaceListComplete ? 'Unknown' : 'Exist',
  };
}

/** What a command line refuses to run with: YAML that does not parse, unknown kinds and fields. */
export function findUsageFault({ inputs, faults }: LoadedPolicies): string | undefined {
  const [fault] = faults;
  if (fault !== undefined) return `${fault.where}: ${fault.message}`;
  for (const { spec, locate, namespace } of inputs.policies) {
    const kind = namespace === undefined ? 'ClusterModelPolicy' : 'ModelPolicy';
    const unknown = findUnknownField(kind, spec);
    if (unknown !== undefined) return `${locate?.(['spec', ...unknown.path]) ?? ''}: ${unknown.message}`;
  }
  const others = [
    ...[...inputs.trustRoots].map(([name, spec]) => ({ kind: 'TrustRoot' as const, name, spec })),
    ...(inputs.exceptions ?? []).map((source) => ({ kind: 'ModelPolicyException' as const, ...source })),
  ];
  for (const { kind, name, spec } of others) {
    const unknown = findUnknownField(kind, spec);
    if (unknown !== undefined) return `${kind} ${name}: ${unknown.message}`;
  }
  return undefined;
}

function findUnknownField(kind: CheckedKind, spec: unknown): Fault | undefined {
  return validateSpec(kind, spec ?? null).find(({ isUnknownField }) => isUnknownField === true);
}

// Which policies are in force right now? Holds the last known objects, compiles them when they change, and hands each
// request one immutable snapshot, so that one request sees one world.
import { isRecord, toRecord, toText } from '../lib/text.ts';
import type { TrustReader } from '../trust/trust-source.ts';
import type { CelEngine } from './cel/engine.ts';
import { compileException, type CompiledException, type ExceptionSource } from './compile-exception.ts';
import {
  createTrustRootCompiler,
  type CompiledTrustRoot,
  type CompileTrustRoots,
} from './compile-trust-root.ts';
import { checkObject, type ObjectCheck } from './check-object.ts';
import { createPolicyCompiler, type CompilePolicies } from './compile-changed.ts';
import type { CompileContext, PolicySource } from './compile.ts';
import type { CheckedKind } from './validate.ts';
import type { CompiledPolicy } from './compiled.ts';
import { boundTenants } from './tenant-limits.ts';
import { createSelection, type SelectPolicies } from './selection.ts';
import type { MaterialContext, SourceMaterial } from './source-material.ts';

/** Everything policies are made of, as it was last read. */
export interface PolicyInputs {
  readonly policies: readonly PolicySource[];
  /** Specs of TrustRoots by name. */
  readonly trustRoots: ReadonlyMap<string, unknown>;
  readonly exceptions?: readonly ExceptionSource[];
  readonly material: SourceMaterial;
  /** Namespace objects by name. */
  readonly namespaces: ReadonlyMap<string, unknown>;
  /** What a namespace that is not listed is: unknown, or existing with only its name as label. */
  readonly unlistedNamespaces: 'Unknown' | 'Exist';
}

/** A namespace with the object that CEL sees. */
export interface KnownNamespace {
  readonly labels: Readonly<Record<string, string>>;
  readonly object: unknown;
}

/** One world. */
export interface PolicySnapshot {
  /** Rises with every change. */
  readonly generation: number;
  readonly policies: readonly CompiledPolicy[];
  /** Exceptions that can have an effect; expired ones among them. */
  readonly exceptions: readonly CompiledException[];
  /** Exceptions that have none, and why. */
  readonly brokenExceptions: readonly { readonly name: string; readonly problem: string }[];
  /** TrustRoots by name. */
  readonly trustRoots: ReadonlyMap<string, CompiledTrustRoot>;
  /** Which of them a request is judged by: all but `models`. */
  readonly select: SelectPolicies;
  /** The namespace, or undefined when it is not known; one object for each, for as long as the world lasts. */
  findNamespace(name: string): KnownNamespace | undefined;
}

/** The store: empty and not synced until the first update. */
export interface PolicyStore {
  /** The present world; undefined before the first update. */
  snapshot(): PolicySnapshot | undefined;
  update(inputs: PolicyInputs): void;
  /** Checks an object in the present world, without saving it; before the first update in an empty one. */
  check(kind: CheckedKind, name: string, object: unknown, now?: Date): ObjectCheck;
  /** Compiles the last inputs again, with the trust of now; before the first update it does nothing. */
  recompile(): void;
}

/** Creates an empty store. @param trust is told which TrustRoots there are, and asked for their roots */
export function createPolicyStore(
  engine: CelEngine,
  controllerNamespace: string,
  trust: TrustReader,
): PolicyStore {
  let current: PolicySnapshot | undefined;
  let last: PolicyInputs | undefined;
  let bounded: readonly PolicySource[] = [];
  const compileRoots = createTrustRootCompiler(trust);
  const compilePolicies = createPolicyCompiler();
  const options = { engine, controllerNamespace, compileRoots };
  function update(inputs: PolicyInputs): void {
    last = inputs;
    bounded = boundTenants(inputs.policies);
    const generation = (current?.generation ?? 0) + 1;
    current = compileSnapshot(inputs, { ...options, compilePolicies, generation, bounded });
  }
  return {
    snapshot: () => current,
    update,
    check(kind, name, object, now) {
      const inputs = last ?? NOTHING;
      return checkObject(kind, name, object, {
        ...toContext(inputs, options),
        policies: bounded,
        trustRootSpecs: inputs.trustRoots,
        now,
      });
    },
    recompile() {
      if (last !== undefined) update(last);
    },
  };
}

interface ContextOptions {
  readonly engine: CelEngine;
  readonly controllerNamespace: string;
  readonly compileRoots: CompileTrustRoots;
}

interface SnapshotOptions extends ContextOptions {
  readonly compilePolicies: CompilePolicies;
  readonly generation: number;
  /** The policies that count. */
  readonly bounded: readonly PolicySource[];
}

function compileSnapshot(inputs: PolicyInputs, options: SnapshotOptions): PolicySnapshot {
  const { generation, bounded } = options;
  const context = toContext(inputs, options);
  const exceptions = (inputs.exceptions ?? []).map(compileException);
  const policies = options.compilePolicies(bounded, context).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const namespaces = new Map<string, KnownNamespace>();
  return {
    generation,
    exceptions: exceptions.flatMap((result) => (result.ok ? [result.exception] : [])),
    brokenExceptions: exceptions.filter((result) => !result.ok),
    policies,
    trustRoots: context.trustRoots,
    select: createSelection(policies),
    findNamespace(name) {
      const known = namespaces.get(name) ?? findNamespace(inputs, name);
      // Where every name exists, names are anybody's to make up.
      if (namespaces.size >= MAX_REMEMBERED_NAMESPACES) namespaces.clear();
      if (known !== undefined) namespaces.set(name, known);
      return known;
    },
  };
}

const NOTHING: PolicyInputs = {
  policies: [],
  trustRoots: new Map(),
  material: new Map(),
  namespaces: new Map(),
  unlistedNamespaces: 'Unknown',
};

function toContext(
  inputs: PolicyInputs,
  { engine, controllerNamespace, compileRoots }: ContextOptions,
): CompileContext {
  const material: MaterialContext = { material: inputs.material, controllerNamespace };
  return { ...material, engine, trustRoots: compileRoots(inputs.trustRoots, material) };
}

const MAX_REMEMBERED_NAMESPACES = 10_000;
const NAME_LABEL = 'kubernetes.io/metadata.name';

function findNamespace(
  { namespaces, unlistedNamespaces }: PolicyInputs,
  name: string,
): KnownNamespace | undefined {
  const object = namespaces.get(name);
  if (object === undefined && unlistedNamespaces === 'Unknown') return undefined;
  return toKnownNamespace(object, name);
}

/** Reads a Namespace object. The name label is what the API server always sets; nothing in the object can change it. */
export function toKnownNamespace(object: unknown, name: string): KnownNamespace {
  const metadata = toRecord(toRecord(object)['metadata']);
  const labels: Record<string, string> = {};
  for (const [key, value] of Object.entries(toRecord(metadata['labels']))) {
    const text = toText(value);
    if (text !== undefined) labels[key] = text;
  }
  labels[NAME_LABEL] = name;
  return {
    labels,
    object: { ...(isRecord(object) ? object : {}), metadata: { ...metadata, name, labels } },
  };
}

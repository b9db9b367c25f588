// What becomes of a set of policy-controller's objects? ClusterImagePolicies and TrustRoots into ours, with every
// difference; a result that our compiler refuses is replaced by one that denies.
import { quote, toRecord, toText } from '../../lib/text.ts';
import { API_VERSION } from '../types.ts';
import type { Difference, Note } from './difference.ts';
import { migratePolicy, toDenial } from './migrate-policy.ts';
import { migrateTrustRoot, PUBLIC_GOOD, toNeededRoot, type NeededRoot } from './migrate-trust-root.ts';

/** An object of policy-controller, or a Secret whose entries are asked about. */
export interface OldObject {
  readonly kind: 'ClusterImagePolicy' | 'TrustRoot' | 'Secret';
  readonly name: string;
  readonly object: Record<string, unknown>;
}

/** An object of ours, or none where it could not be written, with what differs. */
export interface MigratedObject {
  readonly kind: 'ClusterModelPolicy' | 'TrustRoot';
  readonly name: string;
  /** The kind of the old object; undefined: there was none. */
  readonly from: OldObject['kind'] | undefined;
  readonly object: Readonly<Record<string, unknown>> | undefined;
  readonly differences: readonly Difference[];
}

/** Says what the compiler finds wrong with an object. */
export type CheckMigrated = (kind: MigratedObject['kind'], name: string, object: object) => readonly string[];

/** Translates objects: policies in their order, then TrustRoots. */
export function migrate(objects: readonly OldObject[], check: CheckMigrated): readonly MigratedObject[] {
  const roots = objects.filter(({ kind }) => kind === 'TrustRoot');
  const known = new Set(roots.map(({ name }) => name));
  const needed = new Map<string, NeededRoot>();
  const secrets = new Map(
    objects.filter(({ kind }) => kind === 'Secret').map(({ name, object }) => [name, object]),
  );
  const policies = objects
    .filter(({ kind }) => kind === 'ClusterImagePolicy')
    .map((old) =>
      migrateOne(old, check, (spec, note) =>
        migratePolicy(
          spec,
          {
            needRoot(request, own, field) {
              const root = toNeededRoot(request, known, { field, note: own });
              needed.set(root.name, root);
              return root.name;
            },
            findSecretKeys: (name) => {
              const secret = secrets.get(name);
              return (
                secret && Object.keys({ ...toRecord(secret['data']), ...toRecord(secret['stringData']) })
              );
            },
          },
          note,
        ),
      ),
    );
  return [...policies, ...migrateRoots(roots, [...needed.values()], check)];
}

function migrateRoots(
  roots: readonly OldObject[],
  needed: readonly NeededRoot[],
  check: CheckMigrated,
): readonly MigratedObject[] {
  const given = roots.map((old) => migrateOne(old, check, (spec, note) => migrateTrustRoot(spec, note)));
  const written = new Map(given.map((root) => [root.name, root.object]));
  const forms = needed.flatMap(({ name, base, requirements }): MigratedObject[] => {
    const spec = base === PUBLIC_GOOD ? { sigstorePublicGood: {} } : written.get(base)?.['spec'];
    if (spec === undefined || written.has(name)) return [];
    const object = toObject('TrustRoot', name, { ...toRecord(spec), ...(requirements && { requirements }) });
    return [{ kind: 'TrustRoot', name, from: undefined, object, differences: [] }];
  });
  return [...given, ...forms];
}

function migrateOne(
  old: OldObject,
  check: CheckMigrated,
  translate: (spec: Record<string, unknown>, note: Note) => object | undefined,
): MigratedObject {
  const differences: Difference[] = [];
  const note: Note = (effect, field, message, source) =>
    void differences.push({ effect, field, message, ...(source !== undefined && { source }) });
  const kind = old.kind === 'TrustRoot' ? 'TrustRoot' : 'ClusterModelPolicy';
  const { name } = old;
  const spec = translate(toRecord(old.object['spec']), note);
  const done = (object: Record<string, unknown> | undefined): MigratedObject => ({
    kind,
    name,
    from: old.kind,
    object,
    differences,
  });
  if (spec === undefined) return done(undefined);
  const object = toObject(kind, name, spec);
  const faults = check(kind, name, object);
  if (faults.length === 0) return done(object);
  note('Denies', 'spec', `the translation does not compile: ${quote(faults.join('; '), 500)}`);
  if (kind === 'TrustRoot') return done(undefined);
  const denial = toObject(kind, name, {
    namespaceSelector: toRecord(spec)['namespaceSelector'],
    models: [{ glob: '**' }],
    ...toDenial('the translation did not compile'),
  });
  return done(check(kind, name, denial).length === 0 ? denial : undefined);
}

function toObject(kind: string, name: string, spec: object): Record<string, unknown> {
  return { apiVersion: API_VERSION, kind, metadata: { name }, spec };
}

/** The kind of an object of policy-controller; undefined for what is none of its. */
export function toOldKind(object: Record<string, unknown>): OldObject['kind'] | undefined {
  const kind = toText(object['kind']);
  const version = toText(object['apiVersion']) ?? '';
  if (kind === 'Secret' && version === 'v1') return kind;
  const isTheirs = /^policy\.sigstore\.dev\/v1(?:alpha1|beta1)$/.test(version);
  return isTheirs && (kind === 'ClusterImagePolicy' || kind === 'TrustRoot') ? kind : undefined;
}

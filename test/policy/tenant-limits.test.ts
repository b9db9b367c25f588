// Is every bound of a namespace's policies held, without a cost to the others, and only its own material named?
import assert from 'node:assert/strict';
import type { PolicySource } from '../../src/policy/compile.ts';
import {
  boundTenants,
  listTenantMaterial,
  MAX_MODEL_POLICIES,
  MAX_TENANT_AUTHORITIES,
  MAX_TENANT_OBJECTS,
} from '../../src/policy/tenant-limits.ts';

const source = (namespace: string, n: number, authorities: readonly object[] = [{}]): PolicySource => ({
  name: `${namespace}/p${String(n).padStart(4, '0')}`,
  namespace,
  spec: { authorities },
});
const secret = (name: unknown): object => ({ key: { secretKeyRef: { name, key: 'k' } } });

describe('boundTenants()', () => {
  it('leaves the cluster policies and full namespaces as they are', () => {
    const cluster = Array.from({ length: 100 }, (_, n) => ({ name: `c${n}`, spec: {} }));
    const full = Array.from({ length: MAX_MODEL_POLICIES }, (_, n) => source('a', n));
    assert.deepEqual(boundTenants([...cluster, ...full]), [...cluster, ...full]);
  });

  it('makes one broken policy of all that is too many, in that namespace alone', () => {
    const many = Array.from({ length: 10_000 }, (_, n) => source('a', n));
    const bounded = boundTenants([...many, source('b', 1)]);
    assert.equal(bounded.length, MAX_MODEL_POLICIES + 2);
    assert.deepEqual(bounded.at(-1), source('b', 1));
    const surplus = bounded[MAX_MODEL_POLICIES];
    assert.deepEqual([surplus?.namespace, surplus?.spec], ['a', undefined]);
    assert.match(surplus?.faults?.[0]?.message ?? '', /namespace a has 10000 ModelPolicies; 32 are read/);
  });

  it('counts authorities over all policies of a namespace', () => {
    const heavy = [0, 1, 2].map((n) =>
      source(
        'a',
        n,
        Array.from({ length: MAX_TENANT_AUTHORITIES / 2 }, () => ({})),
      ),
    );
    const [first, second, third] = boundTenants(heavy);
    assert.deepEqual([first, second], heavy.slice(0, 2));
    assert.match(third?.faults?.[0]?.message ?? '', /more than 64 authorities/);
  });

  it('survives specs of any shape', () => {
    for (const spec of [undefined, null, 7, 'x', [], { authorities: 'x' }, { authorities: [null, 7] }])
      assert.equal(boundTenants([{ name: 'a/p', namespace: 'a', spec }]).length, 1);
  });
});

describe('listTenantMaterial()', () => {
  it('lists the pull secrets of signature repositories', () => {
    const signatureRepository = {
      repository: 'r.test/s',
      pullSecrets: [{ name: 'pull' }, { name: '../x' }, 3],
    };
    const spec = { authorities: [{ name: 'a', key: { pem: '' }, signatureRepository }] };
    assert.deepEqual(listTenantMaterial([{ name: 'team-a/p', namespace: 'team-a', spec }]), [
      { kind: 'Secret', namespace: 'team-a', name: 'pull' },
    ]);
  });

  it('names each object once, in the namespace of its policy', () => {
    const roots = { certificate: { roots: { configMapKeyRef: { name: 'ca', key: 'k' } } } };
    assert.deepEqual(
      listTenantMaterial([source('a', 0, [secret('s'), secret('s'), roots]), source('b', 0, [secret('s')])]),
      [
        { kind: 'Secret', namespace: 'a', name: 's' },
        { kind: 'ConfigMap', namespace: 'a', name: 'ca' },
        { kind: 'Secret', namespace: 'b', name: 's' },
      ],
    );
  });

  it('names nothing for the cluster, and no names that lead elsewhere', () => {
    const names = ['../x', 'a/b', '..', '', 'A', 'x?y', 'x'.repeat(254), 7, null, undefined];
    assert.deepEqual(
      listTenantMaterial([
        source('a', 0, names.map(secret)),
        { name: 'c', spec: { authorities: [secret('s')] } },
      ]),
      [],
    );
  });

  it('bounds what is read for a namespace', () => {
    const names = Array.from({ length: 60 }, (_, n) => secret(`s${n}`));
    assert.equal(listTenantMaterial([source('a', 0, names)]).length, MAX_TENANT_OBJECTS);
  });
});

// Does one update make one world, with everything that counts in it and the reasons of what does not?
import assert from 'node:assert/strict';
import { createCelEngine } from '../../src/policy/cel/engine.ts';
import { createPolicyStore, type PolicyInputs, type PolicyStore } from '../../src/policy/store.ts';
import { offlineTrust } from '../support/trust.ts';

const engine = createCelEngine();
const SPEC = { authorities: [{ name: 'a', static: { action: 'Pass' } }] };
const EXCEPTION = {
  policies: ['prod'],
  namespaces: ['team'],
  models: [`registry.example.com/models/llm@sha256:${'ab'.repeat(32)}`],
  reason: 'vendor signs again',
  requestedBy: 'jane@acme.example',
  expiresAt: '2026-12-05T00:00:00Z',
};

function storeOf(inputs: Partial<PolicyInputs>): PolicyStore {
  const trust = offlineTrust();
  const store = createPolicyStore(engine, 'system', trust);
  store.update({
    policies: [],
    trustRoots: new Map(),
    material: new Map(),
    namespaces: new Map(),
    unlistedNamespaces: 'Unknown',
    ...inputs,
  });
  trust.stop();
  return store;
}

describe('createPolicyStore()', () => {
  it('has no world before the first update, and makes none of nothing', () => {
    const trust = offlineTrust();
    const store = createPolicyStore(engine, 'system', trust);
    trust.stop();
    store.recompile();
    assert.equal(store.snapshot(), undefined);
  });

  it('keeps exceptions that count apart from those that are broken', () => {
    const exceptions = [
      { name: 'good', spec: EXCEPTION },
      { name: 'broken', spec: { ...EXCEPTION, models: ['registry.example.com/models/llm:1'] } },
    ];
    const snapshot = storeOf({ exceptions }).snapshot();
    assert.deepEqual(
      snapshot?.exceptions.map(({ name }) => name),
      ['good'],
    );
    assert.deepEqual(
      snapshot.brokenExceptions.map(({ name, problem }) => [name, problem.split(':')[0]]),
      [['broken', 'spec.models[0]']],
    );
  });

  it('sorts policies by name, and counts its worlds', () => {
    const store = storeOf({ policies: ['b', 'c', 'a'].map((name) => ({ name, spec: SPEC })) });
    const namesOf = (): readonly string[] | undefined => store.snapshot()?.policies.map(({ name }) => name);
    assert.deepEqual([store.snapshot()?.generation, namesOf()], [1, ['a', 'b', 'c']]);
    store.recompile();
    assert.deepEqual([store.snapshot()?.generation, namesOf()], [2, ['a', 'b', 'c']]);
  });

  it('finds a namespace as one object, with the labels that are texts and its own name', () => {
    const labels = { team: 'red', odd: 7, 'kubernetes.io/metadata.name': 'other' };
    const namespaces = new Map<string, unknown>([
      ['prod', { kind: 'Namespace', metadata: { labels, name: 'x' } }],
    ]);
    const snapshot = storeOf({ namespaces }).snapshot();
    const found = snapshot?.findNamespace('prod');
    assert.deepEqual(found?.labels, { team: 'red', 'kubernetes.io/metadata.name': 'prod' });
    assert.deepEqual(found.object, {
      kind: 'Namespace',
      metadata: { name: 'prod', labels: { team: 'red', 'kubernetes.io/metadata.name': 'prod' } },
    });
    assert.equal(snapshot?.findNamespace('prod'), found);
  });

  it('remembers namespaces as one object each, and not without end', () => {
    const snapshot = storeOf({ unlistedNamespaces: 'Exist' }).snapshot();
    const first = snapshot?.findNamespace('n0');
    for (let n = 0; n < 9_999; n += 1) snapshot?.findNamespace(`n${n}`);
    assert.equal(snapshot?.findNamespace('n0'), first);
    for (let n = 0; n <= 10_000; n += 1) snapshot?.findNamespace(`n${n}`);
    assert.notEqual(snapshot?.findNamespace('n0'), first);
  });

  it('knows namespaces that are not listed only where all exist', () => {
    assert.equal(storeOf({}).snapshot()?.findNamespace('any'), undefined);
    const any = storeOf({ unlistedNamespaces: 'Exist' }).snapshot()?.findNamespace('any');
    assert.deepEqual(any?.labels, { 'kubernetes.io/metadata.name': 'any' });
  });
});

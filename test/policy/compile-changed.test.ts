// Is exactly what changed compiled again, so that nothing stale is ever judged by?
import assert from 'node:assert/strict';
import { generateSigningKey } from '../../src/demo/keys.ts';
import { createSigstore } from '../../src/demo/sigstore.ts';
import { createCelEngine } from '../../src/policy/cel/engine.ts';
import { createPolicyCompiler } from '../../src/policy/compile-changed.ts';
import type { PolicySource } from '../../src/policy/compile.ts';
import type { CompiledPolicy } from '../../src/policy/compiled.ts';
import { createPolicyStore, type PolicyInputs } from '../../src/policy/store.ts';
import { offlineTrust } from '../support/trust.ts';
import { toContext } from '../verdict/support.ts';

const [PEM, OTHER] = [generateSigningKey('p256').publicKeyPem, generateSigningKey('p256').publicKeyPem];
const IDENTITIES = [{ issuer: 'https://idp.test', subject: 'a@b.test' }];
const inline = { authorities: [{ name: 'a', key: { pem: PEM } }] };
const bySecret = { authorities: [{ name: 'a', key: { secretKeyRef: { name: 's', key: 'k' } } }] };
const byRoot = {
  authorities: [{ name: 'a', keyless: { identities: IDENTITIES, trustRootRef: { name: 'r' } } }],
};

describe('createPolicyCompiler()', () => {
  let base: PolicyInputs;

  before(async () => {
    const json = (await createSigstore()).trustedRootJson();
    base = {
      policies: [
        { name: 'inline', spec: inline },
        { name: 'root', spec: byRoot },
        { name: 'secret', spec: bySecret },
      ],
      trustRoots: new Map([['r', { trustedRoot: { json } }]]),
      material: new Map([['Secret/system/s', new Map([['k', Buffer.from(PEM)]])]]),
      namespaces: new Map(),
      unlistedNamespaces: 'Exist',
    };
  });

  /** Names of the policies that are other objects after an update. */
  function changedBy(change: Partial<PolicyInputs>, from: PolicyInputs = base): string[] {
    const trust = offlineTrust();
    try {
      const store = createPolicyStore(createCelEngine(), 'system', trust);
      store.update(from);
      const before = new Set<CompiledPolicy>(store.snapshot()?.policies);
      const { material: _, ...rest } = from;
      const copy = { ...structuredClone({ ...rest, policies: [] }), policies: clone(from) };
      // Buffers are not cloned as what they are.
      store.update({ ...copy, material: material(PEM), ...change });
      return (store.snapshot()?.policies ?? [])
        .filter((policy) => !before.has(policy))
        .map(({ name }) => name);
    } finally {
      trust.stop();
    }
  }
  const clone = ({ policies }: PolicyInputs): PolicyInputs['policies'] =>
    policies.map((source) => ({ ...source, spec: structuredClone(source.spec) }));
  const material = (pem: string): PolicyInputs['material'] =>
    new Map([['Secret/system/s', new Map([['k', Buffer.from(pem)]])]]);

  it('compiles nothing again for a world that says the same', () =>
    assert.deepEqual(changedBy({ material: material(PEM) }), []));

  it('compiles what has another spec', () =>
    assert.deepEqual(
      changedBy({
        policies: base.policies.map((source) =>
          source.name === 'inline' ? { ...source, spec: { ...inline, digest: 'Resolve' } } : source,
        ),
      }),
      ['inline'],
    ));

  for (const [what, changed] of [
    ['holds another key', () => material(OTHER)],
    ['is gone', () => new Map()],
  ] as const)
    it(`compiles what names a Secret that ${what}`, () =>
      assert.deepEqual(changedBy({ material: changed() }), ['secret']));

  for (const [what, trustRoots] of [
    ['is gone', () => new Map<string, unknown>()],
    [
      'asks for more',
      () =>
        new Map(base.trustRoots).set('r', {
          ...(base.trustRoots.get('r') as object),
          requirements: { logEntries: 2 },
        }),
    ],
    [
      'revokes',
      () =>
        new Map(base.trustRoots).set('r', {
          ...(base.trustRoots.get('r') as object),
          revoked: [{ artifactDigest: `sha256:${'a'.repeat(64)}`, reason: 'x' }],
        }),
    ],
  ] as const)
    it(`compiles what names a TrustRoot that ${what}`, () =>
      assert.deepEqual(changedBy({ trustRoots: trustRoots() }), ['root']));

  it('compiles what was broken for want of something that is there now', () =>
    assert.deepEqual(changedBy({ material: material(PEM) }, { ...base, material: new Map() }), ['secret']));

  it('takes no policy of a namespace for the one of the same name elsewhere', () => {
    const policies = [{ name: 'inline', namespace: 'a', spec: inline }];
    assert.deepEqual(changedBy({ policies }), ['inline']);
  });

  it('refuses the same patterns of a namespace in whatever order they were saved', () => {
    const patterned = (name: string, size: number): PolicyInputs['policies'][number] => ({
      name: `a/${name}`,
      namespace: 'a',
      spec: { ...inline, validations: [{ expression: `model.format.matches('a{${size}}b{${size}}')` }] },
    });
    const [small, large] = [patterned('0', 400), patterned('1', 990)];
    const others = [patterned('2', 990), patterned('3', 1)];
    const fits = [small, large];
    const all = [...fits, ...others];
    const trust = offlineTrust();
    try {
      const refusedBy = (...worlds: PolicyInputs['policies'][]): string[] => {
        const store = createPolicyStore(createCelEngine(), 'system', trust);
        for (const policies of worlds) store.update({ ...base, policies });
        return (store.snapshot()?.policies ?? [])
          .filter(({ problems }) => problems.length > 0)
          .map(({ name }) => name);
      };
      assert.deepEqual(refusedBy(all), ['a/2']);
      for (const earlier of [fits, others, [large, ...others], all])
        assert.deepEqual(refusedBy(earlier, all), ['a/2']);
      assert.deepEqual(refusedBy(all, others), []);
    } finally {
      trust.stop();
    }
  });

  describe('about files', () => {
    const source = { name: 'inline', spec: inline };
    const broken = { ...source, spec: { ...inline, bogus: 1 } };
    const fault = { faults: [{ path: ['authorities'], message: 'stands twice' }] };
    const at = (line: number): Partial<PolicySource> => ({ locate: () => `prod.yaml:${line}` });
    /** The messages of a policy after an update, and whether it is the object that it was. */
    const after = (from: PolicySource, to: PolicySource): unknown[] => {
      const compilePolicies = createPolicyCompiler();
      const [before] = compilePolicies([from], toContext());
      const [policy] = compilePolicies([to], toContext());
      return [policy?.problems.map(({ message }) => message), policy === before];
    };

    it('forgets no fault of reading, and keeps none that is gone', () => {
      const said = ['spec.authorities: stands twice'];
      assert.deepEqual(after(source, { ...source, ...fault }), [said, false]);
      assert.deepEqual(after({ ...source, ...fault }, source), [[], false]);
      assert.deepEqual(after({ ...source, ...fault }, { ...source, ...fault }), [said, false]);
    });

    it('says where a problem stands now', () => {
      const message = 'spec.bogus: unknown field "bogus"';
      assert.deepEqual(after({ ...broken, ...at(1) }, { ...broken, ...at(2) }), [
        [`${message} (prod.yaml:2)`],
        false,
      ]);
      assert.deepEqual(after(broken, broken), [[message], true]);
    });

    it('keeps what has no problems, wherever it stands', () =>
      assert.deepEqual(after({ ...source, ...at(1) }, { ...source, ...at(2) }), [[], true]));
  });
});

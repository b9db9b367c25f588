// What does a TrustRoot object mean? Table tests of its kinds, defaults, and of everything that is refused.
import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { createCelEngine } from '../../src/policy/cel/engine.ts';
import {
  compileTrustRoots,
  createTrustRootCompiler,
  type CompiledTrustRoot,
} from '../../src/policy/compile-trust-root.ts';
import { declareTrustRoot, type DeclaredTrustRoot } from '../../src/policy/declare-trust-root.ts';
import { toMaterialKey } from '../../src/policy/source-material.ts';
import { createPolicyStore } from '../../src/policy/store.ts';
import { loadPublicGood } from '../../src/trust/public-good.ts';
import { offlineTrust } from '../support/trust.ts';
import { GITHUB_SOURCE, type TrustReader, type TrustReading } from '../../src/trust/trust-source.ts';

const NAMESPACE = 'model-policy-system';
const ROOT_JSON = '{"signed":{}}';
const context = {
  material: new Map([
    [toMaterialKey('ConfigMap', NAMESPACE, 'tuf'), new Map([['root.json', Buffer.from(ROOT_JSON)]])],
  ]),
  controllerNamespace: NAMESPACE,
};
const tuf = { mirror: 'https://tuf.example.com', root: { json: ROOT_JSON } };
const witnessPem = (): string =>
  generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' });

function declare(spec: unknown): Extract<DeclaredTrustRoot, { ok: true }> {
  const declared = declareTrustRoot(spec, context);
  assert.ok(declared.ok, declared.ok ? '' : declared.problem);
  return declared;
}

function problemOf(spec: unknown): string {
  const declared = declareTrustRoot(spec, context);
  return declared.ok ? 'none' : `${declared.reason}: ${declared.problem}`;
}

describe('declareTrustRoot()', () => {
  it('knows the public-good instance', () => {
    assert.deepEqual(declare({ sigstorePublicGood: {} }).source, { kind: 'publicGood' });
  });

  it("knows GitHub's instance, which has a timestamp authority and no logs", () => {
    const { source, requirements } = declare({ github: {} });
    assert.equal(source, GITHUB_SOURCE);
    assert.deepEqual(requirements, { logEntries: 0, timestamps: 1, certificateTimestamps: 0 });
  });

  it('requires one of each from every other instance', () => {
    for (const spec of [{ sigstorePublicGood: {} }, { tuf }, { trustedRoot: { json: '{}' } }])
      assert.deepEqual(declare(spec).requirements, {
        logEntries: 1,
        timestamps: 1,
        certificateTimestamps: 1,
      });
  });

  it('lets requirements that are set stand over the defaults, one by one', () => {
    const { requirements } = declare({ github: {}, requirements: { timestamps: 2 } });
    assert.deepEqual(requirements, { logEntries: 0, timestamps: 2, certificateTimestamps: 0 });
  });

  it('reads a mirror with its defaults', () => {
    assert.deepEqual(declare({ tuf }).source, {
      kind: 'tuf',
      mirror: 'https://tuf.example.com',
      anchor: { kind: 'root', bytes: Buffer.from(ROOT_JSON) },
      target: 'trusted_root.json',
      refreshIntervalMs: 3_600_000,
    });
  });

  it('reads a mirror with everything set', () => {
    const root = { configMapKeyRef: { name: 'tuf', key: 'root.json' } };
    const spec = {
      tuf: { ...tuf, root, trustedRootTarget: 'acme/trusted_root.json', refreshInterval: '1h30m' },
    };
    const { source } = declare(spec);
    assert.ok(source.kind === 'tuf');
    assert.equal(source.target, 'acme/trusted_root.json');
    assert.equal(source.refreshIntervalMs, 5_400_000);
    assert.deepEqual(source.anchor, { kind: 'root', bytes: Buffer.from(ROOT_JSON) });
  });

  for (const [title, spec, message] of [
    [
      'no source',
      {},
      /TrustRootUnavailable: spec: exactly one of sigstorePublicGood, github, tuf, trustedRoot/,
    ],
    ['two sources', { github: {}, sigstorePublicGood: {} }, /exactly one of/],
    ['no spec', undefined, /spec: must be object/],
    ['an unknown field', { github: { tenant: 'x' } }, /unknown field "tenant"/],
    ['a mirror that is no URL', { tuf: { ...tuf, mirror: 'tuf.example.com' } }, /spec.tuf.mirror/],
    ['a mirror of another scheme', { tuf: { ...tuf, mirror: 'file:///etc' } }, /spec.tuf.mirror/],
    [
      'a mirror with credentials',
      { tuf: { ...tuf, mirror: 'https://a:b@tuf.example.com' } },
      /spec.tuf.mirror/,
    ],
    ['a mirror with a query', { tuf: { ...tuf, mirror: 'https://tuf.example.com/?x' } }, /spec.tuf.mirror/],
    ['a mirror without a port number', { tuf: { ...tuf, mirror: 'https://tuf.example.com:x' } }, /no URL/],
    ['no pinned root', { tuf: { mirror: tuf.mirror } }, /root is required/],
    [
      'two pinned roots',
      { tuf: { ...tuf, root: { json: '{}', secretKeyRef: { name: 'a', key: 'b' } } } },
      /exactly one source of bytes/,
    ],
    ['a target above the mirror', { tuf: { ...tuf, trustedRootTarget: '../x' } }, /trustedRootTarget/],
    ['a target with an escape', { tuf: { ...tuf, trustedRootTarget: '%2e%2e/x' } }, /trustedRootTarget/],
    ['a target that starts over', { tuf: { ...tuf, trustedRootTarget: '/x' } }, /trustedRootTarget/],
    ['a target with a hidden step', { tuf: { ...tuf, trustedRootTarget: 'a/../x' } }, /trustedRootTarget/],
    [
      'an interval that is too short',
      { tuf: { ...tuf, refreshInterval: '59s' } },
      /refreshInterval: it must be from 1m to 24h/,
    ],
    [
      'an interval that is too long',
      { tuf: { ...tuf, refreshInterval: '25h' } },
      /refreshInterval: it must be/,
    ],
    ['an interval that is none', { tuf: { ...tuf, refreshInterval: 'hourly' } }, /refreshInterval/],
    ['no timestamps', { github: {}, requirements: { timestamps: 0 } }, /timestamps/],
    ['a revocation of nothing', { github: {}, revoked: [{ reason: 'x' }] }, /spec.revoked\[0\]: exactly one/],
    [
      'a revocation of two',
      { github: {}, revoked: [{ reason: 'x', certificateSerial: '1', spki: 'ab'.repeat(32) }] },
      /exactly one/,
    ],
    [
      'a revocation without a reason',
      { github: {}, revoked: [{ certificateSerial: '1' }] },
      /reason is required/,
    ],
    ['a fingerprint that is none', { github: {}, revoked: [{ reason: 'x', spki: 'ab' }] }, /spki/],
    [
      'a serial that is none',
      { github: {}, revoked: [{ reason: 'x', certificateSerial: 'no' }] },
      /certificateSerial/,
    ],
    [
      'a digest that is none',
      { github: {}, revoked: [{ reason: 'x', artifactDigest: 'latest' }] },
      /artifactDigest/,
    ],
    ['a witness without a key', { github: {}, witnesses: [{ name: 'w' }] }, /key is required/],
    [
      'a witness with no key',
      { github: {}, witnesses: [{ name: 'w', key: 'x' }] },
      /witnesses\[0\].key: it is/,
    ],
  ] as const)
    it(`refuses ${title}`, () => {
      assert.match(problemOf(spec), message);
    });

  it('says that a Secret is missing', () => {
    const spec = { tuf: { ...tuf, root: { secretKeyRef: { name: 'tuf', key: 'root.json' } } } };
    assert.match(
      problemOf(spec),
      /CredentialsUnavailable: spec.tuf.root: Secret model-policy-system\/tuf does not exist/,
    );
  });

  it('reads revocations into sets, in one spelling', () => {
    const { revoked } = declare({
      sigstorePublicGood: {},
      revoked: [
        { spki: `sha256:${'AB'.repeat(32)}`, reason: 'leaked' },
        { certificateSerial: '00:3A:9f', reason: 'runner' },
        { artifactDigest: `sha256:${'cd'.repeat(32)}`, reason: 'bad model' },
      ],
    });
    assert.deepEqual(revoked.spkis, new Map([['ab'.repeat(32), 'leaked']]));
    assert.deepEqual(revoked.certificateSerials, new Map([['3a9f', 'runner']]));
    assert.deepEqual(revoked.artifactDigests, new Map([[`sha256:${'cd'.repeat(32)}`, 'bad model']]));
  });

  it('reads witnesses', () => {
    const key = witnessPem();
    const { witnesses } = declare({ github: {}, witnesses: [{ name: 'witness.example.com', key }] });
    assert.equal(witnesses[0]?.name, 'witness.example.com');
    assert.ok(witnesses[0]?.publicKey.equals(createPublicKey(key)));
  });

  it('reads how many witnesses an entry needs, at most as many as there are', () => {
    const witnesses = [
      { name: 'a', key: witnessPem() },
      { name: 'b', key: witnessPem() },
    ];
    for (const needed of [0, 1, 2]) {
      const { requirements } = declare({ github: {}, witnesses, requirements: { witnesses: needed } });
      assert.deepEqual(requirements, {
        logEntries: 0,
        timestamps: 1,
        certificateTimestamps: 0,
        witnesses: needed,
      });
    }
    assert.equal(
      problemOf({ github: {}, witnesses, requirements: { witnesses: 3 } }),
      'TrustRootUnavailable: spec.requirements.witnesses: it is 3, and spec.witnesses lists 2',
    );
    assert.match(problemOf({ github: {}, requirements: { witnesses: 1 } }), /spec.witnesses lists 0/);
    for (const needed of [-1, 33])
      assert.match(
        problemOf({ github: {}, witnesses, requirements: { witnesses: needed } }),
        /requirements\.witnesses: must be/,
      );
  });

  it('refuses one key as two witnesses', () => {
    const key = witnessPem();
    const witnesses = [
      { name: 'a', key },
      { name: 'b', key },
    ];
    assert.match(
      problemOf({ github: {}, witnesses }),
      /spec.witnesses\[1\].key: it is the key of another witness/,
    );
  });
});

describe('compileTrustRoots()', () => {
  const snapshot = {
    root: loadPublicGood().root,
    generation: 7,
    source: 'tuf' as const,
    fetchedAt: new Date(0),
    expiresAt: undefined,
  };
  function compile(
    reading: TrustReading,
    spec: unknown = { tuf },
  ): [CompiledTrustRoot | undefined, string[]] {
    const tracked: string[] = [];
    const trust: TrustReader = {
      track: (sources) => void tracked.push(...sources.keys()),
      read: () => reading,
    };
    return [compileTrustRoots(new Map([['corporate', spec]]), context, trust).get('corporate'), tracked];
  }

  it('joins what is declared with the present snapshot', () => {
    const [compiled, tracked] = compile({ ok: true, snapshot });
    assert.ok(compiled?.ok === true);
    assert.equal(compiled.root, snapshot.root);
    assert.equal(compiled.snapshot.generation, 7);
    assert.equal(compiled.requirements.logEntries, 1);
    assert.deepEqual(tracked, ['corporate']);
  });

  it('is unavailable while there is no snapshot, with the reason', () => {
    const [compiled] = compile({ ok: false, problem: 'it has no root yet' });
    assert.deepEqual(compiled, { ok: false, reason: 'TrustRootUnavailable', problem: 'it has no root yet' });
  });

  it('follows nothing for an object that is wrong', () => {
    const [compiled, tracked] = compile({ ok: true, snapshot }, {});
    assert.equal(compiled?.ok, false);
    assert.deepEqual(tracked, []);
  });
});

describe('createPolicyStore()', () => {
  const policy = {
    name: 'prod',
    spec: {
      authorities: [
        {
          name: 'release',
          keyless: {
            identities: [{ issuer: 'https://idp.example', subject: 'a@example.com' }],
            trustRootRef: { name: 'corporate' },
          },
        },
      ],
    },
  };
  const inputs = (spec: unknown) => ({
    policies: [policy],
    trustRoots: new Map([['corporate', spec]]),
    material: new Map(),
    namespaces: new Map(),
    unlistedNamespaces: 'Exist' as const,
  });

  it('denies what a policy selects while its TrustRoot has no root, and says so', () => {
    const trust = offlineTrust();
    const store = createPolicyStore(createCelEngine(), NAMESPACE, trust);
    store.update(inputs({ github: {} }));
    const [problem] = store.snapshot()?.policies[0]?.problems ?? [];
    assert.equal(problem?.reason, 'TrustRootUnavailable');
    assert.match(problem.message, /TrustRoot "corporate" is not usable: it has no root yet.*--offline/);
    trust.stop();
  });

  it('compiles again with the trust of now, and keeps the last inputs', () => {
    let reading: TrustReading = { ok: false, problem: 'not yet' };
    const store = createPolicyStore(createCelEngine(), NAMESPACE, { track() {}, read: () => reading });
    store.recompile();
    assert.equal(store.snapshot(), undefined);
    store.update(inputs({ sigstorePublicGood: {} }));
    assert.equal(store.snapshot()?.policies[0]?.problems.length, 1);
    const { root } = loadPublicGood();
    const snapshot = {
      root,
      generation: 1,
      source: 'tuf' as const,
      fetchedAt: new Date(),
      expiresAt: undefined,
    };
    reading = { ok: true, snapshot };
    store.recompile();
    assert.deepEqual(store.snapshot()?.policies[0]?.problems, []);
    assert.equal(store.snapshot()?.generation, 2);
  });
});

describe('createTrustRootCompiler()', () => {
  const snapshot = (generation: number): TrustReading => ({
    ok: true,
    snapshot: {
      ...loadPublicGood(),
      generation,
      source: 'shipped',
      fetchedAt: new Date(0),
      expiresAt: undefined,
    },
  });
  const specs = new Map<string, unknown>([
    ['root', { trustedRoot: { secretKeyRef: { name: 's', key: 'k' } } }],
  ]);
  const holding = (text: string): typeof context => ({
    ...context,
    material: new Map([[toMaterialKey('Secret', NAMESPACE, 's'), new Map([['k', Buffer.from(text)]])]]),
  });

  /** A root compiled again and again, each time with what the trust store reads then. */
  function compiledOf(...steps: readonly (readonly [TrustReading, string])[]): unknown[] {
    let reading: TrustReading = { ok: false, problem: 'none yet' };
    const tracked: unknown[] = [];
    const compile = createTrustRootCompiler({
      track: (sources) => tracked.push(sources.get('root')),
      read: () => reading,
    });
    const compiled = steps.map(([read, text]) => {
      reading = read;
      return compile(specs, holding(text)).get('root');
    });
    return [compiled, tracked];
  }

  it('keeps a root for as long as it is one, and a problem for as long as it is the same', () => {
    const [one, two] = [snapshot(1), snapshot(2)];
    const [late, gone]: TrustReading[] = [
      { ok: false, problem: 'late' },
      { ok: false, problem: 'gone' },
    ];
    assert.ok(late !== undefined && gone !== undefined);
    const readings = [one, one, two, late, late, gone, one];
    const [compiled] = compiledOf(...readings.map((reading) => [reading, '{}'] as const)) as [
      CompiledTrustRoot[],
    ];
    assert.deepEqual(
      compiled.map((root) => (root.ok ? root.snapshot.generation : root.problem)),
      [1, 1, 2, 'late', 'late', 'gone', 1],
    );
    assert.deepEqual(
      compiled.map((root, index) => root === compiled[index - 1]),
      [false, true, false, false, true, false, false],
    );
  });

  it('declares a root again when the Secret that holds it is another one', () => {
    const one = snapshot(1);
    const [compiled, tracked] = compiledOf([one, '{}'], [one, '{}'], [one, '{"a":1}']) as [
      unknown[],
      unknown[],
    ];
    assert.deepEqual(
      tracked.map((source) => String((source as { bytes: Buffer }).bytes)),
      ['{}', '{}', '{"a":1}'],
    );
    assert.deepEqual([compiled[1] === compiled[0], compiled[2] === compiled[1]], [true, false]);
  });
});

// Is every fault of a policy named with its path, and does a faulty policy deny what it selects, no more and no less?
import assert from 'node:assert/strict';
import { generateSigningKey } from '../../src/demo/keys.ts';
import * as der from '../../src/demo/der.ts';
import { compilePolicy } from '../../src/policy/compile.ts';
import type { CompiledTrustRoot } from '../../src/policy/compile-trust-root.ts';
import { isEnforcing, type CompiledPolicy } from '../../src/policy/compiled.ts';
import type { ModelReference, ModelSource } from '../../src/model/model-reference.ts';
import { isClaimed, selectByNamespace, selectByReference, selectBySources } from '../../src/policy/select.ts';
import { createPolicyStore, toKnownNamespace } from '../../src/policy/store.ts';
import { createCelEngine } from '../../src/policy/cel/engine.ts';
import { createSigstore } from '../../src/demo/sigstore.ts';
import { change, type Path } from '../signature/support.ts';
import { compileTrustRoot, offlineTrust } from '../support/trust.ts';
import { compile, toContext, toUse, type Named } from '../verdict/support.ts';

const PEM = generateSigningKey('p256').publicKeyPem;
const OTHER_PEM = generateSigningKey('p256').publicKeyPem;
const KEY = { name: 'red', key: { pem: PEM } };
const STATIC = { name: 'fixed', static: { action: 'Pass' } };
const IDENTITY = { issuer: 'https://idp.test', subject: 'a@b.test' };
const keyless = (more: object = {}, identity: object = IDENTITY): object => ({
  name: 'workflow',
  keyless: { identities: [identity], trustRootRef: { name: 'root' }, ...more },
});
const messagesOf = ({ problems }: CompiledPolicy): string[] =>
  problems.map(({ reason, message }) => `${reason} ${message}`);
const selects = (policy: CompiledPolicy, name = 'ns'): boolean =>
  selectByNamespace([policy], { labels: { 'kubernetes.io/metadata.name': name } }).length === 1;
const about = (policy: CompiledPolicy, reference: string): boolean =>
  selectByReference([policy], toUse(reference)).length === 1;

describe('compilePolicy', () => {
  let root: CompiledTrustRoot;
  let named: Named;

  before(async () => {
    const json = (await createSigstore()).trustedRootJson();
    root = compileTrustRoot({ trustedRoot: { json } }, toContext());
    assert.ok(root.ok);
    named = {
      trustRoots: { root, broken: { ok: false, reason: 'TrustRootUnavailable', problem: 'it expired' } },
      material: {
        'Secret/system/signer': { 'cosign.pub': PEM, empty: '', broken: 'x' },
        'ConfigMap/system/signer': { 'cosign.pub': OTHER_PEM },
        'Secret/other/signer': { 'cosign.pub': OTHER_PEM },
      },
    };
  });

  it('compiles a policy with its defaults', () => {
    const policy = compile({ authorities: [KEY] });
    assert.deepEqual(policy.problems, []);
    assert.deepEqual(
      [policy.digest, policy.minAuthorities, policy.models, [...policy.actions]],
      ['Require', 1, undefined, ['Deny']],
    );
    const [authority] = policy.authorities;
    assert.ok(authority?.kind === 'key');
    assert.deepEqual([...authority.signatureFormats], ['CosignBundle', 'CosignSimpleSigning']);
    assert.ok(selects(policy) && isEnforcing(policy));
  });

  describe('about its spec', () => {
    for (const spec of [
      undefined,
      null,
      'x',
      [],
      7,
      {},
      { authorities: null },
      { authorities: [] },
      { authorities: {} },
    ])
      it(`denies everything for the spec ${JSON.stringify(spec)}`, () => {
        const policy = compile(spec);
        assert.ok(
          policy.problems.length > 0 && policy.problems.every(({ reason }) => reason === 'PolicyInvalid'),
        );
        assert.ok(selects(policy) && about(policy, 'any.test/model') && isEnforcing(policy));
        assert.deepEqual(policy.authorities, []);
      });

    const faults: [string, Path, unknown, RegExp][] = [
      ['an unknown field', ['bogus'], 1, /^PolicyInvalid spec\.bogus: unknown field "bogus"/],
      [
        'an unknown inner field',
        ['authorities', 0, 'key', 'url'],
        'x',
        /spec\.authorities\[0\]\.key\.url: unknown field/,
      ],
      ['a misspelt field', ['validationAction'], ['Audit'], /spec\.validationAction: unknown field/],
      ['a missing name', ['authorities', 0, 'name'], undefined, /spec\.authorities\[0\]: name is required/],
      ['a bad name', ['authorities', 0, 'name'], 'Not A Name', /spec\.authorities\[0\]\.name: must match/],
      ['a bad type', ['minAuthorities'], '1', /spec\.minAuthorities: must be integer/],
      ['a number out of bounds', ['minAuthorities'], -1, /spec\.minAuthorities: must be >= 0/],
      [
        'an unknown word',
        ['digest'],
        'Ignore',
        /spec\.digest: must be equal to one of the allowed values: Require, Resolve/,
      ],
      ['an empty list', ['validations'], [], /spec\.validations: must NOT have fewer than 1 items/],
      [
        'an empty glob',
        ['models'],
        [{ glob: '' }],
        /spec\.models\[0\]\.glob: must NOT have fewer than 1 char/,
      ],
      [
        'an unknown source',
        ['models'],
        [{ sources: ['Everything'] }],
        /spec\.models\[0\]\.sources\[0\]: .*ImageVolume/,
      ],
      [
        'an unknown format',
        ['authorities', 0, 'signatureFormats'],
        ['Anything'],
        /spec\.authorities\[0\]\.signatureFormats\[0\]: .*CosignBundle/,
      ],
      [
        'no formats',
        ['authorities', 0, 'signatureFormats'],
        [],
        /spec\.authorities\[0\]\.signatureFormats: must NOT have fewer/,
      ],
      ['a null selector', ['namespaceSelector'], null, /spec\.namespaceSelector: must be object/],
      [
        'a __proto__ field',
        ['namespaceSelector'],
        JSON.parse('{"__proto__":{}}'),
        /spec\.namespaceSelector\.__proto__: unknown field/,
      ],
    ];
    for (const [what, path, value, pattern] of faults)
      it(`names ${what} with its path`, () => {
        const policy = compile(change({ authorities: [KEY] }, path, value));
        assert.ok(
          messagesOf(policy).some((message) => pattern.test(message)),
          messagesOf(policy).join('\n'),
        );
        assert.ok(isEnforcing(policy));
      });

    it('says where in a file a fault stands', () => {
      const source = {
        name: 'p',
        spec: { authorities: [KEY], bogus: 1 },
        locate: (path: Path) => `p.yaml:${path.length}`,
      };
      assert.match(
        messagesOf(compilePolicy(source, toContext())).join(''),
        /unknown field "bogus" \(p\.yaml:2\)/,
      );
    });

    it('reports the faults of its readers', () => {
      const faults = [{ path: ['authorities', 3], message: 'stands twice' }];
      const policy = compilePolicy({ name: 'p', spec: { authorities: [KEY] }, faults }, toContext());
      assert.deepEqual(messagesOf(policy), ['PolicyInvalid spec.authorities[3]: stands twice']);
    });
  });

  it('tells 32 faults at most', () => {
    const faults = Array.from({ length: 100 }, (_, at) => ({ path: [at], message: 'bad' }));
    const { problems } = compilePolicy({ name: 'prod', spec: {}, faults }, toContext());
    assert.equal(problems.length, 32);
  });

  describe('about what it selects', () => {
    const selection = {
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'prod' } },
      models: [{ glob: 'r.test/models/**' }],
    };

    it('keeps the selection of a policy with a fault elsewhere', () => {
      for (const broken of [
        { bogus: 1 },
        { authorities: [] },
        { authorities: [{ name: 'x' }] },
        { validations: [{ expression: '1 +' }] },
        { minAuthorities: 9 },
      ]) {
        const policy = compile({ authorities: [KEY], ...selection, ...broken });
        assert.ok(policy.problems.length > 0);
        assert.deepEqual([selects(policy, 'prod'), selects(policy, 'dev')], [true, false]);
        assert.deepEqual([about(policy, 'r.test/models/a'), about(policy, 'r.test/other/a')], [true, false]);
      }
    });

    it('selects every namespace when that selector is broken', () => {
      for (const namespaceSelector of [
        null,
        'x',
        [],
        { matchLabels: { a: 1 } },
        { bogus: {} },
        { matchExpressions: [{ key: 'a', operator: 'In' }] },
        { matchExpressions: [{ key: 'a', operator: 'Gt', values: ['1'] }] },
      ]) {
        const policy = compile({ authorities: [KEY], ...selection, namespaceSelector });
        assert.ok(policy.problems.length > 0 && selects(policy, 'dev'));
        assert.equal(about(policy, 'r.test/other/a'), false);
      }
    });

    it('selects every model when that selector is broken', () => {
      for (const models of [null, 'x', {}, [], [{ glob: 7 }], [{ bogus: 'x' }], [null]]) {
        const policy = compile({ authorities: [KEY], ...selection, models });
        assert.ok(policy.problems.length > 0 && about(policy, 'r.test/other/a'), JSON.stringify(models));
        assert.equal(selects(policy, 'dev'), false);
      }
    });

    it('claims container images through a typo beside the glob', () => {
      const policy = compile({
        authorities: [KEY],
        models: [{ glob: 'r.test/models/**', exlude: ['r.test/models/vendor/**'] }],
      });
      assert.ok(policy.problems.length > 0);
      assert.ok(about(policy, 'r.test/models/vendor/a') && !about(policy, 'r.test/app'));
      assert.equal(policy.models?.[0]?.hasGlob, true);
    });

    it('leaves no source out for a typo beside another, and claims no image by an empty glob', () => {
      const typo = compile({ authorities: [KEY], models: [{ sources: ['URI', 'ImageVolum'] }] });
      assert.ok(typo.problems.length > 0 && about(typo, 'any.test/x'));
      const empty = compile({ authorities: [KEY], models: [{ glob: '' }] });
      assert.deepEqual([about(empty, 'any.test/x'), empty.models?.[0]?.hasGlob], [true, false]);
    });

    it('selects every model for a glob that does not compile, and excludes none', () => {
      const policy = compile({ authorities: [KEY], models: [{ glob: 'models/**' }] });
      assert.match(
        messagesOf(policy).join(''),
        /spec\.models\[0\]\.glob: it must begin with a registry host/,
      );
      assert.ok(about(policy, 'any.test/x'));
      const excluding = compile({
        authorities: [KEY],
        models: [{ glob: 'r.test/**', exclude: ['r.test/a', '**bad'] }],
      });
      assert.match(messagesOf(excluding).join(''), /spec\.models\[0\]\.exclude\[1\]/);
      assert.deepEqual([about(excluding, 'r.test/a'), about(excluding, 'r.test/b')], [false, true]);
    });

    it('honours exclusions and sources', () => {
      const policy = compile({
        authorities: [KEY],
        models: [{ glob: 'r.test/**', exclude: ['r.test/vendor/**'], sources: ['ImageVolume'] }],
      });
      assert.deepEqual(policy.problems, []);
      assert.deepEqual([about(policy, 'r.test/a'), about(policy, 'r.test/vendor/a')], [true, false]);
      assert.equal(selectByReference([policy], toUse('r.test/a', 'URI')).length, 0);
    });
  });

  describe('about actions', () => {
    const actionsOf = (validationActions: unknown): string[] => [
      ...compile({ authorities: [KEY], validationActions }).actions,
    ];

    it('denies unless something else is said clearly', () => {
      for (const broken of [
        null,
        'Audit',
        [],
        ['Bogus'],
        ['Audit', 'Bogus'],
        ['Warn', 7],
        {},
        ['Deny', 'Warn'],
      ])
        assert.deepEqual(actionsOf(broken), ['Deny'], JSON.stringify(broken));
      assert.deepEqual(actionsOf(['Warn', 'Audit']), ['Warn', 'Audit']);
      assert.equal(isEnforcing(compile({ authorities: [KEY], validationActions: ['Audit'] })), false);
      const ofNamespace = compilePolicy(
        { name: 'team/own', namespace: 'team', spec: { authorities: [KEY] } },
        toContext(),
      );
      assert.deepEqual([ofNamespace.problems, isEnforcing(ofNamespace)], [[], false]);
    });

    it('says that Deny and Warn exclude each other', () => {
      assert.match(
        messagesOf(compile({ authorities: [KEY], validationActions: ['Deny', 'Warn'] })).join(''),
        /spec\.validationActions: Deny and Warn exclude/,
      );
    });
  });

  describe('about models without a reference', () => {
    it('denies them, and requires none, unless it says otherwise', () => {
      const { requireModel, unverifiableSources } = compile({ authorities: [KEY] });
      assert.deepEqual([requireModel, unverifiableSources], [false, 'Deny']);
      const said = compile({ authorities: [KEY], requireModel: true, unverifiableSources: 'Allow' });
      assert.deepEqual([said.requireModel, said.unverifiableSources], [true, 'Allow']);
      assert.deepEqual(said.problems, []);
      assert.equal(compile({ authorities: [KEY], unverifiableSources: 'Warn' }).unverifiableSources, 'Warn');
      for (const nothing of [false, null])
        assert.equal(compile({ authorities: [KEY], requireModel: nothing }).requireModel, false);
    });

    it('takes what cannot be read for the stricter, and says so', () => {
      for (const broken of ['Never', 'allow', ['Allow'], {}, 7, true]) {
        const policy = compile({ authorities: [KEY], unverifiableSources: broken, requireModel: 'no' });
        assert.deepEqual([policy.requireModel, policy.unverifiableSources], [true, 'Deny']);
        assert.match(messagesOf(policy).join(), /spec\.unverifiableSources/);
        assert.match(messagesOf(policy).join(), /spec\.requireModel/);
      }
    });

    it('is about what its sources name, whatever its globs say', () => {
      const of = (models?: unknown): CompiledPolicy =>
        compile({ authorities: [KEY], ...(models ? { models } : {}) });
      const isAbout = (policy: CompiledPolicy, ...sources: ModelSource[]): boolean =>
        selectBySources([policy], sources).length === 1;
      assert.ok(isAbout(of(), 'CSI') && isAbout(of(), 'URI'));
      assert.ok(isAbout(of([{ glob: 'a.test/**' }]), 'CSI'));
      assert.ok(isAbout(of([{ sources: ['CSI'] }]), 'CSI') && !isAbout(of([{ sources: ['CSI'] }]), 'URI'));
      assert.ok(isAbout(of([{ sources: ['URI'] }]), 'KServeStorageInitializer', 'URI'));
      // Of images only those that something claims are models at all.
      assert.ok(isAbout(of([{ glob: 'a.test/**' }]), 'ContainerImage'));
      assert.ok(!isAbout(of([{ exclude: ['a.test/**'] }]), 'ContainerImage'));
    });

    it('selects a use by every source that found it', () => {
      const use: ModelReference = {
        ...toUse('r.test/a', 'KServeModelCar'),
        otherSources: ['ContainerImage'],
      };
      for (const [source, expected] of [
        ['KServeModelCar', 1],
        ['ContainerImage', 1],
        ['URI', 0],
      ] as const) {
        const policy = compile({ authorities: [KEY], models: [{ sources: [source] }] });
        assert.equal(selectByReference([policy], use).length, expected, source);
      }
    });
  });

  describe('about authorities', () => {
    const cases: [string, object, RegExp][] = [
      [
        'no kind',
        { authorities: [{ name: 'a' }] },
        /^PolicyInvalid spec\.authorities\[0\]: exactly one of key, keyless, certificate, static/,
      ],
      [
        'two kinds',
        { authorities: [{ ...KEY, ...STATIC }] },
        /exactly one of key, keyless, certificate, static/,
      ],
      [
        'no source of bytes',
        { authorities: [{ name: 'a', key: {} }] },
        /^PolicyInvalid spec\.authorities\[0\]\.key: exactly one source/,
      ],
      [
        'two sources of bytes',
        {
          authorities: [
            { name: 'a', key: { pem: PEM, secretKeyRef: { name: 'signer', key: 'cosign.pub' } } },
          ],
        },
        /exactly one source/,
      ],
      [
        'a broken key',
        { authorities: [{ name: 'a', key: { pem: 'x' } }] },
        /^PolicyInvalid spec\.authorities\[0\]\.key: it holds no PEM block/,
      ],
      [
        'a missing Secret',
        { authorities: [{ name: 'a', key: { secretKeyRef: { name: 'nope', key: 'k' } } }] },
        /^CredentialsUnavailable spec\.authorities\[0\]\.key: Secret system\/nope does not exist/,
      ],
      [
        'a missing key of a Secret',
        { authorities: [{ name: 'a', key: { secretKeyRef: { name: 'signer', key: 'k' } } }] },
        /^CredentialsUnavailable .*has no key "k"/,
      ],
      [
        'a prototype name for a key',
        { authorities: [{ name: 'a', key: { secretKeyRef: { name: 'signer', key: 'constructor' } } }] },
        /^CredentialsUnavailable .*has no key/,
      ],
      [
        'an empty Secret',
        { authorities: [{ name: 'a', key: { secretKeyRef: { name: 'signer', key: 'empty' } } }] },
        /^CredentialsUnavailable .*empty key/,
      ],
      [
        'a Secret with a broken key',
        { authorities: [{ name: 'a', key: { secretKeyRef: { name: 'signer', key: 'broken' } } }] },
        /^CredentialsUnavailable .*no PEM block/,
      ],
      [
        'a Secret of another namespace',
        { authorities: [{ name: 'a', key: { secretKeyRef: { name: 'other/signer', key: 'cosign.pub' } } }] },
        /^PolicyInvalid .*name: must match/,
      ],
      [
        'a missing TrustRoot',
        { authorities: [keyless({ trustRootRef: { name: 'nope' } })] },
        /^TrustRootUnavailable spec\.authorities\[0\]\.keyless\.trustRootRef: TrustRoot "nope" does not exist/,
      ],
      [
        'an unusable TrustRoot',
        { authorities: [keyless({ trustRootRef: { name: 'broken' } })] },
        /^TrustRootUnavailable .*is not usable: it expired/,
      ],
      [
        'no identities',
        { authorities: [keyless({ identities: [] })] },
        /keyless\.identities: must NOT have fewer/,
      ],
      [
        'an identity without issuer',
        { authorities: [keyless({}, { subject: 'a' })] },
        /keyless\.identities\[0\]\.issuer: exactly one/,
      ],
      [
        'an identity without subject',
        { authorities: [keyless({}, { issuer: 'a' })] },
        /keyless\.identities\[0\]\.subject: exactly one/,
      ],
      [
        'an exact subject and a pattern',
        { authorities: [keyless({}, { ...IDENTITY, subjectRegExp: '.*' })] },
        /\.subject: exactly one/,
      ],
      [
        'an empty subject',
        { authorities: [keyless({}, { ...IDENTITY, subject: '' })] },
        /subject: must NOT have fewer/,
      ],
      [
        'a broken pattern',
        { authorities: [keyless({}, { issuer: 'a', subjectRegExp: '(' })] },
        /\.subjectRegExp: the pattern is invalid/,
      ],
      [
        'a pattern that RE2 does not have',
        { authorities: [keyless({}, { issuer: 'a', subjectRegExp: '(?=a)' })] },
        /\.subjectRegExp: the pattern is invalid/,
      ],
      [
        'an unknown claim',
        { authorities: [keyless({}, { ...IDENTITY, claims: { shoeSize: '43' } })] },
        /\.claims: "shoeSize" is no Fulcio extension/,
      ],
      [
        'a prototype name for a claim',
        { authorities: [keyless({}, { ...IDENTITY, claims: { constructor: 'x' } })] },
        /"constructor" is no Fulcio extension/,
      ],
      [
        'a claim twice',
        {
          authorities: [
            keyless(
              {},
              { ...IDENTITY, claims: { buildTrigger: 'push' }, claimsRegExp: { buildTrigger: '.*' } },
            ),
          ],
        },
        /"buildTrigger" is set twice/,
      ],
      [
        'a threshold of zero',
        { authorities: [keyless({ minTimestamps: 0 })] },
        /minTimestamps: must be >= 1/,
      ],
      [
        'two of one name',
        { authorities: [KEY, { ...KEY, key: { pem: OTHER_PEM } }] },
        /two authorities have the same name/,
      ],
      [
        'more required than there are',
        { authorities: [KEY], minAuthorities: 2 },
        /spec\.minAuthorities: it is larger/,
      ],
      ['static beside another', { authorities: [KEY, STATIC] }, /a static authority must be the only one/],
      [
        'one key in two authorities',
        { authorities: [KEY, { name: 'blue', key: { pem: OTHER_PEM + PEM } }], minAuthorities: 2 },
        /two authorities have the same key/,
      ],
      [
        'one key from two places',
        {
          authorities: [KEY, { name: 'blue', key: { secretKeyRef: { name: 'signer', key: 'cosign.pub' } } }],
          minAuthorities: 2,
        },
        /two authorities have the same key/,
      ],
    ];
    for (const [what, spec, pattern] of cases)
      it(`refuses ${what}`, () => {
        assert.ok(
          messagesOf(compile(spec, named)).some((message) => pattern.test(message)),
          messagesOf(compile(spec, named)).join('\n'),
        );
      });

    it('refuses one key in two encodings where two signers are required', () => {
      const key = generateSigningKey('p256');
      const jwk = key.publicKey.export({ format: 'jwk' });
      const [x, y] = [Buffer.from(jwk.x ?? '', 'base64url'), Buffer.from(jwk.y ?? '', 'base64url')];
      const algorithm = der.sequence(
        der.objectIdentifier('1.2.840.10045.2.1'),
        der.objectIdentifier('1.2.840.10045.3.1.7'),
      );
      const point = Buffer.concat([Buffer.from([2 + ((y.at(-1) ?? 0) & 1)]), x]);
      const pem = `-----BEGIN PUBLIC KEY-----\n${der.sequence(algorithm, der.bitString(point)).toString('base64')}\n-----END PUBLIC KEY-----\n`;
      const authorities = [
        { name: 'red', key: { pem: key.publicKeyPem } },
        { name: 'blue', key: { pem } },
      ];
      assert.match(messagesOf(compile({ authorities, minAuthorities: 2 })).join(''), /same key/);
    });

    it('takes keys from Secrets and ConfigMaps of its own namespace', () => {
      const from = (reference: object): object => ({ name: 'a', key: reference });
      for (const field of ['secretKeyRef', 'configMapKeyRef']) {
        const policy = compile(
          { authorities: [from({ [field]: { name: 'signer', key: 'cosign.pub' } })] },
          named,
        );
        assert.deepEqual(policy.problems, []);
      }
    });

    it('lets one key stand in two authorities where one signer is enough', () => {
      assert.deepEqual(compile({ authorities: [KEY, { ...KEY, name: 'blue' }] }).problems, []);
    });

    it('raises what the root requires', () => {
      const [authority] = compile(
        { authorities: [keyless({ minLogEntries: 2, minTimestamps: 3 })] },
        named,
      ).authorities;
      assert.ok(authority?.kind === 'keyless');
      assert.deepEqual(authority.requirements, { logEntries: 2, timestamps: 3, certificateTimestamps: 1 });
    });
  });

  describe('about rules', () => {
    it('names field, position and problem of expressions', () => {
      const policy = compile({
        authorities: [KEY],
        validations: [{ expression: 'true' }, { expression: "model.nope == 'x'", messageExpression: '1' }],
      });
      const messages = messagesOf(policy);
      assert.ok(
        messages.some((message) => message.startsWith('PolicyInvalid spec.validations[1].expression: ')),
        messages.join('\n'),
      );
      assert.ok(
        messages.some((message) =>
          message.startsWith('PolicyInvalid spec.validations[1].messageExpression: '),
        ),
      );
    });
  });
});

describe('compileTrustRoot', () => {
  const problem = (spec: unknown, context = toContext()): string => {
    const compiled = compileTrustRoot(spec, context);
    return compiled.ok ? 'ok' : `${compiled.reason} ${compiled.problem}`;
  };

  it('takes the public-good root and its default requirements', () => {
    const compiled = compileTrustRoot({ sigstorePublicGood: {} }, toContext());
    assert.ok(compiled.ok);
    assert.deepEqual(compiled.requirements, { logEntries: 1, timestamps: 1, certificateTimestamps: 1 });
  });

  it('refuses everything that is not clear', () => {
    assert.match(problem(null), /^TrustRootUnavailable spec: must be object/);
    assert.match(problem({}), /exactly one of/);
    assert.match(problem({ sigstorePublicGood: {}, trustedRoot: { json: '{}' } }), /exactly one of/);
    assert.match(problem({ sigstorePublicGood: { x: 1 } }), /spec\.sigstorePublicGood\.x/);
    assert.match(
      problem({ sigstorePublicGood: {}, requirements: { timestamps: 0 } }),
      /spec\.requirements\.timestamps/,
    );
    assert.match(
      problem({ sigstorePublicGood: {}, requirements: { logEntries: -1 } }),
      /spec\.requirements\.logEntries/,
    );
    assert.match(problem({ trustedRoot: { json: '{}' } }), /trusted root is invalid/);
    assert.match(problem({ trustedRoot: {} }), /^PolicyInvalid spec\.trustedRoot: exactly one source/);
    assert.match(
      problem({ trustedRoot: { configMapKeyRef: { name: 'a', key: 'b' } } }),
      /^CredentialsUnavailable spec\.trustedRoot: ConfigMap system\/a/,
    );
  });
});

describe('isClaimed', () => {
  const image = toUse('r.test/app', 'ContainerImage');
  const claims = (models: unknown): boolean =>
    isClaimed([compile({ authorities: [KEY], ...(models === undefined ? {} : { models }) })], image);

  it('claims images by glob or by source, and never by silence', () => {
    assert.equal(claims(undefined), false);
    assert.equal(claims([{ exclude: ['r.test/x'] }]), false);
    assert.equal(claims([{ sources: ['ContainerImage'] }]), true);
    assert.equal(claims([{ glob: 'r.test/**' }]), true);
    assert.equal(claims([{ glob: 'other.test/**' }]), false);
    assert.equal(claims([{ glob: 'r.test/**', sources: ['ImageVolume'] }]), false);
    assert.equal(claims([{ glob: 'r.test/**', exclude: ['r.test/app'] }]), false);
  });
});

describe('createPolicyStore', () => {
  it('has no world before the first update, and a new one after each', () => {
    const store = createPolicyStore(createCelEngine(), 'system', offlineTrust());
    assert.equal(store.snapshot(), undefined);
    const inputs = {
      policies: [
        { name: 'b', spec: { authorities: [KEY] } },
        { name: 'a', spec: null },
      ],
      trustRoots: new Map<string, unknown>(),
      material: new Map<string, never>(),
      namespaces: new Map<string, unknown>(),
      unlistedNamespaces: 'Exist' as const,
    };
    store.update(inputs);
    const first = store.snapshot();
    assert.deepEqual(
      first?.policies.map(({ name }) => name),
      ['a', 'b'],
    );
    store.update(inputs);
    assert.ok((store.snapshot()?.generation ?? 0) > (first?.generation ?? 0));
  });

  it('knows the namespaces it was told of, or all of them', () => {
    const store = createPolicyStore(createCelEngine(), 'system', offlineTrust());
    const none = { policies: [], trustRoots: new Map<string, unknown>(), material: new Map<string, never>() };
    const namespaces = new Map<string, unknown>([['x', { metadata: { labels: { tier: 'prod' } } }]]);
    store.update({ ...none, namespaces, unlistedNamespaces: 'Exist' });
    assert.deepEqual(store.snapshot()?.findNamespace('y')?.labels, { 'kubernetes.io/metadata.name': 'y' });
    store.update({ ...none, namespaces, unlistedNamespaces: 'Unknown' });
    assert.equal(store.snapshot()?.findNamespace('y'), undefined);
    assert.equal(store.snapshot()?.findNamespace('constructor'), undefined);
    assert.equal(store.snapshot()?.findNamespace('x')?.labels['tier'], 'prod');
  });
});

describe('toKnownNamespace', () => {
  it('lets no object change its name label', () => {
    const known = toKnownNamespace(
      { metadata: { name: 'evil', labels: { 'kubernetes.io/metadata.name': 'prod', n: 1 } } },
      'dev',
    );
    assert.deepEqual(known.labels, { 'kubernetes.io/metadata.name': 'dev' });
    assert.deepEqual(known.object, {
      metadata: { name: 'dev', labels: { 'kubernetes.io/metadata.name': 'dev' } },
    });
  });
});

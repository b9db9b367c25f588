// Is advice given where an author probably meant something else, at its field, and nowhere else?
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { certificatePem } from '../../src/demo/certificate.ts';
import { generateSigningKey } from '../../src/demo/keys.ts';
import { createSigstore } from '../../src/demo/sigstore.ts';
import { createCelEngine } from '../../src/policy/cel/engine.ts';
import { PUBLIC_GOOD_ISSUERS } from '../../src/policy/known-issuers.ts';
import { MAX_ADVICE } from '../../src/policy/lint.ts';
import { createPolicyStore, type PolicyInputs } from '../../src/policy/store.ts';
import type { CheckedKind } from '../../src/policy/validate.ts';
import { createPki, SIGNER } from '../signature/pki.ts';
import { offlineTrust } from '../support/trust.ts';

const NOW = new Date('2026-11-21T12:00:00Z');
const DAY_MS = 24 * 60 * 60 * 1000;
const after = (days: number): string => new Date(NOW.getTime() + days * DAY_MS).toISOString();
const engine = createCelEngine();
const KEY = generateSigningKey('p256').publicKeyPem;
const GITHUB = 'https://token.actions.githubusercontent.com';
const WORKFLOW = 'https://github.com/acme/models/.github/workflows/release.yaml@refs/heads/main';
const keyed = { name: 'team', key: { pem: KEY } };
const keyless = (identity: object, name = 'ci', root = 'good'): object => ({
  name,
  keyless: { identities: [identity], trustRootRef: { name: root } },
});
const exact = { issuer: GITHUB, subject: WORKFLOW };

function adviceOf(
  kind: CheckedKind,
  spec: object,
  inputs: Partial<PolicyInputs> = {},
  now: Date | undefined = NOW,
): readonly string[] {
  const trust = offlineTrust();
  const store = createPolicyStore(engine, 'system', trust);
  store.update({
    policies: [],
    trustRoots: new Map<string, unknown>([
      ['good', { sigstorePublicGood: {} }],
      ['github', { github: {} }],
    ]),
    material: new Map(),
    namespaces: new Map(),
    unlistedNamespaces: 'Exist',
    ...inputs,
  });
  const { faults, advice } = store.check(kind, 'mine', { spec }, now);
  trust.stop();
  assert.deepEqual(faults, []);
  return advice.map(({ field, message }) => `${field}: ${message}`);
}

type Case = readonly [name: string, spec: object, ...advice: RegExp[]];

function check(kind: CheckedKind, cases: readonly Case[], inputs: Partial<PolicyInputs> = {}): void {
  for (const [name, spec, ...expected] of cases)
    it(name, () => {
      const advice = adviceOf(kind, spec, inputs);
      assert.equal(advice.length, expected.length, advice.join('\n'));
      for (const [index, pattern] of expected.entries()) assert.match(advice[index] ?? '', pattern);
      // The API server cuts warnings to 256 characters where there are many.
      for (const text of advice) assert.ok(!text.includes('\n') && text.length < 420, text);
    });
}

describe('lintPolicy()', () => {
  const good = { models: [{ glob: 'registry.example.com/models/**' }], authorities: [keyed] };
  check('ClusterModelPolicy', [
    ['says nothing about a plain policy', good],
    [
      'says nothing about exact and narrow identities',
      {
        ...good,
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'prod' } },
        authorities: [
          keyless(exact, 'a'),
          keyless(
            { issuer: GITHUB, subjectRegExp: String.raw`https://github\.com/acme/models/.*` },
            'b',
            'github',
          ),
        ],
        minAuthorities: 2,
        validations: [{ expression: "signatures.exists(s, s.authority == 'a')" }],
      },
    ],
    [
      'warns about rules over variables, and about variables, that hold when evidence is withheld',
      {
        ...good,
        variables: [
          { name: 'signers', expression: 'signatures.map(s, s.issuer)' },
          { name: 'fine', expression: "attestations.all(a, a.name == 'x') && variables.signers.size() > 0" },
        ],
        validations: [{ expression: "attestations.all(a, a.name == 'x') || variables.fine" }],
      },
      /^spec\.variables\[1\]\.expression: /,
      /^spec\.validations\[0\]\.expression: /,
    ],
    [
      'warns about labels that others may write',
      { ...good, namespaceSelector: { matchLabels: { tier: 'prod' } } },
      /^spec\.namespaceSelector: whoever may label a namespace with "tier"/,
    ],
    [
      'warns about such labels in expressions',
      { ...good, namespaceSelector: { matchExpressions: [{ key: 'exempt', operator: 'DoesNotExist' }] } },
      /^spec\.namespaceSelector: .*"exempt"/,
    ],
    [
      'warns about globs as wide as everything',
      { ...good, models: [{ glob: '**' }, { glob: '*.com/**' }, {}] },
      /^spec\.models\[0\]\.glob: \*\* is every repository/,
      /^spec\.models\[1\]\.glob: "\*\.com" is every registry/,
      /^spec\.models\[2\]: it is empty/,
    ],
    [
      'warns about what leaves nothing',
      { ...good, models: [{ glob: 'a.test/m/**', exclude: ['a.test/x', 'a.test/m/**'] }] },
      /^spec\.models\[0\]\.exclude\[1\]: it leaves out all/,
    ],
    [
      'warns about patterns at their field',
      {
        ...good,
        authorities: [
          keyless({
            issuerRegExp: '.*',
            subjectRegExp: String.raw`https://github.com/acme/a`,
            claimsRegExp: { sourceRepositoryURI: '.*acme' },
          }),
        ],
      },
      /^spec\.authorities\[0\]\.keyless\.identities\[0\]\.issuerRegExp: it matches everything/,
      /^spec\.authorities\[0\]\.keyless\.identities\[0\]\.subjectRegExp: a bare \./,
      /^spec\.authorities\[0\]\.keyless\.identities\[0\]\.claimsRegExp\.sourceRepositoryURI: \.\* at the start/,
    ],
    [
      "warns about issuers that a trust root's CA does not certify",
      {
        ...good,
        authorities: [
          keyless({ issuer: 'https://login.acme.example', subject: 'x' }, 'a'),
          keyless({ issuerRegExp: String.raw`https://login\.acme\.example`, subject: 'x' }, 'b'),
          keyless({ issuer: 'https://gitlab.com', subject: 'x' }, 'c', 'github'),
        ],
      },
      /^spec\.authorities\[0\].*\.issuer: Sigstore's public-good instance is not known to certify tokens of "https:\/\/login\.acme\.example"/,
      /^spec\.authorities\[1\].*\.issuerRegExp: Sigstore's public-good/,
      /^spec\.authorities\[2\].*\.issuer: GitHub's own instance/,
    ],
    [
      'warns about numbers that one identity in two authorities cannot reach',
      { ...good, authorities: [keyless(exact, 'a'), keyless(exact, 'b')], minAuthorities: 2 },
      /^spec\.minAuthorities: 2 can never be reached: the authorities name signers for 1 at once/,
    ],
    [
      'says nothing when a matching exists',
      {
        ...good,
        minAuthorities: 3,
        authorities: [
          {
            name: 'a',
            keyless: {
              identities: [exact, { ...exact, subject: 'other' }],
              trustRootRef: { name: 'good' },
            },
          },
          keyless(exact, 'b'),
          keyed,
        ],
      },
    ],
    [
      'warns about static Pass',
      { authorities: [{ name: 's', static: { action: 'Pass' } }] },
      /^spec\.authorities\[0\]\.static\.action: Pass admits every model/,
    ],
    [
      'warns about short RSA keys',
      { authorities: [{ name: 'k', key: { pem: generateSigningKey('rsa2048').publicKeyPem } }] },
      /^spec\.authorities\[0\]\.key: key [0-9a-f]{16}… is RSA with 2048 bits; use 3072/,
    ],
    [
      'warns about rules that hold when something is withheld, and takes the word of labels',
      {
        ...good,
        validations: [
          { expression: "!signatures.exists(s, s.issuer == 'x')" },
          { expression: "namespaceObject.metadata.labels.tier == 'prod'" },
        ],
        attestations: [
          {
            name: 'scan',
            predicateTypes: ['https://a.test/scan'],
            validations: [{ expression: 'signatures.all(s, true)' }],
          },
        ],
      },
      /^spec\.validations\[0\]\.expression: `signatures\.exists\(s, s\.issuer == 'x'\)`: it also holds/,
      /^spec\.validations\[1\]\.expression: `namespaceObject\.metadata\.labels`: labels are set by whoever may edit the namespace/,
      /^spec\.attestations\[0\]\.validations\[0\]\.expression: `signatures\.all/,
    ],
  ]);

  it('warns about a policy that reports where another one denies', () => {
    const reporting = { ...good, validationActions: ['Warn'] };
    const saved = (spec: object, name = 'strict'): Partial<PolicyInputs> => ({ policies: [{ name, spec }] });
    const other = { authorities: [keyed] };
    const glob = (text: string): object => ({ ...other, models: [{ glob: text }] });
    assert.match(
      adviceOf('ClusterModelPolicy', reporting, saved(other))[0] ?? '',
      /^spec\.validationActions: this policy only reports, while "strict" denies/,
    );
    assert.equal(
      adviceOf('ClusterModelPolicy', reporting, saved(glob('registry.example.com/models/a'))).length,
      1,
    );
    // A short name stands for no name that it matches itself.
    const short = { ...reporting, models: [{ glob: 'docker.io/nginx' }] };
    assert.equal(adviceOf('ClusterModelPolicy', short, saved(glob('docker.io/nginx'))).length, 1);
    for (const spec of [
      glob('registry.example.com/other/**'),
      { ...other, validationActions: ['Audit'] },
      { ...other, models: 'broken' },
      glob('models/*'),
    ])
      assert.deepEqual(adviceOf('ClusterModelPolicy', reporting, saved(spec)), []);
    assert.deepEqual(adviceOf('ClusterModelPolicy', reporting, saved(other, 'mine')), []);
    const said = { ...other, validationActions: ['Deny'] };
    assert.equal(adviceOf('ClusterModelPolicy', reporting, saved(said)).length, 1);
    const selecting = (name: string): object => ({
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } },
    });
    assert.deepEqual(
      adviceOf(
        'ClusterModelPolicy',
        { ...reporting, ...selecting('a') },
        saved({ ...other, ...selecting('b') }),
      ),
      [],
    );
    assert.equal(
      adviceOf(
        'ClusterModelPolicy',
        { ...reporting, ...selecting('a') },
        saved({ ...other, ...selecting('a') }),
      ).length,
      1,
    );
    for (const [mine, theirs] of [
      [{}, selecting('a')],
      [selecting('a'), {}],
    ])
      assert.equal(
        adviceOf('ClusterModelPolicy', { ...reporting, ...mine }, saved({ ...other, ...theirs })).length,
        1,
      );
    const ofNamespace = { policies: [{ name: 'team/strict', namespace: 'team', spec: other }] };
    assert.deepEqual(adviceOf('ClusterModelPolicy', reporting, ofNamespace), []);
  });

  it('tells entries that leave out everything from those that leave out something', () => {
    const adviceFor = (model: object): readonly string[] =>
      adviceOf('ClusterModelPolicy', { authorities: [keyed], models: [model] });
    assert.deepEqual(adviceFor({ exclude: ['registry.example.com/a'] }), []);
    for (const exclude of [['**'], ['registry.example.com/**']])
      assert.match(
        adviceFor({ glob: 'registry.example.com/**', exclude })[0] ?? '',
        /^spec\.models\[0\]\.exclude\[0\]: it leaves out all/,
      );
  });

  it('says nothing about issuers of a TrustRoot that it does not know', () => {
    const unknown = { issuer: 'https://idp.acme.example', subject: 'x' };
    assert.deepEqual(adviceOf('ClusterModelPolicy', { authorities: [keyless(unknown, 'ci', 'other')] }), []);
  });

  it('is content with RSA of 3072 bits', () => {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 3072 });
    const pem = publicKey.export({ type: 'spki', format: 'pem' });
    assert.deepEqual(adviceOf('ClusterModelPolicy', { authorities: [{ name: 'k', key: { pem } }] }), []);
  });

  it('warns about roots and ends that run out, by the present time', () => {
    const pki = createPki();
    const spec = (notAfter: string): object => ({
      authorities: [
        {
          name: 'pki',
          certificate: {
            roots: { pem: certificatePem(pki.root.certificate) },
            identities: [{ subjectURI: SIGNER }],
            notAfter,
          },
        },
      ],
    });
    const at = (iso: string): Date => new Date(iso);
    assert.deepEqual(adviceOf('ClusterModelPolicy', spec('2027-06-01T00:00:00Z')), []);
    assert.match(
      adviceOf('ClusterModelPolicy', spec('2026-12-01T00:00:00Z'))[0] ?? '',
      /^spec\.authorities\[0\]\.certificate\.notAfter: it ends on 2026-12-01/,
    );
    const ended = adviceOf(
      'ClusterModelPolicy',
      spec('2027-06-01T00:00:00Z'),
      {},
      at('2999-01-01T00:00:00Z'),
    );
    assert.match(
      ended[0] ?? '',
      /^spec\.authorities\[0\]\.certificate\.roots: the root with serial \w+ ended on [-0-9]+, and then nothing counts; add/,
    );
    const named = { trustRootRef: { name: 'good' }, roots: { pem: certificatePem(pki.root.certificate) } };
    const timed = {
      authorities: [{ name: 'pki', certificate: { ...named, identities: [{ subjectURI: SIGNER }] } }],
    };
    assert.match(
      adviceOf('ClusterModelPolicy', timed, {}, at('2999-01-01T00:00:00Z'))[0] ?? '',
      /^spec\.authorities\[0\]\.certificate\.roots: the root with serial \w+ ended on [-0-9]+; add/,
    );
  });

  it(`gives at most ${MAX_ADVICE} pieces of advice`, () => {
    const models = Array.from({ length: 40 }, () => ({ glob: '**' }));
    assert.equal(adviceOf('ClusterModelPolicy', { ...good, models }).length, MAX_ADVICE);
  });

  it('knows every issuer that it lists', () => {
    for (const issuer of PUBLIC_GOOD_ISSUERS)
      assert.deepEqual(
        adviceOf('ClusterModelPolicy', { ...good, authorities: [keyless({ issuer, subject: 'x' })] }),
        [],
        issuer,
      );
  });
});

describe('lintException()', () => {
  const spec = (more: object): object => ({
    policies: ['prod'],
    namespaces: ['a'],
    models: [`a.test/m@sha256:${'0'.repeat(64)}`],
    reason: 'r',
    requestedBy: 'r',
    expiresAt: after(7).replace('.000', ''),
    ...more,
  });
  check(
    'ModelPolicyException',
    [
      ['says nothing about a week', spec({})],
      [
        'warns about policies that do not exist',
        spec({ policies: ['prod', 'prd'] }),
        /^spec\.policies\[1\]: there is no ClusterModelPolicy "prd"/,
      ],
      [
        'warns about any digest',
        spec({ models: ['a.test/**'], anyDigest: true }),
        /^spec\.anyDigest: whatever/,
      ],
      [
        'warns about one that ended',
        spec({ expiresAt: after(-1) }),
        /^spec\.expiresAt: it ended on 2026-11-20/,
      ],
      [
        'warns about one that ends at once',
        spec({ expiresAt: after(0.01) }),
        /^spec\.expiresAt: it ends within/,
      ],
      [
        'warns about one that is cut off',
        spec({ expiresAt: after(400) }),
        /^spec\.expiresAt: it ends on 2027-02-19, 90 days .* not on 2027-12-26/,
      ],
    ],
    { policies: [{ name: 'prod', spec: { authorities: [keyed] } }] },
  );
});

describe('lintTrustRoot()', () => {
  const tuf = { mirror: 'http://tuf.test', root: { json: '{"signed":{}}' } };
  check('TrustRoot', [
    ['says nothing about the public-good instance', { sigstorePublicGood: {} }],
    ['warns about a mirror without TLS', { tuf }, /^spec\.tuf\.mirror: without TLS/],
  ]);

  it('warns about parts of a pinned root that are missing, too few or at their end', async () => {
    const sigstore = await createSigstore();
    const json = sigstore.trustedRootJson();
    const advice = (change: (root: Record<string, unknown[]>) => void, more: object = {}): string => {
      const root = JSON.parse(json) as Record<string, unknown[]>;
      change(root);
      return adviceOf('TrustRoot', { trustedRoot: { json: JSON.stringify(root) }, ...more }).join('\n');
    };
    const keep = (): void => undefined;
    assert.equal(advice(keep), '');
    assert.match(
      advice((root) => delete root['certificateAuthorities']),
      /^spec\.trustedRoot: it has no cert/,
    );
    assert.match(
      advice((root) => delete root['ctlogs']),
      /^spec\.requirements\.certificateTimestamps: it is 1, and the root has 0/,
    );
    assert.match(
      advice(keep, { requirements: { logEntries: 4 } }),
      /^spec\.requirements\.logEntries: it is 4/,
    );
    const ending = advice((root) => {
      for (const log of root['tlogs'] ?? [])
        (log as { publicKey: { validFor: object } }).publicKey.validFor = {
          start: '2020-01-01T00:00:00Z',
          end: after(3),
        };
    });
    assert.match(ending, /^spec\.trustedRoot: the last of its tlogs ends on 2026-11-24/);
  });
});

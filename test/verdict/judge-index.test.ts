// Does an index pass exactly when every manifest behind it does, by a signature on the index or on each?
import assert from 'node:assert/strict';
import { generateSigningKey, type SigningKey } from '../../src/demo/keys.ts';
import { createSigstore } from '../../src/demo/sigstore.ts';
import { signBundleWithKey } from '../../src/demo/sign-with-key.ts';
import { cosignSignStatement, modelSigningStatement } from '../../src/demo/statement.ts';
import type { Evidence } from '../../src/evidence/evidence.ts';
import { parseManifest } from '../../src/model/manifest.ts';
import { judge } from '../../src/verdict/judge.ts';
import { prove, type Proof } from '../../src/verdict/prove.ts';
import { toSubjects } from '../../src/verdict/subjects.ts';
import { NO_REVOCATIONS } from '../../src/trust/revocation.ts';
import { DIGEST, toManifest } from '../signature/support.ts';
import { compileTrustRoot } from '../support/trust.ts';
import { compile, toContext, toEvidence, toRuleContext, USE } from './support.ts';

const [RED, BLUE, STRANGER] = [
  generateSigningKey('p256'),
  generateSigningKey('p256'),
  generateSigningKey('p256'),
];
const CHILDREN = [`sha256:${'1'.repeat(64)}`, `sha256:${'2'.repeat(64)}`] as const;
const WEIGHTS = 'ef'.repeat(32);
const keyed = (name: string, key: SigningKey, more: object = {}): object => ({
  name,
  key: { pem: key.publicKeyPem },
  ...more,
});
const one = { authorities: [keyed('red', RED)] };
const two = { authorities: [keyed('red', RED), keyed('blue', BLUE)], minAuthorities: 2 };
const files = { authorities: [keyed('red', RED, { signatureFormats: ['ModelSigning'] })] };

const signs = (digest: string, ...keys: SigningKey[]): object[] =>
  keys.map((key) => signBundleWithKey(cosignSignStatement(digest), key));
const signsFiles = (key: SigningKey): object =>
  signBundleWithKey(modelSigningStatement('m', [{ name: 'w.bin', digest: WEIGHTS }]), key);

const MANIFEST = toManifest([
  {
    mediaType: 'application/octet-stream',
    digest: `sha256:${WEIGHTS}`,
    size: 1,
    annotations: { 'org.opencontainers.image.title': 'w.bin' },
  },
]);

function toIndex(own: readonly object[], ...children: (readonly object[])[]): Evidence {
  const manifest = parseManifest(Buffer.from('{"schemaVersion":2,"manifests":[]}'));
  return {
    ...toEvidence(own),
    manifest,
    children: children.map((bundles, index) => ({
      ...toEvidence(bundles, { manifest: index === 0 ? MANIFEST : toManifest() }),
      digest: CHILDREN[index] ?? '',
    })),
  };
}

function messagesOf(spec: object, evidence: Evidence): string[] {
  const policy = compile(spec);
  assert.deepEqual(policy.problems, []);
  const context = toRuleContext();
  const proof = prove(evidence, policy.authorities, context.now);
  return judge(policy, { use: USE, evidence, proof }, context).findings.map(({ message }) => message);
}

describe('judge() about an index', () => {
  const [a, b] = CHILDREN;
  const admitted: readonly (readonly [string, object, Evidence])[] = [
    ['the index', one, toIndex(signs(DIGEST, RED), [], [])],
    ['every child', one, toIndex([], signs(a, RED), signs(b, RED))],
    [
      'the index by one and every child by another',
      two,
      toIndex(signs(DIGEST, RED), signs(a, BLUE), signs(b, BLUE)),
    ],
    ['the files of the only child', files, toIndex([], [signsFiles(RED)])],
  ];
  for (const [what, spec, evidence] of admitted)
    it(`admits it when ${what} is signed`, () => assert.deepEqual(messagesOf(spec, evidence), []));

  const denied: readonly (readonly [string, object, Evidence, RegExp])[] = [
    [
      'nothing',
      one,
      toIndex([], [], []),
      /^SignatureMissing: .*child sha256:1{12}…: no signature .* nor to its index/,
    ],
    ['one child only', one, toIndex([], signs(a, RED), []), /^SignatureMissing: .*child sha256:2{12}…/],
    [
      'a child by a stranger',
      one,
      toIndex([], signs(a, RED), signs(b, STRANGER)),
      /^SignerNotTrusted: .*child sha256:2/,
    ],
    ['another child', one, toIndex([], signs(a, RED), signs(a, RED)), /^SubjectMismatch: .*child sha256:2/],
    [
      'one half each',
      two,
      toIndex(signs(DIGEST, RED), signs(a, BLUE), []),
      /^AuthoritiesNotSatisfied: .*child sha256:2.*1 of 2/,
    ],
    ['by one signer twice', two, toIndex(signs(DIGEST, RED), signs(a, RED), signs(b, RED)), /1 of 2/],
    [
      'files of the index',
      files,
      toIndex([signsFiles(RED)], []),
      /^UnsupportedFormat: .*an image index has none/,
    ],
    ['but it has no children', one, toIndex(signs(DIGEST, RED)), /^ManifestInvalid: .*lists no manifest/],
  ];
  for (const [what, spec, evidence, message] of denied)
    it(`denies it when ${what} is signed`, () => {
      const messages = messagesOf(spec, evidence);
      assert.ok(messages.length > 0);
      assert.ok(
        messages.some((text) => message.test(text)),
        messages.join('\n'),
      );
    });

  for (const revoked of [DIGEST, a])
    it(`denies it when ${revoked.slice(0, 12)}… is revoked, whatever else is signed`, () => {
      const authority = {
        kind: 'keyless',
        name: 'k',
        revoked: { ...NO_REVOCATIONS, artifactDigests: new Map([[revoked, 'stolen']]) },
      };
      const proven = {
        authorities: [{ authority, signatures: [{}], failures: [] }],
        problems: [],
        candidateCount: 1,
      };
      const proof = { ...proven, children: [proven] } as unknown as Proof;
      const [subject] = toSubjects(toIndex([], []), proof);
      assert.deepEqual(subject?.proof.authorities[0]?.signatures, []);
      assert.equal(subject?.proof.authorities[0]?.failures[0]?.reason, 'Revoked');
    });

  for (const revoked of [DIGEST, a])
    it(`denies it by a key with a TrustRoot when ${revoked.slice(0, 12)}… is revoked`, async () => {
      const sigstore = await createSigstore();
      const root = compileTrustRoot(
        {
          trustedRoot: { json: sigstore.trustedRootJson() },
          revoked: [{ artifactDigest: revoked, reason: 'stolen' }],
        },
        toContext(),
      );
      const policy = compile(
        { authorities: [{ name: 'red', key: { pem: RED.publicKeyPem, trustRootRef: { name: 'private' } } }] },
        { trustRoots: { private: root } },
      );
      assert.deepEqual(policy.problems, []);
      for (const evidence of [
        toIndex(signs(DIGEST, RED), [], []),
        toIndex([], signs(a, RED), signs(b, RED)),
        toIndex(signs(DIGEST, RED), signs(a, RED), signs(b, RED)),
      ]) {
        const context = toRuleContext();
        const proof = prove(evidence, policy.authorities, context.now);
        const { findings } = judge(policy, { use: USE, evidence, proof }, context);
        assert.ok(findings.some(({ reason }) => reason === 'Revoked'));
      }
    });

  it('asks the rules about every child', () => {
    const evidence = toIndex(signs(DIGEST, RED), [], []);
    const rule = (expression: string): string[] =>
      messagesOf({ ...one, validations: [{ expression }] }, evidence);
    assert.deepEqual(rule(`model.reference.digest == '${DIGEST}'`), []);
    const [message, ...others] = rule('model.layers.size() == 1');
    assert.match(message ?? '', /^RuleViolated: .*child sha256:2{12}…: spec\.validations\[0\]/);
    assert.deepEqual(others, []);
  });
});

describe('toSubjects()', () => {
  const index = toIndex([], []);
  const proof = prove(index, compile(one).authorities, new Date());

  it('throws where a child was judged without proof, which is a fault of its caller', () =>
    assert.throws(() => toSubjects(index, { ...proof, children: [] }), /judged without proof/));

  it('throws where a child is an index itself', () => {
    const [child] = index.children ?? [];
    assert.ok(child !== undefined);
    const nested = { ...index, children: [{ ...child, manifest: index.manifest }] };
    assert.throws(() => toSubjects(nested, proof), /judged without proof/);
  });
});

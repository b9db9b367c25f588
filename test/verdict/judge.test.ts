// Does a use pass a policy exactly when enough distinct signers, and then every rule, say so? From bundles to verdict.
import assert from 'node:assert/strict';
import { p256 } from '@noble/curves/nist.js';
import { generateSigningKey, type SigningKey } from '../../src/demo/keys.ts';
import { signBundleWithKey } from '../../src/demo/sign-with-key.ts';
import {
  attestationStatement,
  cosignSignStatement,
  modelSigningStatement,
} from '../../src/demo/statement.ts';
import { sha256Hex } from '../../src/lib/digest.ts';
import { createCelMeter } from '../../src/policy/cel/meter.ts';
import type { CompiledPolicy } from '../../src/policy/compiled.ts';
import type { Evidence } from '../../src/evidence/evidence.ts';
import { judge, type PolicyResult, type RuleContext } from '../../src/verdict/judge.ts';
import { planProof, prove } from '../../src/verdict/prove.ts';
import {
  ALICE,
  change,
  createWorld,
  DIGEST,
  ONE_OF_EACH,
  OTHER_DIGEST,
  STATEMENT,
  toManifest,
  valueAt,
  type World,
} from '../signature/support.ts';
import { compile, toContext, toEvidence, toRuleContext, USE, type Named } from './support.ts';
import { compileTrustRoot } from '../support/trust.ts';

const SIGNATURE = ['dsseEnvelope', 'signatures', 0, 'sig'];
const [RED, BLUE, STRANGER] = [
  generateSigningKey('p256'),
  generateSigningKey('ed25519'),
  generateSigningKey('p256'),
];

const keyed = (name: string, ...keys: SigningKey[]): object => ({
  name,
  key: { pem: keys.map(({ publicKeyPem }) => publicKeyPem).join('') },
});
const signed = (key: SigningKey, statement: object = STATEMENT): object => signBundleWithKey(statement, key);

function resultOf(
  policy: CompiledPolicy,
  evidence: Evidence,
  context: Partial<RuleContext> = {},
): PolicyResult {
  const input = toRuleContext(context);
  return judge(policy, { use: USE, evidence, proof: prove(evidence, policy.authorities, input.now) }, input);
}

function reasonsOf(spec: object, bundles: readonly object[], context: Partial<RuleContext> = {}): string[] {
  const policy = compile(spec);
  assert.deepEqual(policy.problems, []);
  return resultOf(policy, toEvidence(bundles), context).findings.map(({ reason }) => reason);
}

function malleate(bundle: object): object {
  const { r, s } = p256.Signature.fromBytes(
    Buffer.from(valueAt(bundle, SIGNATURE) as string, 'base64'),
    'der',
  );
  const twin = new p256.Signature(r, p256.Point.Fn.ORDER - s).toBytes('der');
  return change(bundle, SIGNATURE, Buffer.from(twin).toString('base64'));
}

describe('judge() about authorities', () => {
  const one = { authorities: [keyed('red', RED)] };
  const either = { authorities: [keyed('red', RED), keyed('blue', BLUE)] };
  const both = { ...either, minAuthorities: 2 };

  const table: [string, object, object[], string[]][] = [
    ['one signature of one authority', one, [signed(RED)], []],
    ['a stranger’s signature beside it', one, [signed(STRANGER), signed(RED)], []],
    ['a broken bundle beside it', one, [Buffer.from('{'), signed(RED)], []],
    [
      'a signature of another model beside it',
      one,
      [signed(RED, cosignSignStatement(OTHER_DIGEST)), signed(RED)],
      [],
    ],
    ['nothing', one, [], ['SignatureMissing']],
    [
      'only an attestation by the right key',
      one,
      [signed(RED, attestationStatement(DIGEST, 'https://slsa.dev/provenance/v1', {}))],
      ['SignatureMissing'],
    ],
    ['only a stranger’s signature', one, [signed(STRANGER)], ['SignerNotTrusted']],
    [
      'only a signature of another model',
      one,
      [signed(RED, cosignSignStatement(OTHER_DIGEST))],
      ['SubjectMismatch'],
    ],
    ['only a broken bundle', one, [Buffer.from('{')], ['SignatureInvalid']],
    ['two strangers', one, [signed(STRANGER), signed(BLUE)], ['SignerNotTrusted']],
    ['either of two authorities', either, [signed(BLUE)], []],
    ['neither of two authorities', either, [signed(STRANGER)], ['SignerNotTrusted', 'SignerNotTrusted']],
    ['both of two', both, [signed(RED), signed(BLUE)], []],
    ['one of two', both, [signed(RED)], ['AuthoritiesNotSatisfied', 'SignerNotTrusted']],
    ['one of two, twice', both, [signed(RED), signed(RED)], ['AuthoritiesNotSatisfied', 'SignerNotTrusted']],
    [
      'one of two and its malleated twin',
      both,
      [signed(RED), malleate(signed(RED))],
      ['AuthoritiesNotSatisfied', 'SignerNotTrusted'],
    ],
    [
      'one of two without anything else',
      { ...both, authorities: [keyed('red', RED), keyed('blue', BLUE)] },
      [],
      ['SignatureMissing'],
    ],
  ];
  for (const [what, spec, bundles, expected] of table)
    it(`${expected.length === 0 ? 'passes' : 'denies'} ${what}`, () => {
      assert.deepEqual(reasonsOf(spec, bundles), expected);
    });

  it('names authority, policy and field in every finding', () => {
    const result = resultOf(compile(one), toEvidence([signed(STRANGER)]));
    assert.deepEqual(
      result.findings.map(({ policy, authority, field }) => [policy, authority, field]),
      [['prod', 'red', USE.fieldPath]],
    );
    assert.deepEqual(result.signatures, []);
  });

  it('keeps transport trouble apart from a missing signature', () => {
    const problems = [{ reason: 'RegistryUnavailable' as const, message: 'referrer sha256:1…: timed out' }];
    const unreachable = resultOf(compile(one), toEvidence([], { problems }));
    assert.deepEqual(
      unreachable.findings.map(({ reason }) => reason),
      ['RegistryUnavailable'],
    );
    const enough = resultOf(compile(one), toEvidence([signed(RED)], { problems }));
    assert.deepEqual(enough.findings, []);
  });

  it('says TooManySignatures only when what was read does not satisfy', () => {
    const problems = [{ reason: 'TooManySignatures' as const, message: 'it has more than 64 referrers' }];
    assert.deepEqual(resultOf(compile(one), toEvidence([signed(RED)], { problems })).findings, []);
    const reasons = resultOf(compile(one), toEvidence([signed(STRANGER)], { problems })).findings.map(
      ({ reason }) => reason,
    );
    assert.deepEqual(reasons, ['SignerNotTrusted', 'TooManySignatures']);
  });

  it('denies with the problems of a policy that cannot be evaluated, whatever is signed', () => {
    const policy = compile({ authorities: [keyed('red', RED), { name: 'x', key: { pem: 'no key' } }] });
    const result = judge(policy, { use: USE }, toRuleContext());
    assert.deepEqual(
      result.findings.map(({ reason }) => reason),
      ['PolicyInvalid'],
    );
    assert.deepEqual(
      resultOf(policy, toEvidence([signed(RED)])).findings.map(({ reason }) => reason),
      ['PolicyInvalid'],
    );
  });

  it('never passes for want of a reason', () => {
    const policy = compile(one);
    const evidence = toEvidence([signed(STRANGER)]);
    const proof = prove(evidence, policy.authorities, new Date());
    const authorities = proof.authorities.map((entry) => ({ ...entry, failures: [] }));
    const judgement = { use: USE, evidence, proof: { ...proof, authorities } };
    assert.deepEqual(
      judge(policy, judgement, toRuleContext()).findings.map(({ reason }) => reason),
      ['AuthoritiesNotSatisfied'],
    );
  });

  it('throws when a signing policy is judged without evidence, which is a fault of its caller', () => {
    const evidence = toEvidence([signed(RED)]);
    const proof = prove(evidence, compile(one).authorities, new Date());
    for (const half of [{}, { evidence }, { proof }])
      assert.throws(() => judge(compile(one), { use: USE, ...half }, toRuleContext()), /without evidence/);
  });
});

describe('judge() about keyless authorities', () => {
  let world: World;
  let named: Named;

  before(async () => {
    world = await createWorld();
    const root = compileTrustRoot({ trustedRoot: { json: world.sigstore.trustedRootJson() } }, toContext());
    named = { trustRoots: { private: root } };
  });

  const keyless = (name: string, more: object = {}): object => ({
    name,
    keyless: {
      identities: [{ issuer: ALICE.issuer, subject: ALICE.subject, ...more }],
      trustRootRef: { name: 'private' },
    },
  });
  const reasons = (spec: object, bundles: object[]): string[] =>
    resultOf(compile(spec, named), toEvidence(bundles)).findings.map(({ reason }) => reason);

  it('counts one identity once, whatever keys and certificates it had', async () => {
    const spec = {
      authorities: [keyless('a'), keyless('b', { subject: undefined, subjectRegExp: '.*' })],
      minAuthorities: 2,
    };
    assert.deepEqual(reasons(spec, [await world.sign(), await world.sign()]), ['AuthoritiesNotSatisfied']);
    const bob = await world.sigstore.signKeyless(STATEMENT, { ...ALICE, subject: 'bob@models.test' });
    assert.deepEqual(reasons(spec, [await world.sign(), bob]), []);
  });

  // A signer is (trust root, issuer, subject), and a signature that both roots accept shows that they are one.
  it('counts one signature under two TrustRoots of one root once', async () => {
    const { private: root } = named.trustRoots ?? {};
    assert.ok(root !== undefined);
    const under = (name: string): object => ({
      name,
      keyless: {
        identities: [{ issuer: ALICE.issuer, subject: ALICE.subject }],
        trustRootRef: { name },
      },
    });
    const policy = compile(
      { authorities: [under('one'), under('other')], minAuthorities: 2 },
      { trustRoots: { one: root, other: root } },
    );
    assert.deepEqual(
      resultOf(policy, toEvidence([await world.sign(), await world.sign()])).findings.map(
        ({ reason }) => reason,
      ),
      ['AuthoritiesNotSatisfied'],
    );
  });

  it('raises and never lowers what the root requires', async () => {
    const strict = {
      name: 'a',
      keyless: {
        identities: [{ issuer: ALICE.issuer, subject: ALICE.subject }],
        trustRootRef: { name: 'private' },
        minTimestamps: 2,
      },
    };
    assert.deepEqual(reasons({ authorities: [strict] }, [await world.sign()]), ['TimestampInvalid']);
    const root = compileTrustRoot(
      { trustedRoot: { json: world.sigstore.trustedRootJson() }, requirements: { logEntries: 3 } },
      toContext(),
    );
    const lower = { name: 'a', keyless: { ...strict.keyless, minTimestamps: 1, minLogEntries: 1 } };
    const policy = compile({ authorities: [lower] }, { trustRoots: { private: root } });
    const [authority] = policy.authorities;
    assert.ok(authority?.kind === 'keyless');
    assert.deepEqual(authority.requirements, { ...ONE_OF_EACH, logEntries: 3 });
  });

  it('is not spoiled by candidates that make a reader fail', async () => {
    const bundle = await world.sign();
    const junk = [{}, null, [], 'x', { mediaType: null }].map((value) => Buffer.from(JSON.stringify(value)));
    assert.deepEqual(reasons({ authorities: [keyless('a')] }, [...junk, bundle]), []);
  });
});

describe('judge() about rules', () => {
  const spec = (...validations: object[]): object => ({ authorities: [keyed('red', RED)], validations });
  const reasons = (...validations: object[]): string[] => reasonsOf(spec(...validations), [signed(RED)]);

  it('passes when every rule is true', () => {
    assert.deepEqual(
      reasons({ expression: 'true' }, { expression: "signatures.exists(s, s.authority == 'red')" }),
      [],
    );
    assert.deepEqual(reasons({ expression: "signatures.all(s, s.annotations['team'] == 'red')" }), []);
  });

  it('collects every rule that is false or fails, by its place', () => {
    const policy = compile(
      spec({ expression: 'true' }, { expression: 'false' }, { expression: "model.annotations['x'] == 'y'" }),
    );
    const { findings } = resultOf(policy, toEvidence([signed(RED)]));
    assert.deepEqual(
      findings.map(({ reason }) => reason),
      ['RuleViolated', 'RuleFailed'],
    );
    assert.match(findings[0]?.message ?? '', /spec\.validations\[1\]: failed expression: false/);
    assert.match(findings[1]?.message ?? '', /spec\.validations\[2\]/);
  });

  it('evaluates no rule before the authorities are satisfied', () => {
    assert.deepEqual(reasonsOf(spec({ expression: 'true' }), []), ['SignatureMissing']);
    assert.deepEqual(reasonsOf(spec({ expression: 'false' }), [signed(STRANGER)]), ['SignerNotTrusted']);
  });

  it('tells what was proven and what each rule said, and what satisfied where it passes', () => {
    const toldOf = (rule: string, key: SigningKey): unknown[] => {
      const policy = compile(spec({ expression: 'true' }, { expression: rule }));
      const { subjects, rules, satisfied } = resultOf(policy, toEvidence([signed(key)]));
      return [
        subjects.map(({ child, proof, attested }) => [child, proof.candidateCount, attested]),
        rules.map(({ path, expression, failure }) => `${path} ${expression} ${failure?.reason ?? 'holds'}`),
        satisfied.map(({ digest, child, proofs }) => [digest, child, proofs[0]?.signatures.length]),
      ];
    };
    const [first, second] = ['spec.validations[0] true holds', 'spec.validations[1]'];
    assert.deepEqual(toldOf('1 == 1', RED), [
      [[undefined, 1, []]],
      [first, `${second} 1 == 1 holds`],
      [[DIGEST, undefined, 1]],
    ]);
    assert.deepEqual(toldOf('false', RED), [
      [[undefined, 1, []]],
      [first, `${second} false RuleViolated`],
      [],
    ]);
    assert.deepEqual(toldOf('1 == 1', STRANGER), [[[undefined, 1, undefined]], [], []]);
  });

  const messages: [string, object, RegExp][] = [
    ['its message', { message: 'only red' }, /: only red;/],
    [
      'its message expression',
      { message: 'm', messageExpression: "'made by ' + pod.metadata.labels.team" },
      /: made by red;/,
    ],
    [
      'the message when the expression fails',
      { message: 'fallback', messageExpression: "model.annotations['x']" },
      /: fallback;/,
    ],
    [
      'the message when the expression is blank',
      { message: 'fallback', messageExpression: "'  '" },
      /: fallback;/,
    ],
    [
      'the message when the expression makes two lines',
      { message: 'fallback', messageExpression: "'a\\nb'" },
      /: fallback;/,
    ],
    [
      'the message when the expression makes no text',
      { message: 'fallback', messageExpression: 'pod.metadata.labels' },
      /: fallback;/,
    ],
    ['the rule when there is no message', {}, /: failed expression: false;/],
    [
      'the rule when the message expression fails and there is no message',
      { messageExpression: "model.annotations['x']" },
      /: failed expression: false;/,
    ],
  ];
  for (const [what, more, pattern] of messages)
    it(`shows ${what}`, () => {
      const [finding] = resultOf(
        compile(spec({ expression: 'false', ...more })),
        toEvidence([signed(RED)]),
      ).findings;
      assert.match(finding?.message ?? '', pattern);
    });

  it('makes a message of anything a workload writes, fast and harmless', () => {
    const policy = compile(spec({ expression: 'false', messageExpression: 'pod.metadata.annotations.x' }));
    for (const x of [' '.repeat(500_000), `${'\t '.repeat(100_000)}x`, '\u202eevil\u001b[2J'.repeat(1000)]) {
      const [finding] = resultOf(policy, toEvidence([signed(RED)]), {
        pod: { metadata: { annotations: { x } } },
      }).findings;
      assert.equal(finding?.reason, 'RuleViolated');
      assert.ok(finding.message.length <= 1024 && !/[\p{Cc}\p{Cf}]/u.test(finding.message));
    }
  });

  it('fails a rule whose request has no budget left', () => {
    assert.deepEqual(reasonsOf(spec({ expression: 'true' }), [signed(RED)], { meter: createCelMeter(0) }), [
      'RuleFailed',
    ]);
  });

  it('shows rules only signatures that satisfied an authority', () => {
    const count = { expression: 'signatures.size() == 1' };
    assert.deepEqual(reasonsOf(spec(count), [signed(RED), signed(STRANGER), signed(BLUE)]), []);
  });
});

describe('judge() about what a signature binds', () => {
  const files = { 'a.safetensors': 'weights' };
  const layers = Object.entries(files).map(([name, content]) => ({
    mediaType: 'application/octet-stream',
    digest: `sha256:${sha256Hex(Buffer.from(content))}`,
    size: content.length,
    annotations: { 'org.opencontainers.image.title': name, evil: 'unsigned' },
  }));
  const manifest = toManifest(layers, { annotations: { license: 'unsigned' } });
  const statement = modelSigningStatement(
    'm',
    Object.entries(files).map(([name, content]) => ({ name, digest: sha256Hex(Buffer.from(content)) })),
  );
  const authorities = (...formats: string[]): object[] => [
    { ...keyed('red', RED), signatureFormats: formats },
  ];
  const reasonsFor = (expression: string, bundles: object[], formats: string[]): string[] => {
    const policy = compile({ authorities: authorities(...formats), validations: [{ expression }] });
    assert.deepEqual(policy.problems, []);
    return resultOf(policy, toEvidence(bundles, { manifest })).findings.map(({ reason }) => reason);
  };

  it('lets rules read names and digests of signed files', () => {
    assert.deepEqual(
      reasonsFor(
        "model.binding == 'Files' && model.layers.all(l, l.title.endsWith('.safetensors'))",
        [signed(RED, statement)],
        ['ModelSigning'],
      ),
      [],
    );
  });

  for (const expression of [
    "model.annotations['license'] == 'unsigned'",
    "model.layers[0].annotations['evil'] == 'unsigned'",
    "model.layers[0].mediaType == 'application/octet-stream'",
    'model.layers[0].size == 7',
    'model.size == 7',
    "model.artifactType == ''",
    "model.configMediaType != ''",
    "model.mediaType != ''",
  ]) {
    it(`fails ${expression} when only the files are signed`, () => {
      assert.deepEqual(reasonsFor(expression, [signed(RED, statement)], ['ModelSigning']), ['RuleFailed']);
    });

    it(`evaluates ${expression} when the manifest is signed too`, () => {
      assert.deepEqual(
        reasonsFor(expression, [signed(RED, statement), signed(RED)], ['ModelSigning', 'CosignBundle']),
        [],
      );
    });

    it(`does not let a stranger's signature of the manifest open ${expression}`, () => {
      assert.deepEqual(
        reasonsFor(expression, [signed(RED, statement), signed(STRANGER)], ['ModelSigning', 'CosignBundle']),
        ['RuleFailed'],
      );
    });

    it(`does not let a format that does not count open ${expression}`, () => {
      assert.deepEqual(reasonsFor(expression, [signed(RED, statement), signed(RED)], ['ModelSigning']), [
        'RuleFailed',
      ]);
    });
  }
});

describe('judge() about static authorities', () => {
  const decide = (authority: object, ...validations: object[]): string[] => {
    const policy = compile({
      authorities: [{ name: 'fixed', static: authority }],
      ...(validations.length === 0 ? {} : { validations }),
    });
    assert.deepEqual(policy.problems, []);
    return judge(policy, { use: USE }, toRuleContext()).findings.map(
      ({ message }) => message.split(':')[0] ?? '',
    );
  };

  it('passes and fails without evidence', () => {
    assert.deepEqual(decide({ action: 'Pass' }), []);
    assert.deepEqual(decide({ action: 'Fail', message: 'no models here' }), ['StaticDeny']);
    assert.deepEqual(decide({ action: 'Fail' }, { expression: 'true' }), ['StaticDeny']);
  });

  it('shows rules the reference, and fails them on anything that was not fetched', () => {
    assert.deepEqual(
      decide({ action: 'Pass' }, { expression: "model.reference.repository == 'models/llm'" }),
      [],
    );
    assert.deepEqual(decide({ action: 'Pass' }, { expression: 'false' }), ['RuleViolated']);
    assert.deepEqual(decide({ action: 'Pass' }, { expression: 'model.layers.all(l, true)' }), ['RuleFailed']);
    assert.deepEqual(decide({ action: 'Pass' }, { expression: "model.annotations.all(k, k == '')" }), [
      'RuleFailed',
    ]);
    assert.deepEqual(decide({ action: 'Pass' }, { expression: 'signatures.size() > 0' }), ['RuleViolated']);
  });
});

describe('prove()', () => {
  it('counts candidates, and attestations as none', () => {
    const attestation = signed(RED, attestationStatement(DIGEST, 'https://slsa.dev/provenance/v1', {}));
    const evidence = toEvidence([signed(RED), attestation, Buffer.from('{'), signed(STRANGER)]);
    const proof = prove(evidence, compile({ authorities: [keyed('red', RED)] }).authorities, new Date());
    assert.equal(proof.candidateCount, 2);
    assert.deepEqual(
      proof.problems.map(({ reason }) => reason),
      ['SignatureInvalid'],
    );
    assert.match(proof.problems[0]?.message ?? '', /^referrer sha256:2{12}…: /);
    assert.equal(proof.authorities[0]?.signatures.length, 1);
    assert.deepEqual(
      proof.authorities[0].failures.map(({ reason }) => reason),
      ['SignerNotTrusted'],
    );
  });

  it('takes a hostile payload for no failure of its own making', () => {
    const payload = Buffer.from(
      '{"isFailure":true,"reason":"InternalError","predicateType":"https://sigstore.dev/cosign/sign/v1"}',
    );
    const proof = prove(
      toEvidence([signed(RED, payload)]),
      compile({ authorities: [keyed('red', RED)] }).authorities,
      new Date(),
    );
    assert.equal(proof.candidateCount, 1);
    assert.deepEqual(
      proof.authorities[0]?.failures.map(({ reason }) => reason),
      ['SignatureInvalid'],
    );
  });

  it('survives payloads of very many members', () => {
    const members = Array.from({ length: 60_000 }, (_, n) => `"k${n}":1`).join(',');
    const bundle = signed(STRANGER, Buffer.from(`{${members}}`));
    const proof = prove(
      toEvidence(Array.from({ length: 8 }, () => bundle)),
      compile({ authorities: [keyed('red', RED)] }).authorities,
      new Date(),
    );
    assert.equal(proof.candidateCount, 0);
  });

  it('proves nothing for static authorities', () => {
    const { authorities } = compile({ authorities: [{ name: 'fixed', static: { action: 'Pass' } }] });
    assert.deepEqual(prove(toEvidence([]), authorities, new Date()), {
      authorities: [],
      problems: [],
      candidateCount: 0,
    });
  });
});

describe('planProof()', () => {
  const evidence = toEvidence([signed(RED)]);
  const plan = (authorities: CompiledPolicy['authorities']): ReturnType<typeof planProof> =>
    planProof(evidence, { authorities, wanted: [] });

  it('asks nothing where nobody signs', () => assert.equal(plan([]).next().done, true));

  it('takes no answer in part', () => {
    const steps = plan(compile({ authorities: [keyed('red', RED)] }).authorities);
    assert.equal(steps.next().done, false);
    assert.throws(() => steps.next([]), /answered in part/);
  });
});

// Does a policy pass exactly when every attestation that it demands is there, by whom it names, saying what it must?
import assert from 'node:assert/strict';
import { attestKeyless, attestWithKey, type TaggedAttestation } from '../../src/demo/attestation.ts';
import { generateSigningKey, type SigningKey } from '../../src/demo/keys.ts';
import { signBundleWithKey } from '../../src/demo/sign-with-key.ts';
import { createSigstore, type Sigstore } from '../../src/demo/sigstore.ts';
import {
  attestationStatement,
  cosignSignStatement,
  modelSigningStatement,
} from '../../src/demo/statement.ts';
import type { Evidence, EvidenceProblem } from '../../src/evidence/evidence.ts';
import { parseManifest } from '../../src/model/manifest.ts';
import type { DenialReason } from '../../src/reason.ts';
import { judge, type PolicyResult } from '../../src/verdict/judge.ts';
import { planProof, prove, type ProofJob } from '../../src/verdict/prove.ts';
import { proveItemInSteps } from '../../src/verdict/prove-item.ts';
import { toWanted } from '../../src/verdict/prove-attestations.ts';
import { ALICE, change, DIGEST, OTHER_DIGEST } from '../signature/support.ts';
import { createPki, signAs, SIGNER, signWith } from '../signature/pki.ts';
import { certificatePem } from '../../src/demo/certificate.ts';
import type { TrustRootSpec } from '../../src/policy/types.ts';
import { compileTrustRoot } from '../support/trust.ts';
import { compile, toContext, toEvidence, toRuleContext, USE, type Named } from './support.ts';

const SLSA = 'https://slsa.dev/provenance/v1';
const BOM = 'https://cyclonedx.org/bom';
const BUILD = { buildDefinition: { buildType: 'gpu', runs: 3 }, runDetails: { builder: { id: 'pool' } } };
const [RED, BLUE, STRANGER] = [
  generateSigningKey('p256'),
  generateSigningKey('p384'),
  generateSigningKey('p256'),
];
const keyed = (name: string, key: SigningKey): object => ({ name, key: { pem: key.publicKeyPem } });
const AUTHORITIES = [keyed('red', RED), keyed('blue', BLUE)];
const demand = (more: object = {}): object => ({
  name: 'provenance',
  predicateTypes: [SLSA],
  authorities: ['red'],
  ...more,
});
const only = (...attestations: object[]): object => ({
  authorities: AUTHORITIES,
  minAuthorities: 0,
  attestations,
});
const rule = (...expressions: string[]): object => ({
  validations: expressions.map((expression) => ({ expression })),
});
const provenance = (predicate: object = BUILD, digest = DIGEST): object =>
  attestationStatement(digest, SLSA, predicate);
const attested = (key: SigningKey, statement: object = provenance()): object =>
  signBundleWithKey(statement, key);
const text = (json: string): Buffer => Buffer.from(json);
const rawStatement = (members: string): Buffer =>
  text(
    `{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"sha256":"${DIGEST.slice(7)}"}}],${members}}`,
  );

function withTagged(
  attestations: readonly TaggedAttestation[],
  bundles: readonly object[] = [],
  problems: readonly EvidenceProblem[] = [],
): Evidence {
  const names = new Map([
    ['dev.sigstore.cosign/certificate', 'certificate'],
    ['dev.sigstore.cosign/chain', 'chain'],
    ['dev.sigstore.cosign/bundle', 'logBundle'],
    ['dev.sigstore.cosign/rfc3161timestamp', 'timestamp'],
  ]);
  const envelopes = attestations.map(({ envelope, annotations }) => ({
    place: 'attestationTag' as const,
    referrer: `sha256:${'a'.repeat(64)}`,
    bytes: Buffer.isBuffer(envelope) ? envelope : Buffer.from(JSON.stringify(envelope)),
    annotations: Object.fromEntries(
      Object.entries(annotations).flatMap(([name, value]) => {
        const part = names.get(name);
        return part === undefined ? [] : [[part, value]];
      }),
    ),
  }));
  return { ...toEvidence(bundles), tagged: { envelopes, problems } };
}

function resultOf(spec: object, evidence: Evidence, named: Named = {}): PolicyResult {
  const policy = compile(spec, named);
  assert.deepEqual(policy.problems, []);
  const context = toRuleContext();
  const proof = prove(evidence, policy.authorities, context.now, toWanted(policy));
  return judge(policy, { use: USE, evidence, proof }, context);
}

function reasonsOf(spec: object, evidence: Evidence, named?: Named): string[] {
  return resultOf(spec, evidence, named).findings.map(({ reason }) => reason);
}

function denialOf(spec: object, evidence: Evidence): string {
  const { findings } = resultOf(spec, evidence);
  assert.equal(findings.length, 1, JSON.stringify(findings));
  return findings[0]?.message ?? '';
}

describe('judge() about attestations', () => {
  const bom = (key: SigningKey): object =>
    attested(key, attestationStatement(DIGEST, BOM, { components: [] }));
  const slsaRules = demand(
    rule(
      "predicate.buildDefinition.buildType == 'gpu'",
      'predicate.buildDefinition.runs == 3',
      `predicateType == '${SLSA}' && statement.predicateType == predicateType`,
      "signature.authority == 'red' && signature.format == 'CosignBundle'",
      "statement.subject[0].name == 'model' && model.mediaType != '' && model.binding == 'Manifest'",
    ),
  );

  const table: [string, object, object[], string[]][] = [
    ['the demanded attestation', only(demand()), [attested(RED)], []],
    ['one that satisfies every rule', only(slsaRules), [attested(RED)], []],
    [
      'one by the second authority that is named',
      only(demand({ authorities: ['red', 'blue'] })),
      [attested(BLUE)],
      [],
    ],
    ['one beside junk', only(demand()), [text('{'), attested(STRANGER), attested(RED)], []],
    [
      'each of two demands',
      only(demand(), demand({ name: 'bom', predicateTypes: [BOM] })),
      [attested(RED), bom(RED)],
      [],
    ],
    [
      'a signature and an attestation by others',
      { authorities: AUTHORITIES, attestations: [demand({ authorities: ['blue'] })] },
      [signBundleWithKey(cosignSignStatement(DIGEST), RED), attested(BLUE)],
      [],
    ],
    [
      'any authority where none is named',
      { authorities: AUTHORITIES, attestations: [{ name: 'p', predicateTypes: [SLSA] }] },
      [signBundleWithKey(cosignSignStatement(DIGEST), RED), attested(BLUE)],
      [],
    ],
    [
      'a good statement behind one that violates the rules',
      only(slsaRules),
      [attested(RED, provenance({ buildDefinition: { buildType: 'laptop' } })), attested(RED)],
      [],
    ],
    [
      'rules about the attestations that satisfied',
      {
        ...only(demand()),
        ...rule(
          "attestations.size() == 1 && attestations[0].name == 'provenance'",
          "attestations.exists(a, a.predicate.runDetails.builder.id == 'pool' && a.signature.authority == 'red')",
          `attestations.all(a, a.predicateType == '${SLSA}' && a.statement.predicate == a.predicate)`,
          'signatures.size() == 0',
        ),
      },
      [attested(RED)],
      [],
    ],
    ['nothing', only(demand()), [], ['AttestationMissing']],
    ['another predicate type', only(demand()), [bom(RED)], ['AttestationMissing']],
    [
      'one of two demands',
      only(demand(), demand({ name: 'bom', predicateTypes: [BOM] })),
      [bom(RED)],
      ['AttestationMissing'],
    ],
    ['a stranger’s', only(demand()), [attested(STRANGER)], ['AttestationRejected']],
    [
      'one by an authority that the requirement does not name',
      only(demand()),
      [attested(BLUE)],
      ['AttestationRejected'],
    ],
    [
      'one by an authority that only another requirement names',
      only(demand(), demand({ name: 'again', authorities: ['blue'] })),
      [attested(RED)],
      ['AttestationRejected'],
    ],
    [
      'one by an authority that only another requirement names, beside one of those that are named',
      only(demand(), demand({ name: 'again', authorities: ['blue'] })),
      [attested(RED), attested(BLUE)],
      [],
    ],
    [
      'one about another model',
      only(demand()),
      [attested(RED, provenance(BUILD, OTHER_DIGEST))],
      ['AttestationRejected'],
    ],
    [
      'one without subjects',
      only(demand()),
      [attested(RED, change(provenance(), ['subject'], []))],
      ['AttestationRejected'],
    ],
    [
      'one of another statement type',
      only(demand()),
      [attested(RED, change(provenance(), ['_type'], 'x'))],
      ['AttestationRejected'],
    ],
    [
      'a signature of the model, which is no attestation',
      only(demand()),
      [signBundleWithKey(cosignSignStatement(DIGEST), RED)],
      ['AttestationMissing'],
    ],
    [
      'a model signing signature, which is no attestation',
      only(demand()),
      [signBundleWithKey(modelSigningStatement('m', []), RED)],
      ['AttestationMissing'],
    ],
    [
      'an attestation where a signature is missing too',
      { authorities: AUTHORITIES, attestations: [demand()] },
      [attested(RED)],
      ['SignatureMissing'],
    ],
    [
      'two statements of which each satisfies one of two rules',
      only(demand(rule("predicate.a == 'x'", "predicate.b == 'x'"))),
      [attested(RED, provenance({ a: 'x', b: 'y' })), attested(RED, provenance({ a: 'y', b: 'x' }))],
      ['AttestationRejected', 'AttestationRejected'],
    ],
    [
      'a rule about what is not there',
      only(demand(rule("predicate.nothing == 'x'"))),
      [attested(RED)],
      ['AttestationRejected'],
    ],
    [
      'rules of the policy that do not hold',
      { ...only(demand()), ...rule('attestations.size() == 2') },
      [attested(RED)],
      ['RuleViolated'],
    ],
  ];
  for (const [what, spec, bundles, expected] of table)
    it(`${expected.length === 0 ? 'passes' : 'denies'} ${what}`, () => {
      assert.deepEqual(reasonsOf(spec, toEvidence(bundles)), expected);
    });

  it('says who vouches, and why that does not count', () => {
    assert.match(
      denialOf(only(demand()), toEvidence([attested(STRANGER)])),
      /^AttestationRejected: .* authority red: attestation provenance of type "https:\/\/slsa\.dev\/provenance\/v1": SignerNotTrusted: none of the authority’s keys signed it/,
    );
    assert.match(
      denialOf(only(demand()), toEvidence([attested(RED, provenance(BUILD, OTHER_DIGEST))])),
      /SubjectMismatch: it is about "sha256:cdcd/,
    );
    const validations = [
      {
        expression: "predicate.buildDefinition.buildType == 'tpu'",
        messageExpression: "'built on ' + string(predicate.buildDefinition.buildType)",
      },
    ];
    assert.match(
      denialOf(only(demand({ validations })), toEvidence([attested(RED)])),
      /attestation provenance by red: spec\.attestations\[0\]\.validations\[0\]: built on gpu; attest again/,
    );
  });

  it('names the predicate types that were found, escaped', () => {
    const odd = attested(RED, attestationStatement(DIGEST, 'odd\n\u001b[31m', {}));
    assert.match(
      denialOf(only(demand()), toEvidence([bom(RED), odd])),
      /none of type "https:\/\/slsa\.dev\/provenance\/v1" is attached to this digest; found: "https:\/\/cyclonedx\.org\/bom", "odd\\n\\u001b\[31m"; attest the digest/,
    );
    assert.match(denialOf(only(demand()), toEvidence([])), /found: none at all/);
  });

  it('never calls transport trouble a missing attestation', () => {
    const problem = (reason: DenialReason): EvidenceProblem => ({ reason, message: 'x' });
    const gone = problem('RegistryUnavailable');
    assert.deepEqual(reasonsOf(only(demand()), withTagged([], [], [gone])), ['RegistryUnavailable']);
    assert.deepEqual(reasonsOf(only(demand()), toEvidence([], { problems: [gone] })), [
      'RegistryUnavailable',
    ]);
    assert.deepEqual(reasonsOf(only(demand()), withTagged([], [attested(RED)], [gone])), []);
    assert.deepEqual(
      reasonsOf(
        only(demand()),
        toEvidence([attested(STRANGER)], { problems: [problem('TooManySignatures')] }),
      ),
      ['AttestationRejected', 'TooManySignatures'],
    );
  });

  it('keeps trouble with the attestation tag from explaining a missing signature', () => {
    const spec = { authorities: [keyed('red', RED)], attestations: [demand()] };
    const gone = { reason: 'RegistryUnavailable' as const, message: 'x' };
    assert.deepEqual(reasonsOf(spec, withTagged([], [attested(RED)], [gone])), ['SignatureMissing']);
  });

  it('counts one statement by one signer once, however often it is attached', () => {
    const twice = [attested(RED), attested(RED), attested(RED)];
    assert.equal(resultOf(only(demand()), toEvidence(twice)).attestations.length, 1);
  });

  it('accepts the model among 1,024 subjects, by the algorithm of its digest, and no more of them', () => {
    const others = Array.from({ length: 1023 }, (_, n) => ({
      digest: { sha256: n.toString(16).padStart(64, '0') },
    }));
    const subject = [
      ...others,
      { digest: { sha512: '00', sha256: DIGEST.slice(7) }, annotations: { any: 1 } },
    ];
    const about = (subjects: object[]): object => attested(RED, change(provenance(), ['subject'], subjects));
    assert.deepEqual(reasonsOf(only(demand()), toEvidence([about(subject)])), []);
    assert.deepEqual(reasonsOf(only(demand()), toEvidence([about([...subject, {}])])), [
      'AttestationRejected',
    ]);
    const misnamed = about([{ digest: { sha512: DIGEST.slice(7), SHA256: DIGEST.slice(7) } }]);
    assert.deepEqual(reasonsOf(only(demand()), toEvidence([misnamed])), ['AttestationRejected']);
  });

  describe('whose payload is hostile', () => {
    const type = `"predicateType":"${SLSA}"`;
    const payloads: [string, Buffer, string[]][] = [
      [
        'has a member twice',
        rawStatement(`${type},"predicate":{},"predicate":{"a":1}`),
        ['AttestationMissing', 'SignatureInvalid'],
      ],
      [
        'has its type twice',
        rawStatement(`${type},"predicateType":"${BOM}","predicate":{}`),
        ['AttestationMissing', 'SignatureInvalid'],
      ],
      [
        'has its type twice, once escaped',
        rawStatement(`${type},"predicate\\u0054ype":"${BOM}"`),
        ['AttestationMissing', 'SignatureInvalid'],
      ],
      [
        'has a member of the predicate twice',
        rawStatement(`${type},"predicate":{"a":1,"a":2}`),
        ['AttestationRejected'],
      ],
      ['has a predicate that is no JSON', rawStatement(`${type},"predicate":{a}`), ['AttestationRejected']],
      [
        'ends early',
        text(`{"_type":"https://in-toto.io/Statement/v1",${type},"predicate":{`),
        ['AttestationMissing', 'SignatureInvalid'],
      ],
      [
        'is nested deeply',
        rawStatement(`${type},"predicate":${'['.repeat(70)}${']'.repeat(70)}`),
        ['AttestationRejected'],
      ],
      [
        'has an endless number',
        rawStatement(`${type},"predicate":${'1'.repeat(30)}`),
        ['AttestationRejected'],
      ],
      [
        'has more than 500,000 values',
        rawStatement(`${type},"predicate":[${'1,'.repeat(500_001)}1]`),
        ['AttestationRejected'],
      ],
      [
        'is a flood of brackets',
        rawStatement(`${type},"predicate":[${'{},'.repeat(800_000)}1]`),
        ['AttestationMissing', 'SignatureInvalid'],
      ],
      ['is no object', text('[]'), ['AttestationMissing', 'SignatureInvalid']],
      ['has bytes behind it', text(`${rawStatement(type).toString()}x`), ['AttestationRejected']],
      ['has a type that is no text', rawStatement('"predicateType":["x"]'), ['AttestationMissing']],
    ];
    for (const [what, payload, expected] of payloads)
      it(`denies what ${what}`, () => {
        const reasons = reasonsOf(only(demand()), toEvidence([attested(RED, payload)]));
        assert.deepEqual(reasons, expected);
      });

    it('reads prototype keys as plain data', () => {
      const payload = rawStatement(`${type},"predicate":{"__proto__":{"a":"x"},"constructor":"c"}`);
      const evidence = toEvidence([attested(RED, payload)]);
      const holds = (expression: string): boolean =>
        reasonsOf(only(demand(rule(expression))), evidence).length === 0;
      assert.ok(holds("predicate['__proto__'].a == 'x' && predicate.constructor == 'c'"));
      assert.ok(!holds("predicate.a == 'x'"));
      assert.ok(!holds('has(predicate.toString) || has(predicate.hasOwnProperty)'));
    });

    it('lets a rule about an absent or null predicate fail, and passes without one', () => {
      for (const members of [type, `${type},"predicate":null`]) {
        const evidence = toEvidence([attested(RED, rawStatement(members))]);
        assert.deepEqual(reasonsOf(only(demand()), evidence), []);
        assert.deepEqual(reasonsOf(only(demand(rule("predicate.a == 'x'"))), evidence), [
          'AttestationRejected',
        ]);
        assert.deepEqual(
          reasonsOf({ ...only(demand()), ...rule("attestations[0].predicate.a == 'x'") }, evidence),
          ['RuleFailed'],
        );
      }
    });

    it('refuses other payload types and more or fewer than one signature', () => {
      const bundle = attested(RED);
      const sig = { sig: 'AAAA' };
      for (const broken of [
        signBundleWithKey(provenance(), RED, { payloadType: 'application/json' }),
        change(bundle, ['dsseEnvelope', 'signatures'], []),
        change(bundle, ['dsseEnvelope', 'signatures', 1], sig),
      ])
        assert.equal(reasonsOf(only(demand()), toEvidence([broken])).includes('AttestationMissing'), true);
    });

    it('refuses what is large beside the statement', () => {
      const padding = 'x'.repeat(1024 * 1024);
      const huge = change(attested(RED), ['verificationMaterial', 'padding'], padding);
      assert.ok(reasonsOf(only(demand()), toEvidence([huge])).includes('ArtifactTooLarge'));
      const good = attestWithKey(provenance(), RED);
      const tagged = withTagged([{ ...good, envelope: { ...good.envelope, padding } }]);
      assert.ok(reasonsOf(only(demand()), tagged).includes('ArtifactTooLarge'));
      const large = attested(RED, provenance({ padding }));
      assert.deepEqual(reasonsOf(only(demand()), toEvidence([large])), []);
    });

    it('refuses a signature of more than 1 MiB, whatever it announces', () => {
      const statement = { ...cosignSignStatement(DIGEST), predicate: { padding: 'x'.repeat(1024 * 1024) } };
      const spec = { authorities: AUTHORITIES };
      assert.deepEqual(reasonsOf(spec, toEvidence([attested(RED, statement)])), ['ArtifactTooLarge']);
    });

    it('stops at the budget of CEL and denies', () => {
      const list = Array.from({ length: 20_000 }, (_, n) => ({ n }));
      const evidence = toEvidence([attested(RED, provenance({ list }))]);
      const spec = only(demand(rule('predicate.list.all(a, predicate.list.all(b, a.n >= 0 && b.n >= 0))')));
      assert.match(denialOf(spec, evidence), /CEL cost budget is spent/);
    });

    it('proves a huge one in steps, and only when a trusted signer vouches for it', () => {
      const list = Array.from({ length: 60_000 }, (_, n) => ({ n, name: `package-${n}`, licenses: ['MIT'] }));
      const policy = compile(only(demand()));
      const stepsOfJob = (job: ProofJob): number => {
        const steps = proveItemInSteps({ ...job, material: job.material.material }, { now: new Date() });
        let count = 0;
        while (steps.next().done !== true) count += 1;
        return count;
      };
      const stepsOf = (key: SigningKey): number => {
        const evidence = toEvidence([attested(key, provenance({ list }))]);
        const plan = planProof(evidence, { authorities: policy.authorities, wanted: toWanted(policy) });
        const { value: jobs } = plan.next() as { value: readonly ProofJob[] };
        return jobs.reduce((count, job) => count + stepsOfJob(job), 0);
      };
      assert.ok(stepsOf(RED) > 20);
      assert.ok(stepsOf(STRANGER) < 6);
      const evidence = toEvidence([attested(RED, provenance({ list }))]);
      const spec = only(demand(rule("predicate.list[59999].name == 'package-59999'")));
      assert.deepEqual(reasonsOf(spec, evidence), []);
    });
  });

  it('proves plain data, which survives a structured clone', () => {
    const policy = compile(only(demand()));
    const proof = prove(toEvidence([attested(RED)]), policy.authorities, new Date(), toWanted(policy));
    assert.deepEqual(structuredClone(proof.attestations), proof.attestations);
    assert.equal(proof.attestations?.proven.length, 1);
  });

  it('verifies nothing that no requirement wants', () => {
    const policy = compile(only(demand()));
    const { attestations, candidateCount } = prove(
      toEvidence([bom(RED), attested(BLUE)]),
      policy.authorities,
      new Date(),
      toWanted(policy),
    );
    assert.deepEqual(attestations?.proven, []);
    assert.deepEqual(
      attestations.failures.map(({ authority, predicateType }) => [authority, predicateType]),
      [['red', SLSA]],
    );
    assert.deepEqual([attestations.found, candidateCount], [[BOM, SLSA], 0]);
  });
});

describe('judge() about attestations by other authorities', () => {
  it('passes one by a certificate of a private PKI, and none by another', () => {
    const pki = createPki();
    const spec = (root: Buffer): object => ({
      authorities: [
        {
          name: 'corporate',
          certificate: { roots: { pem: certificatePem(root) }, identities: [{ subjectURI: SIGNER }] },
        },
      ],
      minAuthorities: 0,
      attestations: [demand({ authorities: ['corporate'] })],
    });
    const { key, leaf } = signAs(pki.intermediate);
    const bundle = signWith(key, [leaf, ...pki.intermediate.chain.slice(0, -1)], provenance());
    const rootOf = ({ root }: typeof pki): Buffer => root.chain.at(-1) ?? Buffer.alloc(0);
    assert.deepEqual(reasonsOf(spec(rootOf(pki)), toEvidence([bundle])), []);
    assert.deepEqual(reasonsOf(spec(rootOf(createPki())), toEvidence([bundle])), ['AttestationRejected']);
  });

  it('passes a keyless bundle, and counts nothing of a revoked model, alone or in an index', async () => {
    const sigstore = await createSigstore();
    const json = sigstore.trustedRootJson();
    const spec = {
      authorities: [{ name: 'alice', keyless: { identities: [ALICE], trustRootRef: { name: 'private' } } }],
      minAuthorities: 0,
      attestations: [demand({ authorities: ['alice'] })],
    };
    const named = (revoked: TrustRootSpec['revoked'] & object): Named => ({
      trustRoots: {
        private: compileTrustRoot({ trustedRoot: { json }, revoked }, toContext()),
      },
    });
    const child = `sha256:${'1'.repeat(64)}`;
    const evidence = toEvidence([await sigstore.signKeyless(provenance(), ALICE)]);
    const index = {
      ...evidence,
      manifest: parseManifest(text('{"schemaVersion":2,"manifests":[]}')),
      children: [{ ...toEvidence([]), digest: child }],
    };
    for (const [artifact, about] of [
      [DIGEST, evidence],
      [DIGEST, index],
      [child, index],
    ] as const) {
      assert.deepEqual(reasonsOf(spec, about, named([])), []);
      const { findings } = resultOf(spec, about, named([{ artifactDigest: artifact, reason: 'it leaks' }]));
      assert.deepEqual(
        findings.map(({ reason }) => reason),
        ['AttestationRejected'],
      );
      assert.match(findings[0]?.message ?? '', /Revoked: .*it leaks/);
    }
  });
});

describe('judge() about attestations of cosign v2', () => {
  let v1: Sigstore;
  let named: Named;

  before(async () => {
    v1 = await createSigstore({ rekor: 'v1' });
    const root = compileTrustRoot({ trustedRoot: { json: v1.trustedRootJson() } }, toContext());
    named = { trustRoots: { private: root } };
  });

  const byAlice = (more: object = {}): object => ({
    authorities: [{ name: 'alice', keyless: { identities: [ALICE], trustRootRef: { name: 'private' } } }],
    minAuthorities: 0,
    attestations: [demand({ authorities: ['alice'], ...more })],
  });
  const alices = (options = {}): Evidence => withTagged([attestKeyless(v1, provenance(), ALICE, options)]);

  it('passes one by key, among others in one manifest', () => {
    const evidence = withTagged([
      attestWithKey(provenance(), STRANGER),
      attestWithKey(attestationStatement(DIGEST, BOM, {}), RED),
      attestWithKey(provenance(), RED),
    ]);
    assert.deepEqual(reasonsOf(only(demand(rule("signature.format == 'CosignAttestation'"))), evidence), []);
  });

  for (const entry of ['dsse', 'intoto'] as const)
    it(`passes a keyless one with a signed entry timestamp over an ${entry} entry`, () => {
      const { findings, attestations } = resultOf(byAlice(), alices({ entry }), named);
      assert.deepEqual(findings, []);
      const [satisfying] = attestations;
      assert.equal(satisfying?.signature.subject, ALICE.subject);
      assert.equal(satisfying.signature.secondOpinion, 'agrees');
      assert.equal(satisfying.signature.logs.length, 1);
    });

  const faults: [string, object, RegExp][] = [
    [
      'whose log entry is of kind intoto 0.0.1',
      { entry: 'intoto/0.0.1' },
      /UnsupportedFormat: log entries of kind "intoto\/0\.0\.1"/,
    ],
    ['without a log entry', { omitLogEntry: true }, /TransparencyLogInvalid/],
    [
      'whose log entry is about another statement',
      { logBodyFor: attestationStatement(DIGEST, BOM, BUILD) },
      /TransparencyLogInvalid: the transparency log entry is about/,
    ],
    [
      'whose intoto entry is about another statement',
      { entry: 'intoto', logBodyFor: provenance({}) },
      /TransparencyLogInvalid/,
    ],
    [
      'whose log entry names another signer',
      { logVerifier: { publicKey: RED.publicKey } },
      /names another signer/,
    ],
  ];
  for (const [what, options, message] of faults)
    it(`rejects one ${what}`, () => {
      const { findings } = resultOf(byAlice(), alices(options), named);
      assert.deepEqual(
        findings.map(({ reason }) => reason),
        ['AttestationRejected'],
      );
      assert.match(findings[0]?.message ?? '', message);
    });

  it('rejects one by another identity', () => {
    const bob = { ...ALICE, subject: 'bob@models.test' };
    const { findings } = resultOf(byAlice(), withTagged([attestKeyless(v1, provenance(), bob)]), named);
    assert.match(
      findings[0]?.message ?? '',
      /^AttestationRejected: .*IdentityMismatch: it is signed by "bob@models\.test"/,
    );
  });

  it('takes no signature under the attestation tag for anything', () => {
    const evidence = withTagged([attestWithKey(cosignSignStatement(DIGEST), RED)]);
    const reasons = reasonsOf(only(demand()), evidence);
    assert.deepEqual(reasons, ['AttestationMissing', 'UnsupportedFormat']);
    assert.deepEqual(reasonsOf({ authorities: AUTHORITIES }, evidence), ['SignatureMissing']);
  });

  it('rejects envelopes that are broken, and reads the others', () => {
    const good = attestWithKey(provenance(), RED);
    const broken = [text('{'), text('[]'), change(good.envelope, ['signatures'], [])].map((envelope) => ({
      ...good,
      envelope,
    }));
    assert.deepEqual(reasonsOf(only(demand()), withTagged([...broken, good])), []);
    assert.ok(reasonsOf(only(demand()), withTagged(broken)).includes('SignatureInvalid'));
  });
});

describe('judge() about attestations of an index', () => {
  const CHILDREN = [`sha256:${'1'.repeat(64)}`, `sha256:${'2'.repeat(64)}`] as const;
  const toIndex = (own: readonly object[], ...children: (readonly object[])[]): Evidence => ({
    ...toEvidence(own),
    manifest: parseManifest(text('{"schemaVersion":2,"manifests":[]}')),
    children: children.map((bundles, at) => ({ ...toEvidence(bundles), digest: CHILDREN[at] ?? '' })),
  });
  const about = (digest: string): object[] => [attested(RED, provenance(BUILD, digest))];

  it('admits it when the index or every child is attested', () => {
    assert.deepEqual(reasonsOf(only(demand()), toIndex(about(DIGEST), [], [])), []);
    assert.deepEqual(reasonsOf(only(demand()), toIndex([], about(CHILDREN[0]), about(CHILDREN[1]))), []);
  });

  it('denies it when one child is not, and names the child', () => {
    assert.match(
      denialOf(only(demand()), toIndex([], about(CHILDREN[0]), [])),
      /AttestationMissing: .*child sha256:2{12}…/,
    );
    assert.match(
      denialOf(only(demand()), toIndex([], about(CHILDREN[0]), about(CHILDREN[0]))),
      /AttestationRejected: .*child sha256:2{12}….*SubjectMismatch/,
    );
  });
});

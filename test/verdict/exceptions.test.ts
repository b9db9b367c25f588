// Does an exception turn exactly the denials that it names into warnings, and leave what nothing admits?
import assert from 'node:assert/strict';
import { certificatePem } from '../../src/demo/certificate.ts';
import { generateSigningKey } from '../../src/demo/keys.ts';
import { createSigstore } from '../../src/demo/sigstore.ts';
import type { CompiledException } from '../../src/policy/compile-exception.ts';
import { compilePolicy } from '../../src/policy/compile.ts';
import type { CompiledTrustRoot } from '../../src/policy/compile-trust-root.ts';
import { REASONS, type DenialReason, type Finding } from '../../src/reason.ts';
import {
  applyExceptions,
  EXCEPTABLE_REASONS,
  type Excepted,
  type ExceptionContext,
} from '../../src/verdict/exceptions.ts';
import type { PolicyResult } from '../../src/verdict/judge.ts';
import { createPki, SIGNER } from '../signature/pki.ts';
import { DIGEST, OTHER_DIGEST } from '../signature/support.ts';
import { compileTrustRoot } from '../support/trust.ts';
import { toContext, USE, type Named } from './support.ts';

const PEM = generateSigningKey('p256').publicKeyPem;
const KEY = { name: 'red', key: { pem: PEM } };
const NOW = new Date('2026-06-01T00:00:00Z');
const NAME = 'registry.example.com/models/llm';

const exception = (more: Partial<CompiledException> = {}): CompiledException => ({
  name: 'vendor',
  policies: new Set(['prod']),
  namespaces: new Set(['team']),
  covers: (name, digest) => name === NAME && digest === DIGEST,
  reason: 'ticket "1"',
  requestedBy: 'jane',
  endsAt: new Date('2026-07-01T00:00:00Z'),
  ...more,
});
const about = (...reasons: DenialReason[]): Finding[] =>
  reasons.map((reason) => ({ reason, message: `${reason} of it` }));

/** What a policy found, of this name and spec. */
function resultOf(
  findings: readonly Finding[],
  spec: object = {},
  more: Named & { name?: string } = {},
): PolicyResult {
  const { name = 'prod', ...named } = more;
  const policy = compilePolicy({ name, spec: { authorities: [KEY], ...spec } }, toContext(named));
  assert.deepEqual(policy.problems, []);
  return {
    policy,
    use: USE,
    findings,
    signatures: [],
    attestations: [],
    satisfied: [],
    subjects: [],
    rules: [],
  };
}

function apply(
  results: readonly PolicyResult[],
  exceptions: readonly CompiledException[] = [exception()],
  { digest = DIGEST, ...context }: Partial<ExceptionContext> & { digest?: string | null } = {},
): Excepted {
  const known = digest ?? undefined;
  const { digest: _, ...tag } = USE.reference;
  const use = { ...USE, reference: { ...tag, ...(known !== undefined && { digest: known }) } };
  const judged = { use, digest: known, clusterDigest: known, format: undefined, results };
  return applyExceptions(judged, { exceptions, namespace: 'team', now: NOW, ...context });
}

/** What the findings do, each with its actions and whether it says that it was admitted. */
const actionsOf = ({ acted }: Excepted): string[] =>
  acted.map(({ finding, actions }) => {
    const note = finding.message.startsWith('admitted by ') ? 'admitted ' : '';
    return `${note}${finding.reason} ${[...actions].toSorted().join()}`;
  });

describe('applyExceptions()', () => {
  it('turns what a policy denies into warnings, and tells who admitted it until when', () => {
    const excepted = apply([
      resultOf(about('SignatureMissing', 'RuleViolated'), { validationActions: ['Deny', 'Audit'] }),
    ]);
    assert.deepEqual(actionsOf(excepted), [
      'admitted SignatureMissing Audit,Warn',
      'admitted RuleViolated Audit,Warn',
    ]);
    assert.equal(
      excepted.acted[0]?.finding.message,
      'admitted by ModelPolicyException vendor until 2026-07-01T00:00:00Z, "ticket \\"1\\"": SignatureMissing of it',
    );
    assert.deepEqual(excepted.used, [
      {
        exception: 'vendor',
        policy: 'prod',
        reference: USE.reference.original,
        digest: DIGEST,
        endsAt: new Date('2026-07-01T00:00:00Z'),
      },
    ]);
  });

  const idle: readonly (readonly [
    string,
    PolicyResult,
    Partial<CompiledException>,
    Parameters<typeof apply>[2]?,
  ])[] = [
    ['of another policy', resultOf(about('SignatureMissing')), { policies: new Set(['other']) }],
    ['of another namespace', resultOf(about('SignatureMissing')), { namespaces: new Set(['other']) }],
    ['of another model', resultOf(about('SignatureMissing')), { covers: (name) => name !== NAME }],
    ['of another digest', resultOf(about('SignatureMissing')), {}, { digest: OTHER_DIGEST }],
    ['from the instant at which it ends', resultOf(about('SignatureMissing')), { endsAt: NOW }],
    ['where one finding of several cannot be excepted', resultOf(about('SignatureMissing', 'Revoked')), {}],
  ];
  for (const [what, result, more, context] of idle)
    it(`has no effect ${what}`, () => {
      const excepted = apply([result], [exception(more)], context);
      assert.deepEqual(
        actionsOf(excepted),
        result.findings.map(({ reason }) => `${reason} Deny`),
      );
      assert.deepEqual(excepted.used, []);
    });

  it('has an effect up to the instant at which it ends', () => {
    const endsAt = new Date(NOW.getTime() + 1);
    assert.equal(apply([resultOf(about('SignatureMissing'))], [exception({ endsAt })]).used.length, 1);
  });

  it('excepts the closed list of reasons, and no other', () => {
    const excepted = (Object.keys(REASONS) as DenialReason[]).filter(
      (reason) => apply([resultOf(about(reason))]).used.length > 0,
    );
    assert.deepEqual(new Set(excepted), EXCEPTABLE_REASONS);
  });

  it('is not used where a policy passes, nor where it denies nothing', () => {
    assert.deepEqual(apply([resultOf([])]), { acted: [], used: [] });
    for (const action of ['Warn', 'Audit']) {
      const excepted = apply([resultOf(about('SignatureMissing'), { validationActions: [action] })]);
      assert.deepEqual([actionsOf(excepted), excepted.used], [[`SignatureMissing ${action}`], []]);
    }
  });

  it('leaves what other policies found, in their order', () => {
    const [mine, other] = [
      resultOf(about('SignatureMissing')),
      resultOf(about('RuleViolated'), {}, { name: 'b' }),
    ];
    assert.deepEqual(actionsOf(apply([other, mine])), [
      'RuleViolated Deny',
      'admitted SignatureMissing Warn',
    ]);
  });

  it('uses the one that ends last', () => {
    const ending = (name: string, endsAt: string): CompiledException =>
      exception({ name, endsAt: new Date(endsAt) });
    const some = [ending('b', '2026-08-01'), ending('c', '2026-09-01'), ending('a', '2026-07-01')];
    assert.deepEqual(
      apply([resultOf(about('SignatureMissing'))], some).used.map(({ exception: name }) => name),
      ['c'],
    );
  });

  it('gives a tag the digest that the cluster resolved, for a policy that resolves', () => {
    const { digest: _, ...reference } = USE.reference;
    const tag = { ...USE, reference };
    const used = (digest: 'Require' | 'Resolve', clusterDigest: string | undefined): number => {
      const results = [resultOf(about('RegistryUnavailable'), { digest })];
      const judged = { use: tag, digest: DIGEST, clusterDigest, format: undefined, results };
      return applyExceptions(judged, { exceptions: [exception()], namespace: 'team', now: NOW }).used.length;
    };
    assert.deepEqual(
      [
        used('Resolve', DIGEST),
        used('Resolve', OTHER_DIGEST),
        used('Resolve', undefined),
        used('Require', DIGEST),
      ],
      [1, 0, 0, 0],
    );
  });

  it('covers a tag that was not resolved where it covers any digest', () => {
    const used = (covers: CompiledException['covers']): number =>
      apply([resultOf(about('RegistryUnavailable'))], [exception({ covers })], { digest: null }).used.length;
    assert.equal(
      used((name, digest) => name === NAME && digest === undefined),
      1,
    );
  });

  describe('of a policy whose TrustRoot revokes artifacts', () => {
    let root: CompiledTrustRoot;
    before(async () => {
      const json = (await createSigstore()).trustedRootJson();
      const revoked = [{ artifactDigest: DIGEST, reason: 'stolen' }];
      root = compileTrustRoot({ trustedRoot: { json }, revoked }, toContext());
      assert.ok(root.ok);
    });
    const NAMED = { trustRootRef: { name: 'root' } };
    const kinds: Readonly<Record<string, object>> = {
      key: { key: { pem: PEM, ...NAMED } },
      keyless: { keyless: { ...NAMED, identities: [{ issuer: 'https://idp.test', subject: 'a' }] } },
      certificate: {
        certificate: {
          ...NAMED,
          roots: { pem: certificatePem(createPki().root.certificate) },
          identities: [{ subjectURI: SIGNER }],
        },
      },
    };
    for (const [kind, authority] of Object.entries(kinds))
      it(`admits no model that a ${kind} authority’s root revokes, though nobody signed it`, () => {
        const any = [exception({ covers: () => true })];
        const result = resultOf(
          about('SignatureMissing'),
          { authorities: [KEY, { name: 'b', ...authority }] },
          { trustRoots: { root } },
        );
        assert.deepEqual(actionsOf(apply([result], any)), ['SignatureMissing Deny']);
        assert.equal(apply([result], any, { digest: OTHER_DIGEST }).used.length, 1);
        assert.equal(apply([result], any, { digest: null }).used.length, 1);
      });

    it('asks nobody about it where authorities sign nothing', () => {
      for (const authority of [{ tenant: {} }, { static: { action: 'Pass' } }])
        assert.equal(
          apply([resultOf(about('RuleViolated'), { authorities: [{ name: 'a', ...authority }] })]).used
            .length,
          1,
        );
    });
  });
});

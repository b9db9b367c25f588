// Does explain say what was decided, and why? Each situation is decided by a controller's own dependencies on a real
// registry and compared with its text in explanations/, what differs from run to run named by its kind.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { decide, type DecisionDependencies } from '../../src/admission/decide.ts';
import { explainDecision, type Explanation } from '../../src/admission/explanation.ts';
import { toCreation, toPodWith } from '../../src/cli/judged-object.ts';
import { createRuleReader } from '../../src/cli/read-rule.ts';
import { renderExplanation } from '../../src/cli/render-explanation.ts';
import { attachBundle, type PackedModel } from '../../src/demo/artifacts.ts';
import { generateSigningKey } from '../../src/demo/keys.ts';
import { startRegistry, type RegistryHandle } from '../../src/demo/registry.ts';
import { signBundleWithKey } from '../../src/demo/sign-with-key.ts';
import { createSigstore } from '../../src/demo/sigstore.ts';
import { attestationStatement, cosignSignStatement } from '../../src/demo/statement.ts';
import { createCelEngine } from '../../src/policy/cel/engine.ts';
import {
  pushModel,
  pushSigned,
  startController,
  TEAM_KEY,
  teamPolicy,
  type ControllerOptions,
} from '../support/controller.ts';
import { ALICE, keylessAuthority, pinned, policyOf, TRUST_ROOT } from '../support/keyless.ts';

const GOLDEN = fileURLToPath(new URL('explanations/', import.meta.url));
const SLSA = 'https://slsa.dev/provenance/v1';
const NEXT_KEY = generateSigningKey('p384');

interface Situation {
  readonly object: Record<string, unknown>;
  readonly options?: ControllerOptions;
}

describe('explainDecision()', () => {
  let registry: RegistryHandle;
  before(async () => {
    registry = await startRegistry();
  });
  after(() => registry.close());

  async function explain({ object, options = {} }: Situation): Promise<Explanation> {
    let dependencies: DecisionDependencies | undefined;
    const controller = await startController({
      registry,
      ...options,
      decisions: { workloads: 'Deny', ...options.decisions },
      wrap: (own) => (dependencies = own),
    });
    try {
      assert.ok(dependencies);
      const request = toCreation(object, 'explain');
      const decision = await decide(request, dependencies, AbortSignal.timeout(20_000));
      return explainDecision(decision, {
        namespace: request.namespace ?? '',
        specs: new Map(
          Object.entries({
            ...(options.policies ?? { team: teamPolicy(registry) }),
            ...options.modelPolicies,
          }),
        ),
        readRule: createRuleReader(createCelEngine()),
      });
    } finally {
      await controller.stop();
    }
  }

  // Run with WRITE_EXPLANATIONS=1 to write the files, and read what changed.
  async function expectText(name: string, situation: Situation): Promise<Explanation> {
    const explanation = await explain(situation);
    const text = toStable(renderExplanation(explanation).join('\n'), registry);
    const file = `${GOLDEN}${name}.txt`;
    if (process.env['WRITE_EXPLANATIONS'] === '1') writeFileSync(file, `${text}\n`);
    assert.equal(`${text}\n`, readFileSync(file, 'utf8'));
    return explanation;
  }

  const one = (model: PackedModel): Record<string, unknown> => toPodWith(model.reference);

  it('names who stands behind a delegation, and conditions that leave a policy out', async () => {
    const policies = {
      delegating: teamPolicy(registry, {
        authorities: [{ name: 'theirs', tenant: {} }],
        variables: [{ name: 'keys', expression: 'signatures.map(s, s.authority)' }],
        validations: [{ expression: "variables.keys.exists(k, k == 'theirs')" }],
      }),
      never: teamPolicy(registry, { matchConditions: [{ name: 'nowhere', expression: 'false' }] }),
    };
    const modelPolicies = { 'default/own': teamPolicy(registry), 'other/far': teamPolicy(registry) };
    await expectText('delegated', {
      object: one(pushSigned(registry)),
      options: { policies, modelPolicies },
    });
  });

  it('says of an image that only a ModelPolicy calls it a model, whatever conditions hold', async () => {
    const always = [{ name: 'always', expression: 'true' }];
    const { references } = await explain({
      object: {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'p' },
        spec: { containers: [{ name: 'main', image: pushSigned(registry).reference }] },
      },
      options: {
        policies: {
          every: teamPolicy(registry, { models: undefined, matchConditions: always }),
          never: teamPolicy(registry, { matchConditions: [{ name: 'nowhere', expression: 'false' }] }),
        },
        modelPolicies: { 'default/own': teamPolicy(registry) },
      },
    });
    assert.deepEqual(
      references.map(({ policies, notSelected }) => [policies.map(({ policy }) => policy), notSelected]),
      [
        [
          ['default/own'],
          [
            { policy: 'every', reasons: ['only ModelPolicies call this image a model'] },
            { policy: 'never', reasons: ['one of its matchConditions (nowhere) is false'] },
          ],
        ],
      ],
    );
  });

  it('names the key that satisfied, and the policies that do not select', async () => {
    const policies = {
      team: teamPolicy(registry, { namespaceSelector: { matchLabels: { tier: 'prod' } } }),
      vendor: teamPolicy(registry, {
        models: [{ glob: 'vendor.example.com/**' }, { glob: `${registry.address}/**`, sources: ['CSI'] }],
      }),
      narrow: teamPolicy(registry, {
        models: [{ glob: `${registry.address}/**`, exclude: [`${registry.address}/team/**`] }],
      }),
      staging: teamPolicy(registry, {
        namespaceSelector: { matchExpressions: [{ key: 'tier', operator: 'In', values: ['staging'] }] },
      }),
    };
    const options = { policies, namespaces: { default: { tier: 'prod' } } };
    const { allowed } = await expectText('signed', { object: one(pushSigned(registry)), options });
    assert.equal(allowed, true);
  });

  it('says what to sign, and whose signature would do', async () => {
    const { steps } = await expectText('unsigned', { object: one(pushModel(registry)) });
    assert.deepEqual(
      steps.map(({ actor, reason, accepted }) => [actor, reason, accepted.length]),
      [['model publisher', 'SignatureMissing', 1]],
    );
  });

  it('gives each candidate its reason', async () => {
    const model = pushSigned(registry, undefined, generateSigningKey('p256'));
    const other = pushModel(registry);
    attachBundle(registry, model, signBundleWithKey(cosignSignStatement(other.digest), TEAM_KEY));
    await expectText('strangers', { object: one(model) });
  });

  it('counts distinct signers', async () => {
    const authorities = [
      { name: 'team', key: { pem: TEAM_KEY.publicKeyPem } },
      { name: 'next', key: { pem: NEXT_KEY.publicKeyPem } },
    ];
    const policies = { both: teamPolicy(registry, { authorities, minAuthorities: 2 }) };
    await expectText('one-of-two', { object: one(pushSigned(registry)), options: { policies } });
  });

  it('shows identities, as they are wanted and as they are', async () => {
    const sigstore = await createSigstore();
    const model = pushModel(registry);
    const bob = { issuer: ALICE.issuer, subject: 'bob@models.test' };
    attachBundle(registry, model, await sigstore.signKeyless(cosignSignStatement(model.digest), bob));
    const identities = [ALICE, { issuer: ALICE.issuer, subjectRegExp: 'https://ci\\..*' }];
    const options = {
      policies: { alice: policyOf(registry, [keylessAuthority({ identities })]) },
      trustRoots: { [TRUST_ROOT]: pinned(sigstore.trustedRootJson()) },
    };
    await expectText('identity', { object: one(model), options });
  });

  it('shows what a rule read', async () => {
    const validations = [
      { expression: "model.reference.repository.startsWith('team/')" },
      { expression: 'model.size < 3 && size(signatures) == 1', message: 'only tiny models' },
      { expression: "pod.metadata.labels.team == 'a'" },
    ];
    const policies = { ruled: teamPolicy(registry, { validations }) };
    await expectText('rules', { object: one(pushSigned(registry)), options: { policies } });
  });

  it('shows which attestation is missing, and which is there', async () => {
    const model = pushSigned(registry);
    const statement = attestationStatement(model.digest, 'https://spdx.dev/Document', { name: 'sbom' });
    attachBundle(registry, model, signBundleWithKey(statement, TEAM_KEY));
    const attestations = [
      { name: 'sbom', predicateTypes: ['https://spdx.dev/Document'] },
      { name: 'provenance', predicateTypes: [SLSA] },
    ];
    const policies = {
      attested: teamPolicy(registry, { attestations, validations: [{ expression: 'true' }] }),
    };
    await expectText('attestations', { object: one(model), options: { policies } });
  });

  it('says which exception admits it, and why another does not', async () => {
    const model = pushModel(registry);
    const exception = (name: string, more: object = {}): { name: string; spec: object } => ({
      name,
      spec: {
        policies: ['team'],
        namespaces: ['default'],
        models: [model.reference],
        reason: 'vendor signs later',
        requestedBy: 'jane@acme.example',
        expiresAt: new Date(Date.now() + 86_400_000).toISOString().replace(/\.\d+Z$/, 'Z'),
        ...more,
      },
    });
    const exceptions = [
      exception('for-a-day'),
      exception('elsewhere', { namespaces: ['prod'] }),
      exception('over', { expiresAt: '2020-01-01T00:00:00Z' }),
    ];
    const { allowed } = await expectText('exception', { object: one(model), options: { exceptions } });
    assert.equal(allowed, true);
  });

  it('says that no policy selects it', async () => {
    const policies = { other: teamPolicy(registry, { models: [{ glob: 'vendor.example.com/**' }] }) };
    await expectText('no-match', { object: one(pushSigned(registry)), options: { policies } });
  });

  it('says what is wrong with a policy, and with a reference', async () => {
    const policies = { broken: teamPolicy(registry, { validations: [{ expression: 'modle.size > 0' }] }) };
    await expectText('broken-policy', { object: one(pushSigned(registry)), options: { policies } });
    await expectText('tag', { object: toPodWith(`${registry.address}/team/chat:v1`) });
  });

  it('tells trouble from absence', async () => {
    const model = pushModel(registry);
    registry.setFault(() => ({ status: 503 }));
    try {
      await expectText('trouble', { object: one(model) });
    } finally {
      registry.setFault(undefined);
    }
  });

  it('explains every pod of a workload, and what no reference names', async () => {
    const model = pushModel(registry);
    const image = `${registry.address}/team/unsigned-app@sha256:${'0'.repeat(64)}`;
    const policies = {
      static: {
        models: [{ glob: `${registry.address}/team/**` }],
        authorities: [{ name: 'no', static: { action: 'Fail' } }],
      },
      warned: { authorities: [{ name: 'yes', static: { action: 'Pass' } }], validationActions: ['Warn'] },
    };
    const spec = {
      containers: [
        { name: 'app', image, args: ['--model=oci://$(MODEL)'], env: [{ name: 'MODEL', valueFrom: {} }] },
      ],
      volumes: [{ name: 'model', image: { reference: model.reference } }],
    };
    const object = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'chat', namespace: 'prod' },
      spec: { template: { metadata: {}, spec } },
    };
    await expectText('deployment', { object, options: { policies } });
  });

  it('explains what is not judged', async () => {
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' } };
    assert.deepEqual(renderExplanation(await explain({ object })), [
      'admitted: objects of this kind are not judged',
    ]);
    const pod = { ...toPodWith('x'), spec: { containers: [{ name: 'a', image: 'app.example.test/app:1' }] } };
    assert.equal(renderExplanation(await explain({ object: pod }))[0], 'admitted: it names no model');
  });

  it('lets no terminal obey what a workload wrote', async () => {
    const validations = [{ expression: "pod.metadata.labels.team == 'a'" }];
    const policies = { ruled: teamPolicy(registry, { validations }) };
    const object = {
      ...one(pushSigned(registry)),
      metadata: { name: 'x', labels: { team: '\u001b[2Jb\u202e' } },
    };
    const text = renderExplanation(await explain({ object, options: { policies } })).join('\n');
    assert.match(text, /pod\.metadata\.labels\.team = /);
    assert.ok(!text.includes('\u001b') && !text.includes('\u202e'), text);
  });
});

// Names what differs from run to run by its kind.
function toStable(text: string, { address }: RegistryHandle): string {
  return text
    .replaceAll(address, 'registry.test')
    .replaceAll(/sha256:(?!0{64})[0-9a-f]{8,64}/g, 'sha256:DIGEST')
    .replaceAll(/child [0-9a-f]+/g, 'child DIGEST')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
    .replaceAll(/team\/model-\d+/g, 'team/model')
    .replaceAll(/model\.size = "\d+"/g, 'model.size = "N"')
    .replaceAll(/\b[0-9a-f]{64}\b/g, (hex) => (/^0+$/.test(hex) ? hex : 'HEX'));
}

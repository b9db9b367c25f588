// Does verify answer as contracts.md says? Exit codes, the one line of --json, and faults with their place.
import assert from 'node:assert/strict';
import { stringify } from 'yaml';
import { startRegistry, type RegistryHandle } from '../../src/demo/registry.ts';
import type { PackedModel } from '../../src/demo/artifacts.ts';
import { createSigstore, type Sigstore } from '../../src/demo/sigstore.ts';
import { attachBundle } from '../../src/demo/artifacts.ts';
import { cosignSignStatement } from '../../src/demo/statement.ts';
import { pushModel, pushSigned, TEAM_KEY, teamPolicy } from '../support/controller.ts';
import { createWorkspace, type Outcome, type RunOptions, type Workspace } from './run.ts';

describe('model-policy verify', () => {
  let workspace: Workspace;
  let registry: RegistryHandle;
  let sigstore: Sigstore;
  let signed: PackedModel;
  let unsigned: PackedModel;
  let policy: string;

  before(async () => {
    workspace = createWorkspace();
    registry = await startRegistry();
    sigstore = await createSigstore();
    signed = pushSigned(registry, 'v1');
    unsigned = pushModel(registry);
    policy = workspace.write('policy.yaml', toPolicy({}));
  });
  after(async () => {
    await registry.close();
    workspace.remove();
  });

  function toPolicy(overrides: object, name = 'team'): string {
    return stringify({
      apiVersion: 'modelpolicy.dev/v1alpha1',
      kind: 'ClusterModelPolicy',
      metadata: { name },
      spec: JSON.parse(JSON.stringify(teamPolicy(registry, overrides))) as object,
    });
  }

  const verify = (args: readonly string[], options?: RunOptions): Promise<Outcome> =>
    workspace.run(['verify', ...args, '--plain-http', registry.address], options);

  async function expectUsage(args: readonly string[], pattern: RegExp, options?: RunOptions): Promise<void> {
    const { code, stdout, stderr } = await workspace.run(args, options);
    assert.deepEqual([code, stdout], [2, ''], stderr);
    assert.match(stderr, pattern);
    assert.doesNotMatch(stderr, /^\s+at /m, 'a stack is no answer');
  }

  async function expectReason(policyText: string, reason: string, more = /./): Promise<void> {
    const { code, stdout } = await verify([signed.reference, '--policy', '-'], { stdin: policyText });
    assert.equal(code, 1);
    assert.match(stdout, new RegExp(`^denied: .*\n${reason}: `));
    assert.match(stdout, more);
  }

  describe('exit code 0', () => {
    it('is for what is admitted', async () => {
      const { code, stdout, stderr } = await verify([signed.reference, '--policy', policy]);
      assert.deepEqual([code, stdout, stderr], [0, `admitted: ${signed.reference}\n`, '']);
    });

    it('is for what is admitted with a warning, on standard error', async () => {
      const tagged = `${registry.address}/${signed.repository}:v1`;
      const { code, stdout, stderr } = await verify([tagged, '--policy', '-'], {
        stdin: toPolicy({ digest: 'Resolve' }),
      });
      assert.deepEqual([code, stdout], [0, `admitted: ${tagged}\n`]);
      assert.match(stderr, /^Warning: .* was verified as sha256:/);
    });

    it('is for --json too, in one line of exactly the documented members', async () => {
      const identity = { issuer: 'https://idp.models.test', subject: 'alice@models.test' };
      const model = pushModel(registry);
      attachBundle(registry, model, await sigstore.signKeyless(cosignSignStatement(model.digest), identity));
      const keyless = { name: 'alice', keyless: { identities: [identity], trustRootRef: { name: 'local' } } };
      const root = stringify({
        apiVersion: 'modelpolicy.dev/v1alpha1',
        kind: 'TrustRoot',
        metadata: { name: 'local' },
        spec: { trustedRoot: { json: sigstore.trustedRootJson() } },
      });
      const text = `${toPolicy({ authorities: [keyless] }, 'keyless')}---\n${root}`;
      const { code, stdout, stderr } = await verify([model.reference, '--policy', '-', '--json'], {
        stdin: text,
      });
      assert.deepEqual([code, stderr], [0, '']);
      assert.equal(stdout.indexOf('\n'), stdout.length - 1);
      const answer = JSON.parse(stdout) as {
        durationsMs: Record<string, number>;
        references: [{ signatures: [{ keyFingerprint: string; signedAt: string; logs: unknown }] }];
      };
      const [{ signatures }] = answer.references;
      const [{ keyFingerprint, signedAt }] = signatures;
      assert.match(keyFingerprint, /^[0-9a-f]{64}$/);
      assert.ok(Math.abs(Date.parse(signedAt) - Date.now()) < 120_000);
      assert.ok(Object.values(answer.durationsMs).every((milliseconds) => milliseconds >= 0));
      assert.deepEqual(answer, {
        allowed: true,
        findings: [],
        warnings: [],
        references: [
          {
            reference: model.reference,
            digest: model.digest,
            source: 'ImageVolume',
            fieldPath: 'spec.volumes[0].image.reference',
            format: 'ORAS',
            signatures: [
              {
                authority: 'alice',
                format: 'CosignBundle',
                ...identity,
                keyFingerprint,
                signedAt,
                logs: signatures[0].logs,
              },
            ],
          },
        ],
        policies: ['keyless'],
        durationsMs: answer.durationsMs,
      });
      assert.deepEqual(Object.keys(answer), [
        'allowed',
        'findings',
        'warnings',
        'references',
        'policies',
        'durationsMs',
      ]);
    });
  });

  describe('exit code 1', () => {
    it('is for what is denied, with the reason', async () => {
      const { code, stdout } = await verify([unsigned.reference, '--policy', policy]);
      assert.equal(code, 1);
      assert.match(stdout, /^denied: .*\nSignatureMissing: .* policy team: /);
    });

    it('is for --json too, with every member of a finding', async () => {
      const { code, stdout } = await verify([unsigned.reference, '--policy', policy, '--json']);
      assert.equal(code, 1);
      const answer = JSON.parse(stdout) as {
        allowed: boolean;
        findings: [{ message: string }];
        references: unknown;
      };
      assert.equal(answer.allowed, false);
      const [{ message }] = answer.findings;
      assert.deepEqual(answer.findings, [
        {
          reason: 'SignatureMissing',
          message,
          field: 'spec.volumes[0].image.reference',
          policy: 'team',
          authority: null,
        },
      ]);
      assert.deepEqual(answer.references, [
        {
          reference: unsigned.reference,
          digest: unsigned.digest,
          source: 'ImageVolume',
          fieldPath: 'spec.volumes[0].image.reference',
          format: 'ORAS',
          signatures: [],
        },
      ]);
    });

    it('is for a policy whose rule does not compile, with the place', async () => {
      await expectReason(
        toPolicy({ validations: [{ expression: 'modle.size > 0' }] }),
        'PolicyInvalid',
        /spec\.validations\[0\]\.expression: [^\n]*modle \(-:\d+:\d+\)/,
      );
    });

    it('comes with the place and the caret of a fault on standard error, as /validate-policy says them', async () => {
      const { stderr } = await verify([signed.reference, '--policy', '-'], {
        stdin: toPolicy({ validations: [{ expression: 'model.sice > 0' }] }),
      });
      const said =
        /^policy \S+: spec\.validations\[0\]\.expression: No such key: sice \(-:\d+:\d+\)\nmodel\.sice > 0\n {6}\^\n$/;
      assert.match(stderr, said);
    });

    it('is for a policy whose TrustRoot is missing', async () => {
      const identities = [{ issuer: 'https://idp.test', subject: 'a' }];
      await expectReason(
        toPolicy({ authorities: [{ name: 'a', keyless: { identities, trustRootRef: { name: 'gone' } } }] }),
        'TrustRootUnavailable',
      );
    });

    it('is for a policy whose Secret is missing, and not once it is there', async () => {
      const text = toPolicy({
        authorities: [{ name: 'a', key: { secretKeyRef: { name: 'signer', key: 'cosign.pub' } } }],
      });
      await expectReason(text, 'CredentialsUnavailable');
      const secret = {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'signer' },
        stringData: { 'cosign.pub': TEAM_KEY.publicKeyPem },
      };
      const { code } = await verify([signed.reference, '--policy', '-'], {
        stdin: `${text}---\n${stringify(secret)}`,
      });
      assert.equal(code, 0);
    });

    it('is for a registry that is down', async () => {
      const reference = `127.0.0.1:1/m@sha256:${'0'.repeat(64)}`;
      const args = ['verify', reference, '--policy', '-', '--plain-http', '127.0.0.1:1'];
      const { code, stdout } = await workspace.run(args, {
        stdin: toPolicy({ models: [{ glob: '127.0.0.1:1/**' }] }),
      });
      assert.equal(code, 1);
      assert.match(stdout, /RegistryUnavailable: /);
    });

    it('is for what no policy selects, unless told otherwise', async () => {
      const stdin = toPolicy({ models: [{ glob: 'elsewhere.test/**' }] });
      const { code, stdout } = await verify([signed.reference, '--policy', '-'], { stdin });
      assert.equal(code, 1);
      assert.match(stdout, /NoMatchingPolicy: /);
      assert.equal(
        (await verify([signed.reference, '--policy', '-', '--no-match-policy', 'Warn'], { stdin })).code,
        0,
      );
    });
  });

  describe('exit code 2', () => {
    it('is for an unknown command, and for none', async () => {
      await expectUsage(['veriify'], /unknown command "veriify"/);
      assert.equal((await workspace.run([])).code, 2);
    });

    it('is for an unknown flag, or one without its value', async () => {
      await Promise.all([
        expectUsage(['verify', signed.reference, '--policy', policy, '--polcy', 'x'], /'--polcy'/),
        expectUsage(['verify', signed.reference, '--policy'], /--policy/),
      ]);
    });

    it('is for a value that is none of the choices', async () => {
      await expectUsage(
        ['verify', signed.reference, '--policy', policy, '--no-match-policy', 'Maybe'],
        /--no-match-policy must be Deny\|Warn\|Allow/,
      );
    });

    it('is for no REF, two REFs or no policy', async () => {
      await Promise.all([
        expectUsage(['verify', '--policy', policy], /verify takes one REF/),
        expectUsage(['verify', 'a', 'b', '--policy', policy], /verify takes one REF/),
        expectUsage(['verify', signed.reference], /--policy is required/),
      ]);
    });

    it('is for a file that is not there', async () => {
      await Promise.all([
        expectUsage(['verify', signed.reference, '--policy', 'gone.yaml'], /cannot read gone\.yaml/),
        expectUsage(
          ['verify', signed.reference, '--policy', policy, '--ca-file', 'gone.pem'],
          /cannot read CA file gone\.pem/,
        ),
      ]);
    });

    it('is for YAML that does not parse, with its place', async () => {
      const file = workspace.write(
        'broken.yaml',
        'apiVersion: modelpolicy.dev/v1alpha1\nkind: ClusterModelPolicy\nspec: {models: [\n',
      );
      await expectUsage(
        ['verify', signed.reference, '--policy', file],
        /broken\.yaml:\d+:\d+: YAML does not parse/,
      );
    });

    it('is for a field that the kind does not have, with its place', async () => {
      const file = workspace.write('typo.yaml', toPolicy({ minAuthoritys: 1 }));
      await expectUsage(
        ['verify', signed.reference, '--policy', file],
        /typo\.yaml:\d+:\d+: unknown field "minAuthoritys"/,
      );
    });

    it('is for a kind that is not known, with its place', async () => {
      const file = workspace.write(
        'kind.yaml',
        toPolicy({}).replace('ClusterModelPolicy', 'ClusterModelPolicies'),
      );
      await expectUsage(
        ['verify', signed.reference, '--policy', file],
        /kind\.yaml:2:7: kind "ClusterModelPolicies" is not supported/,
      );
    });

    it('is for YAML that is made to be expensive', async () => {
      const bomb = `a: &a [x,x,x,x,x,x,x,x,x,x]\n${'bcdefgh'
        .split('')
        .map(
          (name, index) =>
            `${name}: &${name} [${Array.from({ length: 10 }, () => `*${'abcdefgh'[index]}`).join(',')}]`,
        )
        .join('\n')}\n`;
      await Promise.all([
        expectUsage(['verify', signed.reference, '--policy', '-'], /too many aliases/, { stdin: bomb }),
        expectUsage(['verify', signed.reference, '--policy', '-'], /./, { stdin: '['.repeat(20_000) }),
      ]);
    });
  });

  it('reads REF from standard input, policies from several paths, and the last word as REF', async () => {
    const file = workspace.write('second.yaml', toPolicy({}, 'second'));
    const { code, stdout } = await verify(['--policy', policy, file, '--json', '-'], {
      stdin: `${signed.reference}\n`,
    });
    assert.equal(code, 0, stdout);
    assert.deepEqual((JSON.parse(stdout) as { policies: unknown }).policies, ['second', 'team']);
    assert.equal((await verify(['--policy', policy, file, signed.reference])).code, 0);
  });

  it('takes options from the environment, below the command line', async () => {
    const env = {
      MODEL_POLICY_POLICY: 'policy.yaml',
      MODEL_POLICY_PLAIN_HTTP: registry.address,
      MODEL_POLICY_JSON: 'true',
    };
    const { code, stdout } = await workspace.run(['verify', signed.reference], { env });
    assert.equal(code, 0, stdout);
    assert.equal((JSON.parse(stdout) as { allowed: boolean }).allowed, true);
    const stronger = await workspace.run(['verify', signed.reference, '--no-match-policy', 'Maybe'], {
      env: { ...env, MODEL_POLICY_NO_MATCH_POLICY: 'Warn' },
    });
    assert.equal(stronger.code, 2);
  });

  it('judges in the namespace that is named, by the labels that are given', async () => {
    const stdin = toPolicy({ namespaceSelector: { matchLabels: { tier: 'prod' } } });
    const namespaces = workspace.write(
      'namespaces.yaml',
      stringify({
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: 'shop', labels: { tier: 'prod' } },
      }),
    );
    const args = [signed.reference, '--policy', '-', '--namespaces', namespaces];
    assert.equal((await verify([...args, '--namespace', 'shop'], { stdin })).code, 0);
    const unknown = await verify([...args, '--namespace', 'gone'], { stdin });
    assert.equal(unknown.code, 1);
    assert.match(unknown.stdout, /namespace "gone" is not known/);
  });

  it('explains every command', async () => {
    const commands = ['serve', 'verify', 'admit', 'demo'];
    const [overview, ...pages] = await Promise.all([
      workspace.run(['--help']),
      ...commands.map((command) => workspace.run([command, '--help'])),
    ]);
    assert.equal(overview.code, 0);
    for (const [index, command] of commands.entries()) {
      assert.match(overview.stdout, new RegExp(`^  ${command} `, 'm'));
      assert.deepEqual([pages[index]?.code, pages[index]?.stderr], [0, '']);
      assert.match(pages[index]?.stdout ?? '', new RegExp(`^usage: model-policy ${command}`));
    }
  });
});

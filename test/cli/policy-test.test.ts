// Do record and test keep a platform team's policies honest? Recorded from a real registry, run without it.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { attachAttestations, attestWithKey } from '../../src/demo/attestation.ts';
import { startRegistry, type RegistryHandle } from '../../src/demo/registry.ts';
import { attachBundle, type PackedModel } from '../../src/demo/artifacts.ts';
import { signBundleWithKey } from '../../src/demo/sign-with-key.ts';
import { attestationStatement, cosignSignStatement } from '../../src/demo/statement.ts';
import { pushModel, pushSigned, TEAM_KEY, teamPolicy } from '../support/controller.ts';
import { createWorkspace, type Outcome, type Workspace } from './run.ts';

const NOTE = 'https://acme.example/note/v1';
const PROVENANCE = 'https://slsa.dev/provenance/v1';

describe('model-policy record and test', function () {
  this.timeout(60_000);
  let workspace: Workspace;
  let registry: RegistryHandle;
  let signed: PackedModel;
  let unsigned: PackedModel;
  let attested: PackedModel;

  const writePolicy = (file: string, spec: object): string =>
    workspace.write(
      file,
      stringify({
        apiVersion: 'modelpolicy.dev/v1alpha1',
        kind: 'ClusterModelPolicy',
        metadata: { name: 'team' },
        spec: JSON.parse(JSON.stringify(spec)) as object,
      }),
    );

  before(async () => {
    workspace = createWorkspace();
    registry = await startRegistry();
    signed = pushSigned(registry);
    unsigned = pushModel(registry);
    attested = pushSigned(registry);
    const statement = attestationStatement(attested.digest, PROVENANCE, { builder: 'ours' });
    attachAttestations(registry, attested, [attestWithKey(statement, TEAM_KEY)]);
    writePolicy('policy.yaml', teamPolicy(registry));
    const attestations = [{ name: 'provenance', predicateTypes: [PROVENANCE] }];
    writePolicy('attested.yaml', teamPolicy(registry, { attestations }));
    mkdirSync(join(workspace.path, 'recorded'));
    for (const [name, { reference }] of Object.entries({ signed, unsigned, attested })) {
      const { code, stderr } = await workspace.run([
        'record',
        reference,
        '--plain-http',
        registry.address,
        '--out',
        `recorded/${name}.json`,
      ]);
      assert.equal(code, 0, stderr);
    }
    await registry.close();
  });
  after(() => workspace.remove());

  function write(cases: readonly object[], more: object = {}): void {
    workspace.write(
      'model-policy-test.yaml',
      stringify({
        apiVersion: 'cli.modelpolicy.dev/v1alpha1',
        kind: 'PolicyTest',
        metadata: { name: 'team' },
        spec: { policies: ['policy.yaml'], recordings: ['recorded'], cases, ...more },
      }),
    );
  }
  const test = (...args: string[]): Promise<Outcome> => workspace.run(['test', '.', ...args]);

  it('says what is wrong with a policy, with its place and a caret', async () => {
    const spec = { ...teamPolicy(registry), validations: [{ expression: 'model.sice > 0' }] };
    workspace.write(
      'broken.yaml',
      stringify({
        apiVersion: 'modelpolicy.dev/v1alpha1',
        kind: 'ClusterModelPolicy',
        metadata: { name: 'broken' },
        spec: JSON.parse(JSON.stringify(spec)) as object,
      }),
    );
    write([{ name: 'any', reference: signed.reference, expect: { allowed: false } }], {
      policies: ['broken.yaml'],
    });
    const { stderr } = await test();
    assert.match(
      stderr,
      /^policy broken: spec\.validations\[0\]\.expression: No such key: sice \(\S*broken\.yaml:\d+:\d+\)\nmodel\.sice > 0\n {6}\^\n/,
    );
  });

  it('judge as the registry answered, when it is gone', async () => {
    writeFileSync(
      join(workspace.path, 'pod.yaml'),
      stringify({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'p' },
        spec: { containers: [], volumes: [{ name: 'm', image: { reference: signed.reference } }] },
      }),
    );
    write([
      { name: 'signed', reference: signed.reference, expect: { allowed: true, reasons: [] } },
      { name: 'a pod', object: 'pod.yaml', expect: { allowed: true } },
      {
        name: 'unsigned',
        reference: unsigned.reference,
        expect: { allowed: false, reasons: ['SignatureMissing'], messages: ['no signature is attached'] },
      },
    ]);
    const { code, stdout, stderr } = await test('--junit', 'results.xml');
    assert.equal(code, 0, stdout + stderr);
    assert.match(
      stdout,
      /^ok {3}team: signed\nok {3}team: a pod\nok {3}team: unsigned\n3 passed, 0 failed\n$/,
    );
    assert.match(readFileSync(join(workspace.path, 'results.xml'), 'utf8'), /tests="3" failures="0"/);
  });

  it('record what only a policy about attestations asks for', async () => {
    const missing = { allowed: false, reasons: ['AttestationMissing'] };
    write(
      [
        { name: 'attested', reference: attested.reference, expect: { allowed: true, reasons: [] } },
        { name: 'signed', reference: signed.reference, expect: missing },
      ],
      { policies: ['attested.yaml'] },
    );
    const { code, stdout } = await test();
    assert.equal(code, 0, stdout);
  });

  describe('with a signature repository', () => {
    const curated = (pullSecrets: object = {}): object => ({
      ...(JSON.parse(JSON.stringify(teamPolicy(registry))) as object),
      authorities: [
        {
          name: 'curators',
          key: { pem: TEAM_KEY.publicKeyPem },
          signatureRepository: { repository: `${registry.address}/curated/signatures`, ...pullSecrets },
        },
      ],
      attestations: [{ name: 'note', predicateTypes: [NOTE] }],
    });
    const toDocument = (kind: string, name: string, more: object): string =>
      stringify({
        apiVersion: kind === 'Secret' ? 'v1' : 'modelpolicy.dev/v1alpha1',
        kind,
        metadata: { name },
        ...more,
      });
    const config = (): string =>
      JSON.stringify({ auths: { [registry.address]: { username: 'u', password: 'anything' } } });

    before(async () => {
      registry = await startRegistry();
      const model = pushModel(registry);
      const there = { ...model, repository: 'curated/signatures' };
      attachBundle(registry, there, signBundleWithKey(cosignSignStatement(model.digest), TEAM_KEY));
      const statement = attestationStatement(model.digest, NOTE, {});
      attachAttestations(registry, there, [attestWithKey(statement, TEAM_KEY)]);
      const { code, stderr } = await workspace.run([
        'record',
        model.reference,
        '--plain-http',
        registry.address,
        '--signature-repository',
        `${registry.address}/${there.repository}`,
        '--out',
        'recorded/curated.json',
      ]);
      assert.equal(code, 0, stderr);
      await registry.close();
      write([{ name: 'curated', reference: model.reference, expect: { allowed: true, reasons: [] } }], {
        policies: ['curated.yaml', 'secret.yaml'],
      });
    });

    for (const [what, more] of [
      ['judge what was recorded there', {}],
      ['need its Secrets by name alone', { pullSecrets: [{ name: 'curated-pull' }] }],
    ] as const)
      it(what, async () => {
        workspace.write('curated.yaml', toDocument('ClusterModelPolicy', 'team', { spec: curated(more) }));
        workspace.write(
          'secret.yaml',
          toDocument('Secret', 'curated-pull', { stringData: { '.dockerconfigjson': config() } }),
        );
        const { code, stdout, stderr } = await test();
        assert.equal(code, 0, stdout + stderr);
      });

    it('refuse a repository that is none', async () => {
      for (const repository of ['curated', `${registry.address}/curated:tag`]) {
        const args = ['record', signed.reference, '--signature-repository', repository];
        assert.equal((await workspace.run(args)).code, 2);
      }
    });
  });

  it('say what differs, and exit 1', async () => {
    write([
      { name: 'signed', reference: signed.reference, expect: { allowed: false } },
      { name: 'unsigned', reference: unsigned.reference, expect: { allowed: false, reasons: ['Revoked'] } },
    ]);
    const { code, stdout } = await test('--junit', 'results.xml');
    assert.equal(code, 1);
    assert.match(stdout, /FAIL team: signed\n {7}it is admitted, not denied/);
    assert.match(stdout, /its reasons are \[SignatureMissing\], not \[Revoked\]/);
    assert.match(stdout, /0 passed, 2 failed/);
    assert.match(readFileSync(join(workspace.path, 'results.xml'), 'utf8'), /failures="2"/);
  });

  it('take what was not recorded for trouble, and edited bytes for a lie', async () => {
    const other = `${registry.address}/team/other@sha256:${'1'.repeat(64)}`;
    const file = join(workspace.path, 'recorded', 'signed.json');
    const before = readFileSync(file, 'utf8');
    const edited = before.replaceAll('model.safetensors', 'model.safetensorz');
    assert.notEqual(edited, before);
    writeFileSync(file, edited);
    try {
      write([
        { name: 'other', reference: other, expect: { allowed: false, reasons: ['RegistryUnavailable'] } },
        {
          name: 'edited',
          reference: signed.reference,
          expect: { allowed: false, reasons: ['DigestMismatch'] },
        },
      ]);
      const { code, stdout } = await test();
      assert.equal(code, 0, stdout);
    } finally {
      writeFileSync(file, before);
    }
  });

  it('refuse files that they do not understand with exit 2', async () => {
    write([{ name: 'x', reference: signed.reference, expect: { allowed: true, because: 'x' } }]);
    const unknown = await test();
    assert.deepEqual([unknown.code, unknown.stdout], [2, '']);
    assert.match(unknown.stderr, /must NOT have additional properties "because"/);
    write([{ name: 'x', reference: signed.reference, object: 'pod.yaml', expect: { allowed: true } }]);
    assert.equal((await test()).code, 2);
    write([{ name: 'x', reference: signed.reference, expect: { allowed: true } }], {
      policies: ['gone.yaml'],
    });
    assert.match((await test()).stderr, /cannot read .*gone\.yaml/);
    write([{ name: 'x', reference: signed.reference, expect: { allowed: true } }]);
    assert.match((await test('--only', 'nothing')).stderr, /no case holds "nothing"/);
    assert.equal((await workspace.run(['test'])).code, 2);
    assert.equal((await workspace.run(['test', 'recorded'])).code, 2);
  });

  it('record what cannot be had as such, and exit 1', async () => {
    const { code, stderr } = await workspace.run([
      'record',
      signed.reference,
      '--plain-http',
      registry.address,
      '--out',
      'gone.json',
    ]);
    assert.equal(code, 1);
    assert.match(stderr, /RegistryUnavailable/);
    assert.ok(existsSync(join(workspace.path, 'gone.json')));
    assert.equal((await workspace.run(['record'])).code, 2);
    assert.equal((await workspace.run(['record', 'library/model'])).code, 2);
  });
});

// Is what becomes of policy-controller's policies as strict as they are, with every difference named? Its example policies
// and those of its end-to-end tests, each compared with what it becomes in cases/, and judged by the compiler.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import { migrateChecked, renderMigrated } from '../../../src/cli/migrate.ts';
import { createSigstore } from '../../../src/demo/sigstore.ts';
import { toRecord, toText } from '../../../src/lib/text.ts';
import { toOldKind, type MigratedObject, type OldObject } from '../../../src/policy/migrate/migrate.ts';
import type { ClusterModelPolicySpec, TrustRootSpec } from '../../../src/policy/types.ts';
import { parseTrustedRoot } from '../../../src/trust/trusted-root.ts';

const CASES = fileURLToPath(new URL('cases/', import.meta.url));
const PEM = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  .publicKey.export({ format: 'pem', type: 'spki' })
  .toString();
const IDENTITY = { issuer: 'https://idp.test', subject: 'alice' };

function toOld(value: unknown): OldObject {
  const object = toRecord(value);
  const kind = toOldKind(object);
  assert.ok(kind);
  return { kind, name: toText(toRecord(object['metadata'])['name']) ?? '', object };
}

function policy(spec: object): OldObject {
  return toOld({
    apiVersion: 'policy.sigstore.dev/v1beta1',
    kind: 'ClusterImagePolicy',
    metadata: { name: 'old' },
    spec: { images: [{ glob: 'ghcr.io/acme/**' }], authorities: [{ key: { data: PEM } }], ...spec },
  });
}

async function migrateOne(
  spec: object,
  ...others: readonly OldObject[]
): Promise<[ClusterModelPolicySpec, MigratedObject]> {
  const [first] = await migrateChecked([policy(spec), ...others]);
  assert.ok(first?.object);
  return [first.object['spec'] as ClusterModelPolicySpec, first];
}

const effectsOf = ({ differences }: MigratedObject): readonly string[] =>
  differences.slice(1).map(({ effect, field }) => `${effect} ${field}`);

describe('migrate()', () => {
  const files = globSync('*.yaml', { cwd: CASES }).toSorted();

  it('is asked about every example policy', () => assert.ok(files.length >= 23));

  // Run with WRITE_MIGRATIONS=1 to write the files, and read what changed.
  for (const file of files)
    it(`makes of ${file} what stands beside it`, async () => {
      const documents = parseAllDocuments(readFileSync(`${CASES}${file}`, 'utf8'));
      const text = renderMigrated(await migrateChecked(documents.map((document) => toOld(document.toJS()))));
      const golden = `${CASES}${file.replace('.yaml', '.out')}`;
      if (process.env['WRITE_MIGRATIONS'] === '1') writeFileSync(golden, text);
      assert.equal(text, readFileSync(golden, 'utf8'));
    });

  it('keeps alternatives, and leaves out what admits less by its absence', async () => {
    const [spec, result] = await migrateOne({
      authorities: [
        { key: { data: PEM } },
        { name: 'kms', key: { kms: 'awskms:///alias/x' } },
        { name: 'ca', keyless: { 'ca-cert': { data: 'x' }, identities: [IDENTITY] } },
        { static: { action: 'fail' } },
      ],
    });
    assert.deepEqual(
      spec.authorities.map(({ name }) => name),
      ['authority-0'],
    );
    assert.deepEqual(effectsOf(result), [
      'Denies spec.authorities[1]',
      'Denies spec.authorities[2]',
      'Same spec.authorities',
    ]);
  });

  it('admits without a signature only what was so admitted', async () => {
    const authorities = [{ static: { action: 'pass' } }];
    const [same] = await migrateOne({ authorities });
    assert.equal(same.authorities[0]?.static?.action, 'Pass');
    for (const wider of [
      { images: [{ glob: 'ghcr.io/acme/model' }] },
      { images: [{ glob: 'ghcr.io/acme/model:v1' }] },
      { images: [{ glob: `ghcr.io/acme/model@sha256:${'0'.repeat(64)}` }] },
      { images: [{ glob: '*.example.com/**' }] },
      { images: [{ glob: 'bad glob' }] },
      { images: [] },
      { match: [{ resource: 'pods', version: 'v1', selector: { matchLabels: { a: 'b' } } }] },
      { surprise: true },
      { mode: 'audit' },
    ]) {
      const [spec, result] = await migrateOne({ authorities, ...wider });
      assert.equal(spec.authorities[0]?.static?.action, 'Fail', JSON.stringify(wider));
      assert.ok(effectsOf(result).some((effect) => effect.startsWith('Denies')));
    }
  });

  it('denies where nothing of the authorities could be written', async () => {
    for (const authorities of [
      [],
      [{}],
      [{ key: { data: PEM }, keyless: {} }],
      [{ key: { data: PEM, surprise: 1 } }],
      [{ key: { data: PEM }, surprise: 1 }],
      [{ keyless: { identities: [{ issuer: 'a' }] } }],
      [{ keyless: { identities: [IDENTITY], trustRootRef: 'a' }, ctlog: { trustRootRef: 'b' } }],
      [{ keyless: { identities: [IDENTITY] }, ctlog: { trustRootRef: 'b' } }],
      [{ keyless: { identities: [IDENTITY] }, rfc3161timestamp: { trustRootRef: 'b' } }],
    ]) {
      const [{ authorities: own }] = await migrateOne({ authorities });
      assert.equal(own[0]?.static?.action, 'Fail', JSON.stringify(authorities));
    }
  });

  it('replaces what does not compile by what denies', async () => {
    const [spec, result] = await migrateOne({ authorities: [{ key: { data: 'no key' } }] });
    assert.deepEqual(spec.authorities[0]?.static?.action, 'Fail');
    assert.match(result.differences.at(-1)?.message ?? '', /does not compile: .*authorities\[0\]\.key/);
  });

  it('demands attestations in place of signatures, as there', async () => {
    const attesting = (name: string, type: string, more: object = {}): object => ({
      name,
      key: { data: PEM },
      attestations: [{ name: 'a', predicateType: type }],
      ...more,
    });
    const [one] = await migrateOne({ authorities: [attesting('x', 'vuln')] });
    assert.equal(one.minAuthorities, 0);
    assert.deepEqual(one.attestations, [
      { name: 'a', predicateTypes: ['https://cosign.sigstore.dev/attestation/vuln/v1'], authorities: ['x'] },
    ]);
    const [twins] = await migrateOne({ authorities: [attesting('x', 'vuln'), attesting('y', 'vuln')] });
    assert.deepEqual(twins.attestations?.[0]?.authorities, ['x', 'y']);
    const [first, result] = await migrateOne({
      authorities: [attesting('x', 'vuln'), attesting('y', 'spdx')],
    });
    assert.deepEqual(first.attestations?.[0]?.authorities, ['x']);
    assert.ok(effectsOf(result).includes('Stricter spec.authorities'));
    const [plain] = await migrateOne({ authorities: [attesting('x', 'vuln'), { key: { data: PEM } }] });
    assert.deepEqual([plain.attestations, plain.authorities.length], [undefined, 1]);
  });

  it('lets nothing satisfy rules that it cannot translate', async () => {
    const [spec] = await migrateOne({
      policy: { type: 'rego', data: 'package sigstore\nisCompliant = true' },
      authorities: [
        {
          key: { data: PEM },
          attestations: [
            { name: 'a', predicateType: 'custom', policy: { type: 'cue', remote: { url: 'https://x' } } },
          ],
        },
      ],
    });
    assert.equal(spec.validations?.[0]?.expression, 'false');
    assert.equal(spec.attestations?.[0]?.validations?.[0]?.expression, 'false');
  });

  it('takes the first key alone, and the only entry of a Secret', async () => {
    const second = generateKeyPairSync('ed25519')
      .publicKey.export({ format: 'pem', type: 'spki' })
      .toString();
    const [spec] = await migrateOne({ authorities: [{ key: { data: `${PEM}${second}` } }] });
    assert.equal(spec.authorities[0]?.key?.pem, PEM);
    const secret = toOld({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 's' },
      data: { 'key.pem': 'eA==' },
    });
    const [named] = await migrateOne({ authorities: [{ key: { secretRef: { name: 's' } } }] }, secret);
    assert.deepEqual(named.authorities[0]?.key?.secretKeyRef, { name: 's', key: 'key.pem' });
  });

  it('writes the TrustRoots that are needed, with what they ask for', async () => {
    const sigstore = await createSigstore();
    const pem = (der: Buffer): string =>
      `-----BEGIN CERTIFICATE-----\n${der.toString('base64')}\n-----END CERTIFICATE-----\n`;
    const root = toOld({
      apiVersion: 'policy.sigstore.dev/v1alpha1',
      kind: 'TrustRoot',
      metadata: { name: 'own' },
      spec: {
        sigstoreKeys: {
          certificateAuthorities: [
            {
              subject: {},
              uri: 'https://ca.test',
              certChain: Buffer.from(sigstore.authority.chain.map(pem).join('')).toString('base64'),
            },
          ],
          tLogs: [{ baseURL: 'https://log.test', hashAlgorithm: 'sha-256', publicKey: PEM }],
          timestampAuthorities: [
            {
              subject: {},
              uri: 'https://tsa.test',
              certChain: sigstore.timestampAuthority.chain.map(pem).join(''),
            },
          ],
        },
      },
    });
    const keyless = { identities: [IDENTITY], trustRootRef: 'own' };
    const results = await migrateChecked([
      policy({
        authorities: [
          { name: 'log', keyless, ctlog: {} },
          { name: 'tsa', keyless, rfc3161timestamp: { trustRootRef: 'own' } },
          { name: 'key', key: { data: PEM }, ctlog: { trustRootRef: 'own' } },
        ],
      }),
      root,
    ]);
    const spec = results[0]?.object?.['spec'] as ClusterModelPolicySpec;
    assert.deepEqual(
      spec.authorities.map(({ keyless: own, key }) => own?.trustRootRef.name ?? key?.trustRootRef?.name),
      ['own', 'own-without-log', 'own'],
    );
    assert.equal(spec.authorities[2]?.key?.minLogEntries, 1);
    assert.deepEqual(
      results.slice(1).map(({ name }) => name),
      ['own', 'own-without-log'],
    );
    const roots = results.slice(1).map(({ object }) => object?.['spec'] as TrustRootSpec);
    assert.deepEqual(roots[1]?.requirements, { logEntries: 0 });
    const parsed = parseTrustedRoot(Buffer.from(roots[0]?.trustedRoot?.json ?? ''));
    assert.deepEqual(parsed.certificateAuthorities[0]?.chain, sigstore.authority.chain);
    assert.equal(parsed.logs[0]?.publicKey.export({ format: 'pem', type: 'spki' }), PEM);
  });

  it('follows a TUF mirror, and writes no TrustRoot that it cannot read', async () => {
    const trustRoot = (spec: object): OldObject =>
      toOld({ apiVersion: 'policy.sigstore.dev/v1alpha1', kind: 'TrustRoot', metadata: { name: 'r' }, spec });
    const remote = { mirror: 'https://tuf.test', root: Buffer.from('{"signed":{}}').toString('base64') };
    const [followed] = await migrateChecked([trustRoot({ remote })]);
    assert.deepEqual((followed?.object?.['spec'] as TrustRootSpec | undefined)?.tuf, {
      mirror: 'https://tuf.test',
      root: { json: '{"signed":{}}' },
    });
    for (const spec of [
      {},
      { remote: { ...remote, targets: 'elsewhere' } },
      { repository: { root: 'x', mirrorFS: 'x' } },
      { sigstoreKeys: { certificateAuthorities: [{ certChain: 'x' }] } },
      { sigstoreKeys: { tLogs: [{ publicKey: 'x' }] } },
      { remote, repository: {} },
    ]) {
      const [result] = await migrateChecked([trustRoot(spec)]);
      assert.equal(result?.object, undefined, JSON.stringify(spec));
      assert.ok(result?.differences.some(({ effect }) => effect === 'Denies'));
    }
  });

  it('keeps what was written inside of comments', async () => {
    const source = 'package x\n---\nkind: ClusterModelPolicy\u2028spec: {}\u0085a: b\r\rc: d';
    const text = renderMigrated(await migrateChecked([policy({ policy: { type: 'rego', data: source } })]));
    const documents = parseAllDocuments(text);
    assert.equal(documents.length, 1, text);
    assert.deepEqual(documents[0]?.errors, []);
    assert.equal(toRecord(documents[0]?.toJS())['kind'], 'ClusterModelPolicy');
    assert.ok(text.includes('#   | kind: ClusterModelPolicy'));
  });
});

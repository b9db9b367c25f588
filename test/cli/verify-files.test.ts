// Does verify-files accept exactly the files that were signed, and name what differs? The command over directories
// made for the purpose.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, type KeyObject } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArguments, UsageError } from '../../src/cli/arguments.ts';
import { runVerifyFiles, VERIFY_FILES } from '../../src/cli/verify-files.ts';
import { certificatePem } from '../../src/demo/certificate.ts';
import { generateSigningKey } from '../../src/demo/keys.ts';
import { signBundleWithKey } from '../../src/demo/sign-with-key.ts';
import { createSigstore } from '../../src/demo/sigstore.ts';
import { cosignSignStatement, modelSigningStatement } from '../../src/demo/statement.ts';
import { createPki, leafExtensions, signAs } from '../signature/pki.ts';

const key = generateSigningKey('p384');
const FILES = { 'config.json': '{}', 'weights.bin': 'x'.repeat(3_000_000), 'sub/empty': '' };

interface Resource {
  readonly name: string;
  readonly digest: string;
  readonly algorithm?: string;
}

const hashOf = (content: string | Buffer, hash = 'sha256'): string =>
  createHash(hash).update(content).digest('hex');

function resourcesOf(files: Readonly<Record<string, string>>): Resource[] {
  return Object.entries(files).map(([name, content]) => ({ name, digest: hashOf(content) }));
}

function statementOf(resources: readonly Resource[], serialization: object = {}): object {
  const statement = modelSigningStatement('model', resources, []) as { predicate: { serialization: object } };
  const { predicate } = statement;
  return {
    ...statement,
    predicate: { ...predicate, serialization: { ...predicate.serialization, ...serialization } },
  };
}

interface Answer {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

async function run(...parameters: readonly string[]): Promise<Answer> {
  const answer = { output: '', errors: '' };
  const output = {
    answer: (line: string): void => void (answer.output += `${line}\n`),
    note: (line: string): void => void (answer.errors += `${line}\n`),
  };
  try {
    const { values, positionals } = parseArguments(VERIFY_FILES, parameters, {});
    const code = await runVerifyFiles(values, positionals, output);
    return { code, ...answer };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return { code: 2, ...answer, errors: error.message };
  }
}

describe('model-policy verify-files', () => {
  let scratch = '';
  let model = '';
  let keyFile = '';

  beforeEach(() => {
    scratch = mkdtempSync(join(tmpdir(), 'verify-files-'));
    model = join(scratch, 'model');
    mkdirSync(join(model, 'sub'), { recursive: true });
    for (const [name, content] of Object.entries(FILES)) writeFileSync(join(model, name), content);
    keyFile = join(scratch, 'key.pub');
    writeFileSync(keyFile, key.publicKeyPem);
  });
  afterEach(() => rmSync(scratch, { recursive: true, force: true }));

  function sign(
    statement: object,
    place = join(scratch, 'model.sig'),
    by: { privateKey: KeyObject } = key,
  ): string {
    writeFileSync(place, JSON.stringify(signBundleWithKey(statement, by, { style: 'model_signing' })));
    return place;
  }

  const verify = (bundle: string, ...more: readonly string[]): Promise<Answer> =>
    run(model, '--bundle', bundle, '--key', keyFile, ...more);

  async function refused(bundle: string, message: RegExp, ...more: readonly string[]): Promise<void> {
    const { code, output } = await verify(bundle, '--json', ...more);
    const answer = JSON.parse(output) as { verified: boolean; findings: { message: string }[] };
    assert.match(answer.findings.map((finding) => finding.message).join('\n'), message);
    assert.deepEqual([code, answer.verified], [1, false]);
  }

  async function accepted(bundle: string, ...more: readonly string[]): Promise<void> {
    const { code, output, errors } = await verify(bundle, '--json', ...more);
    assert.equal(output, '{"verified":true,"findings":[]}\n');
    assert.deepEqual([code, errors], [0, '']);
  }

  it('verifies a directory, also with the signature in it, and says who signed', async () => {
    const statement = statementOf(resourcesOf(FILES));
    await accepted(sign(statement));
    const { code, output } = await verify(sign(statement, join(model, 'model.sig')));
    assert.match(output, /^verified: .*\nby key [0-9a-f]{64}\n$/);
    assert.equal(code, 0);
  });

  it('names changed, surplus and missing files', async () => {
    const bundle = sign(statementOf(resourcesOf(FILES)));
    writeFileSync(join(model, 'weights.bin'), `${'x'.repeat(2_999_999)}y`);
    await refused(bundle, /^FileSetMismatch.*"weights\.bin" is not the one that was signed/);
    writeFileSync(join(model, 'extra'), '');
    await refused(bundle, /"extra" is not among the signed files/);
    rmSync(join(model, 'extra'));
    rmSync(join(model, 'config.json'));
    await refused(bundle, /"config\.json" is missing/);
    renameSync(join(model, 'sub'), join(model, 'Sub'));
    await refused(
      bundle,
      /"Sub\/empty" is not among.*\n.*"config\.json" is missing.*\n.*"sub\/empty" is missing/,
    );
  });

  it('leaves out what was signed as left out, and what the caller names, and nothing else', async () => {
    mkdirSync(join(model, '.git'));
    writeFileSync(join(model, '.git', 'HEAD'), 'ref');
    await refused(sign(statementOf(resourcesOf(FILES))), /"\.git\/HEAD" is not among/);
    await accepted(sign(statementOf(resourcesOf(FILES), { ignore_paths: ['.git'] })));
    await accepted(sign(statementOf(resourcesOf(FILES))), '--ignore-path', '.git/');
    for (const path of ['.', '', '..', './', '/', '.gi', '.git/HEA', '../model'])
      await refused(sign(statementOf(resourcesOf(FILES), { ignore_paths: [path] })), /is not among/);
    await refused(sign(statementOf(resourcesOf(FILES))), /is not among/, '--ignore-path', '.');
  });

  it('still wants a file that is signed and left out', async () => {
    const bundle = sign(statementOf(resourcesOf(FILES), { ignore_paths: ['sub', 'weights.bin'] }));
    await accepted(bundle);
    writeFileSync(join(model, 'weights.bin'), 'y');
    await refused(bundle, /"weights\.bin" is not the one/);
  });

  it('follows links only where they are signed, and never out of the directory', async () => {
    symlinkSync('config.json', join(model, 'link'));
    const linked = resourcesOf({ ...FILES, link: '{}' });
    await refused(sign(statementOf(linked)), /"link" is a link, which the signature does not allow/);
    const allowed = sign(statementOf(linked, { allow_symlinks: true }));
    await accepted(allowed);
    const outside = join(scratch, 'outside');
    writeFileSync(outside, '{}');
    for (const [target, message] of [
      [outside, /leads out of the directory/],
      ['../outside', /leads out of the directory/],
      ['sub', /leads to something that is no file/],
      ['nowhere', /cannot be followed \(ENOENT\)/],
      ['link', /cannot be followed \(ELOOP\)/],
    ] as const) {
      rmSync(join(model, 'link'));
      symlinkSync(target, join(model, 'link'));
      await refused(allowed, message);
    }
  });

  it('refuses pipes and what it may not read, without waiting', async () => {
    const bundle = sign(statementOf(resourcesOf({ ...FILES, pipe: '' })));
    execFileSync('mkfifo', [join(model, 'pipe')]);
    await refused(bundle, /"pipe" is neither a file nor a folder/);
    rmSync(join(model, 'pipe'));
    writeFileSync(join(model, 'pipe'), '');
    await accepted(bundle);
    if (process.getuid?.() === 0) return;
    chmodSync(join(model, 'pipe'), 0);
    await refused(bundle, /"pipe": it cannot be read \(EACCES\)/);
  });

  it('verifies shards, blake2b and single files as model_signing writes them', async () => {
    const weights = FILES['weights.bin'];
    const shards = [
      ...[0, 1_000_000, 2_000_000].map((start) => ({
        name: `weights.bin:${start}:${start + 1_000_000}`,
        digest: hashOf(weights.slice(start, start + 1_000_000)),
        algorithm: 'sha256-sharded-1000000',
      })),
      { name: 'config.json:0:2', digest: hashOf('{}') },
    ];
    const sharded = { method: 'shards', shard_size: 1_000_000 };
    const bundle = sign(statementOf(shards, sharded));
    await accepted(bundle);
    writeFileSync(join(model, 'weights.bin'), `${weights}x`);
    await refused(bundle, /has 3000001 bytes where 3000000 were signed/);
    await refused(
      sign(statementOf(shards.slice(1), sharded)),
      /shards of "weights\.bin" are not the whole file/,
    );
    writeFileSync(join(model, 'weights.bin'), weights);
    const blake = resourcesOf(FILES).map(({ name }) => ({
      name,
      digest: hashOf(FILES[name as keyof typeof FILES], 'blake2b512'),
      algorithm: 'blake2b',
    }));
    await accepted(sign(statementOf(blake)));
    const [blake3] = blake.map((resource) => ({ ...resource, algorithm: 'blake3' }));
    await refused(sign(statementOf(blake3 === undefined ? [] : [blake3])), /UnsupportedFormat.*"blake3"/);
    const one = sign(statementOf([{ name: '.', digest: hashOf(weights) }]));
    await refused(one, /one file was signed, not a directory/);
    for (const name of ['.', 'weights.bin'])
      assert.equal(
        (
          await run(
            join(model, 'weights.bin'),
            '--bundle',
            sign(statementOf([{ name, digest: hashOf(weights) }])),
            '--key',
            keyFile,
          )
        ).code,
        0,
      );
  });

  const names = ['../x', '/x', 'a//b', './config.json', 'a\\b', 'sub/', 'a\0b', ''];
  it('refuses names that are no plain relative paths, and names that stand twice', async () => {
    for (const name of names)
      await refused(sign(statementOf([{ name, digest: hashOf('') }])), /is not canonical/);
    const [first] = resourcesOf({ 'config.json': '{}' });
    assert.ok(first);
    for (const name of ['config.json', 'CONFIG.json'])
      await refused(sign(statementOf([first, { ...first, name }])), /stands twice/);
  });

  it('refuses other signers, other statements and broken bundles', async () => {
    const statement = statementOf(resourcesOf(FILES));
    await refused(sign(statement, undefined, generateSigningKey('p256')), /^SignerNotTrusted/);
    await refused(sign(cosignSignStatement(`sha256:${'ab'.repeat(32)}`)), /^UnsupportedFormat/);
    const bundle = join(scratch, 'broken.sig');
    for (const bytes of ['', '{}', 'x'.repeat(2_000_000)]) {
      writeFileSync(bundle, bytes);
      await refused(bundle, /^(?:SignatureInvalid|UnsupportedFormat|ArtifactTooLarge)/);
    }
  });

  it('verifies certificates at the present time, and keyless signers', async () => {
    const pki = createPki();
    const roots = join(scratch, 'roots.pem');
    writeFileSync(roots, certificatePem(pki.root.certificate));
    const bundle = join(scratch, 'pki.sig');
    const statement = statementOf(resourcesOf(FILES));
    for (const [notAfter, code] of [
      [new Date('2040-01-01'), 0],
      [new Date('2024-01-01'), 1],
    ] as const) {
      const signer = signAs(pki.intermediate, { notAfter, extensions: leafExtensions() });
      const chain = [signer.leaf, pki.intermediate.certificate];
      writeFileSync(
        bundle,
        JSON.stringify(signBundleWithKey(statement, signer.key, { certificateChain: chain })),
      );
      assert.equal((await run(model, '--bundle', bundle, '--roots', roots)).code, code);
    }
    const sigstore = await createSigstore();
    const identity = { issuer: 'https://idp.models.test', subject: 'alice@models.test' };
    const root = join(scratch, 'root.json');
    writeFileSync(root, sigstore.trustedRootJson());
    writeFileSync(bundle, JSON.stringify(await sigstore.signKeyless(statement, identity)));
    const ask = (subject: string): Promise<Answer> =>
      run(
        model,
        '--bundle',
        bundle,
        '--issuer',
        identity.issuer,
        '--subject',
        subject,
        '--trusted-root',
        root,
      );
    assert.equal((await ask(identity.subject)).code, 0);
    assert.match((await ask('bob@models.test')).output, /IdentityMismatch/);
  });

  it('explains wrong use with exit code 2', async () => {
    const bundle = sign(statementOf(resourcesOf(FILES)));
    const uses: readonly (readonly [readonly string[], RegExp])[] = [
      [[], /takes one DIR/],
      [[model], /--bundle is required/],
      [[model, '--bundle', bundle], /exactly one of --key, --issuer with --subject, --roots/],
      [[model, '--bundle', bundle, '--key', keyFile, '--roots', keyFile], /exactly one of/],
      [[model, '--bundle', bundle, '--issuer', 'x'], /belong together/],
      [[model, '--bundle', bundle, '--key', join(scratch, 'nope')], /cannot read key/],
      [[model, '--bundle', bundle, '--key', bundle], /it holds no PEM block/],
      [[model, '--bundle', bundle, '--roots', keyFile], /not CERTIFICATE/],
      [[model, '--bundle', join(scratch, 'nope'), '--key', keyFile], /cannot read bundle/],
      [[model, '--bundle', model, '--key', keyFile], /is no file/],
      [[join(scratch, 'nope'), '--bundle', bundle, '--key', keyFile], /cannot read DIR/],
      [['/dev/null', '--bundle', bundle, '--key', keyFile], /neither directory nor file/],
      [[model, '--bundle', bundle, '--key', keyFile, '--trusted-root', bundle], /belongs to --issuer/],
      [[model, '--nonsense'], /nonsense/],
    ];
    await Promise.all(
      uses.map(async ([parameters, message]) => {
        const { code, errors, output } = await run(...parameters);
        assert.match(errors, message);
        assert.deepEqual([code, output], [2, '']);
      }),
    );
  });
});

// Does verify-bundle keep its contract: exit codes, one line of JSON on rejection, usage errors for what cannot be read?
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArguments, UsageError } from '../../src/cli/arguments.ts';
import { runVerifyBundle, VERIFY_BUNDLE } from '../../src/cli/verify-bundle.ts';
import { generateSigningKey } from '../../src/demo/keys.ts';
import { signMessage } from '../signature/message-bundle.ts';
import { ALICE, change, createWorld, type World } from '../signature/support.ts';

const MODEL = Buffer.from('a model');
const DIGEST = `sha256:${createHash('sha256').update(MODEL).digest('hex')}`;

describe('model-policy verify-bundle', () => {
  let directory: string;
  let world: World;
  const file = (name: string, content: Buffer | string): string => {
    const target = path.join(directory, name);
    writeFileSync(target, content);
    return target;
  };

  before(async () => {
    directory = mkdtempSync(path.join(tmpdir(), 'verify-bundle-'));
    world = await createWorld('v2');
    file('model', MODEL);
    file('bundle.json', JSON.stringify(signMessage(world.sigstore, MODEL)));
    file('root.json', world.sigstore.trustedRootJson());
  });

  after(() => {
    rmSync(directory, { recursive: true });
  });

  async function run(...args: readonly string[]): Promise<{ code: number; answer: Record<string, unknown> }> {
    const lines: string[] = [];
    const { values, positionals } = parseArguments(VERIFY_BUNDLE, args, {});
    const output = { answer: (line: string) => void lines.push(line), note: () => undefined };
    const code = await runVerifyBundle(values, positionals, output);
    assert.equal(lines.length, 1);
    return { code, answer: JSON.parse(lines[0] ?? '') as Record<string, unknown> };
  }

  const at = (name: string): string => path.join(directory, name);
  const identity = ['--certificate-identity', ALICE.subject, '--certificate-oidc-issuer', ALICE.issuer];
  const common = (): string[] => ['--bundle', at('bundle.json'), '--trusted-root', at('root.json')];

  it('verifies a file and its digest', async () => {
    for (const target of [at('model'), DIGEST]) {
      const { code, answer } = await run(...common(), ...identity, target);
      assert.equal(code, 0);
      assert.deepEqual([answer['verified'], answer['subject']], [true, ALICE.subject]);
    }
  });

  it('rejects with code and reason', async () => {
    const other = file('other', 'another model');
    const cases: [string, string[]][] = [
      ['SubjectMismatch', [...common(), ...identity, other]],
      [
        'IdentityMismatch',
        [...common(), '--certificate-identity', 'bob@models.test', ...identity.slice(2), at('model')],
      ],
      ['TransparencyLogInvalid', ['--bundle', at('bundle.json'), ...identity, at('model')]],
      ['TransparencyLogInvalid', [...common(), ...identity, '--tlog-threshold', '2', at('model')]],
      ['TimestampInvalid', [...common(), ...identity, '--timestamp-threshold', '2', at('model')]],
      ['CertificateInvalid', [...common(), ...identity, '--ctlog-threshold', '2', at('model')]],
      ['SignerNotTrusted', [...common(), '--key', file('bad.pub', 'no key'), at('model')]],
      [
        'SignerNotTrusted',
        [...common(), '--key', file('k.pub', generateSigningKey('p256').publicKeyPem), at('model')],
      ],
      [
        'TrustRootUnavailable',
        ['--bundle', at('bundle.json'), '--trusted-root', file('bad.json', '{}'), ...identity, at('model')],
      ],
      [
        'SignatureInvalid',
        ['--bundle', file('junk.json', '{'), '--trusted-root', at('root.json'), ...identity, at('model')],
      ],
    ];
    for (const [expected, args] of cases) {
      const { code, answer } = await run(...args);
      assert.equal(code, 1);
      assert.deepEqual([answer['verified'], answer['code']], [false, expected], String(answer['reason']));
      assert.ok(typeof answer['reason'] === 'string' && answer['reason'] !== '');
    }
  });

  it('verifies with thresholds of 0 what has no evidence of that kind', async () => {
    const key = generateSigningKey('p256');
    const bare = change(
      signMessage(world.sigstore, MODEL, { key }),
      ['verificationMaterial', 'tlogEntries'],
      [],
    );
    const args = [
      '--bundle',
      file('bare.json', JSON.stringify(bare)),
      '--trusted-root',
      at('root.json'),
      '--key',
      file('key.pub', key.publicKeyPem),
      at('model'),
    ];
    assert.equal((await run(...args)).answer['code'], 'TransparencyLogInvalid');
    assert.equal((await run('--tlog-threshold', '0', ...args)).code, 0);
  });

  it('takes a file that has the name of a digest', async () => {
    const cwd = process.cwd();
    process.chdir(directory);
    try {
      file(DIGEST, 'another model');
      assert.equal((await run(...common(), ...identity, DIGEST)).answer['code'], 'SubjectMismatch');
    } finally {
      rmSync(at(DIGEST));
      process.chdir(cwd);
    }
  });

  it('tells usage from rejection', async () => {
    const cases = [
      [...common(), ...identity],
      [...common(), ...identity, at('model'), at('model')],
      [...common(), at('model')],
      [...common(), '--key', at('model'), ...identity, at('model')],
      ['--trusted-root', at('root.json'), ...identity, at('model')],
      ['--bundle', at('absent'), ...identity, at('model')],
      [...common(), ...identity, at('absent')],
      [...common(), ...identity, '--tlog-threshold', '-1', at('model')],
      [...common(), ...identity, '--tlog-threshold', '10', at('model')],
      [...common(), ...identity, '--unknown', at('model')],
    ];
    for (const args of cases) await assert.rejects(async () => run(...args), UsageError, args.join(' '));
  });
});

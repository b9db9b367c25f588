// Are helpers run by name alone, asked about the exact host, and believed within bounds?
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import {
  createHelperRunner,
  createHelperSource,
  MAX_HELPER_OUTPUT_BYTES,
  MAX_HELPERS_AT_ONCE,
  type HelperOutput,
  type RunHelper,
} from '../../src/registry/credential-helper.ts';
import type { FoundCredentials } from '../../src/registry/keychain.ts';
import { soon } from './servers.ts';

const json = (value: object): HelperOutput => ({ status: 0, stdout: JSON.stringify(value) });
const SECRET = json({ Username: 'u', Secret: 'p' });

function stage(output: HelperOutput | RunHelper, helpers: Record<string, string> = {}, store?: string) {
  const runs: (readonly [string, string])[] = [];
  const source = createHelperSource(
    { helpers: new Map(Object.entries(helpers)), store },
    (program, input) => {
      runs.push([program, input]);
      return typeof output === 'function' ? output(program, input) : Promise.resolve(output);
    },
  );
  const find = (registry: string): Promise<FoundCredentials> =>
    source.find({ registry, repository: 'team/model' }, soon());
  return { runs, find };
}

describe('createHelperSource()', () => {
  it('asks the helper of the host, and the store about every other host', async () => {
    const { find, runs } = stage(SECRET, { 'a.example': 'one', 'docker.io': 'hub' }, 'store');
    for (const host of ['a.example', 'a.example:5000', 'a.example.evil.test', 'docker.io'])
      assert.deepEqual((await find(host)).credentials, [{ username: 'u', password: 'p' }]);
    assert.deepEqual(runs, [
      ['docker-credential-one', 'a.example'],
      ['docker-credential-store', 'a.example:5000'],
      ['docker-credential-store', 'a.example.evil.test'],
      ['docker-credential-hub', 'https://index.docker.io/v1/'],
    ]);
  });

  it('runs nothing for a host that no helper is configured for', async () => {
    const { find, runs } = stage(SECRET, { 'a.example': 'one' });
    for (const host of ['b.example', 'a.example:5000', 'x.a.example', 'a.example.evil.test'])
      assert.deepEqual(await find(host), { credentials: [], failures: [], missing: [] });
    assert.deepEqual(runs, []);
  });

  it('reads identity tokens', async () => {
    const { find } = stage(json({ Username: '<token>', Secret: 'refresh' }), { 'a.example': 'one' });
    assert.deepEqual((await find('a.example')).credentials, [{ username: '<token>', password: 'refresh' }]);
  });

  for (const server of ['', 'a.example', 'https://a.example', 'https://A.example/v2/', 'a.example:443'])
    it(`takes an answer about ${JSON.stringify(server)} for its own`, async () => {
      const { find } = stage(json({ ServerURL: server, Username: 'u', Secret: 'p' }), { 'a.example': 'one' });
      assert.equal((await find('a.example')).credentials.length, 1);
    });

  const failures: readonly (readonly [string, HelperOutput])[] = [
    ['an answer about another server', json({ ServerURL: 'b.example', Username: 'u', Secret: 'p' })],
    ['an answer about a look-alike', json({ ServerURL: 'a.example.evil.test', Username: 'u', Secret: 'p' })],
    ['no JSON', { status: 0, stdout: 'secret' }],
    ['nothing', { status: 0, stdout: '' }],
    ['a failure', { status: 1, stdout: 'secret: locked' }],
    ['no end', { status: null, stdout: '{"Username":"u","Secret":"secret"}' }],
  ];
  for (const [what, output] of failures)
    it(`fails for ${what}, without showing it, and asks again`, async () => {
      const { find, runs } = stage(output, { 'a.example': 'one' });
      const found = await find('a.example');
      assert.deepEqual(found.credentials, []);
      assert.match(found.failures.join(), /^credential helper "one" failed for "a\.example": /);
      assert.doesNotMatch(found.failures.join(), /secret/);
      await find('a.example');
      assert.equal(runs.length, 2);
    });

  it('takes "not found" and an empty secret for an answer, and remembers answers', async () => {
    for (const output of [
      { status: 1, stdout: 'credentials not found in native keychain\n' },
      json({ Username: 'u', Secret: '' }),
    ]) {
      const { find, runs } = stage(output, {}, 'store');
      assert.deepEqual(await find('a.example'), { credentials: [], failures: [], missing: [] });
      await find('a.example');
      assert.equal(runs.length, 1);
    }
  });

  for (const name of ['../evil', 'a/b', '-x', 'a b', '', 'a;b', 'x'.repeat(65)])
    it(`runs no program of the name ${JSON.stringify(name.slice(0, 20))}`, async () => {
      const { find, runs } = stage(SECRET, { 'a.example': name });
      assert.match((await find('a.example')).failures.join(), /name is no program/);
      assert.deepEqual(runs, []);
    });

  it(`runs no more than ${MAX_HELPERS_AT_ONCE} at once`, async () => {
    const { promise, resolve } = Promise.withResolvers<HelperOutput>();
    const { find, runs } = stage(() => promise, {}, 'store');
    const hosts = Array.from({ length: MAX_HELPERS_AT_ONCE }, (_, index) => find(`r${index}.example`));
    assert.match((await find('late.example')).failures.join(), /too many/);
    resolve(SECRET);
    assert.ok((await Promise.all(hosts)).every(({ credentials }) => credentials.length === 1));
    assert.equal((await find('late.example')).credentials.length, 1);
    assert.equal(runs.length, MAX_HELPERS_AT_ONCE + 1);
  });
});

describe('createHelperRunner()', () => {
  let directory: string;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'credential-helper-'));
  });
  after(() => rmSync(directory, { recursive: true }));

  const program = (name: string, script: string, timeoutMs?: number): RunHelper => {
    const path = join(directory, name);
    writeFileSync(path, `#!${process.execPath}\n${script}\n`);
    chmodSync(path, 0o700);
    return createHelperRunner(
      { PATH: `${directory}:${dirname(process.execPath)}`, HOME: '/nowhere' },
      timeoutMs,
    );
  };

  it('hands over the host on standard input, "get", and our choice of environment alone', async () => {
    const log = join(directory, 'log');
    // Node hands its own coverage directory to every child.
    const run = program(
      'docker-credential-log',
      `const input = require('node:fs').readFileSync(0, 'utf8');
       const seen = { input, args: process.argv.slice(2), env: Object.keys(process.env).filter((name) => name !== 'NODE_V8_COVERAGE').sort() };
       require('node:fs').writeFileSync(${JSON.stringify(log)}, JSON.stringify(seen));
       console.log('{"Username":"u","Secret":"p"}');`,
    );
    const output = await run('docker-credential-log', 'a.example; touch x');
    assert.deepEqual([output.status, output.stdout], [0, '{"Username":"u","Secret":"p"}\n']);
    assert.deepEqual(JSON.parse(readFileSync(log, 'utf8')), {
      input: 'a.example; touch x',
      args: ['get'],
      env: ['HOME', 'PATH'],
    });
  });

  it('says the exit code, and 127 for a program that is not there', async () => {
    const run = program('docker-credential-fail', 'console.log("no"); process.exit(3)');
    assert.deepEqual(await run('docker-credential-fail', 'x'), { status: 3, stdout: 'no\n' });
    assert.equal((await run('docker-credential-none', 'x')).status, 127);
  });

  it('ends one that says too much, and one that never reads', async () => {
    const loud = program(
      'docker-credential-loud',
      `for (let i = 0; i < 100; i += 1) process.stdout.write('x'.repeat(${MAX_HELPER_OUTPUT_BYTES}));
       setInterval(() => undefined, 1000);`,
    );
    const output = await loud('docker-credential-loud', 'x');
    assert.equal(output.status, null);
    assert.ok(output.stdout.length <= MAX_HELPER_OUTPUT_BYTES);
    const deaf = program('docker-credential-deaf', 'process.exit(0)');
    assert.equal((await deaf('docker-credential-deaf', 'x'.repeat(1_000_000))).status, 0);
  });

  it('ends one that takes too long, whatever it left behind', async () => {
    const run = program(
      'docker-credential-slow',
      `const child = require('node:child_process').spawn(process.execPath, ['-e', 'setTimeout(() => 0, 20000)'], { stdio: ['ignore', 'inherit', 'ignore'] });
       require('node:fs').writeFileSync(${JSON.stringify(join(directory, 'child'))}, String(child.pid));
       setInterval(() => undefined, 1000);`,
      1500,
    );
    assert.equal((await run('docker-credential-slow', 'x')).status, null);
    const child = join(directory, 'child');
    if (existsSync(child)) process.kill(Number(readFileSync(child, 'utf8')));
  });
});

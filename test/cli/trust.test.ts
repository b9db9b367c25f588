// Does the service live with mirrors as they are? The running service, a mirror on loopback, and what it tells.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArguments } from '../../src/cli/arguments.ts';
import { SERVE } from '../../src/cli/serve.ts';
import { startService, type Service } from '../../src/cli/service.ts';
import { runVerify, VERIFY } from '../../src/cli/verify.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { loadPublicGood } from '../../src/trust/public-good.ts';
import { startMirror, type TestMirror } from '../trust/tuf-mirror.ts';
import { DAY_MS, TestRepository } from '../trust/tuf-repository.ts';

const POLICIES = `
apiVersion: modelpolicy.dev/v1alpha1
kind: ClusterModelPolicy
metadata: { name: keyless }
spec:
  models: [{ glob: "127.0.0.1:1/keyless/**" }]
  authorities:
    - name: release
      keyless:
        identities: [{ issuer: https://idp.example, subject: a@example.com }]
        trustRootRef: { name: corporate }
---
apiVersion: modelpolicy.dev/v1alpha1
kind: ClusterModelPolicy
metadata: { name: key }
spec:
  models: [{ glob: "registry.example.com/key/**" }]
  authorities: [{ name: nobody, static: { action: Fail, message: denied by name } }]
`;

describe('the service and its mirrors', () => {
  let directory: string;
  let repository: TestRepository;
  let mirror: TestMirror;
  let service: Service | undefined;

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'trust-cli-'));
    repository = new TestRepository(loadPublicGood().bytes);
    mirror = await startMirror(repository.files);
    const trustRoot = {
      apiVersion: 'modelpolicy.dev/v1alpha1',
      kind: 'TrustRoot',
      metadata: { name: 'corporate' },
      spec: { tuf: { mirror: mirror.url, root: { json: repository.root.toString('utf8') } } },
    };
    writeFileSync(join(directory, 'policies.yaml'), POLICIES);
    writeFileSync(join(directory, 'trust-root.json'), JSON.stringify(trustRoot));
  });

  afterEach(async () => {
    await service?.stop();
    service = undefined;
    await mirror.close();
    rmSync(directory, { recursive: true, force: true });
  });

  const common = (): string[] => [
    '--plain-http',
    new URL(mirror.url).host,
    '--trust-cache',
    join(directory, 'cache'),
  ];

  async function start(...more: string[]): Promise<Service> {
    const args = ['--policies', directory, '--listen', '127.0.0.1:0', '--metrics-listen', '127.0.0.1:0'];
    const { values } = parseArguments(SERVE, [...args, ...common(), ...more], {});
    service = await startService(values, createLogger('silent'));
    return service;
  }

  const get = async (path: string): Promise<{ status: number; text: string }> => {
    const response = await fetch(`http://${service?.metricsAddress ?? ''}${path}`);
    return { status: response.status, text: await response.text() };
  };

  async function eventually(pattern: RegExp): Promise<string> {
    for (let attempt = 0; attempt < 100; attempt += 1) {
      const { text } = await get('/metrics');
      if (pattern.test(text)) return text;
      await sleep(50);
    }
    return assert.fail(`no metric matched ${String(pattern)}`);
  }

  it('is ready and serves other policies while the mirror hangs (fault 22)', async () => {
    mirror.fault = 'slow';
    const running = await start();
    await running.synced;
    assert.equal((await get('/readyz')).status, 200);
    const { text } = await get('/metrics');
    assert.match(text, /model_policy_policies\{state="valid"\} 1/);
    assert.match(text, /model_policy_policies\{state="invalid"\} 1/);
    await eventually(/model_policy_trust_root_refresh_total\{trust_root="corporate",result="failed"\} 1/);
    assert.equal((await get('/readyz')).status, 200);
  });

  it('puts policies in force when their root arrives, and measures it', async () => {
    mirror.clockOffsetMs = DAY_MS;
    await start();
    const text = await eventually(/model_policy_policies\{state="valid"\} 2/);
    assert.match(text, /model_policy_trust_root_refresh_total\{trust_root="corporate",result="updated"\} 1/);
    assert.match(text, /model_policy_trust_root_age_seconds\{trust_root="corporate"\} \d/);
    const seconds = (name: string): number =>
      Number(new RegExp(`${name}\\{trust_root="corporate"\\} (\\S+)`).exec(text)?.[1]);
    assert.ok(
      Math.abs(
        seconds('model_policy_trust_root_expiry_timestamp_seconds') -
          repository.expires.timestamp.getTime() / 1000,
      ) < 2,
    );
    assert.ok(Math.abs(seconds('model_policy_trust_root_clock_difference_seconds') - 86_400) < 10);
  });

  it('asks nobody with --offline', async () => {
    const running = await start('--offline');
    await running.synced;
    await sleep(100);
    assert.deepEqual(mirror.requests, []);
  });

  async function verify(...more: string[]): Promise<{ code: number; text: string }> {
    const lines: string[] = [];
    const output = { answer: (line: string) => lines.push(line), note: (line: string) => lines.push(line) };
    const { values } = parseArguments(VERIFY, ['--policy', directory, ...common(), ...more], {});
    const reference = `127.0.0.1:1/keyless/model@sha256:${'ab'.repeat(32)}`;
    const code = await runVerify(values, [reference], output);
    return { code, text: lines.join('\n') };
  }

  it('verify waits for a first root, and warns when there is none', async () => {
    mirror.fault = 'unavailable';
    const failed = await verify();
    assert.equal(failed.code, 1);
    assert.match(failed.text, /Warning: TrustRoot corporate was not refreshed: .*answered 503/);
    assert.match(failed.text, /TrustRootUnavailable/);
    mirror.fault = 'none';
    const offline = await verify('--offline');
    assert.match(offline.text, /TrustRootUnavailable.*--offline/s);
    const good = await verify();
    assert.doesNotMatch(good.text, /TrustRootUnavailable|Warning: TrustRoot/);
    const cached = await verify('--offline');
    assert.doesNotMatch(cached.text, /TrustRootUnavailable/);
  });
});

// Does trust fail one way only? Mirrors that are down, frozen or hostile, in front of the real endpoint: what was trusted
// stays until it expires, keyless policies then deny and say why, and key policies never notice.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { PackedModel } from '../../src/demo/artifacts.ts';
import { startRegistry, type RegistryHandle } from '../../src/demo/registry.ts';
import { signBundleWithKey } from '../../src/demo/sign-with-key.ts';
import { createSigstore, type Sigstore } from '../../src/demo/sigstore.ts';
import { startService, type Service } from '../../src/cli/service.ts';
import { withDefaults } from '../../src/config.ts';
import { SERVE_OPTIONS } from '../../src/options.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { createTrustStore, type TrustStore } from '../../src/trust/trust-store.ts';
import { createWorkspace, type Workspace } from '../cli/run.ts';
import { startController, TEAM_KEY, type Controller } from '../support/controller.ts';
import { expectAllowed, expectDenied, sumOf } from '../support/expect.ts';
import { post } from '../support/https-client.ts';
import { ALICE, keylessAuthority, policyOf, pushSignedBy, TRUST_ROOT } from '../support/keyless.ts';
import { reviewOf, volumePod } from '../support/review.ts';
import { startMirror, type MirrorFault, type TestMirror } from '../trust/tuf-mirror.ts';
import { createKey, DAY_MS, TestRepository } from '../trust/tuf-repository.ts';

const UNAVAILABLE = { code: 503, reasons: ['TrustRootUnavailable'] } as const;
const REFRESHES = 'model_policy_trust_root_refresh_total';
const EXPIRY = 'model_policy_trust_root_expiry_timestamp_seconds';
const AGE = 'model_policy_trust_root_age_seconds';

const nest = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`;

describe('a TrustRoot whose mirror fails', () => {
  let registry: RegistryHandle;
  let sigstore: Sigstore;
  let repository: TestRepository;
  let mirror: TestMirror;
  let byAlice: PackedModel;
  let byTeam: PackedModel;

  before(async () => {
    registry = await startRegistry();
    sigstore = await createSigstore();
    byAlice = await pushSignedBy(registry, (statement) => sigstore.signKeyless(statement, ALICE));
    byTeam = await pushSignedBy(registry, (statement) => signBundleWithKey(statement, TEAM_KEY));
  });
  beforeEach(async () => {
    repository = new TestRepository(Buffer.from(sigstore.trustedRootJson()));
    mirror = await startMirror(repository.files);
  });
  afterEach(() => mirror.close());
  after(() => registry.close());

  const toTrustRoot = (): object => ({
    tuf: { mirror: mirror.url, root: { json: repository.root.toString('utf8') } },
  });
  const only = ({ repository }: PackedModel): object => ({
    models: [{ glob: `${registry.address}/${repository}` }],
  });
  const allBut = ({ repository }: PackedModel): object => ({
    models: [{ glob: `${registry.address}/**`, exclude: [`${registry.address}/${repository}`] }],
  });
  const byKey = { name: 'team', key: { pem: TEAM_KEY.publicKeyPem } };
  const ask = ({ reference }: PackedModel): object => reviewOf(volumePod(reference));

  describe('at start (fault 22)', () => {
    let workspace: Workspace;
    let service: Service | undefined;

    beforeEach(() => {
      workspace = createWorkspace();
    });
    afterEach(async () => {
      await service?.stop();
      service = undefined;
      workspace.remove();
    });

    async function serve(policies: Readonly<Record<string, object>>): Promise<Service> {
      const apiVersion = 'modelpolicy.dev/v1alpha1';
      const documents = [
        { apiVersion, kind: 'TrustRoot', metadata: { name: TRUST_ROOT }, spec: toTrustRoot() },
        ...Object.entries(policies).map(([name, spec]) => ({
          apiVersion,
          kind: 'ClusterModelPolicy',
          metadata: { name },
          spec: JSON.parse(JSON.stringify(spec)) as object,
        })),
      ];
      workspace.write('policies.yaml', documents.map((document) => stringify(document)).join('---\n'));
      const given = {
        policies: [join(workspace.path, 'policies.yaml')],
        'plain-http': [registry.address, new URL(mirror.url).host],
        'trust-cache': join(workspace.path, 'trust'),
        listen: '127.0.0.1:0',
        'metrics-listen': '127.0.0.1:0',
      };
      service = await startService(withDefaults(SERVE_OPTIONS, given, {}), createLogger('silent'));
      await service.synced;
      return service;
    }
    const get = async ({ metricsAddress }: Service, path: string): Promise<string> => {
      const response = await fetch(`http://${metricsAddress}${path}`, { headers: { connection: 'close' } });
      return `${response.status} ${await response.text()}`;
    };
    const answerOf = async ({ address, ca = '' }: Service, model: PackedModel): Promise<string> =>
      (await post({ address, ca }, JSON.stringify(ask(model)))).text;

    for (const fault of ['down', 'slow', 'unavailable', 'html'] as const)
      it(`22: is no matter to policies that name keys: ready and serving with the mirror ${fault}`, async () => {
        if (fault === 'down') await mirror.down();
        else mirror.fault = fault;
        const running = await serve({ team: policyOf(registry, [byKey]) });
        assert.equal(await get(running, '/readyz'), '200 ok\n');
        assert.match(await answerOf(running, byTeam), /"allowed":true/);
        assert.match(await answerOf(running, byAlice), /"allowed":false.*SignerNotTrusted/);
        assert.equal(sumOf(await get(running, '/metrics'), 'model_policy_policies', { state: 'valid' }), 1);
      });

    it('22: denies only what policies that name it select, and says why', async () => {
      await mirror.down();
      const running = await serve({
        team: policyOf(registry, [byKey], only(byTeam)),
        keyless: policyOf(registry, undefined, only(byAlice)),
      });
      assert.equal(await get(running, '/readyz'), '200 ok\n');
      assert.match(await answerOf(running, byTeam), /"allowed":true/);
      const denied = await answerOf(running, byAlice);
      assert.match(denied, /"allowed":false/);
      assert.match(denied, /"reason":"TrustRootUnavailable"/);
      // What is refreshed in the background decides which of the two it says.
      assert.match(
        denied,
        /it has no root yet: the refresh (?:failed: .*could not be fetched|from .* is under)/,
      );
      let metrics = '';
      for (let round = 0; round < 100 && sumOf(metrics, REFRESHES, { result: 'failed' }) === 0; round += 1) {
        await new Promise((resolve) => {
          setTimeout(resolve, 20);
        });
        metrics = await get(running, '/metrics');
      }
      assert.equal(sumOf(metrics, REFRESHES, { trust_root: TRUST_ROOT, result: 'failed' }), 1);
      assert.equal(sumOf(metrics, 'model_policy_policies', { state: 'invalid' }), 1);
    });
  });

  describe('while it runs', () => {
    let directory: string;
    let now: Date;
    let timers: (() => void)[];
    let controllers: Controller[];

    beforeEach(() => {
      directory = mkdtempSync(join(tmpdir(), 'trust-faults-'));
      now = new Date();
      timers = [];
      controllers = [];
    });
    afterEach(async () => {
      for (const controller of controllers) await controller.stop();
      rmSync(directory, { recursive: true, force: true });
    });

    interface Following {
      readonly controller: Controller;
      readonly trust: TrustStore;
    }

    /** A controller with a keyless policy and one that names a key, over a store on the test's clock. */
    async function follow(): Promise<Following> {
      let trust: TrustStore | undefined;
      const controller = await startController({
        registry,
        policies: {
          keyless: policyOf(registry, [keylessAuthority()], allBut(byTeam)),
          team: policyOf(registry, [byKey], only(byTeam)),
        },
        trustRoots: { [TRUST_ROOT]: toTrustRoot() },
        dependencies: { now: () => now },
        openTrust(onRefresh) {
          trust = createTrustStore({
            fetch: mirror.fetch,
            cacheDirectory: directory,
            onRefresh,
            environment: {
              now: () => now,
              schedule(_delayMs, callback) {
                timers.push(callback);
                return () => {
                  timers = timers.filter((timer) => timer !== callback);
                };
              },
              random: () => 0.5,
            },
          });
          return trust;
        },
      });
      controllers.push(controller);
      assert.ok(trust);
      await trust.settled();
      return { controller, trust };
    }
    const runTimers = (): void => {
      for (const timer of timers.splice(0)) timer();
    };
    const metricOf = async (
      { controller }: Following,
      name: string,
      labels: Readonly<Record<string, string>> = {},
    ): Promise<number> => sumOf(await controller.metrics(), name, { trust_root: TRUST_ROOT, ...labels });

    it('23: serves from the cache until the root expires, then denies keyless alone', async () => {
      const first = await follow();
      await expectAllowed(first.controller, ask(byAlice));
      await mirror.down();
      // Another process, which never reached the mirror.
      const second = await follow();
      const { controller, trust } = second;
      await expectAllowed(controller, ask(byAlice));
      await trust.refresh();
      assert.equal(await metricOf(second, REFRESHES, { result: 'failed' }), 1);
      const expiry = Math.floor(repository.expires.timestamp.getTime() / 1000);
      assert.equal(await metricOf(second, EXPIRY), expiry);
      now = new Date(expiry * 1000 - 1);
      runTimers();
      await expectAllowed(controller, ask(byAlice));
      assert.ok((await metricOf(second, AGE)) > (29 * DAY_MS) / 1000);
      now = new Date(expiry * 1000);
      runTimers();
      const { message } = await expectDenied(controller, ask(byAlice), UNAVAILABLE);
      assert.match(
        message,
        /TrustRoot "private" is not usable: its root expired at .*: the refresh failed: .*could not be fetched/,
      );
      assert.match(message, /; provide the TrustRoot that the policy names; check its mirror/);
      await expectAllowed(controller, ask(byTeam));
      // What the alert "Is trust about to run out?" reads.
      assert.ok((await metricOf(second, EXPIRY)) - now.getTime() / 1000 < 2 * 86_400);
    });

    it('23: notices an expiry that a set clock hid from its timers with the next refresh', async () => {
      const following = await follow();
      await mirror.down();
      now = new Date(Date.now() + 31 * DAY_MS);
      await following.trust.refresh();
      await expectDenied(following.controller, ask(byAlice), UNAVAILABLE);
      await expectAllowed(following.controller, ask(byTeam));
    });

    it('23: admits again as soon as a refresh succeeds', async () => {
      const following = await follow();
      mirror.fault = 'unavailable';
      now = new Date(Date.now() + 31 * DAY_MS);
      await following.trust.refresh();
      await expectDenied(following.controller, ask(byAlice), UNAVAILABLE);
      mirror.fault = 'none';
      const later = new Date(Date.now() + 90 * DAY_MS);
      repository.expires.root = later;
      for (const role of ['timestamp', 'snapshot', 'targets'] as const) repository.expires[role] = later;
      repository.publishRoot();
      repository.publish();
      await following.trust.refresh();
      await expectAllowed(following.controller, ask(byAlice));
    });

    describe('and turns hostile (fault 24)', () => {
      let attacker: Sigstore;
      let byMallory: PackedModel;

      before(async () => {
        attacker = await createSigstore();
        byMallory = await pushSignedBy(registry, (statement) => attacker.signKeyless(statement, ALICE));
      });

      /** Each ends with the mirror serving the attacker's trusted root. */
      const ATTACKS: Readonly<Record<string, readonly [() => void, RegExp]>> = {
        'a root that the old one did not sign': [
          () => {
            repository.roles.root = { keys: [createKey()], threshold: 1 };
            repository.publishRoot();
            repository.publish();
          },
          /root\.json is signed by 0 of 1 distinct keys/,
        ],
        'targets that nobody signed': [
          () => {
            const roles = repository.roles.targets;
            repository.roles.targets = { keys: [createKey()], threshold: 1 };
            repository.publish();
            repository.roles.targets = roles;
          },
          /targets\.json is signed by 0 of 1 distinct keys/,
        ],
        'a threshold that one key under two ids reaches': [
          () => {
            const [key] = repository.roles.targets.keys;
            assert.ok(key);
            repository.roles.targets = { keys: [key, { ...key, id: 'ff'.repeat(32) }], threshold: 2 };
            repository.publishRoot();
            repository.publish();
          },
          /targets\.json is signed by 1 of 2 distinct keys/,
        ],
        'a threshold of nothing': [
          () => {
            repository.roles.targets = { keys: [createKey()], threshold: 0 };
            repository.publishRoot();
            repository.publish();
          },
          /root\.json is malformed/,
        ],
        ...Object.fromEntries(
          (['root', 'timestamp', 'snapshot', 'targets'] as const).map((role) => [
            `an expired ${role}`,
            [
              () => {
                repository.expires[role] = new Date(Date.now() - 3_600_000);
                repository.publishRoot();
                repository.publish();
              },
              /expired/,
            ] as const,
          ]),
        ),
        'a target with another hash than its metadata gives': [
          () => repository.publish((_name, entry) => ({ ...entry, hashes: { sha256: '00'.repeat(32) } })),
          /hash/,
        ],
        'a trusted root that is none': [
          () => {
            repository.targets.set('trusted_root.json', Buffer.from('{"mediaType":1}'));
            repository.publish();
          },
          /mediaType/,
        ],
        'metadata that is no JSON': [
          () => {
            repository.publish();
            repository.files.set('timestamp.json', Buffer.from('<html>'));
          },
          /timestamp\.json is no JSON object/,
        ],
        'metadata that is another document': [
          () => {
            repository.publish();
            repository.files.set('timestamp.json', Buffer.from('{"signed":null,"signatures":null}'));
          },
          /timestamp\.json is malformed/,
        ],
        'a timestamp that is larger than any': [
          () => {
            repository.publish();
            repository.files.set('timestamp.json', Buffer.alloc(20_000, 0x20));
          },
          /timestamp\.json" could not be fetched: .*larger than 16384 bytes/,
        ],
        'a timestamp that is nested 5,000 deep': [
          () => {
            repository.publish();
            const deep = `{"signatures":[],"signed":${nest(5000)}}`;
            repository.files.set('timestamp.json', Buffer.from(deep));
          },
          /timestamp\.json is malformed/,
        ],
        'a root that is nested 100,000 deep': [
          () => {
            const bytes = repository.publishRoot().toString('utf8');
            const deep = bytes.replace('"signed":{', `"signed":{"x":${nest(100_000)},`);
            repository.files.set(`${repository.versions.root}.root.json`, Buffer.from(deep));
          },
          /root\.json is signed by 0 of 1 distinct keys/,
        ],
      };
      for (const [what, [attack, problem]] of Object.entries(ATTACKS))
        it(`24: keeps what it trusts in front of ${what}`, async () => {
          const following = await follow();
          const { controller, trust } = following;
          repository.targets.set('trusted_root.json', Buffer.from(attacker.trustedRootJson()));
          attack();
          await trust.refresh();
          assert.equal(await metricOf(following, REFRESHES, { result: 'failed' }), 1);
          assert.match(trust.statuses()[0]?.lastError ?? '', problem);
          await expectAllowed(controller, ask(byAlice));
          await expectAllowed(controller, ask(byTeam));
          await expectDenied(controller, ask(byMallory), { code: 403, reasons: ['TransparencyLogInvalid'] });
        });

      for (const fault of ['truncated', 'cut', 'redirect', 'huge'] as const satisfies readonly MirrorFault[])
        it(`24: keeps what it trusts in front of answers that are ${fault}`, async () => {
          const following = await follow();
          mirror.fault = fault;
          repository.publish();
          await following.trust.refresh();
          assert.equal(await metricOf(following, REFRESHES, { result: 'failed' }), 1);
          await expectAllowed(following.controller, ask(byAlice));
        });

      it('24: does not go back to what it trusted before', async () => {
        // The attacker's root was once published by mistake, and replaced.
        repository.targets.set('trusted_root.json', Buffer.from(attacker.trustedRootJson()));
        repository.publish();
        const old = repository.capture();
        repository.targets.set('trusted_root.json', Buffer.from(sigstore.trustedRootJson()));
        repository.publish();
        const following = await follow();
        repository.restore(old);
        await following.trust.refresh();
        assert.equal(await metricOf(following, REFRESHES, { result: 'failed' }), 1);
        assert.match(following.trust.statuses()[0]?.lastError ?? '', /less than current version/);
        await expectAllowed(following.controller, ask(byAlice));
      });

      it('24: is not held for ever at what it saw: frozen metadata expires', async () => {
        const following = await follow();
        const { controller, trust } = following;
        await trust.refresh();
        assert.equal(await metricOf(following, REFRESHES, { result: 'unchanged' }), 1);
        await expectAllowed(controller, ask(byAlice));
        // The mirror answers, and says nothing new.
        now = new Date(Date.now() + 31 * DAY_MS);
        await trust.refresh();
        const { message } = await expectDenied(controller, ask(byAlice), UNAVAILABLE);
        assert.match(message, /its root expired at/);
        await expectAllowed(controller, ask(byTeam));
      });

      it('24: has nothing to keep when the first answer is hostile, and serves key policies', async () => {
        repository.files.set('timestamp.json', Buffer.from('null'));
        const { controller } = await follow();
        const { message } = await expectDenied(controller, ask(byAlice), UNAVAILABLE);
        assert.match(message, /it has no root yet: the refresh failed: timestamp\.json is no JSON object/);
        await expectAllowed(controller, ask(byTeam));
      });
    });
  });
});

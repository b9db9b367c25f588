// Do credentials and connections go only where they may, whatever a registry says, and do mirrors stay honest? Faults 26,
// 27 and 32.
import assert from 'node:assert/strict';
import { createServer, type AddressInfo, type Server } from 'node:net';
import type { OptionValues } from '../../src/config.ts';
import { attachBundle, packModel, type PackedModel } from '../../src/demo/artifacts.ts';
import { startRegistry, type RegistryHandle } from '../../src/demo/registry.ts';
import { createServerCertificate } from '../../src/demo/server-certificate.ts';
import { signBundleWithKey } from '../../src/demo/sign-with-key.ts';
import { cosignSignStatement } from '../../src/demo/statement.ts';
import type { Resolve } from '../../src/registry/address-guard.ts';
import { pushSigned, startController, TEAM_KEY, teamPolicy, type Controller } from '../support/controller.ts';
import { expectAllowed, expectDenied, type Denial } from '../support/expect.ts';
import { reviewOf, volumePod } from '../support/review.ts';
import { ScratchFiles } from '../support/scratch-files.ts';

const UNAVAILABLE: Denial = { code: 503, reasons: ['RegistryUnavailable'] };
const UNAUTHORIZED: Denial = { code: 503, reasons: ['RegistryUnauthorized'] };
const DIGEST = `sha256:${'0'.repeat(64)}`;
const SECRET = Buffer.from('reader:secret').toString('base64');

describe('faults of hosts', () => {
  const files = new ScratchFiles();
  const stops: (() => Promise<unknown>)[] = [];

  afterEach(async () => {
    for (const stop of stops.splice(0).toReversed()) await stop();
    files.remove();
  });

  async function open(...parameters: Parameters<typeof startRegistry>): Promise<RegistryHandle> {
    const registry = await startRegistry(...parameters);
    stops.push(() => registry.close());
    return registry;
  }

  async function judge(
    registry: RegistryHandle,
    access: OptionValues,
    resolve?: Resolve,
  ): Promise<Controller> {
    const controller = await startController({
      registry,
      policies: { all: teamPolicy(registry, { models: undefined, digest: 'Resolve' }) },
      access,
      surroundings: { environment: {}, ...(resolve === undefined ? {} : { resolve }) },
    });
    stops.push(() => controller.stop());
    return controller;
  }

  const pod = (reference: string): object => reviewOf(volumePod(reference));
  const credentialsFor = (...hosts: readonly string[]): string =>
    `${files.write({
      'config.json': JSON.stringify({
        auths: Object.fromEntries(hosts.map((host) => [host, { auth: SECRET }])),
      }),
    })}/config.json`;

  describe('26: credentials', () => {
    const authorizationsAt = ({ requests }: RegistryHandle): readonly (string | undefined)[] =>
      requests.map(({ authorization }) => authorization).filter((value) => value !== undefined);
    const challenge = (realm: string): { status: number; headers: Record<string, string> } => ({
      status: 401,
      headers: { 'www-authenticate': `Bearer realm="${realm}",service="x"` },
    });

    it('26: are not sent to a realm on another host that a plain registry names', async () => {
      const [registry, thief] = [await open(), await open()];
      const model = pushSigned(registry);
      registry.setFault(() => challenge(`${thief.url}/token`));
      const access = {
        'plain-http': [registry.address, thief.address],
        'registry-config': credentialsFor(registry.address),
      };
      const { message } = await expectDenied(
        await judge(registry, access),
        pod(model.reference),
        UNAUTHORIZED,
      );
      assert.match(message, /realm/);
      assert.equal(thief.requests.length, 0);
    });

    it('26: are not sent without TLS to a realm that a TLS registry names', async () => {
      const tls = createServerCertificate();
      const [registry, thief] = [await open({ tls }), await open()];
      const model = pushSigned(registry);
      registry.setFault(() => challenge(`${thief.url}/token`));
      const access = {
        'plain-http': [thief.address],
        'ca-file': `${files.write({ 'ca.pem': tls.ca })}/ca.pem`,
        'registry-config': credentialsFor(registry.address),
      };
      await expectDenied(await judge(registry, access), pod(model.reference), UNAUTHORIZED);
      assert.equal(thief.requests.length, 0);
    });

    it('26: do not follow a redirect to another host, nor its challenge', async () => {
      const [registry, elsewhere] = [
        await open({ auth: { username: 'reader', password: 'secret' } }),
        await open(),
      ];
      const model = pushSigned(registry);
      pushSigned(elsewhere);
      const access = {
        'plain-http': [registry.address, elsewhere.address],
        'registry-config': credentialsFor(registry.address, elsewhere.address),
      };
      const controller = await judge(registry, access);
      await expectAllowed(controller, pod(model.reference));
      assert.ok(authorizationsAt(registry).length > 0);
      const next = pushSigned(registry);
      registry.setFault(({ path, authorization }) =>
        path.startsWith('/v2/') && authorization?.startsWith('Bearer ') === true
          ? { status: 307, headers: { location: `${elsewhere.url}${path}` } }
          : undefined,
      );
      elsewhere.setFault(() => challenge(`${elsewhere.url}/token`));
      await expectDenied(controller, pod(next.reference), UNAUTHORIZED);
      assert.ok(elsewhere.requests.length > 0);
      assert.deepEqual(authorizationsAt(elsewhere), []);
      assert.ok(elsewhere.requests.every(({ path }) => !path.startsWith('/token')));
    });

    it('26: of a registry are not shown to its mirror', async () => {
      const [registry, mirror] = [
        await open(),
        await open({ auth: { username: 'reader', password: 'secret' } }),
      ];
      const model = pushSigned(registry);
      const access = {
        'plain-http': [registry.address, mirror.address],
        registries: files.writeRegistries([
          { host: registry.address, plainHttp: true, mirrors: [{ host: mirror.address }] },
          { host: mirror.address, plainHttp: true },
        ]),
        'registry-config': credentialsFor(registry.address),
      };
      await expectAllowed(await judge(registry, access), pod(model.reference));
      assert.ok(mirror.requests.length > 0);
      assert.deepEqual(authorizationsAt(mirror), []);
    });
  });

  describe('27: addresses', () => {
    let sentinel: Server;
    let connections = 0;
    let port = 0;

    beforeEach(async () => {
      connections = 0;
      sentinel = createServer((socket) => {
        connections += 1;
        socket.destroy();
      });
      await new Promise<void>((resolve) => sentinel.listen(0, '127.0.0.1', resolve));
      port = (sentinel.address() as AddressInfo).port;
      stops.push(() => new Promise((resolve) => sentinel.close(resolve)));
    });

    const NAMES: Readonly<Record<string, readonly string[]>> = {
      'metadata.test': ['169.254.169.254'],
      'loopback.test': ['127.0.0.1'],
      'loopback6.test': ['::1'],
      'mapped.test': ['::ffff:127.0.0.1'],
      'nat64.test': ['64:ff9b::7f00:1'],
      'mixed.test': ['192.0.2.1', '127.0.0.1'],
      'service.test': ['10.96.0.1'],
      'pod.test': ['10.244.1.2'],
      'mapped-service.test': ['::ffff:10.96.0.1'],
      'service6.test': ['fd00:10:96::1'],
    };
    const resolve: Resolve = (hostname, _, callback) => {
      const addresses = NAMES[hostname] ?? [];
      callback(
        null,
        addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      );
    };
    const RANGES = { 'blocked-ranges': ['10.96.0.0/12', '10.244.0.0/16', 'fd00:10:96::/112'] };
    const LITERALS = [
      '127.0.0.1',
      '169.254.169.254',
      '10.96.0.1',
      '10.244.9.9',
      '[::1]',
      '[::ffff:127.0.0.1]',
      '[::ffff:7f00:1]',
      '[::ffff:10.96.0.1]',
      '[fd00:10:96::1]',
      '[fe80::1]',
    ];
    /** What only URLs can say: references refuse these spellings as they are. */
    const SPELLINGS = ['2130706433', '0x7f000001', '0177.0.0.1', '127.1', '0x7f.1', '0'];
    const OPEN_DENIAL = /blocked range|loopback/;

    it('27: of references, by name and literally, are checked after DNS', async () => {
      const registry = await open();
      const controller = await judge(registry, RANGES, resolve);
      for (const host of [...Object.keys(NAMES), ...LITERALS]) {
        const { message } = await expectDenied(controller, pod(`${host}:${port}/m@${DIGEST}`), UNAVAILABLE);
        assert.match(message, OPEN_DENIAL, host);
      }
      for (const host of SPELLINGS)
        await expectDenied(controller, pod(`${host}:${port}/m@${DIGEST}`), {
          code: 403,
          reasons: ['ReferenceInvalid'],
        });
      assert.equal(connections, 0);
    });

    it('27: of redirects are checked on every hop', async () => {
      const registry = await open();
      const controller = await judge(registry, { ...RANGES, 'plain-http': [registry.address] }, resolve);
      for (const host of [...Object.keys(NAMES), ...LITERALS, ...SPELLINGS]) {
        const model = pushSigned(registry);
        registry.setFault(({ path }) =>
          path.includes('/manifests/')
            ? { status: 307, headers: { location: `https://${host}:${port}/x` } }
            : undefined,
        );
        await expectDenied(controller, pod(model.reference), UNAVAILABLE);
      }
      // The second hop, too: the first stays on the registry itself.
      const model = pushSigned(registry);
      registry.setFault(({ path }) => ({
        status: 307,
        headers: { location: path.includes('hop') ? `https://loopback.test:${port}/` : '/v2/hop' },
      }));
      await expectDenied(controller, pod(model.reference), UNAVAILABLE);
      assert.equal(connections, 0);
    });

    it('27: of token realms are checked', async () => {
      const tls = createServerCertificate();
      const registry = await open({ tls });
      const access = {
        ...RANGES,
        registries: files.writeRegistries([{ host: registry.address, caFile: 'ca.pem' }], {
          'ca.pem': tls.ca,
        }),
      };
      const controller = await judge(registry, access, resolve);
      for (const host of [
        'metadata.test',
        'service.test',
        '169.254.169.254',
        '[::ffff:127.0.0.1]',
        '2130706433',
      ]) {
        registry.setFault(() => ({
          status: 401,
          headers: { 'www-authenticate': `Bearer realm="https://${host}:${port}/token"` },
        }));
        await expectDenied(controller, pod(pushSigned(registry).reference), UNAVAILABLE);
      }
      assert.equal(connections, 0);
    });

    it('27: of a name that means another address at each look are dialled as they were checked', async () => {
      const registry = await open();
      let looks = 0;
      // TEST-NET-1 leads nowhere; whoever looked again before dialling would reach this machine.
      const rebinding: Resolve = (_, __, callback) => {
        looks += 1;
        callback(null, [{ address: looks % 2 === 1 ? '192.0.2.1' : '127.0.0.1', family: 4 }]);
      };
      const controller = await judge(registry, {}, rebinding);
      const answer = await controller.ask(pod(`rebind.test:${port}/m@${DIGEST}`), {
        path: '/validate?timeout=1s',
      });
      assert.equal(answer.allowed, false);
      assert.ok(answer.reasons.every((reason) => /^(?:RegistryUnavailable|DeadlineExceeded)$/.test(reason)));
      assert.ok(looks >= 1);
      assert.equal(connections, 0);
    });

    it('27: of a host that is configured are free', async () => {
      const registry = await open();
      const model = pushSigned(registry);
      const access = {
        'blocked-ranges': ['127.0.0.0/8'],
        registries: files.writeRegistries([{ host: registry.address, plainHttp: true }]),
      };
      await expectAllowed(await judge(registry, access), pod(model.reference));
    });
  });

  describe('32: mirrors', () => {
    let origin: RegistryHandle;
    let mirror: RegistryHandle;
    let second: RegistryHandle;
    let model: PackedModel;
    let controller: Controller;

    beforeEach(async () => {
      [origin, mirror, second] = [await open(), await open(), await open()];
      model = pushSigned(origin, 'v1');
      controller = await judge(origin, {
        registries: files.writeRegistries([
          {
            host: origin.address,
            plainHttp: true,
            mirrors: [{ host: mirror.address, prefix: 'cache' }, { host: second.address }],
          },
          { host: mirror.address, plainHttp: true },
          { host: second.address, plainHttp: true },
        ]),
      });
    });

    const mirrorModel = (): void => {
      mirror.putManifest(`cache/${model.repository}`, model.manifest, model.mediaType, 'v1');
    };
    const manifestReads = (registry: RegistryHandle): number =>
      registry.requests.filter(
        ({ path, status }) => path.endsWith(`/manifests/${model.digest}`) && status === 200,
      ).length;

    it('32: are asked in their order, and what they have is not asked of the registry', async () => {
      mirrorModel();
      await expectAllowed(controller, pod(model.reference));
      assert.deepEqual([mirror, second, origin].map(manifestReads), [1, 0, 0]);
    });

    it('32: that have nothing are passed over', async () => {
      await expectAllowed(controller, pod(model.reference));
      assert.deepEqual([mirror, second, origin].map(manifestReads), [0, 0, 1]);
      assert.ok(mirror.requests.length > 0 && second.requests.length > 0);
    });

    it('32: that lie are passed over, and what they said is not remembered', async () => {
      mirrorModel();
      mirror.replaceManifest(model.digest, Buffer.from('{"schemaVersion":2,"layers":[]}'));
      await expectAllowed(controller, pod(model.reference));
      assert.deepEqual([mirror, origin].map(manifestReads), [1, 1]);
    });

    it('32: that lie where the registry is down deny, and are named', async () => {
      mirrorModel();
      mirror.replaceManifest(model.digest, Buffer.from('{"schemaVersion":2,"layers":[]}'));
      origin.setFault(() => ({ status: 500 }));
      const { message } = await expectDenied(controller, pod(model.reference), UNAVAILABLE);
      assert.ok(message.includes(mirror.address), message);
    });

    it('32: that are stale do not decide what a tag means', async () => {
      mirrorModel();
      const next = packModel(origin, model.repository, { f: 'next' }, { tag: 'v1' });
      const answer = await expectDenied(controller, pod(`${origin.address}/${model.repository}:v1`), {
        code: 403,
        reasons: ['SignatureMissing'],
      });
      assert.equal(answer.annotations['modelpolicy.dev/digests'], next.digest);
    });

    it('32: that hang or reset hold nobody up for long', async () => {
      for (const fault of [{ hang: true }, { reset: true }]) {
        mirror.setFault(() => fault);
        await expectAllowed(controller, pod(pushSigned(origin).reference));
      }
    });

    it('32: cannot make an unsigned model signed by what they list', async () => {
      const listing = files.writeRegistries([
        { host: origin.address, plainHttp: true, mirrors: [{ host: mirror.address, resolves: true }] },
        { host: mirror.address, plainHttp: true },
      ]);
      const trusting = await judge(origin, { registries: listing });
      const unsigned = packModel(origin, 'team/unsigned', { f: 'x' });
      const other = pushSigned(origin);
      attachBundle(mirror, unsigned, signBundleWithKey(cosignSignStatement(other.digest), TEAM_KEY));
      await expectDenied(trusting, pod(unsigned.reference), { code: 403, reasons: ['SubjectMismatch'] });
      assert.ok(mirror.requests.some(({ path }) => path.includes('/referrers/')));
    });
  });
});

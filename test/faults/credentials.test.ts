// Whose credentials opened this model? Two tenants of one protected registry, and registries that want credentials sent
// elsewhere: nobody is admitted by, and nobody is sent, what belongs to another.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PackedModel } from '../../src/demo/artifacts.ts';
import { startRegistry, type RegistryHandle } from '../../src/demo/registry.ts';
import { createFilePullSecretReader, type PullSecretReader } from '../../src/kubernetes/pull-secret.ts';
import {
  pushSigned,
  startController,
  type Controller,
  type ControllerOptions,
} from '../support/controller.ts';
import { expectAllowed, expectDenied } from '../support/expect.ts';
import { podOf, reviewOf, toVolumes } from '../support/review.ts';

const A = { username: 'tenant-a', password: 'secret-a' };
const B = { username: 'tenant-b', password: 'secret-b' };
const UNAUTHORIZED = { code: 503, reasons: ['RegistryUnauthorized'] } as const;

type Users = Readonly<Record<string, { readonly username: string; readonly password: string }>>;

/** A Secret with credentials by registry key. */
const secretOf = (auths: Users): object => ({
  type: 'kubernetes.io/dockerconfigjson',
  data: { '.dockerconfigjson': Buffer.from(JSON.stringify({ auths })).toString('base64') },
});

describe('pull secrets', () => {
  let registry: RegistryHandle;
  let ofA: PackedModel;
  let ofB: PackedModel;
  let secrets: Map<string, object>;
  let accounts: Map<string, readonly string[]>;
  let reads: string[];
  const running: Controller[] = [];

  beforeEach(async () => {
    const repositories: { a: string[]; b: string[] } = { a: [], b: [] };
    registry = await startRegistry({
      auth: [
        { ...A, repositories: repositories.a },
        { ...B, repositories: repositories.b },
      ],
    });
    ofA = pushSigned(registry);
    ofB = pushSigned(registry);
    repositories.a.push(ofA.repository);
    repositories.b.push(ofB.repository);
    secrets = new Map([
      ['team-a/regcred', secretOf({ [registry.address]: A })],
      ['team-b/regcred', secretOf({ [registry.address]: B })],
    ]);
    accounts = new Map();
    reads = [];
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((controller) => controller.stop()));
    await registry.close();
  });

  function createReader(): PullSecretReader {
    const files = createFilePullSecretReader((namespace, name) => {
      reads.push(`${namespace}/${name}`);
      return secrets.get(`${namespace}/${name}`);
    });
    const names = (key: string): readonly string[] => accounts.get(key) ?? [];
    return {
      ...files,
      readServiceAccount: (namespace, name) =>
        Promise.resolve({ ok: true, names: names(`${namespace}/${name}`) }),
    };
  }
  async function start(options: ControllerOptions = {}): Promise<Controller> {
    const controller = await startController({ registry, pullSecrets: createReader(), ...options });
    running.push(controller);
    return controller;
  }
  const reviewIn = (
    namespace: string,
    { reference }: PackedModel,
    spec: object = { imagePullSecrets: [{ name: 'regcred' }] },
    fields: object = {},
  ): object =>
    reviewOf(podOf({ volumes: toVolumes([reference]), ...spec }, { namespace }), { namespace, ...fields });

  it('admit with the credentials of the pod', async () => {
    const controller = await start();
    await expectAllowed(controller, reviewIn('team-a', ofA));
    await expectAllowed(controller, reviewIn('team-b', ofB));
    assert.deepEqual([...new Set(reads)], ['team-a/regcred', 'team-b/regcred']);
  });

  it('admit nobody by what another namespace may read, before or after it did', async () => {
    const controller = await start();
    for (const when of ['before', 'after']) {
      await expectDenied(controller, reviewIn('team-b', ofA), UNAUTHORIZED);
      await expectDenied(controller, reviewIn('team-b', ofA, {}), UNAUTHORIZED);
      await expectDenied(controller, reviewIn('team-c', ofA), UNAUTHORIZED);
      if (when === 'before') await expectAllowed(controller, reviewIn('team-a', ofA));
    }
    await expectAllowed(controller, reviewIn('team-a', ofA));
  });

  it('admit nobody who asks at the same moment', async () => {
    const controller = await start();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        controller.ask(reviewIn(index % 2 === 0 ? 'team-a' : 'team-b', ofA)),
      ),
    );
    assert.deepEqual(
      answers.map(({ allowed }) => allowed),
      Array.from({ length: 20 }, (_, index) => index % 2 === 0),
    );
  });

  it('are fetched with once for a namespace that holds the same credential, and not again without it', async () => {
    const controller = await start();
    await expectAllowed(controller, reviewIn('team-a', ofA));
    const before = registry.requests.length;
    secrets.set('team-c/copy', secretOf({ [registry.address]: A }));
    const copy = { imagePullSecrets: [{ name: 'copy' }] };
    await expectAllowed(controller, reviewIn('team-c', ofA, copy));
    assert.equal(registry.requests.length, before);
    secrets.delete('team-c/copy');
    await expectDenied(controller, reviewIn('team-c', ofA, copy), UNAUTHORIZED);
  });

  it('are those of the pod first, then those of its service account', async () => {
    accounts.set('team-b/robot', ['robot']);
    secrets.set('team-b/robot', secretOf({ [registry.address]: A }));
    const controller = await start();
    await expectAllowed(controller, reviewIn('team-b', ofA, { serviceAccountName: 'robot' }));
    const both = { imagePullSecrets: [{ name: 'regcred' }], serviceAccountName: 'robot' };
    await expectAllowed(controller, reviewIn('team-b', ofA, both));
    await expectDenied(controller, reviewIn('team-b', ofA, {}), UNAUTHORIZED);
    accounts.set('team-b/default', ['robot']);
    await expectAllowed(controller, reviewIn('team-b', ofA, {}));
  });

  it('are tried before the credentials of the controller, which are for everybody', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'registry-config-'));
    const config = join(directory, 'config.json');
    writeFileSync(config, JSON.stringify({ auths: { [registry.address]: A } }));
    const controller = await start({
      access: { 'plain-http': [registry.address], 'registry-config': config },
    });
    rmSync(directory, { recursive: true });
    const usersAsked = (): readonly string[] =>
      registry.requests
        .filter(({ path }) => path.startsWith('/token'))
        .map(({ authorization = '' }) => Buffer.from(authorization.slice(6), 'base64').toString());
    await expectAllowed(controller, reviewIn('team-b', ofA));
    assert.deepEqual([...new Set(usersAsked())], ['tenant-b:secret-b', 'tenant-a:secret-a']);
    await expectAllowed(controller, reviewIn('team-c', ofA, {}));
    const before = usersAsked().length;
    await expectAllowed(controller, reviewIn('team-b', ofB));
    assert.ok(
      usersAsked()
        .slice(before)
        .every((user) => user === 'tenant-b:secret-b'),
    );
    await expectDenied(controller, reviewIn('team-c', ofB, {}), UNAUTHORIZED);
  });

  it('that are missing are passed over, and named when the registry refuses', async () => {
    secrets.set('team-a/opaque', { type: 'Opaque', data: {} });
    secrets.set('team-a/broken', {
      type: 'kubernetes.io/dockercfg',
      data: { '.dockercfg': Buffer.from('{').toString('base64') },
    });
    const controller = await start();
    const named = (...names: readonly string[]): object => ({
      imagePullSecrets: names.map((name) => ({ name })),
    });
    await expectAllowed(controller, reviewIn('team-a', ofA, named('gone', 'opaque', 'broken', 'regcred')));
    for (const dryRun of [false, true]) {
      const review = reviewIn('team-a', ofA, named('gone', 'opaque', 'broken'), { dryRun });
      const { message } = await expectDenied(controller, review, UNAUTHORIZED);
      assert.match(message, /pull secret team-a\/gone does not exist/);
      assert.match(message, /pull secret team-a\/opaque is of no type of pull secrets/);
      assert.match(message, /pull secret team-a\/broken cannot be used/);
      assert.doesNotMatch(message, /secret-[ab]/);
    }
  });

  it('are not read where they are switched off, nor where no registry is asked', async () => {
    const off = await startController({ registry });
    running.push(off);
    const { message } = await expectDenied(off, reviewIn('team-a', ofA), UNAUTHORIZED);
    assert.match(message, /--pull-secrets Off/);
    const other = await expectDenied(off, reviewIn('team-a', ofA, {}), UNAUTHORIZED);
    assert.doesNotMatch(other.message, /--pull-secrets/);
    const on = await start();
    const pod = podOf({ imagePullSecrets: [{ name: 'regcred' }] }, { namespace: 'team-a' });
    await expectAllowed(on, reviewOf(pod, { namespace: 'team-a' }));
    assert.deepEqual(reads, []);
  });

  it('open no address: a loopback host stays closed however many Secrets name it', async () => {
    const controller = await start({ access: { 'plain-http': ['registry.example.test:80'] } });
    const { message } = await expectDenied(controller, reviewIn('team-a', ofA), {
      code: 503,
      reasons: ['RegistryUnavailable'],
    });
    assert.match(message, /loopback/);
    assert.equal(registry.requests.length, 0);
  });

  it('for one path, port or host are sent to no other', async () => {
    const [host = '', port = ''] = registry.address.split(':');
    const foreign = [
      host,
      `${host}:${Number(port) + 1}`,
      `${registry.address}0`,
      `${registry.address}/team/other`,
      `${registry.address}/${ofA.repository}/deeper`,
      `${registry.address}/${ofA.repository.slice(0, -1)}`,
      `x.${registry.address}`,
      '*',
    ];
    secrets.set('team-a/regcred', secretOf(Object.fromEntries(foreign.map((key) => [key, A]))));
    const controller = await start();
    await expectDenied(controller, reviewIn('team-a', ofA), UNAUTHORIZED);
    assert.ok(registry.requests.every(({ authorization }) => authorization === undefined));
    secrets.set('team-a/regcred', secretOf({ [`http://${registry.address}/v2/team`]: A }));
    await expectAllowed(controller, reviewIn('team-a', ofA));
  });

  describe('with somebody else on the wire', () => {
    let thief: Server;
    let seen: (string | undefined)[];
    let address: string;
    beforeEach(async () => {
      seen = [];
      thief = createServer(({ headers }, response) => {
        seen.push(headers.authorization);
        response.end('{"token":"t"}');
      });
      await new Promise<void>((resolve) => thief.listen(0, '127.0.0.1', resolve));
      address = `127.0.0.1:${(thief.address() as AddressInfo).port}`;
    });
    afterEach(() => {
      thief.close();
      thief.closeAllConnections();
    });
    const both = (): ControllerOptions => ({ access: { 'plain-http': [registry.address, address] } });

    it('are not sent to a realm on another host', async () => {
      const challenge = `Bearer realm="http://${address}/token",service="s"`;
      registry.setFault(({ path }) =>
        path.startsWith('/v2/') ? { status: 401, headers: { 'www-authenticate': challenge } } : undefined,
      );
      const controller = await start(both());
      const { message } = await expectDenied(controller, reviewIn('team-a', ofA), UNAUTHORIZED);
      assert.match(message, /TLS/);
      assert.deepEqual(seen, []);
    });

    it('are not sent along with a redirect, as password or as token', async () => {
      const controller = await start(both());
      registry.setFault(({ path, authorization }) =>
        path.startsWith('/v2/') && authorization !== undefined
          ? { status: 307, headers: { location: `http://${address}/x` } }
          : undefined,
      );
      assert.equal((await controller.ask(reviewIn('team-a', ofA))).allowed, false);
      assert.ok(seen.length > 0);
      assert.ok(seen.every((authorization) => authorization === undefined));
    });
  });

  it('leave no trace in messages, records and metrics', async () => {
    const controller = await start();
    await expectAllowed(controller, reviewIn('team-a', ofA));
    const { message } = await expectDenied(controller, reviewIn('team-b', ofA), UNAUTHORIZED);
    const traces = JSON.stringify([message, controller.records, await controller.metrics()]);
    assert.match(traces, /RegistryUnauthorized/);
    assert.doesNotMatch(traces, /secret-[ab]/);
  });
});

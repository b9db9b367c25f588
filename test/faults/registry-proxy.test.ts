// Do proxies, their exceptions and private authorities work in every combination, and does the guard hold? Fault 33.
import assert from 'node:assert/strict';
import type { OptionValues } from '../../src/config.ts';
import type { PackedModel } from '../../src/demo/artifacts.ts';
import { startRegistry, type RegistryHandle } from '../../src/demo/registry.ts';
import { createServerCertificate, type ServerCertificate } from '../../src/demo/server-certificate.ts';
import type { Environment } from '../../src/registry/proxy.ts';
import { startProxy, type ConnectProxy, type ProxyOptions } from '../support/connect-proxy.ts';
import { pushSigned, startController, teamPolicy, type Controller } from '../support/controller.ts';
import { expectAllowed, expectDenied, type Denial } from '../support/expect.ts';
import { reviewOf, volumePod } from '../support/review.ts';
import { ScratchFiles } from '../support/scratch-files.ts';

const HOST = 'registry.test';
const UNAVAILABLE: Denial = { code: 503, reasons: ['RegistryUnavailable'] };
const DIGEST = `sha256:${'0'.repeat(64)}`;

describe('faults of proxies', () => {
  const files = new ScratchFiles();
  const tls: ServerCertificate = createServerCertificate([HOST]);
  const proxyTls: ServerCertificate = createServerCertificate(['localhost']);
  let secure: RegistryHandle;
  let plain: RegistryHandle;
  let signed: { readonly secure: PackedModel; readonly plain: PackedModel };
  let access: OptionValues;
  const stops: (() => Promise<void>)[] = [];

  before(async () => {
    secure = await startRegistry({ tls });
    plain = await startRegistry();
    signed = { secure: pushSigned(secure), plain: pushSigned(plain) };
    const directory = files.write({ 'all.pem': `${tls.ca}${proxyTls.ca}`, 'proxy.pem': proxyTls.ca });
    access = { 'ca-file': `${directory}/all.pem` };
  });
  after(async () => {
    await secure.close();
    await plain.close();
    files.remove();
  });
  afterEach(async () => {
    for (const stop of stops.splice(0)) await stop();
  });

  /** The name by which only a proxy finds a registry. */
  const named = ({ address }: RegistryHandle): string => `${HOST}:${address.split(':')[1]}`;
  const podFor = (kind: 'secure' | 'plain'): object => {
    const { repository, digest } = signed[kind];
    const host = named(kind === 'secure' ? secure : plain);
    return reviewOf(volumePod(`${host}/${repository}@${digest}`));
  };

  async function proxy(options: ProxyOptions = {}): Promise<ConnectProxy> {
    const started = await startProxy(options);
    stops.push(() => started.close());
    return started;
  }

  async function judge(environment: Environment, values: OptionValues = access): Promise<Controller> {
    const controller = await startController({
      registry: secure,
      policies: { all: teamPolicy(secure, { models: undefined }) },
      access: values,
      surroundings: { environment },
    });
    stops.unshift(() => controller.stop());
    return controller;
  }

  for (const [what, options] of [
    ['an HTTP proxy', {}],
    ['an HTTPS proxy', { tls: proxyTls }],
  ] as const) {
    it(`33: ${what} leads to a registry under a private authority, and sees no request`, async () => {
      const through = await proxy(options);
      const controller = await judge({ HTTPS_PROXY: through.url.replace('127.0.0.1', 'localhost') });
      await expectAllowed(controller, podFor('secure'));
      assert.ok(through.requests.length > 0);
      assert.deepEqual(
        [...new Set(through.requests.map(({ method, target }) => `${method} ${target}`))],
        [`CONNECT ${named(secure)}`],
      );
      assert.ok(through.requests.every(({ authorization }) => authorization === undefined));
    });
  }

  it('33: without the private authority it is RegistryUnavailable, through the proxy as without', async () => {
    const through = await proxy();
    const controller = await judge({ HTTPS_PROXY: through.url }, {});
    const { message } = await expectDenied(controller, podFor('secure'), UNAVAILABLE);
    assert.match(message, /certificate/);
  });

  it('33: the authority of one registry counts for that registry, through a proxy too', async () => {
    const through = await proxy();
    const write = (host: string): OptionValues => ({
      registries: files.writeRegistries([{ host, caFile: 'ca.pem' }], { 'ca.pem': tls.ca }),
    });
    await expectAllowed(await judge({ https_proxy: through.url }, write(named(secure))), podFor('secure'));
    const other = await judge({ https_proxy: through.url }, write('other.test'));
    await expectDenied(other, podFor('secure'), UNAVAILABLE);
  });

  it('33: plain HTTP goes through HTTP_PROXY, and not through HTTPS_PROXY', async () => {
    const [forPlain, forTls] = [await proxy(), await proxy()];
    const controller = await judge(
      { HTTP_PROXY: forPlain.url, HTTPS_PROXY: forTls.url },
      { 'plain-http': [named(plain)] },
    );
    await expectAllowed(controller, podFor('plain'));
    assert.ok(forPlain.requests.every(({ target }) => target.startsWith(`http://${named(plain)}/v2/`)));
    assert.deepEqual([forPlain.requests.length > 0, forTls.requests.length], [true, 0]);
  });

  for (const exception of [HOST, '.test', '*', `other.test, ${HOST}`])
    it(`33: NO_PROXY ${exception} goes directly`, async () => {
      const through = await proxy();
      const controller = await judge({ HTTPS_PROXY: through.url, NO_PROXY: exception });
      // Only the proxy knows the name: that it is not found shows that nobody else was asked.
      await expectDenied(controller, podFor('secure'), UNAVAILABLE);
      assert.equal(through.requests.length, 0);
    });

  it('33: this machine is never behind a proxy', async () => {
    const through = await proxy();
    const controller = await judge({ HTTP_PROXY: through.url }, { 'plain-http': [plain.address] });
    await expectAllowed(controller, reviewOf(volumePod(signed.plain.reference)));
    assert.equal(through.requests.length, 0);
  });

  it('33: credentials of the proxy are shown to the proxy, and wrong ones are RegistryUnavailable', async () => {
    const through = await proxy({ account: 'user:p@ss' });
    const withAccount = (account: string): Promise<Controller> =>
      judge({ HTTPS_PROXY: through.url.replace('//', `//${account}@`) });
    await expectAllowed(await withAccount('user:p%40ss'), podFor('secure'));
    assert.ok(secure.requests.every(({ authorization }) => authorization === undefined));
    const { message } = await expectDenied(await withAccount('user:wrong'), podFor('secure'), UNAVAILABLE);
    assert.doesNotMatch(message, /wrong/);
  });

  for (const refusal of [403, 502] as const)
    it(`33: a proxy that answers ${refusal} is RegistryUnavailable`, async () => {
      const through = await proxy({ refusal });
      await expectDenied(await judge({ HTTPS_PROXY: through.url }), podFor('secure'), UNAVAILABLE);
    });

  it('33: a proxy that is silent is denied in time, and one that is down at once', async () => {
    const silent = await judge({ HTTPS_PROXY: (await proxy({ refusal: 'silent' })).url });
    await expectDenied(
      silent,
      podFor('secure'),
      { code: 503, reasons: ['DeadlineExceeded'] },
      { path: '/validate?timeout=1s' },
    );
    const gone = await startProxy();
    await gone.close();
    await expectDenied(await judge({ HTTPS_PROXY: gone.url }), podFor('secure'), UNAVAILABLE);
  });

  it('33: literal addresses that are blocked are not asked for through a proxy either', async () => {
    const through = await proxy();
    const values = { ...access, 'blocked-ranges': ['10.96.0.0/12'] };
    const controller = await judge({ HTTPS_PROXY: through.url, HTTP_PROXY: through.url }, values);
    for (const host of ['169.254.169.254', '10.96.0.1:5000', '[::ffff:10.96.0.1]:5000', '[fe80::1]'])
      await expectDenied(controller, reviewOf(volumePod(`${host}/m@${DIGEST}`)), UNAVAILABLE);
    assert.equal(through.requests.length, 0);
  });
});

// Are credentials sent only to whom they belong, and tokens asked for once?
import assert from 'node:assert/strict';
import { DeadlineError } from '../../src/lib/deadline.ts';
import { startRegistry, type RegistryHandle } from '../../src/demo/registry.ts';
import { packModel, type PackedModel } from '../../src/demo/artifacts.ts';
import type { RegistryClient } from '../../src/registry/client.ts';
import type { Keychain } from '../../src/registry/docker-config.ts';
import { RegistryError, type RegistryErrorKind } from '../../src/registry/error.ts';
import { createAuthenticator, parseChallenge } from '../../src/registry/token.ts';
import { answer, REPOSITORY, soon, Stage, type BareServer } from './servers.ts';

const CREDENTIAL = { username: 'reader', password: 'secret' };
const BASIC = `Basic ${Buffer.from('reader:secret').toString('base64')}`;
const keychainOf = (...hosts: readonly string[]): Keychain =>
  new Map(hosts.map((host) => [host, CREDENTIAL]));
const rejects = (promise: Promise<unknown>, kind: RegistryErrorKind, why = /./): Promise<void> =>
  assert.rejects(
    promise,
    (error) =>
      error instanceof RegistryError &&
      error.kind === kind &&
      why.test(error.message) &&
      !/secret/.test(error.message),
  );
const fetchTag = (
  client: RegistryClient,
  { address }: { address: string },
  tag = 'v1',
  signal = soon(),
): Promise<string> =>
  client
    .fetchManifest({ registry: address, repository: REPOSITORY }, tag, signal)
    .then(({ bytes }) => bytes.toString());

describe('parseChallenge()', () => {
  const parse = (text: string): unknown => {
    const challenge = parseChallenge(text);
    return challenge === undefined ? undefined : [challenge.scheme, Object.fromEntries(challenge.parameters)];
  };
  const table: readonly (readonly [string, unknown])[] = [
    ['Bearer realm="https://a/t",service="s"', ['bearer', { realm: 'https://a/t', service: 's' }]],
    ['bearer Realm="x" , service=s', ['bearer', { realm: 'x', service: 's' }]],
    ['Basic realm="x"', ['basic', { realm: 'x' }]],
    ['Basic', ['basic', {}]],
    ['BASIC realm=x', ['basic', { realm: 'x' }]],
    ['Bearer realm="a",realm="b"', ['bearer', { realm: 'a' }]],
    [
      'Bearer realm="https://a/t",service="s", Basic realm="b"',
      ['bearer', { realm: 'https://a/t', service: 's' }],
    ],
    ['', undefined],
    ['="x"', undefined],
    [' Bearer realm="x"', undefined],
    ['Negotiate', ['negotiate', {}]],
    [`Bearer realm="${'x'.repeat(5000)}"`, undefined],
  ];
  for (const [text, expected] of table) {
    it(`reads ${JSON.stringify(text.slice(0, 60))}`, () => assert.deepEqual(parse(text), expected));
  }

  it('takes no long time on a header made to be slow', () => {
    for (const piece of ['a', 'a=', '="', '_', 'a="'])
      parseChallenge(`Bearer ${piece.repeat(4000).slice(0, 4080)}`);
  });
});

describe('createAuthenticator()', () => {
  const stage = new Stage();
  const registries: RegistryHandle[] = [];

  afterEach(async () => {
    await stage.end();
    await Promise.all(registries.splice(0).map((registry) => registry.close()));
  });

  async function protectedRegistry(): Promise<{ registry: RegistryHandle; model: PackedModel }> {
    const registry = await startRegistry({ auth: CREDENTIAL });
    registries.push(registry);
    return { registry, model: packModel(registry, REPOSITORY, { f: 'x' }, { tag: 'v1' }) };
  }

  const tokenRequests = (registry: RegistryHandle): number =>
    registry.requests.filter(({ path }) => path.startsWith('/token')).length;

  it('fetches one token for many requests at once, and keeps it for those that follow', async () => {
    const { registry } = await protectedRegistry();
    const client = stage.client([registry.address], keychainOf(registry.address));
    await Promise.all(Array.from({ length: 50 }, () => fetchTag(client, registry)));
    assert.equal(tokenRequests(registry), 1);
    const before = registry.requests.length;
    await fetchTag(client, registry);
    assert.equal(registry.requests.length, before + 1);
    assert.ok(
      registry.requests.every(
        ({ path, authorization }) =>
          path.startsWith('/token') === (authorization?.startsWith('Basic') ?? false),
      ),
    );
  });

  it('asks for no more than to pull from the one repository', async () => {
    const { registry } = await protectedRegistry();
    await fetchTag(stage.client([registry.address], keychainOf(registry.address)), registry);
    const path = registry.requests.find(({ path }) => path.startsWith('/token'))?.path ?? '';
    assert.equal(new URL(path, registry.url).searchParams.get('scope'), `repository:${REPOSITORY}:pull`);
  });

  it('says unauthorized with wrong credentials, and with none', async () => {
    const { registry } = await protectedRegistry();
    const wrong: Keychain = new Map([[registry.address, { username: 'reader', password: 'wrong' }]]);
    await rejects(fetchTag(stage.client([registry.address], wrong), registry), 'unauthorized');
    await rejects(fetchTag(stage.client([registry.address]), registry), 'unauthorized');
    assert.ok(registry.requests.length < 10);
  });

  it('gives one host no credentials of another', async () => {
    const { registry } = await protectedRegistry();
    const keychain = keychainOf(
      '127.0.0.1',
      'docker.io',
      registry.address.replace('127.', '128.'),
      `${registry.address}0`,
    );
    await rejects(fetchTag(stage.client([registry.address], keychain), registry), 'unauthorized');
    assert.ok(registry.requests.every(({ authorization }) => authorization === undefined));
  });

  it('replaces a token that has stopped to work', async () => {
    let valid = 'one';
    const server: BareServer = await stage.serve(({ url = '', headers }, response) => {
      if (url.startsWith('/token')) return answer(response, 200, {}, JSON.stringify({ access_token: valid }));
      if (headers.authorization === `Bearer ${valid}`) return answer(response, 200, {}, '{}');
      return answer(response, 401, { 'www-authenticate': `Bearer realm="${server.url}/token"` });
    });
    const client = stage.client([server.address]);
    await fetchTag(client, server);
    valid = 'two';
    await fetchTag(client, server);
    assert.equal(server.seen.filter(({ path }) => path.startsWith('/token')).length, 2);
    assert.equal(server.seen.at(-1)?.authorization, 'Bearer two');
  });

  const lives: readonly (readonly [string, unknown, number])[] = [
    ['says so', 300, 225_000],
    ['does not say', undefined, 45_000],
    ['says nonsense', '300', 45_000],
    ['says a negative number', -1, 45_000],
    ['claims to be immortal', 1e9, 2_700_000],
  ];
  for (const [what, expiresIn, usedMs] of lives) {
    it(`uses a token for three quarters of its life when it ${what}`, async () => {
      let clock = 0;
      let count = 0;
      const server = await stage.serve((_, response) => {
        count += 1;
        answer(response, 200, {}, JSON.stringify({ token: `t${count}`, expires_in: expiresIn }));
      });
      const transport = stage.transport({ plainHttpHosts: new Set([server.address]) });
      const authenticator = createAuthenticator(transport, new Map(), () => clock);
      const scope = { registry: server.address, host: server.address, repository: REPOSITORY };
      const challenge = `Bearer realm="${server.url}/token"`;
      assert.equal(await authenticator.answer(scope, challenge, undefined), 'Bearer t1');
      clock = usedMs - 1;
      assert.equal(authenticator.known(scope), 'Bearer t1');
      assert.equal(await authenticator.answer(scope, challenge, undefined), 'Bearer t1');
      clock = usedMs;
      assert.equal(authenticator.known(scope), undefined);
      assert.equal(await authenticator.answer(scope, challenge, undefined), 'Bearer t2');
    });
  }

  it('exchanges an identity token by POST, and shows it to nobody as a password', async () => {
    const bodies: string[] = [];
    const server: BareServer = await stage.serve((request, response) => {
      if (request.headers.authorization === 'Bearer t') return answer(response, 200, {}, '{}');
      if (request.method === 'POST') {
        request.on('data', (chunk: Buffer) => bodies.push(chunk.toString()));
        request.on('end', () => answer(response, 200, {}, '{"access_token":"t","expires_in":300}'));
        return;
      }
      const challenge = `Bearer realm="${server.url}/token",service="s"`;
      answer(response, 401, { 'www-authenticate': challenge });
    });
    const keychain: Keychain = new Map([[server.address, { username: '<token>', password: 'refresh' }]]);
    assert.equal(await fetchTag(stage.client([server.address], keychain), server), '{}');
    assert.deepEqual(
      bodies.map((body) => Object.fromEntries(new URLSearchParams(body))),
      [
        {
          grant_type: 'refresh_token',
          client_id: 'model-policy-controller',
          refresh_token: 'refresh',
          service: 's',
          scope: `repository:${REPOSITORY}:pull`,
        },
      ],
    );
    assert.ok(server.seen.every(({ path, authorization }) => !`${path}${authorization}`.includes('refresh')));
    const basic = await stage.serve((_, response) =>
      answer(response, 401, { 'www-authenticate': 'Basic realm="x"' }),
    );
    const same: Keychain = new Map([[basic.address, { username: '<token>', password: 'refresh' }]]);
    await rejects(fetchTag(stage.client([basic.address], same), basic), 'unauthorized');
    assert.ok(basic.seen.every(({ authorization }) => authorization === undefined));
  });

  it('answers a Basic challenge, and gives up after one refusal', async () => {
    let expected = BASIC;
    const server = await stage.serve(({ headers }, response) =>
      headers.authorization === expected
        ? answer(response, 200, {}, '{}')
        : answer(response, 401, { 'www-authenticate': 'Basic realm="x"' }),
    );
    const client = stage.client([server.address], keychainOf(server.address));
    assert.equal(await fetchTag(client, server), '{}');
    await rejects(fetchTag(stage.client([server.address]), server), 'unauthorized', /no credentials/);
    expected = 'changed';
    const before = server.seen.length;
    await rejects(fetchTag(client, server), 'unauthorized');
    assert.ok(server.seen.length - before <= 2);
  });

  for (const challenge of [
    '',
    'Negotiate',
    'Digest realm="x"',
    'Bearer',
    'Bearer realm=""',
    'Bearer realm="/token"',
    'Bearer realm="ftp://x/"',
    'Bearer realm="file:///etc/passwd"',
    'Bearer realm="http://169.254.169.254/token"',
    'Bearer realm="https://u:p@auth.example/"',
    'Bearer realm="javascript:alert(1)"',
  ]) {
    it(`does not follow the challenge ${JSON.stringify(challenge)}`, async () => {
      const server = await stage.serve((_, response) =>
        answer(response, 401, { 'www-authenticate': challenge }),
      );
      await rejects(
        fetchTag(stage.client([server.address], keychainOf(server.address)), server),
        'unauthorized',
      );
      assert.deepEqual(
        server.seen.map(({ authorization }) => authorization),
        [undefined],
      );
    });
  }

  describe('with a realm on another host', () => {
    const challengeTo = (realm: string) => ({
      'www-authenticate': `Bearer realm="${realm}/token",service="s"`,
    });

    it('refuses it over plain HTTP, even when that host is configured', async () => {
      const thief = await stage.serve((_, response) => answer(response, 200, {}, '{"token":"t"}'));
      const server = await stage.serve((_, response) => answer(response, 401, challengeTo(thief.url)));
      const client = stage.client([server.address, thief.address], keychainOf(server.address, thief.address));
      await rejects(fetchTag(client, server), 'unauthorized', /TLS/);
      assert.equal(thief.connections(), 0);
    });

    it('refuses plain HTTP that a TLS registry names, on its own host too', async () => {
      const thief = await stage.serve((_, response) => answer(response, 200, {}, '{"token":"t"}'));
      for (const realm of [(own: string) => own.replace('https:', 'http:'), () => thief.url]) {
        const server: BareServer = await stage.serve(
          (_, response) => answer(response, 401, challengeTo(realm(server.url))),
          { isTls: true },
        );
        const client = stage.tlsClient([server.address, thief.address], keychainOf(server.address));
        await rejects(fetchTag(client, server), 'unauthorized', /TLS/);
      }
      assert.equal(thief.connections(), 0);
    });

    it('refuses TLS that a plain registry names: anybody on the way could have written it', async () => {
      const thief = await stage.serve((_, response) => answer(response, 200, {}, '{"token":"t"}'), {
        isTls: true,
      });
      const server = await stage.serve((_, response) => answer(response, 401, challengeTo(thief.url)));
      await rejects(
        fetchTag(stage.client([server.address], keychainOf(server.address)), server),
        'unauthorized',
        /TLS/,
      );
      assert.equal(thief.connections(), 0);
    });

    it('believes it from TLS to TLS', async () => {
      const auth = await stage.serve((_, response) => answer(response, 200, {}, '{"token":"t"}'), {
        isTls: true,
      });
      const server = await stage.serve(
        ({ headers }, response) =>
          headers.authorization === 'Bearer t'
            ? answer(response, 200, {}, '{}')
            : answer(response, 401, challengeTo(auth.url)),
        { isTls: true },
      );
      const client = stage.tlsClient([server.address, auth.address], keychainOf(server.address));
      assert.equal(await fetchTag(client, server), '{}');
      assert.equal(auth.seen[0]?.authorization, BASIC);
      assert.equal(new URL(auth.seen[0]?.path ?? '', auth.url).searchParams.get('service'), 's');
    });

    it('does not dial a blocked address that is not configured', async () => {
      const auth = await stage.serve((_, response) => answer(response, 200, {}, '{"token":"t"}'), {
        isTls: true,
      });
      const server = await stage.serve((_, response) => answer(response, 401, challengeTo(auth.url)), {
        isTls: true,
      });
      await rejects(
        fetchTag(stage.tlsClient([server.address], keychainOf(server.address)), server),
        'unreachable',
        /loopback/,
      );
      assert.equal(auth.connections(), 0);
    });

    it('is never named by the target of a redirect', async () => {
      const thief: BareServer = await stage.serve(
        ({ url = '' }, response) =>
          url.startsWith('/token')
            ? answer(response, 200, {}, '{"token":"t"}')
            : answer(response, 401, challengeTo(thief.url)),
        { isTls: true },
      );
      const server = await stage.serve(
        (_, response) => answer(response, 307, { location: `${thief.url}/blob` }),
        { isTls: true },
      );
      const client = stage.tlsClient([server.address, thief.address], keychainOf(server.address));
      await rejects(fetchTag(client, server), 'unauthorized');
      assert.deepEqual(
        thief.seen.map(({ path, authorization }) => [path, authorization]),
        [['/blob', undefined]],
      );
    });
  });

  describe('when the token service fails', () => {
    const table: readonly (readonly [string, number, string, RegistryErrorKind])[] = [
      ['no JSON', 200, '<html>', 'unauthorized'],
      ['no token', 200, '{}', 'unauthorized'],
      ['a token with a line break', 200, '{"token":"a\\r\\nx-evil: 1"}', 'unauthorized'],
      ['a number as token', 200, '{"token":5}', 'unauthorized'],
      ['an empty token', 200, '{"token":""}', 'unauthorized'],
      ['the token twice', 200, '{"token":"a","token":"b"}', 'unauthorized'],
      ['too much', 200, JSON.stringify({ token: 'x'.repeat(70_000) }), 'tooLarge'],
      ['a redirect', 302, '', 'unauthorized'],
      ['401', 401, '', 'unauthorized'],
      ['403', 403, '', 'unauthorized'],
      ['429', 429, '', 'throttled'],
      ['500', 500, '', 'unreachable'],
      ['503', 503, '', 'unreachable'],
    ];
    for (const [what, status, body, kind] of table) {
      it(`says ${kind} for ${what}`, async () => {
        const server: BareServer = await stage.serve(({ url = '' }, response) =>
          url.startsWith('/token')
            ? answer(response, status, status === 302 ? { location: 'https://evil.test/' } : {}, body)
            : answer(response, 401, { 'www-authenticate': `Bearer realm="${server.url}/token"` }),
        );
        await rejects(fetchTag(stage.client([server.address], keychainOf(server.address)), server), kind);
      });
    }

    it('does not hold a caller beyond its deadline, and lets the others have the token', async () => {
      let release: () => void = () => undefined;
      const server: BareServer = await stage.serve(({ url = '', headers }, response) => {
        if (url.startsWith('/token')) release = () => answer(response, 200, {}, '{"token":"t"}');
        else if (headers.authorization === 'Bearer t') answer(response, 200, {}, '{}');
        else answer(response, 401, { 'www-authenticate': `Bearer realm="${server.url}/token"` });
      });
      const client = stage.client([server.address]);
      const hasty = fetchTag(client, server, 'v1', soon(100));
      const patient = fetchTag(client, server);
      await assert.rejects(hasty, DeadlineError);
      release();
      assert.equal(await patient, '{}');
    });
  });
});

// Are tokens sent in the password's stead, in the way and to the place that each is for?
import assert from 'node:assert/strict';
import { RegistryError } from '../../src/registry/error.ts';
import { answer, REPOSITORY, soon, Stage, type BareServer } from './servers.ts';

const IDENTITY = { username: '<token>', password: 'refresh' };
const NONE = { username: '', password: '' };

describe('createAuthenticator() with tokens', () => {
  const stage = new Stage();
  afterEach(() => stage.end());

  /** A registry that lets in whoever has the token `bought`, and sells it for the refresh token `refresh`. */
  async function serve(): Promise<{ server: BareServer; posts: string[] }> {
    const posts: string[] = [];
    const server: BareServer = await stage.serve((request, response) => {
      const { url = '', headers, method } = request;
      if (!url.startsWith('/token')) {
        if (headers.authorization === 'Bearer bought') return answer(response, 200, {}, '{}');
        const realm = `Bearer realm="${server.url}/token",service="s"`;
        return answer(response, 401, { 'www-authenticate': realm });
      }
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        posts.push(`${method ?? ''} ${body}`);
        const isRight = new URLSearchParams(body).get('refresh_token') === 'refresh';
        answer(response, isRight ? 200 : 401, {}, isRight ? '{"access_token":"bought"}' : '{}');
      });
    });
    return { server, posts };
  }
  const fetchTag = (server: BareServer, credential: object): Promise<unknown> =>
    stage
      .client([server.address], new Map([[server.address, { ...NONE, ...credential }]]))
      .fetchManifest({ registry: server.address, repository: REPOSITORY }, 'v1', soon());

  it('buys an access token with an identity token, by a form and never by a URL', async () => {
    const { server, posts } = await serve();
    await fetchTag(server, IDENTITY);
    assert.equal(posts.length, 1);
    const [method = '', body = ''] = posts[0]?.split(' ') ?? [];
    assert.equal(method, 'POST');
    assert.deepEqual(Object.fromEntries(new URLSearchParams(body)), {
      grant_type: 'refresh_token',
      refresh_token: 'refresh',
      client_id: 'model-policy-controller',
      service: 's',
      scope: `repository:${REPOSITORY}:pull`,
    });
    assert.ok(server.seen.every(({ path }) => !path.includes('refresh')));
    assert.ok(server.seen.every(({ authorization }) => authorization?.startsWith('Basic') !== true));
  });

  it('says unauthorized when the identity token is refused', async () => {
    const { server } = await serve();
    await assert.rejects(
      fetchTag(server, { ...IDENTITY, password: 'stale' }),
      (error) =>
        error instanceof RegistryError && error.kind === 'unauthorized' && !error.message.includes('stale'),
    );
  });

  it('answers no Basic challenge with an identity token', async () => {
    const server = await stage.serve((_, response) =>
      answer(response, 401, { 'www-authenticate': 'Basic realm="x"' }),
    );
    await assert.rejects(fetchTag(server, IDENTITY), RegistryError);
    assert.ok(server.seen.every(({ authorization }) => authorization === undefined));
  });

  it('sends a registry token as it is, to the registry alone', async () => {
    const { server, posts } = await serve();
    await fetchTag(server, { registryToken: 'bought' });
    assert.deepEqual(posts, []);
    await assert.rejects(fetchTag(server, { registryToken: 'other' }), RegistryError);
    assert.deepEqual(posts, []);
  });

  it('gives neither to a realm on another host that anybody could have named', async () => {
    const thief = await stage.serve((_, response) => answer(response, 200, {}, '{"token":"t"}'));
    const server = await stage.serve((_, response) =>
      answer(response, 401, { 'www-authenticate': `Bearer realm="${thief.url}/token"` }),
    );
    for (const credential of [IDENTITY, { registryToken: 'bought' }])
      await assert.rejects(
        stage
          .client([server.address, thief.address], new Map([[server.address, { ...NONE, ...credential }]]))
          .fetchManifest({ registry: server.address, repository: REPOSITORY }, 'v1', soon()),
        RegistryError,
      );
    assert.equal(thief.connections(), 0);
  });
});

// Do the keychains of clouds give credentials to their own registries, and to nobody who looks like one?
import assert from 'node:assert/strict';
import { createAcrKeychain } from '../../src/registry/keychain-acr.ts';
import { createCloudSource, type CloudKeychain } from '../../src/registry/keychain-cloud.ts';
import { createEcrKeychain } from '../../src/registry/keychain-ecr.ts';
import { signAwsRequest } from '../../src/registry/keychain-ecr-signature.ts';
import type { CloudAccess, TokenAnswer, TokenRequest } from '../../src/registry/keychain-fetch.ts';
import { createGarKeychain } from '../../src/registry/keychain-gar.ts';
import type { FoundCredentials } from '../../src/registry/keychain.ts';
import { soon } from './servers.ts';

const NOW = new Date('2026-01-02T03:04:05Z');
const ECR_HOST = '123456789012.dkr.ecr.us-east-1.amazonaws.com';

interface Stage {
  readonly asked: readonly TokenRequest[];
  readonly find: (registry: string) => Promise<FoundCredentials>;
  clock: Date;
}

type Answers = Readonly<Record<string, Partial<TokenAnswer> | (() => Partial<TokenAnswer>)>>;

/** A cloud whose token services answer by the start of the URL; all others fail. */
function stage(
  create: (access: CloudAccess) => CloudKeychain,
  answers: Answers = {},
  environment: Readonly<Record<string, string>> = {},
): Stage {
  const asked: TokenRequest[] = [];
  const access: CloudAccess = {
    environment,
    now: () => self.clock,
    readFile: (path) => Promise.resolve(`token of ${path}\n`),
    fetch: (request) => {
      asked.push(request);
      const found = Object.entries(answers).find(([url]) => request.url.startsWith(url))?.[1];
      if (found === undefined) return Promise.reject(new Error('hush: no route'));
      const answer = typeof found === 'function' ? found() : found;
      return Promise.resolve({ status: 200, headers: {}, text: '{}', ...answer });
    },
  };
  const source = createCloudSource(create(access), access.now);
  const find = (registry: string): Promise<FoundCredentials> =>
    source.find({ registry, repository: 'team/model' }, soon());
  const self: Stage = { asked, find, clock: NOW };
  return self;
}
const json = (value: object, more: Partial<TokenAnswer> = {}): Partial<TokenAnswer> => ({
  text: JSON.stringify(value),
  ...more,
});
const formOf = ({ body = '' }: TokenRequest): Record<string, string> =>
  Object.fromEntries(new URLSearchParams(body));

const GOOGLE = { headers: { 'metadata-flavor': 'Google' } };
const METADATA = 'http://metadata.google.internal/';
const AZURE = {
  AZURE_TENANT_ID: 'tenant',
  AZURE_CLIENT_ID: 'client',
  AZURE_FEDERATED_TOKEN_FILE: '/var/token',
};
const AZURE_ANSWERS: Answers = {
  'https://login.microsoftonline.com/': json({ access_token: 'entra', expires_in: 3600 }),
  'https://models.azurecr.io/oauth2/exchange': json({ refresh_token: 'refresh' }),
};
const AWS = { AWS_ACCESS_KEY_ID: 'AKID', AWS_SECRET_ACCESS_KEY: 'KEY' };
const ECR_TOKEN = json({
  authorizationData: [
    {
      authorizationToken: Buffer.from('AWS:password').toString('base64'),
      expiresAt: NOW.getTime() / 1000 + 43_200,
    },
  ],
});

describe('createCloudSource()', () => {
  const LOOK_ALIKES = [
    'evil-azurecr.io',
    'azurecr.io',
    'azurecr.io.evil.test',
    'models.azurecr.io.evil.test',
    'models.azurecr.io.',
    'models.azurecr.io:5000',
    'models.azurecr.io:80',
    'models.evil.azurecr.io',
    'models.eastus.data.azurecr.io',
    'modelsazurecr.io',
    'models.azurecr.iо',
    'models.azurecr.cn',
    'mödels.azurecr.io',
    '-models.azurecr.io',
    'gcr.io.evil.test',
    'evilgcr.io',
    'evil-gcr.io',
    'us.gcr.io:443',
    'us.gcr.io:5000',
    'a.us.gcr.io',
    'gcr.io.',
    'mirror.gcr.iо',
    'pkg.dev',
    'docker.pkg.dev',
    '-docker.pkg.dev',
    'us-dockerpkg.dev',
    'us-docker.pkg.dev.evil.test',
    'us-docker.evil-pkg.dev',
    'us-docker.pkg.dev:8443',
    'x.us-docker.pkg.dev',
    'us-npm.pkg.dev',
    `${ECR_HOST}.evil.test`,
    `${ECR_HOST}.`,
    `${ECR_HOST}:5000`,
    `${ECR_HOST}.cn`,
    `x.${ECR_HOST}`,
    'evil123456789012.dkr.ecr.us-east-1.amazonaws.com',
    '12345678901.dkr.ecr.us-east-1.amazonaws.com',
    '1234567890123.dkr.ecr.us-east-1.amazonaws.com',
    '１23456789012.dkr.ecr.us-east-1.amazonaws.com',
    '123456789012.dkr.ecr.us-east-1.evilamazonaws.com',
    '123456789012.dkr.ecr.evil.test.amazonaws.com',
    '123456789012.dkr.ecr.us-east-1.s3.amazonaws.com',
    '123456789012.dkr.ecr.evil@us-east-1.amazonaws.com',
    '123456789012.dkr.ecr.cn-north-1.amazonaws.com',
    '123456789012.dkr.s3.us-east-1.amazonaws.com',
    '123456789012-dkr-ecr.us-east-1.amazonaws.com',
    'public.ecr.aws',
    'docker.io',
    'localhost:5000',
    '127.0.0.1',
    '',
  ];
  const everywhere: Answers = {
    '': { status: 200, ...GOOGLE, ...json({ access_token: 'x', refresh_token: 'x' }) },
  };
  for (const host of LOOK_ALIKES)
    it(`asks no cloud about ${JSON.stringify(host)}`, async () => {
      for (const create of [createGarKeychain, createAcrKeychain, createEcrKeychain]) {
        const { find, asked } = stage(create, everywhere, { ...AZURE, ...AWS });
        assert.deepEqual(await find(host), { credentials: [], failures: [], missing: [] });
        assert.deepEqual(asked, []);
      }
    });

  it('matches canonical hosts, which are in lower case and without the default port', async () => {
    const { find } = stage(createGarKeychain, { [METADATA]: json({ access_token: 't' }, GOOGLE) });
    assert.deepEqual((await find('US-DOCKER.PKG.DEV')).credentials, []);
    assert.equal((await find('us-docker.pkg.dev')).credentials.length, 1);
  });

  it('asks once for many at once, and again shortly before the end', async () => {
    const self = stage(createGarKeychain, {
      [METADATA]: json({ access_token: 't', expires_in: 300 }, GOOGLE),
    });
    await Promise.all(['gcr.io', 'us.gcr.io', 'us-docker.pkg.dev'].map(self.find));
    self.clock = new Date(NOW.getTime() + 239_000);
    await self.find('gcr.io');
    assert.equal(self.asked.length, 1);
    self.clock = new Date(NOW.getTime() + 241_000);
    await self.find('gcr.io');
    assert.equal(self.asked.length, 2);
  });

  it('names the cloud when there is nothing to be had, shows nothing, and asks again', async () => {
    const cases: readonly (readonly [(access: CloudAccess) => CloudKeychain, string, RegExp])[] = [
      [createGarKeychain, 'gcr.io', /^the GAR keychain .* "gcr\.io": its token service could not be asked$/],
      [createAcrKeychain, 'models.azurecr.io', /^the ACR keychain .*: its token service/],
      [createEcrKeychain, ECR_HOST, /^the ECR keychain .*: its token service/],
    ];
    for (const [create, host, why] of cases) {
      const { find, asked } = stage(create, {}, { ...AZURE, ...AWS });
      const { credentials, failures } = await find(host);
      assert.deepEqual(credentials, []);
      assert.match(failures.join(), why);
      assert.doesNotMatch(failures.join(), /hush|KEY/);
      await find(host);
      assert.equal(asked.length, 2);
    }
  });
});

describe('createGarKeychain()', () => {
  for (const host of ['gcr.io', 'eu.gcr.io', 'us-docker.pkg.dev', 'europe-west3-docker.pkg.dev'])
    it(`has the service account's token for ${host}`, async () => {
      const { find, asked } = stage(createGarKeychain, {
        [METADATA]: json({ access_token: 'ya29', expires_in: 3599, token_type: 'Bearer' }, GOOGLE),
      });
      assert.deepEqual((await find(host)).credentials, [{ username: 'oauth2accesstoken', password: 'ya29' }]);
      assert.deepEqual(asked[0]?.headers, { 'metadata-flavor': 'Google' });
    });

  it('believes nobody who is not the metadata server, nor an answer without a token', async () => {
    for (const [answer, why] of [
      [json({ access_token: 't' }), /not Google/],
      [json({}, GOOGLE), /without access_token/],
      [{ text: '<html>', ...GOOGLE }, /no JSON/],
      [{ status: 404, ...GOOGLE }, /answered 404/],
    ] as const) {
      const found = await stage(createGarKeychain, { [METADATA]: answer }).find('gcr.io');
      assert.match(found.failures.join(), why);
    }
  });
});

describe('createAcrKeychain()', () => {
  it('trades the federated token at Entra ID, and that at the registry', async () => {
    const { find, asked } = stage(createAcrKeychain, AZURE_ANSWERS, AZURE);
    assert.deepEqual((await find('models.azurecr.io')).credentials, [
      { username: '00000000-0000-0000-0000-000000000000', password: 'refresh' },
    ]);
    const [entra, exchange] = asked;
    assert.ok(entra !== undefined && exchange !== undefined);
    assert.equal(entra.url, 'https://login.microsoftonline.com/tenant/oauth2/v2.0/token');
    assert.deepEqual(formOf(entra), {
      client_id: 'client',
      scope: 'https://containerregistry.azure.net/.default',
      grant_type: 'client_credentials',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: 'token of /var/token',
    });
    assert.deepEqual(formOf(exchange), {
      grant_type: 'access_token',
      service: 'models.azurecr.io',
      tenant: 'tenant',
      access_token: 'entra',
    });
  });

  it('keeps a refresh token for the one registry that gave it', async () => {
    const { find } = stage(createAcrKeychain, AZURE_ANSWERS, AZURE);
    await find('models.azurecr.io');
    assert.match((await find('others.azurecr.io')).failures.join(), /others\.azurecr\.io/);
  });

  it('keeps the tokens of a cloud in that cloud', async () => {
    for (const [authority, own, foreign] of [
      ['https://login.microsoftonline.us/', 'models.azurecr.us', 'models.azurecr.io'],
      ['https://login.partner.microsoftonline.cn/', 'models.azurecr.cn', 'models.azurecr.us'],
      ['https://login.evil.test/', '', 'models.azurecr.io'],
      ['not a URL', '', 'models.azurecr.io'],
    ] as const) {
      const host = URL.canParse(authority) ? new URL(authority).host : 'none';
      const answers: Answers = {
        [`https://${host}/`]: json({ access_token: 'entra' }),
        [`https://${own}/`]: json({ refresh_token: 'refresh' }),
      };
      const environment = { ...AZURE, AZURE_AUTHORITY_HOST: authority };
      const { find, asked } = stage(createAcrKeychain, answers, environment);
      assert.deepEqual((await find(foreign)).credentials, []);
      assert.deepEqual(asked, []);
      if (own !== '') assert.equal((await find(own)).credentials.length, 1);
    }
  });

  it('says what the environment lacks', async () => {
    for (const name of Object.keys(AZURE)) {
      const environment = Object.fromEntries(Object.entries(AZURE).filter(([key]) => key !== name));
      const { find, asked } = stage(createAcrKeychain, AZURE_ANSWERS, environment);
      assert.match((await find('models.azurecr.io')).failures.join(), new RegExp(name));
      assert.deepEqual(asked, []);
    }
  });
});

describe('createEcrKeychain()', () => {
  const ECR = 'https://api.ecr.us-east-1.amazonaws.com/';

  it('asks the API of the registry’s region, signed, and reads user and password', async () => {
    const { find, asked } = stage(createEcrKeychain, { [ECR]: ECR_TOKEN }, AWS);
    assert.deepEqual((await find(ECR_HOST)).credentials, [{ username: 'AWS', password: 'password' }]);
    const [request] = asked;
    assert.ok(request !== undefined);
    assert.deepEqual([request.url, request.method, request.body], [ECR, 'POST', '{}']);
    assert.equal(
      request.headers['x-amz-target'],
      'AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken',
    );
    assert.match(
      request.headers['authorization'] ?? '',
      /^AWS4-HMAC-SHA256 Credential=AKID\/20260102\/us-east-1\/ecr\/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature=[0-9a-f]{64}$/,
    );
    assert.doesNotMatch(JSON.stringify(asked), /KEY/);
  });

  for (const [host, api] of [
    ['123456789012.dkr.ecr.eu-central-1.amazonaws.com', 'api.ecr.eu-central-1.amazonaws.com'],
    ['123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com', 'ecr-fips.us-gov-west-1.amazonaws.com'],
    ['123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn', 'api.ecr.cn-north-1.amazonaws.com.cn'],
  ] as const)
    it(`asks ${api} about ${host}`, async () => {
      const { find, asked } = stage(createEcrKeychain, { [`https://${api}/`]: ECR_TOKEN }, AWS);
      assert.equal((await find(host)).credentials.length, 1);
      assert.deepEqual(asked.map(({ url }) => url), [`https://${api}/`]); // prettier-ignore
    });

  it('assumes a role by its web identity (IRSA), in the region of the registry', async () => {
    const sts = 'https://sts.us-east-1.amazonaws.com/';
    const keys = ['AccessKeyId', 'SecretAccessKey', 'SessionToken'];
    const text = `<R>${keys.map((key) => `<${key}>${key}+/=1</${key}>`).join('')}</R>`;
    const environment = { AWS_ROLE_ARN: 'arn:aws:iam::1:role/r', AWS_WEB_IDENTITY_TOKEN_FILE: '/irsa' };
    const { find, asked } = stage(createEcrKeychain, { [sts]: { text }, [ECR]: ECR_TOKEN }, environment);
    assert.equal((await find(ECR_HOST)).credentials.length, 1);
    assert.ok(asked[0] !== undefined);
    assert.deepEqual(formOf(asked[0]), {
      Action: 'AssumeRoleWithWebIdentity',
      Version: '2011-06-15',
      RoleArn: 'arn:aws:iam::1:role/r',
      RoleSessionName: 'model-policy-controller',
      WebIdentityToken: 'token of /irsa',
    });
    assert.equal(asked[1]?.headers['x-amz-security-token'], 'SessionToken+/=1');
    for (const broken of [{ status: 403 }, { text: '<R/>' }]) {
      const failed = await stage(createEcrKeychain, { [sts]: broken }, environment).find(ECR_HOST);
      assert.match(failed.failures.join(), /STS answered/);
    }
  });

  it('asks the agent of EKS Pod Identity', async () => {
    const agent = 'http://169.254.170.23/v1/credentials';
    const environment = {
      AWS_CONTAINER_CREDENTIALS_FULL_URI: agent,
      AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: '/eks',
    };
    const answers = {
      [agent]: json({ AccessKeyId: 'A', SecretAccessKey: 'S', Token: 'T' }),
      [ECR]: ECR_TOKEN,
    };
    const { find, asked } = stage(createEcrKeychain, answers, environment);
    assert.equal((await find(ECR_HOST)).credentials.length, 1);
    assert.deepEqual(asked[0]?.headers, { authorization: 'token of /eks' });
    assert.equal(asked[1]?.headers['x-amz-security-token'], 'T');
  });

  it('gives the agent’s token to no other address without TLS', async () => {
    for (const uri of ['http://evil.test/', 'http://169.254.170.23.evil.test/', 'http://10.0.0.1/', 'x']) {
      const environment = {
        AWS_CONTAINER_CREDENTIALS_FULL_URI: uri,
        AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: '/eks',
      };
      const { find, asked } = stage(createEcrKeychain, {}, environment);
      assert.match((await find(ECR_HOST)).failures.join(), /no address of an agent/);
      assert.deepEqual(asked, []);
    }
  });

  it('says that nobody is named, and what ECR answered instead of a token', async () => {
    const nobody = await stage(createEcrKeychain, { [ECR]: ECR_TOKEN }).find(ECR_HOST);
    assert.match(nobody.failures.join(), /names no AWS identity/);
    for (const answer of [
      { status: 400 },
      json({}),
      json({ authorizationData: [{ authorizationToken: 'eA==' }] }),
    ]) {
      const { failures } = await stage(createEcrKeychain, { [ECR]: answer }, AWS).find(ECR_HOST);
      assert.match(failures.join(), /ECR answered/);
    }
  });
});

describe('signAwsRequest()', () => {
  it('signs the published example of a POST as AWS does', () => {
    const { headers } = signAwsRequest(
      { host: 'example.amazonaws.com', region: 'us-east-1', service: 'service', body: '', headers: {} },
      { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' },
      new Date('2015-08-30T12:36:00Z'),
    );
    assert.equal(
      headers['authorization'],
      'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b',
    );
  });
});

// Who is this workload at AWS? Keys from the environment, from a projected service account token (IRSA), or from the agent
// of EKS Pod Identity, in this order; nodes' own roles are left alone, because every pod of a node could borrow them.
import { CloudKeychainError, readTokenAnswer, requireText } from './keychain-cloud.ts';
import type { AwsIdentity } from './keychain-ecr-signature.ts';
import type { CloudAccess } from './keychain-fetch.ts';

const SESSION_NAME = 'model-policy-controller';
/** The agents of EKS and of ECS, and nobody else, are spoken to without TLS (AWS SDKs, "Container credential provider"). */
const AGENTS = new Set(['169.254.170.23', '[fd00:ec2::23]', '169.254.170.2']);

/** Finds the identity. @throws CloudKeychainError */
export async function findAwsIdentity(access: CloudAccess, region: string): Promise<AwsIdentity> {
  const { environment } = access;
  const accessKeyId = environment['AWS_ACCESS_KEY_ID'];
  const secretAccessKey = environment['AWS_SECRET_ACCESS_KEY'];
  if (accessKeyId !== undefined && secretAccessKey !== undefined)
    return withSession({ accessKeyId, secretAccessKey }, environment['AWS_SESSION_TOKEN']);
  const role = environment['AWS_ROLE_ARN'];
  const tokenFile = environment['AWS_WEB_IDENTITY_TOKEN_FILE'];
  if (role !== undefined && tokenFile !== undefined) return assumeRole(access, { role, tokenFile, region });
  const agent = environment['AWS_CONTAINER_CREDENTIALS_FULL_URI'];
  const agentTokenFile = environment['AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE'];
  if (agent !== undefined && agentTokenFile !== undefined) return askAgent(access, agent, agentTokenFile);
  throw new CloudKeychainError('the environment names no AWS identity');
}

function withSession(
  keys: { readonly accessKeyId: string; readonly secretAccessKey: string },
  sessionToken: string | undefined,
): AwsIdentity {
  return { ...keys, ...(sessionToken === undefined ? {} : { sessionToken }) };
}

interface Role {
  readonly role: string;
  readonly tokenFile: string;
  readonly region: string;
}

// Needs no signature: the token is the proof (AWS STS API Reference, AssumeRoleWithWebIdentity).
async function assumeRole(
  { fetch, readFile }: CloudAccess,
  { role, tokenFile, region }: Role,
): Promise<AwsIdentity> {
  const domain = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
  const form = new URLSearchParams({
    Action: 'AssumeRoleWithWebIdentity',
    Version: '2011-06-15',
    RoleArn: role,
    RoleSessionName: SESSION_NAME,
    WebIdentityToken: (await readFile(tokenFile)).trim(),
  });
  const { status, text } = await fetch({
    url: `https://sts.${region}.${domain}/`,
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: form.toString(),
  });
  if (status !== 200) throw new CloudKeychainError(`STS answered ${status}`);
  return withSession(
    { accessKeyId: readElement(text, 'AccessKeyId'), secretAccessKey: readElement(text, 'SecretAccessKey') },
    readElement(text, 'SessionToken'),
  );
}

// The answer is XML of which three elements matter, with values that need no escapes.
function readElement(text: string, name: string): string {
  const value = new RegExp(`<${name}>([A-Za-z0-9+/=_-]{1,8192})</${name}>`).exec(text)?.[1];
  if (value === undefined) throw new CloudKeychainError(`STS answered without ${name}`);
  return value;
}

async function askAgent(
  { fetch, readFile }: CloudAccess,
  url: string,
  tokenFile: string,
): Promise<AwsIdentity> {
  const what = 'the credentials agent';
  const { protocol, hostname } = URL.canParse(url) ? new URL(url) : { protocol: '', hostname: '' };
  if (protocol !== 'https:' && !(protocol === 'http:' && AGENTS.has(hostname)))
    throw new CloudKeychainError('AWS_CONTAINER_CREDENTIALS_FULL_URI is no address of an agent');
  const authorization = (await readFile(tokenFile)).trim();
  const answer = readTokenAnswer(await fetch({ url, method: 'GET', headers: { authorization } }), what);
  return {
    accessKeyId: requireText(answer, 'AccessKeyId', what),
    secretAccessKey: requireText(answer, 'SecretAccessKey', what),
    sessionToken: requireText(answer, 'Token', what),
  };
}

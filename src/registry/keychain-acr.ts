// Which credentials has this workload at Azure's registries? Trades the projected service account token for an access
// token of Entra ID (workload identity), and that at the registry itself for a refresh token, which it takes as password.
// Specification: github.com/Azure/acr, docs/AAD-OAuth.md; RFC 7523 §2.2.
import {
  CloudKeychainError,
  readTokenAnswer,
  requireText,
  toExpiry,
  type CloudKeychain,
} from './keychain-cloud.ts';
import type { CloudAccess, TokenRequest } from './keychain-fetch.ts';

/** Suffixes of registries by the host that gives out their cloud's tokens: a token never leaves its cloud. */
const SUFFIXES: Readonly<Record<string, string>> = {
  'login.microsoftonline.com': 'azurecr.io',
  'login.microsoftonline.us': 'azurecr.us',
  'login.partner.microsoftonline.cn': 'azurecr.cn',
  'login.chinacloudapi.cn': 'azurecr.cn',
};
const DEFAULT_AUTHORITY = 'https://login.microsoftonline.com/';
const REGISTRY_NAME = /^[a-z0-9]{2,50}(?:-[a-z0-9]{1,50})?$/;
const SCOPE = 'https://containerregistry.azure.net/.default';
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
/** The user name that stands for "the password is a refresh token". */
const TOKEN_USER = '00000000-0000-0000-0000-000000000000';
/** Refresh tokens live for hours and say when only inside; in seconds. */
const REFRESH_TOKEN_SECONDS = 3600;
const TENANT = /^[A-Za-z0-9.-]{1,253}$/;

/** Creates the keychain of Azure Container Registry. */
export function createAcrKeychain(access: CloudAccess): CloudKeychain {
  const { environment, now } = access;
  const authority = environment['AZURE_AUTHORITY_HOST'] ?? DEFAULT_AUTHORITY;
  const suffix = SUFFIXES[toHost(authority)];
  return {
    name: 'ACR',
    toCacheKey(registry) {
      const dot = registry.indexOf('.');
      const isOurs = registry.slice(dot + 1) === suffix && REGISTRY_NAME.test(registry.slice(0, dot));
      return isOurs ? registry : undefined;
    },
    async fetch(registry) {
      const tenant = environment['AZURE_TENANT_ID'] ?? '';
      if (!TENANT.test(tenant)) throw new CloudKeychainError('AZURE_TENANT_ID is not set');
      const accessToken = await fetchAccessToken(access, authority, tenant);
      const what = 'the registry';
      const form = { grant_type: 'access_token', service: registry, tenant, access_token: accessToken };
      const answer = readTokenAnswer(
        await access.fetch(toForm(`https://${registry}/oauth2/exchange`, form)),
        what,
      );
      return {
        credential: { username: TOKEN_USER, password: requireText(answer, 'refresh_token', what) },
        expiresAt: toExpiry(REFRESH_TOKEN_SECONDS, now()),
      };
    },
  };
}

async function fetchAccessToken(
  { environment, readFile, fetch }: CloudAccess,
  authority: string,
  tenant: string,
): Promise<string> {
  const clientId = environment['AZURE_CLIENT_ID'];
  const tokenFile = environment['AZURE_FEDERATED_TOKEN_FILE'];
  if (clientId === undefined || tokenFile === undefined)
    throw new CloudKeychainError('AZURE_CLIENT_ID and AZURE_FEDERATED_TOKEN_FILE are not both set');
  const form = {
    client_id: clientId,
    scope: SCOPE,
    grant_type: 'client_credentials',
    client_assertion_type: ASSERTION_TYPE,
    client_assertion: (await readFile(tokenFile)).trim(),
  };
  const url = `https://${toHost(authority)}/${tenant}/oauth2/v2.0/token`;
  const what = 'Entra ID';
  return requireText(readTokenAnswer(await fetch(toForm(url, form)), what), 'access_token', what);
}

function toForm(url: string, form: Readonly<Record<string, string>>): TokenRequest {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  return { url, method: 'POST', headers, body: new URLSearchParams(form).toString() };
}

function toHost(authority: string): string {
  return URL.canParse(authority) ? new URL(authority).host : '';
}

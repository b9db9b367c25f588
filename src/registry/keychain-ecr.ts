// Which credentials has this workload at Amazon's registries? Asks ECR of the registry's own region for an authorization
// token; who is asking is proven by keychain-ecr-identity.ts and signed by keychain-ecr-signature.ts.
// Specification: Amazon ECR API Reference, GetAuthorizationToken.
import { toArray, toRecord } from '../lib/text.ts';
import {
  CloudKeychainError,
  readTokenAnswer,
  requireText,
  type CloudCredential,
  type CloudKeychain,
} from './keychain-cloud.ts';
import { findAwsIdentity } from './keychain-ecr-identity.ts';
import { signAwsRequest } from './keychain-ecr-signature.ts';
import type { CloudAccess } from './keychain-fetch.ts';

const HOST =
  /^\d{12}\.dkr\.ecr(?<fips>-fips)?\.(?<region>[a-z]{2}(?:-[a-z]{2,12}){1,3}-\d{1,2})\.(?<domain>amazonaws\.com(?:\.cn)?)$/;
const TARGET = 'AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken';
const WHAT = 'ECR';

interface Place {
  readonly region: string;
  /** Host of the API that is asked. */
  readonly api: string;
}

/** Creates the keychain of Amazon Elastic Container Registry, private registries only. */
export function createEcrKeychain(access: CloudAccess): CloudKeychain {
  return {
    name: 'ECR',
    // A token is for every registry that its owner may read; each partition and region gives out its own.
    toCacheKey: (registry) => toPlace(registry)?.api,
    async fetch(registry) {
      const place = toPlace(registry);
      if (place === undefined) throw new CloudKeychainError('it is no registry of ECR');
      const identity = await findAwsIdentity(access, place.region);
      const request = signAwsRequest(
        {
          host: place.api,
          region: place.region,
          service: 'ecr',
          body: '{}',
          headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': TARGET },
        },
        identity,
        access.now(),
      );
      return readCredential(readTokenAnswer(await access.fetch(request), WHAT));
    },
  };
}

function toPlace(registry: string): Place | undefined {
  const { region = '', domain = '', fips } = HOST.exec(registry)?.groups ?? {};
  if (region === '' || region.startsWith('cn-') !== domain.endsWith('.cn')) return undefined;
  return { region, api: `${fips === undefined ? 'api.ecr' : 'ecr-fips'}.${region}.${domain}` };
}

function readCredential(answer: Record<string, unknown>): CloudCredential {
  const data = toRecord(toArray(answer['authorizationData'])[0]);
  const decoded = Buffer.from(requireText(data, 'authorizationToken', WHAT), 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  if (colon === -1) throw new CloudKeychainError(`${WHAT} answered no user name and password`);
  const expiresAt = data['expiresAt'];
  return {
    credential: { username: decoded.slice(0, colon), password: decoded.slice(colon + 1) },
    expiresAt: typeof expiresAt === 'number' ? expiresAt * 1000 : 0,
  };
}

// How does AWS know who asks? Signature Version 4 of one POST to `/`: all of it that this project needs.
// Specification: AWS IAM User Guide, "Create a signed AWS API request".
import { createHmac } from 'node:crypto';
import { sha256Hex } from '../lib/digest.ts';
import type { TokenRequest } from './keychain-fetch.ts';

const ALGORITHM = 'AWS4-HMAC-SHA256';

/** Keys of somebody at AWS. */
export interface AwsIdentity {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** What is signed: header names in lower case. */
export interface AwsRequest {
  readonly host: string;
  readonly region: string;
  readonly service: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** The request with its signature. */
export function signAwsRequest(request: AwsRequest, identity: AwsIdentity, now: Date): TokenRequest {
  const { host, region, service, body } = request;
  const time = now.toISOString().replaceAll(/[-:]|\.\d{3}/g, '');
  const day = time.slice(0, 8);
  const { accessKeyId, secretAccessKey, sessionToken } = identity;
  const signed: Record<string, string> = {
    ...request.headers,
    host,
    'x-amz-date': time,
    ...(sessionToken === undefined ? {} : { 'x-amz-security-token': sessionToken }),
  };
  const names = Object.keys(signed).toSorted();
  const lines = names.map((name) => `${name}:${signed[name] ?? ''}\n`).join('');
  const canonical = ['POST', '/', '', lines, names.join(';'), hash(body)].join('\n');
  const scope = `${day}/${region}/${service}/aws4_request`;
  const text = [ALGORITHM, time, scope, hash(canonical)].join('\n');
  const key = [day, region, service, 'aws4_request'].reduce<Buffer | string>(hmac, `AWS4${secretAccessKey}`);
  const signature = hmac(key, text).toString('hex');
  const credential = `Credential=${accessKeyId}/${scope}`;
  const authorization = `${ALGORITHM} ${credential}, SignedHeaders=${names.join(';')}, Signature=${signature}`;
  const { host: _, ...headers } = signed;
  return { url: `https://${host}/`, method: 'POST', headers: { ...headers, authorization }, body };
}

function hash(text: string): string {
  return sha256Hex(Buffer.from(text));
}

function hmac(key: Buffer | string, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

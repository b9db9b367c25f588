// Who is this process to clouds and credential helpers? Picks what they see of our environment and nothing more.
import { readFile } from 'node:fs/promises';
import { createAcrKeychain } from '../registry/keychain-acr.ts';
import { createCloudSource, type CloudKeychain, type CloudName } from '../registry/keychain-cloud.ts';
import { createEcrKeychain } from '../registry/keychain-ecr.ts';
import { fetchToken, type CloudAccess } from '../registry/keychain-fetch.ts';
import { createGarKeychain } from '../registry/keychain-gar.ts';
import type { CredentialSource } from '../registry/keychain.ts';

const KEYCHAINS: Readonly<Record<CloudName, (access: CloudAccess) => CloudKeychain>> = {
  ECR: createEcrKeychain,
  GAR: createGarKeychain,
  ACR: createAcrKeychain,
};
/** What credential helpers need to find themselves, their configuration and their cloud. */
const HELPER_VARIABLES = /^(?:PATH|HOME|TMPDIR|(?:AWS|AZURE|GOOGLE|CLOUDSDK)_[A-Z0-9_]+|(?:HTTPS|NO)_PROXY)$/;

/** The sources of the clouds that --cloud-keychains names. */
export function createCloudSources(names: readonly string[]): readonly CredentialSource[] {
  const access: CloudAccess = {
    fetch: fetchToken,
    environment: process.env,
    readFile: (path) => readFile(path, 'utf8'),
    now: () => new Date(),
  };
  return [...new Set(names)].map((name) =>
    createCloudSource(KEYCHAINS[name as CloudName](access), access.now),
  );
}

/** The part of an environment that credential helpers see. */
export function toHelperEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) =>
      value !== undefined && HELPER_VARIABLES.test(name) ? [[name, value]] : [],
    ),
  );
}

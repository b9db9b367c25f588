// Which questions do the conformance bundles ask? Every directory with the file and with its digest, under the suite's
// own rules about identity, key and trusted root.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { askOurs } from './ours.ts';
import type { Question } from './question.ts';
import type { Tools } from './tools.ts';

const DEFAULT_IDENTITY =
  'https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main';
const DEFAULT_ISSUER = 'https://token.actions.githubusercontent.com';

/** One directory of the suite; files by absolute path. */
export interface BundleCase {
  readonly name: string;
  readonly bundle: string;
  readonly artifact: string;
  readonly trustedRoot: string;
  /** A PEM file. */
  readonly key: string | undefined;
  readonly subject: string;
  readonly issuer: string;
}

/** The questions of a directory with `bundle-verify` and `trusted_root.json`. */
export function toConformanceQuestions(directory: string, tools: Tools): readonly Question[] {
  const cases = path.join(directory, 'bundle-verify');
  return readdirSync(cases, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .toSorted()
    .flatMap((name) => {
      const known = readBundleCase(directory, name);
      return [toQuestion(known, 'file', tools), toQuestion(known, 'digest', tools)];
    });
}

/** Reads what one directory of the suite asks. */
export function readBundleCase(directory: string, name: string): BundleCase {
  const folder = path.join(directory, 'bundle-verify', name);
  const either = (name: string, otherwise: string): string =>
    existsSync(path.join(folder, name)) ? path.join(folder, name) : otherwise;
  const textOf = (name: string, otherwise: string): string =>
    existsSync(path.join(folder, name)) ? readFileSync(path.join(folder, name), 'utf8').trim() : otherwise;
  const key = path.join(folder, 'key.pub');
  return {
    name,
    bundle: path.join(folder, 'bundle.sigstore.json'),
    artifact: either('artifact', path.join(path.dirname(folder), 'a.txt')),
    trustedRoot: either('trusted_root.json', path.join(directory, 'trusted_root.json')),
    key: existsSync(key) ? key : undefined,
    subject: textOf('identity', DEFAULT_IDENTITY),
    issuer: textOf('issuer', DEFAULT_ISSUER),
  };
}

function toQuestion(known: BundleCase, mode: 'file' | 'digest', tools: Tools): Question {
  const { name, bundle, artifact, trustedRoot, key, subject, issuer } = known;
  const digest = createHash('sha256').update(readFileSync(artifact)).digest('hex');
  const signer =
    key === undefined
      ? ['--certificate-identity', subject, '--certificate-oidc-issuer', issuer]
      : ['--key', key];
  const trust = ['--bundle', bundle, '--trusted-root', trustedRoot, ...signer];
  const cosign = toCosign(known, mode, { trust, digest });
  return {
    set: 'conformance',
    label: `${name} [${mode}]`,
    ours: () => askOurs(['verify-bundle', ...trust, mode === 'file' ? artifact : `sha256:${digest}`]),
    theirs: {
      'sigstore-go': () =>
        tools.sigstoreGo({
          bundle,
          trustedRoot,
          ...(key === undefined ? { subject, issuer } : { key }),
          ...(mode === 'file' ? { artifact } : { digest }),
          logEntries: 1,
          timestamps: 1,
          certificateTimestamps: 1,
        }),
      ...(cosign === undefined ? {} : { cosign: () => tools.cosign(cosign) }),
    },
  };
}

// cosign has a command for messages and one for statements, which asks for the type and alone takes a digest.
function toCosign(
  { bundle, artifact }: BundleCase,
  mode: 'file' | 'digest',
  { trust, digest }: { trust: readonly string[]; digest: string },
): readonly string[] | undefined {
  const type = readPredicateType(bundle);
  if (type === undefined) return mode === 'file' ? ['verify-blob', ...trust, artifact] : undefined;
  const target = mode === 'file' ? [artifact] : ['--digest', digest, '--digestAlg', 'sha256'];
  return ['verify-blob-attestation', ...trust, '--type', type, ...target];
}

function readPredicateType(bundle: string): string | undefined {
  try {
    const { dsseEnvelope } = JSON.parse(readFileSync(bundle, 'utf8')) as {
      dsseEnvelope?: { payload: string };
    };
    if (dsseEnvelope === undefined) return undefined;
    const statement = Buffer.from(dsseEnvelope.payload, 'base64').toString('utf8');
    return (JSON.parse(statement) as { predicateType: string }).predicateType;
  } catch {
    return undefined;
  }
}

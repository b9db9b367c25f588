// Which questions do recorded OCI layouts ask? The same reference at the same registry for us and for cosign, its bundles
// alone for sigstore-go, and the files that its layers carry for model_signing.
import { createPublicKey } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { startRegistry } from '../../src/demo/registry.ts';
import { readCases, readBlob, type Expectation, type Trust, type VectorCase } from '../vectors/cases.ts';
import { describe } from '../vectors/check.ts';
import { seed } from '../vectors/places.ts';
import { toVerifyFilesParameters, type FileTrust } from '../vectors/file-checks.ts';
import { toPolicyFile } from '../vectors/policy-for-case.ts';
import { ADDED, findPostponement, matches } from '../vectors/postponed.ts';
import { toModelSigningParameters } from './file-questions.ts';
import { askOurs } from './ours.ts';
import { anyAccepts, once, type Answer, type Question } from './question.ts';
import type { SigstoreGoQuestion, Tools } from './tools.ts';
import { toClientTrustConfig, toPrivatePkiRoot } from './trusted-root.ts';

const BUNDLE_TYPE = 'application/vnd.dev.sigstore.bundle.v0.3+json';
const SIGNATURE_PREDICATE = 'https://sigstore.dev/cosign/sign/v1';
/** The key of artifacts that nobody signed: any will do. */
const UNUSED_KEY = path.join('..', '_keys', 'cosign-p256.pub');

interface Asked {
  readonly vector: VectorCase;
  readonly expectation: Expectation;
  readonly digest: string;
  /** Directory of this question's own. */
  readonly scratch: string;
  readonly tools: Tools;
}

/** The questions of a directory of recorded layouts. @param scratch directory for policies, bundles and files */
export function toLayoutQuestions(directory: string, scratch: string, tools: Tools): readonly Question[] {
  return readCases(directory).flatMap((vector) =>
    [...vector.expectations, ...ADDED.filter(({ pattern }) => matches(pattern, vector.id))]
      .filter((expectation) => findPostponement(vector, expectation) === undefined)
      .flatMap((expectation, index) => {
        const own = path.join(scratch, `${vector.id}-${index}`);
        mkdirSync(own, { recursive: true });
        const digest = expectation.trust.reference ?? vector.digest;
        return toQuestions({ vector, expectation, digest, scratch: own, tools });
      }),
  );
}

function toQuestions(asked: Asked): readonly Question[] {
  const { vector, expectation } = asked;
  const { verdict: _, ...question } = expectation;
  const label = `${vector.id} ${describe({ ...question, verdict: 'accept' }).replace(/ -> accept$/u, '')}`;
  const isAboutFiles = expectation.method === 'oms';
  const modelSigning = isAboutFiles ? toModelSigningWays(asked) : [];
  const overRegistry: Question = {
    set: 'layouts',
    label,
    ours: () => withRegistry(asked, (address) => askOurs(toVerifyParameters(asked, address))),
    theirs: {
      ...(isAboutFiles
        ? {}
        : {
            cosign: () =>
              withRegistry(asked, (address) =>
                anyAccepts(toCosignWays(asked, address).map((way) => () => asked.tools.cosign(way))),
              ),
          }),
      ...toSigstoreGoWay(asked),
      ...toWay(
        'model_signing',
        modelSigning.map(({ theirs }) => theirs),
      ),
    },
  };
  if (modelSigning.length === 0) return [overRegistry];
  const onDisk: Question = {
    set: 'layouts, as files',
    label,
    ours: () => anyAccepts(modelSigning.map(({ ours }) => ours)),
    theirs: toWay(
      'model_signing',
      modelSigning.map(({ theirs }) => theirs),
    ),
  };
  return [overRegistry, onDisk];
}

function toWay<Name extends string>(
  name: Name,
  ways: readonly (() => Promise<Answer>)[],
): Partial<Record<Name, () => Promise<Answer>>> {
  if (ways.length === 0) return {};
  return { [name]: () => anyAccepts(ways) } as Record<Name, () => Promise<Answer>>;
}

async function withRegistry({ vector }: Asked, use: (address: string) => Promise<Answer>): Promise<Answer> {
  const hasReferrers = !/-fallback(?:-|$)/u.test(vector.id);
  const registry = await startRegistry({
    referrersApi: hasReferrers,
    listsConfigType: vector.id.endsWith('-ggcr'),
  });
  try {
    seed(registry, vector);
    return await use(registry.address);
  } finally {
    await registry.close();
  }
}

function toVerifyParameters(
  { vector, expectation, digest, scratch }: Asked,
  address: string,
): readonly string[] {
  const policy = path.join(scratch, 'policy.yaml');
  writeFileSync(policy, toPolicyFile(vector, expectation));
  const reference = `${address}/${vector.repository}@${digest}`;
  return ['verify', reference, '--policy', policy, '--plain-http', address, '--json'];
}

// Our key authorities take whatever hash fits the key and SHA-256 too: cosign is asked in every way that means the same.
function toCosignWays(asked: Asked, address: string): readonly (readonly string[])[] {
  const { vector, expectation, digest } = asked;
  const { annotations = {} } = expectation.trust;
  const parameters = [
    'verify',
    '--allow-http-registry',
    ...(expectation.method === 'cosign-v2-signature' ? ['--new-bundle-format=false', '--offline'] : []),
    ...Object.entries(annotations).flatMap(([name, value]) => ['-a', `${name}=${value}`]),
  ];
  const reference = `${address}/${vector.repository}@${digest}`;
  return toCosignTrust(asked).map((trust) => [...parameters, ...trust, reference]);
}

function toCosignTrust(asked: Asked): readonly (readonly string[])[] {
  const { trust, method } = asked.expectation;
  if (trust.roots !== undefined) return [toCosignRoots(asked, trust.roots)];
  if (trust.trustedRoot !== undefined) {
    return [
      [
        '--trusted-root',
        fileOf(asked, trust.trustedRoot),
        '--certificate-identity',
        trust.san ?? '',
        '--certificate-oidc-issuer',
        trust.issuer ?? '',
        ...(trust.tlogThreshold === 0 ? ['--insecure-ignore-tlog'] : []),
        ...(trust.ctlogThreshold === 0 ? ['--insecure-ignore-sct'] : []),
        ...(trust.timestampThreshold === undefined ? [] : ['--use-signed-timestamps']),
      ],
    ];
  }
  return keysOf(asked).flatMap((key) => {
    const hashes = method === 'any' ? ['sha256'] : hashesOf(key);
    return hashes.map((hash) => [
      '--key',
      key,
      '--insecure-ignore-tlog',
      '--signature-digest-algorithm',
      hash,
    ]);
  });
}

function toCosignRoots(asked: Asked, roots: readonly string[]): readonly string[] {
  const { trust, method } = asked.expectation;
  const files = roots.map((file) => fileOf(asked, file));
  const anchors =
    method === 'cosign-v2-signature'
      ? ['--ca-roots', files[0] ?? '']
      : ['--trusted-root', writePkiRoot(asked, files), '--allow-certificate-chain'];
  const identity =
    trust.san === undefined ? ['--certificate-identity-regexp', '.*'] : ['--certificate-identity', trust.san];
  const ignored = ['--insecure-ignore-tlog', '--insecure-ignore-sct'];
  return [...anchors, ...identity, '--certificate-oidc-issuer-regexp', '.*', ...ignored];
}

function writePkiRoot({ scratch }: Asked, files: readonly string[]): string {
  const file = path.join(scratch, 'pki.json');
  writeFileSync(file, JSON.stringify(toPrivatePkiRoot(files)));
  return file;
}

function hashesOf(key: string): readonly string[] {
  const { asymmetricKeyDetails } = createPublicKey(readFileSync(key));
  const natural: Readonly<Record<string, string>> = { secp384r1: 'sha384', secp521r1: 'sha512' };
  const hash = natural[asymmetricKeyDetails?.namedCurve ?? ''];
  return hash === undefined ? ['sha256'] : [hash, 'sha256'];
}

function keysOf(asked: Asked): readonly string[] {
  return (asked.expectation.trust.publicKeys ?? [UNUSED_KEY]).map((file) => fileOf(asked, file));
}

function fileOf({ vector }: Asked, file: string): string {
  return path.join(vector.directory, file);
}

// It knows bundles, not registries: every bundle of the layout is offered, and the digest says which one is meant.
function toSigstoreGoWay(asked: Asked): Question['theirs'] {
  const { expectation, tools } = asked;
  if (expectation.method !== 'cosign-v3-signature' || expectation.trust.annotations !== undefined) return {};
  const questions = writeBundles(asked).flatMap((bundle) => toSigstoreGoQuestions(asked, bundle));
  return toWay(
    'sigstore-go',
    questions.map((question) => () => tools.sigstoreGo(question)),
  );
}

function toSigstoreGoQuestions(asked: Asked, bundle: string): readonly SigstoreGoQuestion[] {
  const { expectation, digest } = asked;
  const { trust } = expectation;
  const about = { bundle, digest: digest.replace('sha256:', ''), predicateType: SIGNATURE_PREDICATE };
  if (trust.roots !== undefined) {
    const trustedRoot = writePkiRoot(
      asked,
      trust.roots.map((file) => fileOf(asked, file)),
    );
    const subject = trust.san === undefined ? {} : { subject: trust.san };
    return [{ ...about, ...subject, trustedRoot, anyIssuer: true, allowChain: true }];
  }
  if (trust.trustedRoot === undefined)
    return keysOf(asked).map((key) => ({ ...about, key, ed25519ph: true }));
  return [{ ...about, trustedRoot: fileOf(asked, trust.trustedRoot), ...toKeyless(trust) }];
}

function toKeyless({ san = '', issuer = '', ...trust }: Trust): Partial<SigstoreGoQuestion> {
  return {
    subject: san,
    issuer,
    logEntries: trust.tlogThreshold ?? 1,
    timestamps: trust.timestampThreshold ?? 1,
    certificateTimestamps: trust.ctlogThreshold ?? 1,
  };
}

interface Descriptor {
  readonly mediaType?: string;
  readonly digest: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

interface Manifest {
  readonly layers?: readonly Descriptor[];
}

/** Writes every bundle of the layout. */
function writeBundles({ vector, scratch }: Asked): readonly string[] {
  const layers = [...vector.mediaTypes.keys()].flatMap((digest) => readManifest(vector, digest).layers ?? []);
  const digests = layers.filter(({ mediaType }) => mediaType === BUNDLE_TYPE).map((layer) => layer.digest);
  return [...new Set(digests)].map((digest, index) => {
    const file = path.join(scratch, `bundle-${index}.json`);
    writeFileSync(file, readBlob(vector.layout, digest));
    return file;
  });
}

function readManifest(vector: VectorCase, digest: string): Manifest {
  return JSON.parse(readBlob(vector.layout, digest).toString('utf8')) as Manifest;
}

interface FileWays {
  readonly ours: () => Promise<Answer>;
  readonly theirs: () => Promise<Answer>;
}

/** One pair of ways for each bundle and key, over the layers laid out as the files that they are named. */
function toModelSigningWays(asked: Asked): readonly FileWays[] {
  const model = writeFiles(asked);
  const { trust } = asked.expectation;
  const trustedRoot = trust.trustedRoot === undefined ? undefined : fileOf(asked, trust.trustedRoot);
  const config = path.join(asked.scratch, 'config.json');
  if (trustedRoot !== undefined)
    writeFileSync(config, JSON.stringify(toClientTrustConfig(readFileSync(trustedRoot, 'utf8'))));
  return writeBundles(asked).flatMap((bundle) =>
    toFileTrusts(asked).map((by) => {
      const check = { model, bundle, ignoredPaths: [], trust: by };
      return {
        ours: () => askOurs(['verify-files', ...toVerifyFilesParameters(check, trustedRoot)]),
        theirs: once(() => asked.tools.modelSigning(toModelSigningParameters(check, config))),
      };
    }),
  );
}

function toFileTrusts(asked: Asked): readonly FileTrust[] {
  const { trust } = asked.expectation;
  if (trust.roots !== undefined)
    return trust.roots.map((file) => ({ kind: 'roots', file: fileOf(asked, file) }));
  if (trust.trustedRoot === undefined) return keysOf(asked).map((file) => ({ kind: 'key', file }));
  return [{ kind: 'identity', issuer: trust.issuer ?? '', subject: trust.san ?? '' }];
}

function writeFiles({ vector, digest, scratch }: Asked): string {
  const model = path.join(scratch, 'model');
  mkdirSync(model, { recursive: true });
  for (const [index, layer] of (readManifest(vector, digest).layers ?? []).entries()) {
    if (layer.mediaType === BUNDLE_TYPE) continue;
    const { annotations = {} } = layer;
    const name = annotations['org.opencontainers.image.title'] ?? annotations['org.cncf.model.filepath'];
    writeFileSync(
      path.join(model, path.basename(name ?? `layer_${String(index).padStart(3, '0')}`)),
      readBlob(vector.layout, layer.digest),
    );
  }
  return model;
}

// What would an attacker send to hold up everybody else? Every input that is made to be expensive, at the bound that
// stops it and just below: bench/hostile.ts measures them, test/faults/hostile.test.ts holds the answers.
import { attachBundle, packModel, type PackedModel } from '../../src/demo/artifacts.ts';
import { certificateFields, issueCertificate, type Issuer } from '../../src/demo/certificate-authority.ts';
import {
  certificatePem,
  distinguishedName,
  encodeCertificate,
  extension,
  randomSerial,
} from '../../src/demo/certificate.ts';
import * as der from '../../src/demo/der.ts';
import { identityExtensions } from '../../src/demo/identity-certificate.ts';
import { generateSigningKey, type SigningKey } from '../../src/demo/keys.ts';
import type { RegistryHandle } from '../../src/demo/registry.ts';
import { signBundleWithKey } from '../../src/demo/sign-with-key.ts';
import { createSigstore, type Sigstore } from '../../src/demo/sigstore.ts';
import { cosignSignStatement, modelSigningStatement } from '../../src/demo/statement.ts';
import {
  AUTHORITY_EXTENSIONS,
  createPki,
  leafExtensions,
  signWith,
  SIGNER,
  type Pki,
} from '../signature/pki.ts';
import { change, valueAt, type Json, type Path } from '../signature/support.ts';
import type { Policies } from './controller.ts';
import { ALICE, keylessAuthority, pinned, signCertified, TRUST_ROOT } from './keyless.ts';
import { reviewOf, volumePod } from './review.ts';

/** Everything that inputs are made with. */
export interface HostileWorld {
  readonly registry: RegistryHandle;
  readonly sigstore: Sigstore;
  readonly pki: Pki;
  readonly keys: Readonly<Record<'p256' | 'ed25519' | 'rsa2048', SigningKey>>;
}

/** One input. */
export interface HostileInput {
  readonly name: string;
  /** Reasons of the denial; empty when it is admitted; `HTTP 4xx` when it is no review to answer. */
  readonly reasons: readonly string[];
  /** Makes it anew: nothing about it is in a cache. @returns the body to post */
  readonly build: (world: HostileWorld) => Promise<string | Buffer>;
}

/** The policies that judge the inputs, each for the repositories below its name. */
type PolicyName = 'key' | 'keys' | 'ed25519' | 'keyless' | 'pattern' | 'pki' | 'files' | 'rules';

const ENTRIES: Path = ['verificationMaterial', 'tlogEntries'];
const ENTRY: Path = [...ENTRIES, 0];
const CHECKPOINT: Path = [...ENTRY, 'inclusionProof', 'checkpoint', 'envelope'];
const STAMPS: Path = ['verificationMaterial', 'timestampVerificationData', 'rfc3161Timestamps'];
const SIGNATURE: Path = ['dsseEnvelope', 'signatures', 0, 'sig'];
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const MIB = 1024 * 1024;
/** Payload of the largest bundle that is read: base64 takes a third more. */
const LARGE_PAYLOAD_BYTES = 780_000;
/** Files whose statement just fits into a bundle. */
const MANY_FILES = 6000;
/** Keys of one authority, as many as may be. */
const KEYS = 16;

/** Makes a world; its registry is the caller's. */
export async function createHostileWorld(registry: RegistryHandle): Promise<HostileWorld> {
  const keys = {
    p256: generateSigningKey('p256'),
    ed25519: generateSigningKey('ed25519'),
    rsa2048: generateSigningKey('rsa2048'),
  };
  return { registry, sigstore: await createSigstore(), pki: createPki(), keys };
}

/** What a controller must be given to judge the inputs. */
export function toHostilePolicies({ registry, sigstore, pki, keys }: HostileWorld): {
  readonly policies: Policies;
  readonly trustRoots: Readonly<Record<string, unknown>>;
} {
  const others = (kind: 'ed25519' | 'rsa2048'): string =>
    Array.from({ length: KEYS }, () => generateSigningKey(kind).publicKeyPem).join('');
  const pem = keys.p256.publicKeyPem;
  const pattern = {
    identities: [{ issuer: ALICE.issuer, subjectRegExp: '^(a+)+$' }],
  };
  const certificate = {
    roots: { pem: certificatePem(pki.root.certificate) },
    identities: [{ subjectURI: SIGNER }],
  };
  const authorities: Readonly<Record<PolicyName, object>> = {
    key: { name: 'key', key: { pem } },
    keys: { name: 'keys', key: { pem: others('rsa2048') } },
    ed25519: { name: 'ed25519', key: { pem: others('ed25519') } },
    keyless: keylessAuthority(),
    pattern: keylessAuthority(pattern),
    pki: { name: 'pki', certificate },
    files: { name: 'files', key: { pem }, signatureFormats: ['ModelSigning'] },
    rules: { name: 'rules', key: { pem } },
  };
  const validations = [
    { expression: "model.layers.all(l, l.title.endsWith('.bin') && l.mediaType.matches('^(a+)+$'))" },
  ];
  const policies = Object.entries(authorities).map(([name, authority]) => [
    name,
    {
      models: [{ glob: `${registry.address}/${name}/**` }],
      authorities: [authority],
      ...(name === 'rules' ? { validations } : {}),
    },
  ]);
  return {
    policies: Object.fromEntries(policies) as Policies,
    trustRoots: { [TRUST_ROOT]: pinned(sigstore.trustedRootJson()) },
  };
}

let models = 0;
const toRepository = (policy: PolicyName): string => `${policy}/model-${(models += 1)}`;
const push = ({ registry }: HostileWorld, policy: PolicyName): PackedModel =>
  packModel(registry, toRepository(policy), { 'a.safetensors': `weights ${models}` });
const review = (...references: readonly string[]): string =>
  JSON.stringify(reviewOf(volumePod(...references)));

/** A model with a bundle. */
const withBundle =
  (
    policy: PolicyName,
    sign: (world: HostileWorld, statement: object) => object | Promise<object>,
  ): HostileInput['build'] =>
  async (world) => {
    const model = push(world, policy);
    attachBundle(world.registry, model, await sign(world, cosignSignStatement(model.digest)));
    return review(model.reference);
  };

/** A model with a keyless bundle that is changed. */
const keyless = (edit: (bundle: object, world: HostileWorld) => object): HostileInput['build'] =>
  withBundle('keyless', async (world, statement) =>
    edit(await world.sigstore.signKeyless(statement, ALICE), world),
  );

/** A model with a key's bundle over any payload. */
const payload = (toPayload: (statement: object) => string): HostileInput['build'] =>
  withBundle('key', ({ keys }, statement) => signBundleWithKey(Buffer.from(toPayload(statement)), keys.p256));

/** A bundle whose text is changed: what JSON.stringify would not write. */
const rewritten = (edit: (text: string) => string): HostileInput['build'] =>
  withBundle('key', ({ keys }, statement) =>
    Buffer.from(edit(JSON.stringify(signBundleWithKey(statement, keys.p256)))),
  );

/** A manifest of any bytes. */
const manifest =
  (toText: (world: HostileWorld) => string): HostileInput['build'] =>
  (world) => {
    const { registry } = world;
    const repository = toRepository('key');
    const digest = registry.putManifest(repository, Buffer.from(toText(world)), MANIFEST);
    return Promise.resolve(review(`${registry.address}/${repository}@${digest}`));
  };

const nest = (depth: number, open = '[', close = ']'): string => open.repeat(depth) + close.repeat(depth);
const nestDer = (depth: number): Buffer => {
  let inner = der.nullValue();
  for (let level = 0; level < depth; level += 1) inner = der.sequence(inner);
  return inner;
};
const stamp = (bytes: Buffer): Json => ({ signedTimestamp: bytes.toString('base64') });
const signatureOf = (bundle: object): Buffer => Buffer.from(valueAt(bundle, SIGNATURE) as string, 'base64');

/** Many timestamps of the known authority, all different and good. */
function stampsOf(count: number, spacingMs: number): HostileInput['build'] {
  return keyless((bundle, { sigstore }) => {
    const stamps = Array.from({ length: count }, (_, index) => {
      const at = new Date(Date.now() + index * spacingMs);
      return stamp(sigstore.timestampAuthority.timestamp(signatureOf(bundle), at));
    });
    return change(bundle, STAMPS, stamps);
  });
}

/** Many entries of the known log, all different and good; `edit` changes each one's checkpoint. */
function entriesOf(count: number, edit = (note: string): string => note): HostileInput['build'] {
  return keyless((bundle, { sigstore }) => {
    const path = [...ENTRY, 'canonicalizedBody'];
    const body = Buffer.from(valueAt(bundle, path) as string, 'base64').toString();
    const kindVersion = { kind: 'hashedrekord', version: '0.0.2' };
    const entries = Array.from({ length: count }, (_, index) =>
      sigstore.log.append({ ...kindVersion, body: Buffer.from(body + ' '.repeat(index)) }, new Date()),
    );
    const edited = entries.map((entry) => ({
      ...entry,
      inclusionProof: {
        ...entry.inclusionProof,
        checkpoint: { envelope: edit(entry.inclusionProof.checkpoint.envelope) },
      },
    }));
    return change(bundle, ENTRIES, edited);
  });
}

/** The checkpoint with its signature line many times. */
const repeatLine = (note: string, count: number): string => {
  const [text = '', line = ''] = note.split('\n\n');
  return `${text}\n\n${line.repeat(count)}`;
};

const certified = (
  policy: 'keyless' | 'pattern',
  extensions: () => readonly Buffer[],
): HostileInput['build'] =>
  withBundle(policy, ({ sigstore }, statement) =>
    signCertified(sigstore, statement, { extensions: extensions() }),
  );
/** The extensions of Alice's certificate with another list of names. */
function namedExtensions(names: Buffer): readonly Buffer[] {
  const [usage, purposes, , ...rest] = identityExtensions(ALICE);
  if (usage === undefined || purposes === undefined) throw new Error('the kit writes other extensions');
  return [usage, purposes, extension('2.5.29.17', names, true), ...rest];
}
const emails = (count: number): Buffer =>
  der.sequence(...Array.from({ length: count }, () => der.taggedPrimitive(1, Buffer.from('a'))));
const unknownExtensions = (count: number): readonly Buffer[] =>
  Array.from({ length: count }, (_, index) => extension(`1.2.3.${index}`, Buffer.alloc(0)));

/** A certificate of the PKI with anything in it. */
const pkiLeaf = (extensions: () => readonly Buffer[]): HostileInput['build'] =>
  withBundle('pki', ({ pki }, statement) => {
    const key = generateSigningKey('p256');
    const leaf = issueCertificate(pki.root, { publicKey: key.publicKey, extensions: extensions() });
    return signWith(key, [leaf], statement);
  });

/** Certificates of one name that could each have issued each other. */
const maze = (kind: 'p384' | 'p521'): HostileInput['build'] =>
  withBundle('pki', (_world, statement) => {
    const name = distinguishedName('maze');
    const keys = Array.from({ length: 9 }, () => generateSigningKey(kind));
    const validity = { notBefore: new Date('2020-01-01'), notAfter: new Date('2040-01-01') };
    const issuers = keys.map((key, index) =>
      encodeCertificate(
        {
          serial: randomSerial(),
          issuer: name,
          subject: name,
          ...validity,
          publicKey: key.publicKey,
          extensions: AUTHORITY_EXTENSIONS,
        },
        (keys[index + 1] ?? keys[0] ?? key).privateKey,
      ),
    );
    const [first] = keys;
    if (first === undefined) throw new Error('no keys');
    const issuer: Issuer = { certificate: Buffer.alloc(0), name, key: first, chain: [] };
    const key = generateSigningKey(kind);
    const fields = certificateFields(issuer, { publicKey: key.publicKey, extensions: leafExtensions() });
    return signWith(key, [encodeCertificate(fields, first.privateKey), ...issuers], statement);
  });

interface ManyFiles {
  readonly names: readonly string[];
  readonly layers: readonly object[];
  readonly statement: object;
}

function manyFiles(count: number, mediaType = 'a'): ManyFiles {
  const hex = (index: number): string => index.toString(16).padStart(64, '0');
  const names = Array.from({ length: count }, (_, index) => `f${index}.bin`);
  const layers = names.map((title, index) => ({
    mediaType,
    digest: `sha256:${hex(index)}`,
    size: 1,
    annotations: { 'org.opencontainers.image.title': title },
  }));
  const resources = names.map((name, index) => ({ name, digest: hex(index) }));
  return { names, layers, statement: modelSigningStatement('model', resources) };
}

/** A model of many files, signed file by file or by its manifest. */
const large =
  (policy: 'files' | 'rules' | 'key', count: number, signed = true): HostileInput['build'] =>
  (world) => {
    const { registry, keys } = world;
    const { layers, statement } = manyFiles(
      count,
      policy === 'rules' ? 'a'.repeat(250) : 'application/x-weights',
    );
    const empty = registry.putBlob(Buffer.from('{}'));
    const config = { mediaType: 'application/vnd.oci.empty.v1+json', ...empty };
    models += 1;
    const annotations = { run: String(models) };
    const document = { schemaVersion: 2, mediaType: MANIFEST, config, layers, annotations };
    const bytes = Buffer.from(JSON.stringify(document));
    const repository = toRepository(policy);
    const digest = registry.putManifest(repository, bytes, MANIFEST);
    const reference = `${registry.address}/${repository}@${digest}`;
    const model = { repository, digest, reference, size: bytes.length, mediaType: MANIFEST, manifest: bytes };
    if (signed)
      attachBundle(
        registry,
        model,
        signBundleWithKey(policy === 'files' ? statement : cosignSignStatement(digest), keys.p256),
      );
    return Promise.resolve(review(reference));
  };

/** A pod of as many models as may be, each judged by itself. */
const many =
  (policy: 'rules' | 'key', count: number, layers: number, signed = true): HostileInput['build'] =>
  async (world) => {
    const references: string[] = [];
    for (let index = 0; index < count; index += 1) {
      const body = JSON.parse((await large(policy, layers, signed)(world)).toString()) as PodReview;
      references.push(...body.request.object.spec.volumes.map(({ image }) => image.reference));
    }
    return review(...references);
  };

interface PodReview {
  readonly request: {
    readonly object: {
      readonly spec: { readonly volumes: readonly { readonly image: { readonly reference: string } }[] };
    };
  };
}

/** Bundles that are as large as all bundles of a model may be, for every key of an authority. */
const largePayload = (policy: 'keys' | 'ed25519', kind: 'rsa2048' | 'ed25519'): HostileInput['build'] =>
  withBundle(policy, ({ keys }, statement) =>
    signBundleWithKey({ ...statement, predicate: 'x'.repeat(LARGE_PAYLOAD_BYTES) }, keys[kind]),
  );

const reviewText =
  (edit: (text: string) => string): HostileInput['build'] =>
  () =>
    Promise.resolve(edit(JSON.stringify(reviewOf({ ...volumePod(), extra: '@' }))));

const input = (name: string, reason: string, build: HostileInput['build']): HostileInput => ({
  name,
  reasons: reason === '' ? [] : reason.split(' + '),
  build,
});
const http = (name: string, status: string, build: HostileInput['build']): HostileInput => ({
  name,
  reasons: [status],
  build,
});

/** Every input. */
export const HOSTILE_INPUTS: readonly HostileInput[] = [
  input(
    'nothing: an admitted model, to compare with',
    '',
    keyless((bundle) => bundle),
  ),

  input(
    'bundle with an integer of 5,000,000 digits',
    'ArtifactTooLarge',
    rewritten((text) => text.replace('{', `{"x":${'1'.repeat(5_000_000)},`)),
  ),
  input(
    'bundle with an integer of 1,000,000 digits',
    'SignatureInvalid',
    rewritten((text) => text.replace('{', `{"x":${'1'.repeat(1_000_000)},`)),
  ),
  input(
    'bundle with an index of 1,000,000 digits as text',
    'SignatureInvalid',
    keyless((bundle) => change(bundle, [...ENTRY, 'logIndex'], '1'.repeat(1_000_000))),
  ),
  input(
    'manifest with an integer of 4,000,000 digits',
    'ManifestInvalid',
    manifest(() => `{"schemaVersion":${'1'.repeat(4_000_000)}}`),
  ),
  http(
    'review with an integer of 5,000,000 digits',
    'HTTP 400',
    reviewText((text) => text.replace('"@"', '1'.repeat(5_000_000))),
  ),

  input('bundle with 1,000 timestamps', 'SignatureInvalid', stampsOf(1000, 0)),
  input('bundle with 32 good timestamps', '', stampsOf(32, 1000)),
  input('bundle with 1,000 log entries', 'ArtifactTooLarge', entriesOf(1000)),
  input('bundle with 300 log entries', 'SignatureInvalid', entriesOf(300)),
  input('bundle with 32 good log entries', '', entriesOf(32)),
  input(
    'bundle with 32 log entries and 16 signature lines each',
    'TransparencyLogInvalid',
    entriesOf(32, (note) => repeatLine(note, 16)),
  ),
  input(
    'checkpoint of 900 KB of signature lines',
    'SignatureInvalid',
    keyless((bundle) =>
      change(bundle, CHECKPOINT, repeatLine(valueAt(bundle, CHECKPOINT) as string, 10_000).slice(0, 900_000)),
    ),
  ),
  input(
    'checkpoint of 16 KiB with 100 signature lines',
    'TransparencyLogInvalid',
    keyless((bundle) => change(bundle, CHECKPOINT, repeatLine(valueAt(bundle, CHECKPOINT) as string, 100))),
  ),
  input(
    'checkpoint of 900 KB without an end',
    'SignatureInvalid',
    keyless((bundle) => change(bundle, CHECKPOINT, '\n'.repeat(450_000))),
  ),
  input(
    'checkpoint of 16,384 empty lines',
    'TransparencyLogInvalid',
    keyless((bundle) => change(bundle, CHECKPOINT, '\n'.repeat(16_384))),
  ),

  input(
    'timestamp of 10,000 nested elements',
    'TimestampInvalid',
    keyless((bundle) => change(bundle, STAMPS, [stamp(nestDer(10_000))])),
  ),
  input(
    'timestamp of 30,000 elements side by side',
    'TimestampInvalid',
    keyless((bundle) =>
      change(bundle, STAMPS, [stamp(der.sequence(Buffer.alloc(60_000, Buffer.from([5, 0]))))]),
    ),
  ),
  input(
    'certificate of 10,000 nested elements',
    'CertificateInvalid',
    certified('keyless', () => [extension('2.5.29.17', nestDer(10_000), true)]),
  ),
  input(
    'certificate of 7,000 nested elements',
    'CertificateInvalid',
    certified('keyless', () => namedExtensions(nestDer(7000))),
  ),
  input(
    'certificate with 10,000 names',
    'CertificateInvalid',
    certified('keyless', () => namedExtensions(emails(10_000))),
  ),
  input(
    'certificate with 1,900 names',
    'CertificateInvalid',
    certified('keyless', () => namedExtensions(emails(1900))),
  ),
  input(
    'certificate with 10,000 extensions',
    'CertificateInvalid',
    certified('keyless', () => [...identityExtensions(ALICE), ...unknownExtensions(10_000)]),
  ),
  input(
    'certificate with 1,900 extensions',
    '',
    certified('keyless', () => [...identityExtensions(ALICE), ...unknownExtensions(1900)]),
  ),
  input(
    'private PKI: certificate with 10,000 names',
    'CertificateInvalid',
    pkiLeaf(() => [...leafExtensions([]), extension('2.5.29.17', emails(10_000))]),
  ),
  input(
    'private PKI: certificate with 1,900 names',
    'CertificateInvalid',
    pkiLeaf(() => [...leafExtensions([]), extension('2.5.29.17', emails(1900))]),
  ),
  input(
    'private PKI: certificate of 7,000 nested elements',
    'IdentityMismatch',
    pkiLeaf(() => [...leafExtensions([]), extension('2.5.29.17', nestDer(7000))]),
  ),
  input('private PKI: a maze of P-384 issuers', 'CertificateInvalid', maze('p384')),
  input('private PKI: a maze of P-521 issuers', 'CertificateInvalid', maze('p521')),

  input(
    'subjectRegExp ^(a+)+$ and a name of 28,000 characters',
    'IdentityMismatch',
    certified('pattern', () =>
      namedExtensions(der.sequence(der.taggedPrimitive(1, Buffer.from(`${'a'.repeat(28_000)}!`)))),
    ),
  ),

  input(
    'bundle of JSON 10,000 deep',
    'SignatureInvalid',
    rewritten((text) => text.replace('{', `{"x":${nest(10_000)},`)),
  ),
  input(
    'payload of JSON 10,000 deep',
    'SignatureInvalid',
    payload((statement) =>
      JSON.stringify(statement).replace('{', `{"x":${nest(10_000, '{"a":', '}').replace(':}', ':1}')},`),
    ),
  ),
  input(
    'manifest of JSON 10,000 deep',
    'ManifestInvalid',
    manifest(() => `{"schemaVersion":2,"x":${nest(10_000)}}`),
  ),
  http(
    'review of JSON 10,000 deep',
    'HTTP 400',
    reviewText((text) => text.replace('"@"', nest(10_000))),
  ),

  input(
    'payload of 10 MB',
    'ArtifactTooLarge',
    payload((statement) => JSON.stringify({ ...statement, predicate: 'x'.repeat(10_000_000) })),
  ),
  input(
    'payload of 780 KB',
    '',
    payload((statement) => JSON.stringify({ ...statement, predicate: 'x'.repeat(LARGE_PAYLOAD_BYTES) })),
  ),
  input(
    'payload of 780 KB of members',
    'SignatureInvalid',
    payload((statement) =>
      JSON.stringify({
        ...statement,
        predicate: Object.fromEntries(Array.from({ length: 65_000 }, (_, index) => [`m${index}`, 0])),
      }),
    ),
  ),
  input(
    'payload of 780 KB of empty lists',
    'SignatureInvalid',
    payload((statement) =>
      JSON.stringify({ ...statement, predicate: 0 }).replace(/0}$/, `[${'[],'.repeat(259_000)}0]}`),
    ),
  ),
  input(
    'payload of 19,000 different members',
    '',
    payload((statement) =>
      JSON.stringify({
        ...statement,
        predicate: Object.fromEntries(Array.from({ length: 19_000 }, (_, index) => [`m${index}`, 0])),
      }),
    ),
  ),
  input(
    'payload of 49,000 lists in a list',
    '',
    payload((statement) =>
      JSON.stringify({ ...statement, predicate: 0 }).replace(/0}$/, `[${'[],'.repeat(49_000)}0]}`),
    ),
  ),
  input(
    'payload of 780 KB for 16 RSA keys that did not sign it',
    'SignerNotTrusted',
    largePayload('keys', 'rsa2048'),
  ),
  input(
    'payload of 780 KB for 16 Ed25519 keys that did not sign it',
    'SignerNotTrusted',
    largePayload('ed25519', 'ed25519'),
  ),
  input(
    'statement of 780 KB with 1,024 subjects',
    'SignatureInvalid',
    payload((statement) => {
      const subject = { name: 'x'.repeat(600), digest: { sha256: 'ab'.repeat(32) } };
      return JSON.stringify({ ...statement, subject: Array.from({ length: 1024 }, () => subject) });
    }),
  ),
  input(
    'statement of 1 MiB with 1,024 subjects',
    'ArtifactTooLarge',
    payload((statement) => {
      const subject = { name: 'x'.repeat(930), digest: { sha256: 'ab'.repeat(32) } };
      return JSON.stringify({ ...statement, subject: Array.from({ length: 1024 }, () => subject) });
    }),
  ),
  input('Model Signing statement of 10,000 files', 'ArtifactTooLarge', large('files', 10_000)),
  input('Model Signing statement of 6,000 files', '', large('files', MANY_FILES)),
  input('manifest of 10,000 layers', '', large('key', 10_000)),
  input('manifest of 10,000 layers, not signed', 'SignatureMissing', large('key', 10_000, false)),
  input('manifest of 10,001 layers', 'ManifestInvalid', large('key', 10_001)),
  input('rules over 8,000 layers with ^(a+)+$', 'RuleFailed', large('rules', 8000)),
  input('pod of 64 models of 1,000 layers, not signed', 'SignatureMissing', many('key', 64, 1000, false)),
  input('pod of 64 models of 1,000 layers', '', many('key', 64, 1000)),
  input('rules over 64 models of 2,000 layers with ^(a+)+$', 'RuleFailed', many('rules', 64, 2000)),
  input(
    'manifest of 4 MiB of members',
    'ManifestInvalid',
    manifest(() => {
      const members = Array.from({ length: 250_000 }, (_, index) => [`m${index}`, '']);
      return JSON.stringify(Object.fromEntries(members)).slice(0, 4 * MIB);
    }),
  ),
  input(
    'manifest of 4 MiB of empty lists',
    'ManifestInvalid',
    manifest(() => `{"schemaVersion":2,"x":[${'[],'.repeat(1_390_000)}0]}`),
  ),

  http(
    'review of 10 MB',
    'HTTP 413',
    reviewText((text) => text.replace('@', 'x'.repeat(10_000_000))),
  ),
  input(
    'review of 6 MiB of text',
    '',
    reviewText((text) => text.replace('@', 'x'.repeat(6 * MIB))),
  ),
  http(
    'review of 6 MiB of members',
    'HTTP 400',
    reviewText((text) => {
      const members = Array.from({ length: 400_000 }, (_, index) => `"m${index}":""`);
      return text.replace('"@"', `{${members.join(',')}}`);
    }),
  ),
  http(
    'review of 6 MiB of empty lists',
    'HTTP 400',
    reviewText((text) => text.replace('"@"', `[${'[],'.repeat(2_000_000)}0]`)),
  ),
  input(
    'review of 6 MiB of 99,000 values',
    '',
    reviewText((text) => {
      const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'];
      const one = `{${names.map((name) => `"${name}":"${'x'.repeat(58)}"`).join(',')}}`;
      return text.replace('"@"', `[${Array.from({ length: 9900 }, () => one).join(',')}]`);
    }),
  ),
];

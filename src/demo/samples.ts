// Which sample models does the quickstart show? Really packaged and really signed, some of them wrongly, each with the
// answer that a pod using it must get.
import { createHash } from 'node:crypto';
import { attachBundle, packModel, type PackedModel } from './artifacts.ts';
import { generateSigningKey, type SigningKey } from './keys.ts';
import type { RegistryHandle } from './registry.ts';
import { signBundleWithKey } from './sign-with-key.ts';
import type { Sigstore } from './sigstore.ts';
import { cosignSignStatement, modelSigningStatement } from './statement.ts';

/** The ways in which a sample pod names its model. */
export type PodShape = 'image volume' | 'container image' | 'argument';

/** One row of the tour. */
export interface Sample {
  readonly pod: string;
  readonly what: string;
  readonly reference: string;
  readonly shape: PodShape;
  /** undefined: admitted. */
  readonly reason: string | undefined;
}

/** Everything that samples are signed with. */
export interface Signers {
  readonly team: SigningKey;
  readonly rotated: SigningKey;
  readonly modelSigning: SigningKey;
  readonly stranger: SigningKey;
  readonly sigstore: Sigstore;
}

const ISSUER = 'https://token.actions.example.test';
const REPOSITORY = 'https://github.example.test/acme/models';
const WORKFLOW = `${REPOSITORY}/.github/workflows/release.yaml@refs/tags/v1`;

/** Makes the keys of one run; nothing of them is written anywhere. */
export function createSigners(sigstore: Sigstore): Signers {
  return {
    team: generateSigningKey('p256'),
    rotated: generateSigningKey('ed25519'),
    modelSigning: generateSigningKey('p384'),
    stranger: generateSigningKey('p256'),
    sigstore,
  };
}

type Files = Readonly<Record<string, string>>;

function toFiles(name: string): Files {
  return {
    'model.safetensors': `not really weights of ${name}`,
    'config.json': JSON.stringify({ model_type: 'sample', name }),
    'README.md': `# ${name}\n`,
  };
}

/** Packs, signs and tampers. @returns one sample per row of the tour */
export async function seedSamples(registry: RegistryHandle, signers: Signers): Promise<readonly Sample[]> {
  return [
    ...seedKeyed(registry, signers),
    ...(await seedKeyless(registry, signers)),
    ...seedSignedFiles(registry, signers),
    {
      pod: 'unknown-registry',
      what: 'from a registry that no policy selects',
      reference: `registry.example.test/anything/model@sha256:${'0'.repeat(64)}`,
      shape: 'image volume',
      reason: 'NoMatchingPolicy',
    },
  ];
}

function seedKeyed(registry: RegistryHandle, { team, rotated, stranger }: Signers): readonly Sample[] {
  const pack = (name: string): PackedModel =>
    packModel(registry, `keyed/${name}`, toFiles(name), { tag: 'v1' });
  const sign = (model: PackedModel, key: SigningKey): PackedModel => {
    attachBundle(registry, model, signBundleWithKey(cosignSignStatement(model.digest), key));
    return model;
  };
  const good = sign(pack('chat'), team);
  const newer = sign(pack('embedder'), rotated);
  const unsigned = pack('unsigned');
  const foreign = sign(pack('foreign'), stranger);
  const original = pack('tampered');
  const tampered = packModel(registry, 'keyed/tampered', {
    ...toFiles('tampered'),
    'config.json': '{"evil":true}',
  });
  attachBundle(registry, tampered, signBundleWithKey(cosignSignStatement(original.digest), team));
  const at = (model: PackedModel, pod: string, what: string, reason?: string): Sample => ({
    pod,
    what,
    reference: model.reference,
    shape: 'image volume',
    reason,
  });
  return [
    at(good, 'signed-by-key', 'signed by the team key'),
    at(newer, 'signed-by-rotated-key', 'signed by the next team key (Ed25519)'),
    { ...at(good, 'model-container', 'the same, as a container image'), shape: 'container image' },
    { ...at(good, 'model-argument', 'the same, as oci:// in an argument'), shape: 'argument' },
    at(unsigned, 'unsigned', 'not signed', 'SignatureMissing'),
    at(foreign, 'signed-by-stranger', 'signed by a key nobody trusts', 'SignerNotTrusted'),
    at(tampered, 'tampered', 'changed after it was signed', 'SubjectMismatch'),
    {
      ...at(good, 'by-tag', 'named by a tag, not a digest', 'DigestRequired'),
      reference: `${registry.address}/keyed/chat:v1`,
    },
  ];
}

async function seedKeyless(registry: RegistryHandle, { sigstore }: Signers): Promise<readonly Sample[]> {
  const claims = { sourceRepository: REPOSITORY };
  const seed = async (name: string, files: Files, subject: string): Promise<string> => {
    const model = packModel(registry, `keyless/${name}`, files, { tag: 'v1' });
    const statement = cosignSignStatement(model.digest);
    attachBundle(registry, model, await sigstore.signKeyless(statement, { issuer: ISSUER, subject, claims }));
    return model.reference;
  };
  const pickled = { ...toFiles('pickled'), 'weights.pkl': 'a pickle' };
  return [
    {
      pod: 'signed-by-workflow',
      what: 'signed by the release workflow',
      reference: await seed('assistant', toFiles('assistant'), WORKFLOW),
      shape: 'image volume',
      reason: undefined,
    },
    {
      pod: 'wrong-identity',
      what: 'signed by another workflow',
      reference: await seed('impostor', toFiles('impostor'), WORKFLOW.replace('release', 'test')),
      shape: 'image volume',
      reason: 'IdentityMismatch',
    },
    {
      pod: 'rule-violated',
      what: 'signed, but holds a pickle',
      reference: await seed('pickled', pickled, WORKFLOW),
      shape: 'image volume',
      reason: 'RuleViolated',
    },
  ];
}

function seedSignedFiles(registry: RegistryHandle, { modelSigning }: Signers): readonly Sample[] {
  const seed = (name: string, packed: Files, signed: Files): string => {
    const model = packModel(registry, `files/${name}`, packed, { tag: 'v1' });
    const resources = Object.entries(signed).map(([file, text]) => ({
      name: file,
      digest: createHash('sha256').update(text).digest('hex'),
    }));
    attachBundle(
      registry,
      model,
      signBundleWithKey(modelSigningStatement(name, resources), modelSigning, { style: 'model_signing' }),
    );
    return model.reference;
  };
  const files = toFiles('classifier');
  return [
    {
      pod: 'signed-files',
      what: 'files signed with OpenSSF Model Signing',
      reference: seed('classifier', files, files),
      shape: 'image volume',
      reason: undefined,
    },
    {
      pod: 'swapped-file',
      what: 'one file swapped after signing',
      reference: seed('swapped', { ...files, 'config.json': '{"evil":true}' }, files),
      shape: 'image volume',
      reason: 'FileSetMismatch',
    },
  ];
}

/** A pod that uses a sample. */
export function toSamplePod({ pod, reference, shape }: Sample): object {
  const image = 'registry.example.test/app:1';
  const container =
    shape === 'container image'
      ? { name: 'app', image: reference }
      : { name: 'app', image, ...(shape === 'argument' ? { args: [`--model=oci://${reference}`] } : {}) };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: pod, namespace: 'default' },
    spec: {
      containers: [container],
      ...(shape === 'image volume'
        ? { volumes: [{ name: 'model', image: { reference, pullPolicy: 'IfNotPresent' } }] }
        : {}),
    },
  };
}

// How are the registry answers of a shipped policy's test made? A registry in memory with models that are always the
// same bytes, really signed with throw-away keys; what it answers is recorded under the name that the policy uses.
import { createHash } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { gatherEverything } from '../../src/cli/record.ts';
import { createRegistryAccess } from '../../src/cli/registry-access.ts';
import { packModel, type PackedModel, type PackOptions } from '../../src/demo/artifacts.ts';
import { startRegistry, type RegistryHandle } from '../../src/demo/registry.ts';
import { parseReference } from '../../src/model/reference.ts';
import { createRecordingClient } from '../../src/registry/recorded-client.ts';
import { encodeRecording, type RecordedAnswer } from '../../src/registry/recording.ts';
import { ROOT } from '../meta/source-files.ts';

/** The registry that shipped policies speak of. */
export const REGISTRY_NAME = 'registry.example.com';

/** What a policy's recorder works with. */
export interface RecorderKit {
  readonly registry: RegistryHandle;
  /** Packs files under `models/NAME`: the same files give the same digest. */
  readonly pack: (
    name: string,
    files: Readonly<Record<string, string>>,
    options?: PackOptions,
  ) => PackedModel;
  /** Packs layers that only the manifest speaks of under `models/NAME`: layers are never fetched. */
  readonly packLayers: (name: string, layers: readonly ClaimedLayer[]) => PackedModel;
}

/** A layer as a manifest describes it; its digest is made of its title. */
export interface ClaimedLayer {
  readonly title: string;
  /** In bytes. */
  readonly size: number;
  readonly mediaType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** One shipped policy's material. */
export interface PolicyMaterial {
  /** Folder under policies/. */
  readonly policy: string;
  /** Pushes and signs; returns the documents (public keys, trust roots) that the policy names. */
  readonly make: (kit: RecorderKit) => Promise<readonly object[]>;
}

/** Writes `test/recorded/*.json` and `test/material.yaml` beside a policy. Returns the references by name. */
export async function recordPolicy({ policy, make }: PolicyMaterial): Promise<ReadonlyMap<string, string>> {
  const registry = await startRegistry();
  const models = new Map<string, PackedModel>();
  const keep = (name: string, model: PackedModel): PackedModel => {
    models.set(name, model);
    return model;
  };
  const pack: RecorderKit['pack'] = (name, files, options) =>
    keep(name, packModel(registry, `models/${name}`, files, options));
  const packLayers: RecorderKit['packLayers'] = (name, layers) =>
    keep(name, packClaims(registry, `models/${name}`, layers));
  const access = createRegistryAccess(
    { 'plain-http': [registry.address] },
    { observeRegistryRequest() {}, observeCache() {} },
  );
  const folder = join(ROOT, 'policies', policy, 'test');
  try {
    const documents = await make({ registry, pack, packLayers });
    rmSync(join(folder, 'recorded'), { recursive: true, force: true });
    mkdirSync(join(folder, 'recorded'), { recursive: true });
    writeFileSync(
      join(folder, 'material.yaml'),
      documents.map((entry) => `---\n${stringify(entry)}`).join(''),
    );
    const references = new Map<string, string>();
    for (const [name, model] of models) {
      const recording = new Map<string, RecordedAnswer>();
      const parsed = parseReference(model.reference);
      if (!parsed.ok) throw new Error(parsed.problem);
      const use = { reference: parsed.reference, source: 'ImageVolume' as const, fieldPath: '' };
      await gatherEverything(
        createRecordingClient(access.openClient({ namespace: '', secrets: [] }), recording),
        use,
        AbortSignal.timeout(9000),
      );
      const renamed = [...recording].map(([question, answer]): [string, RecordedAnswer] => [
        question.replace(registry.address, REGISTRY_NAME),
        answer,
      ]);
      writeFileSync(join(folder, 'recorded', `${name}.json`), encodeRecording(new Map(renamed)));
      references.set(name, model.reference.replace(registry.address, REGISTRY_NAME));
    }
    return references;
  } finally {
    await registry.close();
    await access.transport.close();
  }
}

/** A TrustRoot over a pinned trusted_root.json, in the place of the one that the policy names. */
export function trustRoot(name: string, json: string): object {
  return {
    apiVersion: 'modelpolicy.dev/v1alpha1',
    kind: 'TrustRoot',
    metadata: { name },
    spec: { trustedRoot: { json } },
  };
}

function packClaims(
  registry: RegistryHandle,
  repository: string,
  layers: readonly ClaimedLayer[],
): PackedModel {
  const { manifest, mediaType } = packModel(registry, repository, {});
  const changed = {
    ...(JSON.parse(manifest.toString()) as object),
    layers: layers.map(({ title, size, mediaType: type = 'application/octet-stream', annotations }) => ({
      mediaType: type,
      digest: `sha256:${createHash('sha256').update(title).digest('hex')}`,
      size,
      annotations: { 'org.opencontainers.image.title': title, ...annotations },
    })),
  };
  const bytes = Buffer.from(JSON.stringify(changed));
  const digest = registry.putManifest(repository, bytes, mediaType);
  const reference = `${registry.address}/${repository}@${digest}`;
  return { repository, digest, size: bytes.length, mediaType, manifest: bytes, reference };
}

/** A ConfigMap of the controller's namespace. */
export function configMap(name: string, data: Readonly<Record<string, string>>): object {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data };
}

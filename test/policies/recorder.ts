// How are the registry answers of a shipped policy's test made? A registry in memory with models that are always the
// same bytes, really signed with throw-away keys; what it answers is recorded under the name that the policy uses.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { gatherAll } from '../../src/admission/gathered.ts';
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
  const pack: RecorderKit['pack'] = (name, files, options) => {
    const model = packModel(registry, `models/${name}`, files, options);
    models.set(name, model);
    return model;
  };
  const access = createRegistryAccess(
    { 'plain-http': [registry.address] },
    { observeRegistryRequest() {}, observeCache() {} },
  );
  const folder = join(ROOT, 'policies', policy, 'test');
  try {
    const documents = await make({ registry, pack });
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
      await gatherAll(
        createRecordingClient(access.openClient({ namespace: '', secrets: [] }), recording),
        [use],
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

/** A ConfigMap of the controller's namespace. */
export function configMap(name: string, data: Readonly<Record<string, string>>): object {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data };
}

// Standalone mode: policies from files, read at start and again whenever the files change.
import type { OptionValues } from '../config.ts';
import { createFilePullSecretReader } from '../kubernetes/pull-secret.ts';
import { toMaterialKey } from '../policy/source-material.ts';
import { listOf, textOf } from './arguments.ts';
import {
  listPolicyFiles,
  loadPolicies,
  readPolicyFiles,
  type FileMemory,
  type LoadedPolicies,
} from './policy-files.ts';
import type { PolicySourceHandle, PolicySourceOptions } from './policy-source.ts';
import { watchFiles } from './watch-files.ts';

/** Reads the files and keeps reading them. @throws UsageError for paths that do not exist at start */
export function startFileSource(
  values: OptionValues,
  { store, logger, onUpdate }: PolicySourceOptions,
): PolicySourceHandle {
  const namespaces = textOf(values, 'namespaces');
  const paths = listOf(values, 'policies');
  const memory: FileMemory = new Map();
  let known = list();
  let secrets: LoadedPolicies['secrets'] = new Map();
  function list(): readonly string[] {
    return [...listPolicyFiles(paths), ...(namespaces === undefined ? [] : [namespaces])];
  }
  function load(): void {
    const { inputs, faults, ...loaded } = loadPolicies(
      readPolicyFiles(known),
      {
        controllerNamespace: textOf(values, 'controller-namespace') ?? '',
        isNamespaceListComplete: namespaces !== undefined,
      },
      memory,
    );
    for (const { where, message } of faults)
      logger.error({ where, problem: message }, 'policy file is faulty');
    secrets = loaded.secrets;
    store.update(inputs);
    onUpdate();
  }
  load();
  const stop = watchFiles(list, () => {
    try {
      known = list();
    } catch {
      // The directory itself is gone: its files are read as unreadable, and their policies deny.
      logger.error({ paths }, 'policy paths cannot be read');
    }
    load();
  });
  const pullSecrets = createFilePullSecretReader((namespace, name) =>
    secrets.get(toMaterialKey('Secret', namespace, name)),
  );
  return { synced: Promise.resolve(), findUnready: () => undefined, pullSecrets, stop };
}

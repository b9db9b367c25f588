// Which policies does a command judge by? Reads --policy and --namespaces, and refuses what cannot be used.
import type { OptionValues } from '../config.ts';
import { listOf, textOf, UsageError } from './arguments.ts';
import {
  findUsageFault,
  listPolicyFiles,
  loadPolicies,
  readPolicyFiles,
  type LoadedPolicies,
} from './policy-files.ts';

/** Loads what the options name; `-` is standard input. @throws UsageError */
export function loadPolicyOptions(values: OptionValues): LoadedPolicies {
  const paths = listOf(values, 'policy');
  if (paths.length === 0) throw new UsageError('--policy is required');
  const namespaces = textOf(values, 'namespaces');
  const named = paths.filter((path) => path !== '-');
  const files = [
    ...listPolicyFiles(named),
    ...(paths.includes('-') ? ['-'] : []),
    ...(namespaces === undefined ? [] : [namespaces]),
  ];
  const loaded = loadPolicies(readPolicyFiles(files), {
    controllerNamespace: textOf(values, 'controller-namespace') ?? '',
    isNamespaceListComplete: namespaces !== undefined,
  });
  const fault = findUsageFault(loaded);
  if (fault !== undefined) throw new UsageError(fault);
  return loaded;
}

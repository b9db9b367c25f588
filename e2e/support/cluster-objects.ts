// What is in the cluster? Every object of every kind that can be listed, by name: what an installation added, and what
// an uninstallation left.
import type { Kubectl } from './kubectl.ts';

/** Made by controllers at any time, for themselves. */
const COINCIDENTAL = new Set(['Event', 'Lease']);

async function succeed(kubectl: Kubectl, args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await kubectl(args);
  if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
  return stdout;
}

/** `Kind namespace/name`, sorted. @param selector of labels; empty for everything */
export async function listObjects(kubectl: Kubectl, selector = ''): Promise<readonly string[]> {
  const resources = await succeed(kubectl, [
    'api-resources',
    '--verbs=list',
    '--output=name',
    '--cached=false',
  ]);
  const listed = await succeed(kubectl, [
    'get',
    resources.trim().split(/\s+/u).join(','),
    '--all-namespaces',
    '--ignore-not-found',
    '--no-headers',
    `--selector=${selector}`,
    '--output=custom-columns=KIND:.kind,NAMESPACE:.metadata.namespace,NAME:.metadata.name',
  ]);
  const rows = listed
    .split('\n')
    .filter(Boolean)
    .map((line) => line.split(/\s+/u));
  const names = rows
    .filter(([kind = '']) => !COINCIDENTAL.has(kind))
    .map(([kind = '', namespace = '', name = '']) => `${kind} ${namespace}/${name}`);
  return [...new Set(names)].toSorted();
}

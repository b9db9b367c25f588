// Is the chart what the kustomizations say? Digests of everything that goes into deploy/chart/rendered and of what came
// out, so that a test sees a change on either side without rendering anything. Definitions are copies, compared as such.
import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** SHA-256 by path below deploy/, in the order of paths. */
export function digestChart(): Readonly<Record<string, string>> {
  const files = globSync(['base/*', 'components/*/*', 'chart/rendered/*.yaml'], {
    cwd: import.meta.dirname,
  }).map((path) => path.replaceAll('\\', '/'));
  const digest = (path: string): string =>
    createHash('sha256')
      .update(readFileSync(join(import.meta.dirname, path)))
      .digest('hex');
  return Object.fromEntries(files.toSorted().map((path) => [path, digest(path)]));
}

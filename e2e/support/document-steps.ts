// Do the documented commands work? Takes the shell blocks of a section of a document, to be run as they stand.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');
const STEP_BOUND_MS = 90_000;

/** A whole document, by its path in the repository. */
export function readDocumentText(document: string): string {
  return readFileSync(join(ROOT, document), 'utf8');
}

/** The text below a heading of the second level. @throws Error when there is none */
export function readSection(document: string, heading: string): string {
  const [, section] = readDocumentText(document).split(`\n## ${heading}\n`);
  if (section === undefined) throw new Error(`${document} has no section ${heading}`);
  return section.split('\n## ')[0] ?? '';
}

/** The blocks of one language of a section; no language: those without. */
export function blocksOf(section: string, language: string): readonly string[] {
  return [...section.matchAll(/^```(\w*)\n(.*?)^```$/gmsu)]
    .filter(([, name]) => name === language)
    .map(([, , text = '']) => text);
}

/** Runs commands, by default in the root of the repository; `directory` as for kubectl. @throws Error with the output */
export function runStep(
  commands: string,
  { kubeconfig, directory }: { kubeconfig: string; directory: string },
  cwd = ROOT,
): Promise<string> {
  const path = [process.env['KUBEBUILDER_ASSETS'], process.env['PATH']].filter(Boolean).join(delimiter);
  const env = { PATH: path, HOME: join(directory, 'home'), KUBECONFIG: kubeconfig };
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  execFile(
    'bash',
    ['-euo', 'pipefail', '-c', commands],
    { cwd, env, timeout: STEP_BOUND_MS },
    (error, stdout, stderr) =>
      error ? reject(new Error(`${commands}\n${stdout}${stderr}${error.message}`)) : resolve(stdout + stderr),
  );
  return promise;
}

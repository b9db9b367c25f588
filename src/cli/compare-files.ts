// Which files differ from what was signed? Names first, which is quick; then every byte; then the names again, since
// hashing takes minutes in which files can come and go.
import { FileError } from '../files/error.ts';
import { hashFile } from '../files/hash-file.ts';
import type { FoundFile } from '../files/list-files.ts';
import { quote } from '../lib/text.ts';
import { compareFileSets, SINGLE_FILE, type SignedFiles } from '../signature/signed-files.ts';
import { startProgress } from './progress.ts';

/** Most differences that are reported. */
export const MAX_PROBLEMS = 8;

/** What is on disk. */
export interface Disk {
  /** The files as they are now. */
  readonly list: () => Promise<ReadonlyMap<string, FoundFile>>;
  /** True when one file was named, not a directory. */
  readonly hasOneFile: boolean;
}

/** Compares files with what was signed. @returns one clause for each difference @throws FileError */
export async function compareFiles(signed: SignedFiles, disk: Disk): Promise<readonly string[]> {
  if (signed.files.has(SINGLE_FILE) && !disk.hasOneFile)
    return ['one file was signed, not a directory: name the file'];
  const files = await disk.list();
  const sizes = new Map([...files].map(([name, { size }]) => [name, size]));
  const differences = compareFileSets(signed, sizes);
  if (differences.length > 0) return bound(differences);
  const wrong = await hashAll(signed, files);
  if (wrong.length > 0) return wrong;
  return findChanges(files, await disk.list());
}

async function hashAll(
  signed: SignedFiles,
  files: ReadonlyMap<string, FoundFile>,
): Promise<readonly string[]> {
  const problems: string[] = [];
  const wanted = [...signed.files].flatMap(([name, parts]) => {
    const file = files.get(name);
    return file === undefined ? [] : [{ name, parts, file }];
  });
  const progress = startProgress(wanted.reduce((sum, { file }) => sum + file.size, 0));
  try {
    for (const { name, parts, file } of wanted) {
      const digests = await hashNamed(name, () =>
        hashFile(file, parts, (bytes) => progress.add(bytes, name)),
      );
      if (parts.some(({ digest }, index) => digests[index] !== digest))
        problems.push(`the file ${quote(name)} is not the one that was signed`);
      if (problems.length === MAX_PROBLEMS) break;
    }
  } finally {
    progress.end();
  }
  return problems;
}

async function hashNamed<T>(name: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof FileError) throw new FileError(`the file ${quote(name)}: ${error.message}`);
    throw error;
  }
}

function findChanges(
  before: ReadonlyMap<string, FoundFile>,
  after: ReadonlyMap<string, FoundFile>,
): readonly string[] {
  const names = new Set([...before.keys(), ...after.keys()]);
  const changed = [...names].filter((name) => before.get(name)?.state !== after.get(name)?.state);
  return bound(changed.map((name) => `the file ${quote(name)} changed while the others were read`));
}

function bound(problems: readonly string[]): readonly string[] {
  if (problems.length <= MAX_PROBLEMS) return problems;
  return [
    ...problems.slice(0, MAX_PROBLEMS - 1),
    `and ${problems.length - MAX_PROBLEMS + 1} more differences`,
  ];
}

// Which files are here? Walks a directory without following links, and names everything that is no plain file: nothing
// that could be read in two ways, or could make a reader wait for ever, passes as a file.
import type { BigIntStats } from 'node:fs';
import { lstat, readdir, realpath } from 'node:fs/promises';
import path from 'node:path';
import { quote } from '../lib/text.ts';
import { FileError, toCode } from './error.ts';

/** Most entries of one model's directory: more is no model that anybody signed. */
export const MAX_ENTRIES = 100_000;
const MAX_DEPTH = 64;

/** A plain file as it was found. */
export interface FoundFile {
  /** Where it lies, links resolved. */
  readonly realPath: string;
  readonly size: number;
  /** What tells this file, in this state, from another. */
  readonly state: string;
}

/** How a directory is walked. */
export interface WalkOptions {
  /** True for paths, relative with `/`, that are left out with everything below them. */
  readonly isIgnored: (relative: string) => boolean;
  /** Links to files inside the directory count as files. */
  readonly allowSymlinks: boolean;
}

/**
 * Lists the plain files below a directory by relative path, parts joined by `/`.
 * @param root real path of the directory
 * @throws FileError
 */
export async function listFiles(root: string, options: WalkOptions): Promise<ReadonlyMap<string, FoundFile>> {
  const files = new Map<string, FoundFile>();
  const folders: string[] = [''];
  let entries = 0;
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const name of await readNames(root, folder)) {
      const relative = folder === '' ? name : `${folder}/${name}`;
      entries += 1;
      if (entries > MAX_ENTRIES) throw new FileError(`it holds more than ${MAX_ENTRIES} files`);
      if (options.isIgnored(relative)) continue;
      const found = await examine(root, relative, options.allowSymlinks);
      if (found === 'folder') folders.push(relative);
      else files.set(relative, found);
    }
  }
  return files;
}

async function readNames(root: string, folder: string): Promise<readonly string[]> {
  if (folder.split('/').length > MAX_DEPTH) throw new FileError(`it is nested deeper than ${MAX_DEPTH}`);
  try {
    const names = await readdir(path.join(root, folder), { encoding: 'buffer' });
    return names.map(toName).toSorted();
  } catch (error) {
    if (error instanceof FileError) throw error;
    throw new FileError(
      `the folder ${quote(folder === '' ? '.' : folder)} cannot be read (${toCode(error)})`,
    );
  }
}

// Two names that are not valid UTF-8 can look like one.
function toName(bytes: Buffer): string {
  const name = bytes.toString('utf8');
  if (!Buffer.from(name).equals(bytes))
    throw new FileError(`the file name ${quote(name)} is not valid UTF-8`);
  return name;
}

/** What lies at one path below a directory. @throws FileError unless it is a file or a folder */
export async function examine(
  root: string,
  relative: string,
  allowSymlinks: boolean,
): Promise<FoundFile | 'folder'> {
  const place = path.join(root, relative);
  try {
    const stats = await lstat(place, { bigint: true });
    if (stats.isDirectory()) return 'folder';
    if (stats.isFile()) return toFound(place, stats);
    if (!stats.isSymbolicLink()) throw new FileError(`${quote(relative)} is neither a file nor a folder`);
  } catch (error) {
    if (error instanceof FileError) throw error;
    throw new FileError(`${quote(relative)} cannot be read (${toCode(error)})`);
  }
  if (!allowSymlinks) throw new FileError(`${quote(relative)} is a link, which the signature does not allow`);
  return followLink(root, relative);
}

async function followLink(root: string, relative: string): Promise<FoundFile> {
  try {
    const target = await realpath(path.join(root, relative));
    if (!target.startsWith(path.join(root, path.sep)))
      throw new FileError(`the link ${quote(relative)} leads out of the directory`);
    const stats = await lstat(target, { bigint: true });
    if (stats.isFile()) return toFound(target, stats);
    throw new FileError(`the link ${quote(relative)} leads to something that is no file`);
  } catch (error) {
    if (error instanceof FileError) throw error;
    throw new FileError(`the link ${quote(relative)} cannot be followed (${toCode(error)})`);
  }
}

/** A found file from its status. @throws FileError for sizes beyond what can be counted */
export function toFound(realPath: string, stats: BigIntStats): FoundFile {
  return { realPath, size: Number(stats.size), state: toState(stats) };
}

/** Device, file, size and times: a file that was written to or replaced has another one. */
export function toState({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
}

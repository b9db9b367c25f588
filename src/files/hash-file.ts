// What does this file hash to? One pass in constant memory, the next piece being read while the last is hashed. A file
// that is replaced, grows or shrinks meanwhile has no digest.
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { FileError, toCode } from './error.ts';
import { toState, type FoundFile } from './list-files.ts';

/** Bytes that are read at once; two pieces of this size are all the memory that a file takes. */
export const PIECE_BYTES = 1024 * 1024;

/** A part of a file: from the end of the one before to `end`, or to the file's end. */
export interface WantedPart {
  readonly end: number | undefined;
  /** Name of the hash function in node:crypto. */
  readonly hash: string;
}

/**
 * Hashes consecutive parts of a file, the first from its beginning and the last to its end.
 * @param onProgress told the number of bytes after each piece
 * @returns lower-case hex digests @throws FileError
 */
export async function hashFile(
  file: FoundFile,
  parts: readonly WantedPart[],
  onProgress: (bytes: number) => void,
): Promise<readonly string[]> {
  // Never through a link that took the file's place, and never waiting for the writer of a pipe that did.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  let handle: FileHandle | undefined;
  try {
    handle = await open(file.realPath, flags);
    await requireState(handle, file);
    const digests = await hashParts(handle, file.size, { parts, onProgress });
    await requireState(handle, file);
    return digests;
  } catch (error) {
    if (error instanceof FileError) throw error;
    throw new FileError(`it cannot be read (${toCode(error)})`);
  } finally {
    await handle?.close();
  }
}

async function requireState(handle: FileHandle, { state }: FoundFile): Promise<void> {
  if (toState(await handle.stat({ bigint: true })) !== state)
    throw new FileError('it changed while it was read');
}

interface Hashing {
  readonly parts: readonly WantedPart[];
  readonly onProgress: (bytes: number) => void;
}

async function hashParts(
  handle: FileHandle,
  size: number,
  { parts, onProgress }: Hashing,
): Promise<readonly string[]> {
  const pieces = readPieces(handle, size);
  const digests: string[] = [];
  let left = Buffer.alloc(0);
  let position = 0;
  for (const { end = size, hash } of parts) {
    const digest = createHash(hash);
    while (position < end) {
      if (left.length === 0) {
        left = await pieces();
        onProgress(left.length);
      }
      const taken = left.subarray(0, end - position);
      digest.update(taken);
      left = left.subarray(taken.length);
      position += taken.length;
    }
    digests.push(digest.digest('hex'));
  }
  return digests;
}

// Two buffers in turn: one is filled while the other is hashed.
function readPieces(handle: FileHandle, size: number): () => Promise<Buffer<ArrayBuffer>> {
  const length = Math.min(PIECE_BYTES, Math.max(size, 1));
  const buffers = [Buffer.alloc(length), Buffer.alloc(length)] as const;
  let turn = 0;
  let position = 0;
  const read = async (): Promise<Buffer<ArrayBuffer>> => {
    turn += 1;
    const buffer = buffers[turn % 2 === 0 ? 0 : 1];
    const { bytesRead } = await handle.read(buffer, 0, length, position);
    position += bytesRead;
    if (bytesRead === 0) throw new FileError('it changed while it was read');
    return buffer.subarray(0, bytesRead);
  };
  let next: Promise<Buffer<ArrayBuffer>> | undefined;
  return async () => {
    const piece = await (next ?? read());
    next = position < size ? read() : undefined;
    // A failure is reported when the piece is asked for, not while the one before is hashed.
    next?.catch(() => undefined);
    return piece;
  };
}

// Why can a file not be used? The one typed failure of this folder.

/** Thrown for everything a file system does; `message` is one clause, foreign text escaped. */
export class FileError extends Error {
  override readonly name = 'FileError';
}

/** The code of a file system's error, such as `EACCES`; anything else that was thrown is thrown again. */
export function toCode(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  throw error;
}

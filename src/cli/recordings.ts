// What was recorded of registries? Reads recordings from files and directories, for commands that judge offline.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { toErrorMessage } from '../lib/text.ts';
import { parseRecording, RecordingError, type RecordedAnswer } from '../registry/recording.ts';
import { UsageError } from './arguments.ts';

/** Reads every recording: a file itself, of a directory its `.json` files. @throws UsageError */
export function readRecordings(paths: readonly string[]): ReadonlyMap<string, RecordedAnswer> {
  const files = paths.flatMap(listRecordings);
  return new Map(files.flatMap((file) => [...readRecording(file)]));
}

function listRecordings(path: string): readonly string[] {
  try {
    if (!statSync(path).isDirectory()) return [path];
    return readdirSync(path)
      .filter((name) => name.endsWith('.json'))
      .toSorted()
      .map((name) => join(path, name));
  } catch (error) {
    throw new UsageError(`cannot read ${path}: ${toErrorMessage(error)}`);
  }
}

function readRecording(path: string): ReturnType<typeof parseRecording> {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new UsageError(`cannot read ${path}: ${toErrorMessage(error)}`);
  }
  try {
    return parseRecording(bytes);
  } catch (error) {
    if (error instanceof RecordingError) throw new UsageError(`${path}: ${error.message}`);
    throw error;
  }
}

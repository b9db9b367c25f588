// Have the files changed? Looks at names, sizes and times twice a second: works for editors that replace files, for
// mounted ConfigMaps that swap links, and on every file system.
import { statSync } from 'node:fs';

/** How often files are looked at, in milliseconds. */
export const WATCH_INTERVAL_MS = 500;

/** Calls back after every change until the returned function is called. @param list the files to look at, each time */
export function watchFiles(list: () => readonly string[], onChange: () => void): () => void {
  let last = toSignature(list);
  let pending = last;
  const timer = setInterval(() => {
    const now = toSignature(list);
    // A file that is still being written changes between two looks: what is half there is not read.
    const isSettled = now === pending;
    pending = now;
    if (now === last || !isSettled) return;
    last = now;
    onChange();
  }, WATCH_INTERVAL_MS);
  timer.unref();
  return () => clearInterval(timer);
}

function toSignature(list: () => readonly string[]): string {
  let paths: readonly string[];
  try {
    paths = list();
  } catch {
    return 'unreadable';
  }
  return paths
    .map((path) => {
      try {
        const { ino, size, mtimeMs, ctimeMs } = statSync(path);
        return `${path} ${ino} ${size} ${mtimeMs} ${ctimeMs}`;
      } catch {
        return `${path} missing`;
      }
    })
    .join('\n');
}

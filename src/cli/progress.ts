// How far is it? One line on a terminal's standard error, rewritten a few times a second; nothing anywhere else.
import { quote } from '../lib/text.ts';

const INTERVAL_MS = 200;
const CLEAR_LINE = '\r\u001b[K';
const MAX_NAME_CHARS = 40;

/** A line that says how much is done. */
export interface Progress {
  /** Counts bytes of the named file. */
  add(bytes: number, name: string): void;
  /** Takes the line away. */
  end(): void;
}

/** Starts a line for a number of bytes; silent unless standard error is a terminal. */
export function startProgress(total: number, stream: NodeJS.WriteStream = process.stderr): Progress {
  let done = 0;
  let shownAt = 0;
  return {
    add(bytes, name) {
      done += bytes;
      if (!stream.isTTY || performance.now() - shownAt < INTERVAL_MS) return;
      shownAt = performance.now();
      const percent = Math.floor((100 * done) / Math.max(total, 1));
      stream.write(`${CLEAR_LINE}${percent} % of ${toGib(total)} GiB, ${quote(name, MAX_NAME_CHARS)}`);
    },
    end() {
      if (shownAt > 0) stream.write(CLEAR_LINE);
    },
  };
}

function toGib(bytes: number): string {
  return (bytes / 2 ** 30).toFixed(2);
}

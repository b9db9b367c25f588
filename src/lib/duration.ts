// How long is "1m30s"? Go's duration syntax, as the API server writes it in ?timeout=.

const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;
const PART = /^(\d{1,9}(?:\.\d{1,9})?)(ms|s|m|h)/;
const MAX_DURATION_CHARS = 32;

/**
 * Parses a non-negative Go duration of h, m, s and ms parts.
 * @returns milliseconds, or undefined when the text is no such duration
 */
export function parseDurationMs(text: string): number | undefined {
  if (text === '' || text.length > MAX_DURATION_CHARS) return undefined;
  let rest = text;
  let total = 0;
  while (rest !== '') {
    const part = PART.exec(rest);
    if (part === null) return undefined;
    total += Number(part[1]) * UNIT_MS[part[2] as keyof typeof UNIT_MS];
    rest = rest.slice(part[0].length);
  }
  return total;
}

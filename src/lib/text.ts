// How does foreign text appear in messages? Escaped, on one line and bounded; JSON guards live beside it.

/** Longest piece of foreign text that is quoted in a message, in characters. */
export const MAX_QUOTED_CHARS = 200;
/** Longest message of one finding, in UTF-8 bytes (docs: limits). */
export const MAX_FINDING_BYTES = 1024;

/**
 * Quotes foreign text for a message: JSON escapes, no control or non-ASCII characters, bounded.
 * @param maxChars bound before escaping, default 200
 */
export function quote(text: string, maxChars: number = MAX_QUOTED_CHARS): string {
  const cut = text.length > maxChars ? `${text.slice(0, maxChars)}…(${text.length} chars)` : text;
  return JSON.stringify(cut).replaceAll(
    /[^\x20-\x7e…]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Cuts a message to a number of UTF-8 bytes without splitting a character. */
export function boundBytes(text: string, maxBytes: number): string {
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.length <= maxBytes) return text;
  return `${bytes
    .subarray(0, maxBytes - 3)
    .toString('utf8')
    .replace(/\ufffd+$/, '')}…`;
}

/** True for a JSON object (not null, not an array). */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value as a record, or an empty one: for walking optional structure of unknown shape. */
export function toRecord(value: unknown): Record<string, unknown> {
  return isRecord(value) ? value : {};
}

/** The value as an array, or an empty one. */
export function toArray(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [];
}

/** The value if it is a string. */
export function toText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** The message of anything thrown, for operators' logs; never for answers. */
export function toErrorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** A time as the API server writes it: RFC 3339, UTC, whole seconds, what is left of one cut off. */
export function toSeconds(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, 'Z');
}

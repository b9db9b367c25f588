// Is this base64 canonical? Lax decoding would make one signature many byte strings (RFC 4648 §3.5).

/**
 * Decodes standard, padded, canonical base64.
 * @returns the bytes, or undefined for anything `toString('base64')` would not have written
 */
export function decodeBase64(text: string): Buffer | undefined {
  if (text.length % 4 !== 0) return undefined;
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}

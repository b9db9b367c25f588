// Which version is this? Read from package.json, the only place that says so.
import { readFileSync } from 'node:fs';
import { toRecord, toText } from '../lib/text.ts';

/** The package's version. */
export function readVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return toText(toRecord(JSON.parse(text))['version']) ?? 'unknown';
}

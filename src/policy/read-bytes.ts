// Which bytes does this field name? Inline text or one key of a Secret or ConfigMap, exactly one of them.
import type { DenialReason } from '../reason.ts';
import { takeWork } from '../lib/counted-work.ts';
import { quote } from '../lib/text.ts';
import { toAbsence, toMaterialKey, type MaterialContext } from './source-material.ts';
import type { KeyReference } from './types.ts';

/** A field that holds or names bytes. */
export interface BytesSource {
  readonly text?: string | undefined;
  readonly secretKeyRef?: KeyReference | undefined;
  readonly configMapKeyRef?: KeyReference | undefined;
}

/** The bytes, or why there are none. */
export type BytesResult =
  | { readonly ok: true; readonly bytes: Buffer }
  | { readonly ok: false; readonly reason: DenialReason; readonly problem: string };

/** What is said of keys and certificates that are too many. */
export const TOO_MANY_PEM_BLOCKS =
  'the keys, certificates and patterns of these policies are too many together';

/** Reads the bytes of a field. */
export function readBytes(source: BytesSource, context: MaterialContext): BytesResult {
  const { text, secretKeyRef, configMapKeyRef } = source;
  const isOne = [text, secretKeyRef, configMapKeyRef].filter((value) => value !== undefined).length === 1;
  if (!isOne)
    return {
      ok: false,
      reason: 'PolicyInvalid',
      problem: 'exactly one source of bytes must be set: the text itself, secretKeyRef or configMapKeyRef',
    };
  if (text !== undefined) return { ok: true, bytes: Buffer.from(text, 'utf8') };
  if (secretKeyRef !== undefined) return readKey('Secret', secretKeyRef, context);
  return readKey('ConfigMap', configMapKeyRef as KeyReference, context);
}

function readKey(
  kind: 'Secret' | 'ConfigMap',
  { name, key }: KeyReference,
  context: MaterialContext,
): BytesResult {
  const missing = (what: string): BytesResult => ({
    ok: false,
    reason: 'CredentialsUnavailable',
    problem: what,
  });
  const where = `${kind} ${context.controllerNamespace}/${name}`;
  const data = context.material.get(toMaterialKey(kind, context.controllerNamespace, name));
  if (data === undefined) return missing(`${where} ${toAbsence(context)}`);
  const bytes = data.get(key);
  if (bytes === undefined) return missing(`${where} has no key ${quote(key, 64)}`);
  return bytes.length === 0 ? missing(`${where} has an empty key ${quote(key, 64)}`) : { ok: true, bytes };
}

/** What reading a key or certificate costs beside an RE2 instruction: about half a millisecond. */
export const PEM_BLOCK_WORK = 32;

/** True when the PEM blocks of a field may still be read: beside all others, where somebody counts. */
export function takePemBlocks(bytes: Buffer): boolean {
  return takeWork(PEM_BLOCK_WORK * (bytes.toString('latin1').split('-----BEGIN ').length - 1));
}

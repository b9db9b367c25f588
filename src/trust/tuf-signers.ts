// Did enough different keys sign this metadata? tuf-js counts key ids, and one key can be listed under two of them
// (GHSA-3633-5h82-39pq is that fault in go-tuf); here the key material is counted, before tuf-js sees the bytes.
import { createPublicKey } from 'node:crypto';
import { Metadata, MetadataKind, type Root } from '@tufjs/models';
import { sha256Hex } from '../lib/digest.ts';
import { isRecord, quote, toErrorMessage, toRecord } from '../lib/text.ts';
import { TufRefreshError } from './tuf-error.ts';

/** The top-level roles; delegated ones are never followed. */
export type TopLevelRole = 'root' | 'timestamp' | 'snapshot' | 'targets';

/** Parses a root.json and holds it to its own root role. @throws TufRefreshError */
export function parseTufRoot(bytes: Uint8Array): Metadata<Root> {
  const root = parseMetadata('root', bytes) as Metadata<Root>;
  requireDistinctSigners(root, 'root', root);
  return root;
}

/** Holds metadata to the threshold that `root` sets for its role, counting key material. @throws TufRefreshError */
export function requireSignedBy(root: Metadata<Root>, role: TopLevelRole, bytes: Uint8Array): void {
  requireDistinctSigners(root, role, parseMetadata(role, bytes));
}

/** SHA-256 of the signed part of metadata, as JSON with sorted members. @throws TufRefreshError */
export function toSignedDigest(bytes: Uint8Array): string {
  const signed = toRecord(parseJson('root', bytes))['signed'];
  return sha256Hex(Buffer.from(JSON.stringify(sortMembers(signed)) ?? ''));
}

type SignedMetadata = Parameters<Metadata<Root>['verifyDelegate']>[1];

function requireDistinctSigners(root: Metadata<Root>, role: TopLevelRole, metadata: SignedMetadata): void {
  const { keyIDs, threshold } = root.signed.roles[role] ?? { keyIDs: [], threshold: 1 };
  const signers = new Set<string>();
  for (const id of keyIDs) {
    const key = root.signed.keys[id];
    if (key === undefined) continue;
    try {
      key.verifySignature(metadata);
      signers.add(toMaterial(key.keyVal['public'] ?? ''));
    } catch {
      // not a signer
    }
  }
  if (signers.size < threshold)
    throw new TufRefreshError(`${role}.json is signed by ${signers.size} of ${threshold} distinct keys`);
}

// One key can be written as PEM or as hex, compressed or not, and with another sign: what they share is the modulus or
// the x coordinate.
function toMaterial(text: string): string {
  if (text.startsWith('-----BEGIN')) {
    const { n, x } = createPublicKey(text).export({ format: 'jwk' });
    return n ?? Buffer.from(x ?? '', 'base64url').toString('hex');
  }
  const hex = text.toLowerCase();
  // SEC 1 §2.3.3: 04 x y, 02 x or 03 x, of 32 or 48 bytes each; Ed25519 keys are 32 bytes without a prefix.
  if (/^04(?:.{128}|.{192})$/.test(hex)) return hex.slice(2, 2 + (hex.length - 2) / 2);
  return /^0[23](?:.{64}|.{96})$/.test(hex) ? hex.slice(2) : hex;
}

const READERS: Readonly<Record<TopLevelRole, (json: MetadataJson) => SignedMetadata>> = {
  root: (json) => Metadata.fromJSON(MetadataKind.Root, json),
  timestamp: (json) => Metadata.fromJSON(MetadataKind.Timestamp, json),
  snapshot: (json) => Metadata.fromJSON(MetadataKind.Snapshot, json),
  targets: (json) => Metadata.fromJSON(MetadataKind.Targets, json),
};
// The members are checked by fromJSON itself; its parameter type is wider than its code.
type MetadataJson = Parameters<typeof Metadata.fromJSON>[1];

function parseMetadata(role: TopLevelRole, bytes: Uint8Array): SignedMetadata {
  const document = parseJson(role, bytes);
  try {
    return READERS[role](document as MetadataJson);
  } catch (error) {
    throw new TufRefreshError(`${role}.json is malformed: ${quote(toErrorMessage(error), 120)}`);
  }
}

function parseJson(role: TopLevelRole, bytes: Uint8Array): Record<string, unknown> {
  try {
    const document: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
    if (isRecord(document)) return document;
  } catch {
    // reported below: a captive portal answers with a page, a cut connection with half a document
  }
  throw new TufRefreshError(`${role}.json is no JSON object`);
}

function sortMembers(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortMembers);
  if (!isRecord(value)) return value;
  const names = Object.keys(value).toSorted();
  return Object.fromEntries(names.map((name) => [name, sortMembers(value[name])]));
}

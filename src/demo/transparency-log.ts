// Who can prove that a signature was made public? A Rekor of either generation: Merkle tree, signed checkpoint,
// inclusion proof, and for v1 the signed entry timestamp. Leaves what an entry says to log-entry.ts.
import { createHash, sign } from 'node:crypto';
import { generateSigningKey, publicKeyDer, type SigningKey } from './keys.ts';
import { MerkleTree } from './merkle-tree.ts';

/** The generation of a log: v1 gives times, v2 leaves them to timestamp authorities. */
export type RekorVersion = 'v1' | 'v2';

/** A `TransparencyLogEntry` as bundles carry it. */
export interface LogEntry {
  readonly logIndex?: string;
  readonly logId: { readonly keyId: string };
  readonly kindVersion: { readonly kind: string; readonly version: string };
  readonly integratedTime?: string;
  readonly inclusionPromise?: { readonly signedEntryTimestamp: string };
  readonly inclusionProof: {
    readonly logIndex?: string;
    readonly rootHash: string;
    readonly treeSize: string;
    readonly hashes?: readonly string[];
    readonly checkpoint: { readonly envelope: string };
  };
  readonly canonicalizedBody: string;
}

/** What is put into a log. */
export interface LogBody {
  readonly kind: string;
  readonly version: string;
  /** Canonical JSON. */
  readonly body: Buffer;
}

/** What goes wrong with a note's signature line; nothing by default. */
export interface NoteFaults {
  readonly name?: string;
  readonly keyId?: Buffer;
  readonly signingKey?: SigningKey;
}

/** A log with its key. */
export interface TransparencyLog {
  readonly version: RekorVersion;
  readonly key: SigningKey;
  readonly baseUrl: string;
  /** What entries name as `logId`: SHA-256 of the key (v1), or of origin and key (v2). */
  readonly logId: Buffer;
  append(entry: LogBody, at: Date): LogEntry;
  /** Signs a checkpoint's text as the log does, in the name and with the key id given or its own. */
  signNote(text: string, faults?: NoteFaults): string;
}

// Entries in front, so that proofs have depth from the first signature on.
const EARLIER_ENTRIES = 5;
// In Rekor v1 an entry's index counts all shards, and the proof's only the current one.
const EARLIER_SHARDS = 4_163_431;
const TREE_ID = '1193050959916656506';

/** A log with a fresh key (ECDSA P-256 for v1, Ed25519 for v2) that already holds some entries. */
export function createTransparencyLog(version: RekorVersion, baseUrl: string): TransparencyLog {
  const key = generateSigningKey(version === 'v1' ? 'p256' : 'ed25519');
  const name = new URL(baseUrl).host;
  const logId = version === 'v1' ? sha256(publicKeyDer(key.publicKey)) : noteKeyId(name, key);
  const origin = version === 'v1' ? `${name} - ${TREE_ID}` : name;
  const tree = new MerkleTree();
  for (let entry = 0; entry < EARLIER_ENTRIES; entry += 1) tree.append(Buffer.from(`{"earlier":${entry}}`));

  return {
    version,
    key,
    baseUrl,
    logId,
    signNote: (text, faults = {}) => signNote(text, { origin, name, logId, key }, faults),
    append: (entry, at) => {
      const index = tree.append(entry.body);
      const proof = {
        logIndex: String(index),
        rootHash: tree.root().toString('base64'),
        treeSize: String(tree.size),
        hashes: tree.proof(index).map((hash) => hash.toString('base64')),
        checkpoint: { envelope: signedCheckpoint({ origin, name, logId, key }, tree) },
      };
      const globalIndex = version === 'v1' ? index + EARLIER_SHARDS : index;
      const integratedTime = Math.floor(at.getTime() / 1000);
      const promise = { body: entry.body, integratedTime, logIndex: globalIndex, logId };
      return {
        logIndex: String(globalIndex),
        logId: { keyId: logId.toString('base64') },
        kindVersion: { kind: entry.kind, version: entry.version },
        ...(version === 'v1' ? inclusionPromise(promise, key) : {}),
        inclusionProof: proof,
        canonicalizedBody: entry.body.toString('base64'),
      };
    },
  };
}

interface NoteSigner {
  readonly origin: string;
  readonly name: string;
  readonly logId: Buffer;
  readonly key: SigningKey;
}

/** A checkpoint over the tree as a signed note; the key hint is the first four bytes of the log's id. */
export function signedCheckpoint(signer: NoteSigner, tree: MerkleTree): string {
  const note = `${signer.origin}\n${tree.size}\n${tree.root().toString('base64')}\n`;
  return signNote(note, signer, {});
}

function signNote(text: string, signer: NoteSigner, faults: NoteFaults): string {
  const { name = signer.name, keyId = signer.logId.subarray(0, 4), signingKey = signer.key } = faults;
  const line = Buffer.concat([keyId, signWithLogKey(Buffer.from(text), signingKey)]).toString('base64');
  return `${text}\n\u2014 ${name} ${line}\n`;
}

interface Promised {
  readonly body: Buffer;
  readonly integratedTime: number;
  readonly logIndex: number;
  readonly logId: Buffer;
}

// The keys are in the order that canonical JSON demands.
function inclusionPromise(
  promised: Promised,
  key: SigningKey,
): Pick<LogEntry, 'integratedTime' | 'inclusionPromise'> {
  const signed = JSON.stringify({
    body: promised.body.toString('base64'),
    integratedTime: promised.integratedTime,
    logID: promised.logId.toString('hex'),
    logIndex: promised.logIndex,
  });
  const signedEntryTimestamp = signWithLogKey(Buffer.from(signed), key).toString('base64');
  return { integratedTime: String(promised.integratedTime), inclusionPromise: { signedEntryTimestamp } };
}

function signWithLogKey(bytes: Buffer, { privateKey }: SigningKey): Buffer {
  return sign(privateKey.asymmetricKeyType === 'ed25519' ? null : 'sha256', bytes, privateKey);
}

// The key id of a signed note: name, newline, signature type Ed25519, raw key.
function noteKeyId(name: string, key: SigningKey): Buffer {
  const raw = publicKeyDer(key.publicKey).subarray(-32);
  return sha256(Buffer.concat([Buffer.from(`${name}\n\u0001`), raw]));
}

function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}

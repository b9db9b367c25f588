// What does this log say its tree is? A strict reader of signed notes and checkpoints, and the check of the log's own
// signature. Cosignatures of witnesses are cosignature.ts. Specification: C2SP signed-note.md and tlog-checkpoint.md.
import { decodeBase64 } from '../lib/base64.ts';
import type { PreparedLog } from './prepared-trust.ts';
import { SignatureError } from './error.ts';
import { toLogAlgorithm, verifyWithAlgorithm } from './signature-algorithm.ts';

/** Most signature lines of one checkpoint (docs: limits). */
export const MAX_CHECKPOINT_SIGNATURES = 16;

/** A tree as its log describes it. */
export interface Checkpoint {
  readonly origin: string;
  readonly size: bigint;
  readonly rootHash: Buffer;
}

/** One signature line of a note. */
export interface NoteSignature {
  readonly name: string;
  /** The 4 bytes in front of the signature. */
  readonly keyId: Buffer;
  readonly signature: Buffer;
}

/** A signed note; nothing of it is verified. */
export interface SignedNote {
  /** What is signed, with its last newline. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

const refuse = (message: string): SignatureError =>
  new SignatureError('TransparencyLogInvalid', `the log's checkpoint ${message}`);

/** Reads a checkpoint that this log signed. @throws SignatureError `TransparencyLogInvalid` */
export function verifyCheckpoint(note: string, log: PreparedLog): Checkpoint {
  const { text, signatures } = readNote(note);
  const checkpoint = readCheckpoint(text);
  const own = signatures.filter((signature) => isOwn(signature, log));
  if (own.length === 0) throw refuse('is not signed by the log');
  // A log signs once; every copy of its line would cost another check.
  if (own.length > 1) throw refuse('is signed more than once by the log');
  // C2SP signed-note: a signature in the name and key of a known signer must verify.
  const [algorithm, bytes] = [toLogAlgorithm(log.publicKey), Buffer.from(text, 'utf8')];
  for (const { name, signature } of own) {
    if (!verifyWithAlgorithm(algorithm, log.publicKey, bytes, signature))
      throw refuse('has a wrong signature of the log');
    if (!isOriginOf(checkpoint.origin, name)) throw refuse('is of another origin than its signature');
  }
  return checkpoint;
}

/** Reads a note and its lines. @throws SignatureError `TransparencyLogInvalid` */
export function readNote(note: string): SignedNote {
  const end = note.lastIndexOf('\n\n');
  if (end === -1 || !note.endsWith('\n')) throw refuse('is no signed note');
  const lines = note.slice(end + 2).split('\n');
  lines.pop();
  if (lines.length === 0) throw refuse('is not signed');
  if (lines.length > MAX_CHECKPOINT_SIGNATURES)
    throw refuse(`has more than ${MAX_CHECKPOINT_SIGNATURES} signatures`);
  return { text: note.slice(0, end + 1), signatures: lines.map(readSignature) };
}

function readSignature(line: string): NoteSignature {
  const [, name = '', encoded = ''] = /^\u2014 ([^\s+]{1,255}) ([A-Za-z0-9+/=]{8,4096})$/.exec(line) ?? [];
  const bytes = decodeBase64(encoded);
  if (bytes === undefined || bytes.length < 5) throw refuse('has a line that is no signature');
  return { name, keyId: bytes.subarray(0, 4), signature: bytes.subarray(4) };
}

// tlog-checkpoint: origin, decimal size, base64 root hash, then extension lines that are not empty.
function readCheckpoint(text: string): Checkpoint {
  const [origin = '', size = '', root = '', ...extensions] = text.slice(0, -1).split('\n');
  const rootHash = decodeBase64(root);
  if (origin === '' || !/^(?:0|[1-9]\d{0,19})$/.test(size) || rootHash?.length !== 32)
    throw refuse('does not say origin, size and root');
  if (extensions.includes('')) throw refuse('has an empty line');
  return { origin, size: BigInt(size), rootHash };
}

// The key id that the root names, else the start of the log id, which is the same value (sigstore_trustroot.proto).
function isOwn({ name, keyId }: NoteSignature, { baseUrl, logId, checkpointKeyId }: PreparedLog): boolean {
  return keyId.equals((checkpointKeyId ?? logId).subarray(0, 4)) && isNameOf(name, baseUrl);
}

// A log signs as its URL without scheme; Rekor v1 as the host alone.
function isNameOf(name: string, baseUrl: string): boolean {
  const address = baseUrl.replace(/^[a-z]+:\/\//, '').replace(/\/$/, '');
  const authority = address.split('/')[0] ?? '';
  return name === address || name === authority || name === authority.replace(/:\d+$/, '');
}

// Rekor v1 appends the number of its tree to the name: `rekor.sigstore.dev - 2605736670972794746`.
function isOriginOf(origin: string, name: string): boolean {
  return (
    origin === name || (origin.startsWith(`${name} - `) && /^\d{1,20}$/.test(origin.slice(name.length + 3)))
  );
}
